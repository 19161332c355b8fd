"""How an S3 client is made: fast, with short timeouts, path style, and no surprises.

Importing botocore costs about 0.2 s and is left to the first call. boto3 itself adds 0.06 s for
resources that nothing here uses. A client would cost 0.11 s more, most of it for listing the folders
of some 400 other services and parsing the endpoints of all of AWS, which a region with an address
of its own does not need: without them it is 0.05 s, and 0.005 s for each further one.
"""

import base64
import functools
import ipaddress
import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from drorch.core.errors import ConfigurationError, Problem, StorageError
from drorch.core.model import Reach, Region
from drorch.ports import Secrets
from drorch.storage.faults import Cause
from drorch.storage.loading import load

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

#: In an answer to ListObjectVersions: of each entry, in their order, whether it is a delete marker.
MARKERS = "DrorchMarkers"

#: Our own name among botocore's signers.
_SIGNER = "drorch-s3v4"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a region: explicit keys, or an AWS profile, or (all None) the AWS default chain.

    The values never show in a representation.
    """

    access_key: str | None = None
    secret_key: str | None = None
    profile: str | None = None

    def __repr__(self) -> str:
        kind = "keys" if self.access_key else f"profile {self.profile}" if self.profile else "chain"
        return f"Credentials({kind})"


def credentials_of(region: Region, secrets: Secrets, *, anew: bool = False) -> Credentials:
    """The region's credentials by value; raises ConfigurationError when a secret cannot be had.

    With `anew` none is taken from an earlier answer. For a region that counts as lost there are none.
    """
    if region.reach is Reach.LOST:
        message = f"region {region.name} counts as lost in this exercise"
        hint = "ask the region that the exercise was recovered from"
        raise ConfigurationError([Problem(message, hint, ("regions", region.name))])
    if region.access_key and region.secret_key:
        keys = (secrets.get(name, anew=anew) for name in (region.access_key, region.secret_key))
        return Credentials(*keys)
    return Credentials(profile=region.profile)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may take: to connect, and between two bytes of an answer."""

    connect: timedelta = timedelta(seconds=3)
    read: timedelta = timedelta(seconds=15)
    connections: int = 16


def make_client(region: Region, credentials: Credentials, patience: Patience) -> "S3Client":
    """A client for the region's endpoint; it retries nothing by itself and is thread-safe.

    Raises botocore's BotoCoreError for a profile that does not exist, StorageError for an endpoint
    that is no address.
    """
    load()
    from botocore.config import Config

    config = Config(
        connect_timeout=patience.connect.total_seconds(),
        read_timeout=patience.read.total_seconds(),
        max_pool_connections=patience.connections,
        # A single attempt: repetition is decided one level up, where time is bounded.
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": "path", "us_east_1_regional_endpoint": "regional"},
        signature_version=_SIGNER,
        # Older stores refuse checksums they were not asked for; ours are given by name.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        proxies={} if _loopback(region.endpoint) else None,
        tcp_keepalive=True,
    )
    try:
        with _making:
            client = _session(credentials.profile).create_client(
                "s3",
                region_name=region.location,
                endpoint_url=region.endpoint,
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                config=config,
            )
    except ValueError as error:
        raise StorageError(
            f"region {region.name}: {region.endpoint} is no address of a store",
            "write the region's endpoint as https://host or http://host:port",
            Cause.REFUSED,
        ) from error
    _send_bodies_at_once(client)
    _keep_order(client)
    if region.reach is not Reach.ALL:
        _only_read(client, region)
    return cast("S3Client", client)


def forget_sessions() -> None:
    """Let the next client read profiles and the chain's files again."""
    with _making:
        _session.cache_clear()


#: Sessions are not thread-safe while they make a client; clients are.
_making = threading.Lock()


@functools.cache
def _session(profile: str | None) -> "Session":
    import botocore.auth
    from botocore.loaders import Loader
    from botocore.session import Session

    class OneService(Loader):
        """Finds S3 and no other service."""

        def list_available_services(self, type_name: str) -> list[str]:
            del type_name
            return ["s3"]

        def load_data_with_path(self, name: str) -> tuple[Any, str]:
            if name == "endpoints":
                return {"version": 3, "partitions": []}, ""
            return cast("tuple[Any, str]", super().load_data_with_path(name))

    class SignsByName(botocore.auth.S3SigV4Auth):
        """Takes a body's SHA-256 from its checksum header, where one is given.

        Else every body is read and hashed twice, and one that streams cannot be signed at all
        over plain HTTP. The signed hash makes every store check the body, those too that know
        nothing of checksum headers.
        """

        def payload(self, request: Any) -> str:
            given = request.headers.get("x-amz-checksum-sha256")
            if given is None:
                return super().payload(request)
            text = given.decode("ascii") if isinstance(given, bytes) else given
            return base64.b64decode(text).hex()

    botocore.auth.AUTH_TYPE_MAPS[_SIGNER] = SignsByName
    session = Session(profile=profile)
    session.register_component("data_loader", OneService())
    return session


def _send_bodies_at_once(client: Any) -> None:
    """Without `Expect: 100-continue`, which costs a round trip for every object."""

    def drop_expect(params: Any, **_: Any) -> None:
        params["headers"].pop("Expect", None)

    client.meta.events.register_last("before-call.s3", drop_expect)


def _keep_order(client: Any) -> None:
    """Versions and delete markers come in one order, which the parser loses: it makes two lists."""

    def note(response_dict: Any, customized_response_dict: Any, **_: Any) -> None:
        tags = re.findall(rb"<(Version|DeleteMarker)>", response_dict.get("body") or b"")
        customized_response_dict[MARKERS] = [tag == b"DeleteMarker" for tag in tags]

    client.meta.events.register("before-parse.s3.ListObjectVersions", note)


def _only_read(client: Any, region: Region) -> None:
    """Nothing is sent that could change anything, whoever asks for it."""

    def refuse(model: Any, **_: Any) -> None:
        if not model.name.startswith(("Get", "Head", "List")):
            raise StorageError(
                f"region {region.name} is only read: this is the copy of an exercise",
                "work with the real configuration",
                Cause.REFUSED,
                region.name,
            )

    client.meta.events.register_first("before-parameter-build.s3", refuse)


def _loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
