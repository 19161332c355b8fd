"""How a region is reached: one client, made when it is first needed, and anew for new credentials.

Credentials that a region no longer takes are read anew, for they may have been replaced while
something ran: a file rotated, a session's token renewed.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from drorch.core.errors import ConfigurationError
from drorch.core.model import Region
from drorch.storage.client import Credentials, Patience, forget_sessions, make_client
from drorch.storage.faults import Cause, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Seconds between two readings of credentials anew; they may come from a slow command.
_AGAIN = 2.0


class Access:
    """A region's client and credentials. Thread-safe.

    `renew` gives the credentials as they are now; without it they stay what they are.
    """

    def __init__(
        self,
        region: Region,
        credentials: Credentials,
        patience: Patience,
        renew: Callable[[], Credentials] | None = None,
    ) -> None:
        self.region = region
        self.credentials = credentials
        #: Counts clients: what is under way may be of an earlier one.
        self.generation = 0
        self._patience = patience
        self._renew = renew
        self._renewing = threading.Lock()
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    @property
    def client(self) -> "S3Client":
        """The S3 client; raises StorageError where none can be made."""
        with self._lock:
            if self._client is None:
                with translated(self.region, "make a client"):
                    self._client = make_client(self.region, self.credentials, self._patience)
            return self._client

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._replace(self.credentials)

    def renewed(self, generation: int, cause: Cause) -> bool:
        """Whether there are other credentials now than those that were refused for this cause."""
        with self._renewing:
            if self.generation != generation:
                return True
            if self._renew is None or time.monotonic() < self._not_before:
                return False
            self._not_before = time.monotonic() + _AGAIN
            try:
                fresh = self._renew()
            except ConfigurationError:
                return False
            # Of a profile or the chain the values are not seen here: what expired is looked up.
            unseen = fresh.access_key is None and cause is Cause.EXPIRED
            if fresh == self.credentials and not unseen:
                return False
            forget_sessions()
            self._replace(fresh)
            return True

    def _replace(self, credentials: Credentials) -> None:
        with self._lock:
            client, self._client = self._client, None
            self.credentials = credentials
            self.generation += 1
        if client is not None:
            client.close()
