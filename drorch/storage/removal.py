"""Objects of a repository deleted, many at a time, in the order that keeps it whole at every moment.

Snapshots go before the indexes that speak of their data, indexes before the data they name: cut
off anywhere, what is left is a repository with something too much in it, never too little.
In a bucket that keeps versions, a deletion is a marker over them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from drorch.core.errors import StorageError
from drorch.ports import Cancellation, Progress
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop, each
from drorch.storage.faults import Cause
from drorch.storage.layout import Kind

#: As many as S3 takes in one request.
BATCH = 1000

#: How many requests are under way at once.
HANDS = 4

#: Nothing else is ever deleted here: not config, not keys.
ORDER = (Kind.SNAPSHOTS, Kind.INDEX, Kind.DATA)

#: Codes of single refusals inside an answer that are no refusal for good.
_PASSING = frozenset({"InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout"})


def remove(
    bucket: Bucket,
    repository: str,
    names: Iterable[str],
    *,
    progress: Callable[[Progress], None] | None = None,
    cancel: Cancellation | None = None,
) -> None:
    """Delete objects by their names below the repository; what is not there is passed over.

    Raises StorageError: of a region that fails or refuses, or `cancelled`. Run again, it does what
    is left. ValueError for what is no snapshot, index or data.
    """
    run = _Removal(bucket, repository.rstrip("/"), progress)
    by_kind: dict[Kind, list[str]] = {kind: [] for kind in ORDER}
    for name in names:
        by_kind[_kind(name)].append(name)
    run.total = sum(map(len, by_kind.values()))
    unregister = cancel.on_cancel(run.stop) if cancel else lambda: None
    try:
        for kind in ORDER:
            each(_batches(sorted(by_kind[kind])), run.delete, hands=HANDS, stop=run.stop)
            _raise_if_cancelled(bucket, cancel)
    finally:
        unregister()


def _kind(name: str) -> Kind:
    kind = Kind(name.partition("/")[0])
    if kind not in ORDER:
        raise ValueError(f"{name} is not to be deleted")
    return kind


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _raise_if_cancelled(bucket: Bucket, cancel: Cancellation | None) -> None:
    if cancel is not None and cancel.cancelled:
        raise StorageError(
            f"deleting in region {bucket.region.name} was stopped: {cancel.reason}",
            "what is left is owed: `drorch retention apply` goes on with it",
            Cause.CANCELLED,
        )


class _Removal:
    def __init__(
        self, bucket: Bucket, repository: str, progress: Callable[[Progress], None] | None
    ) -> None:
        self._bucket = bucket
        self._repository = repository
        self._progress = progress
        self._done = 0
        self.total = 0
        self.stop = Stop()

    def delete(self, names: Sequence[str]) -> None:
        """Delete some, in one request if the store knows how."""
        doing = f"delete {len(names)} object(s)"
        try:
            self._bucket.attempt(doing, partial(self._at_once, names))
        except StorageError as error:
            if error.cause != Cause.REFUSED:
                raise
            # A store that knows no deletion of many at once says so in its own way.
            for name in names:
                self._bucket.delete(f"{self._repository}/{name}")
        self._done += len(names)
        if self._progress is not None:
            self._progress(Progress(files_done=self._done, files_total=self.total))

    def _at_once(self, names: Sequence[str]) -> None:
        keys: Any = [
            {"Key": self._bucket.region.key(f"{self._repository}/{name}")} for name in names
        ]
        answer = self._bucket.client.delete_objects(
            Bucket=self._bucket.region.bucket, Delete={"Objects": keys, "Quiet": True}
        )
        refused = answer.get("Errors") or []
        if refused:
            raise self._refusal(refused[0])

    def _refusal(self, error: Any) -> StorageError:
        code = error.get("Code", "")
        cause = Cause.SERVER_ERROR if code in _PASSING else Cause.CREDENTIALS
        said = error.get("Message") or code or "no reason given"
        return StorageError(
            f"region {self._bucket.region.name} did not delete {error.get('Key')}: {said}",
            "let the region's key delete objects (s3:DeleteObject); versions that are locked stay "
            "in any case",
            cause,
        )
