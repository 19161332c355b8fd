"""A region's bucket: objects listed, read, written. Names are below the region's prefix.

Requests are tried again only for what passes by itself, and only for a bounded time.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.ports import Secrets
from drorch.storage.client import Credentials, Patience, credentials_of, make_client
from drorch.storage.faults import TRANSIENT, Cause, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

#: How much is held of an object that streams through.
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing shows it: name below the region's prefix, size in bytes."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """An object being read: its size in bytes, and its bytes, at most CHUNK at a time."""

    size: int
    chunks: Iterator[bytes]


class Bucket:
    """One region's bucket, as seen with given credentials. Thread-safe.

    The client is made at the first request. Every method raises StorageError; its cause is one
    of `faults.Cause`.
    """

    def __init__(
        self,
        region: Region,
        credentials: Credentials,
        *,
        patience: Patience | None = None,
        give_up_after: timedelta = timedelta(seconds=20),
    ) -> None:
        self.region = region
        self.credentials = credentials
        self._patience = patience or Patience()
        self._give_up_after = give_up_after
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    def __repr__(self) -> str:
        return f"Bucket({self.region.name}: {self.region.endpoint}/{self.region.bucket})"

    @property
    def client(self) -> "S3Client":
        """The S3 client, made once."""
        with self._lock:
            if self._client is None:
                with translated(self.region, "make a client"):
                    self._client = make_client(self.region, self.credentials, self._patience)
            return self._client

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name begins so, in the order of names, a page at a time."""
        below = self._key("")
        token: str | None = None
        while True:
            page = self._again(f"list {prefix or 'objects'}", partial(self._page, prefix, token))
            for entry in page.get("Contents", ()):
                name = entry["Key"].removeprefix(below)
                yield ObjectInfo(name, entry["Size"], entry["LastModified"].astimezone(UTC))
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or token is None:
                return

    def head(self, name: str) -> ObjectInfo | None:
        """The object's size and time, or None when there is no such object."""

        def look() -> Any:
            return self.client.head_object(Bucket=self.region.bucket, Key=self._key(name))

        try:
            found = self._again(f"look at {name}", look)
        except StorageError as error:
            if error.cause == Cause.NO_OBJECT:
                return None
            raise
        return ObjectInfo(name, found["ContentLength"], found["LastModified"].astimezone(UTC))

    def get(self, name: str) -> bytes:
        """The whole object, in memory: for small ones."""

        def read() -> bytes:
            with self.stream(name) as reading:
                return b"".join(reading.chunks)

        return self._again(f"read {name}", read)

    def get_file(self, name: str, path: Path) -> str:
        """The object into a file, which appears only when whole; returns its SHA-256 (hex)."""
        unfinished = path.with_name(path.name + ".partial")

        def read() -> str:
            digest = hashlib.sha256()
            with self.stream(name) as reading, unfinished.open("wb") as file:
                for chunk in reading.chunks:
                    digest.update(chunk)
                    file.write(chunk)
            unfinished.replace(path)
            return digest.hexdigest()

        try:
            return self._again(f"read {name}", read)
        finally:
            unfinished.unlink(missing_ok=True)

    @contextmanager
    def stream(self, name: str) -> Iterator["Reading"]:
        """The object's bytes as they come; never tried again here.

        A body that ends early raises StorageError.
        """
        with translated(self.region, f"read {name}"):
            answer = self.client.get_object(Bucket=self.region.bucket, Key=self._key(name))
            body = answer["Body"]
            try:
                yield Reading(answer["ContentLength"], _chunks(self.region, name, body))
            finally:
                body.close()

    def put(self, name: str, content: bytes, *, only_new: bool = False) -> None:
        """Write a small object. The store is told its SHA-256, and refuses another if it checks it.

        With `only_new` a store that knows conditional writes refuses if the object exists.
        """
        digest = hashlib.sha256(content).digest()
        self._again(
            f"write {name}", lambda: self.put_stream(name, content, len(content), digest, only_new)
        )

    def put_stream(
        self, name: str, body: Any, size: int, sha256: bytes, only_new: bool = False
    ) -> None:
        """Write `size` bytes whose SHA-256 is known beforehand; never tried again here.

        `body` is bytes, or has `read()`, which gives pieces of any length until an empty one; the
        object appears only when all have come: an exception of `read` leaves nothing behind.
        """
        condition: Any = {"IfNoneMatch": "*"} if only_new else {}
        with translated(self.region, f"write {name}"):
            self.client.put_object(
                Bucket=self.region.bucket,
                Key=self._key(name),
                Body=body,
                ContentLength=size,
                ChecksumSHA256=base64.b64encode(sha256).decode("ascii"),
                **condition,
            )

    def delete(self, name: str) -> None:
        """Remove the object, if it is there."""

        def remove() -> None:
            self.client.delete_object(Bucket=self.region.bucket, Key=self._key(name))

        self._again(f"delete {name}", remove)

    def create(self) -> bool:
        """Make the bucket in the region's configured location; False if it was there and is ours."""
        try:
            self._again("look at the bucket", self._head_bucket)
        except StorageError as error:
            if error.cause != Cause.NO_BUCKET:
                raise
        else:
            return False
        self._again("create the bucket", self._create)
        return True

    def attempt(self, doing: str, once: Callable[[], T]) -> T:
        """Do one thing with bounded repetition of what passes by itself."""
        return self._again(doing, once)

    def _head_bucket(self) -> None:
        self.client.head_bucket(Bucket=self.region.bucket)

    def _create(self) -> None:
        where = self.region.location
        # us-east-1 is the one location that AWS refuses to be told.
        place: Any = (
            {}
            if where == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": where}}
        )
        lock: Any = {"ObjectLockEnabledForBucket": True} if self.region.object_lock else {}
        self.client.create_bucket(Bucket=self.region.bucket, **place, **lock)

    def _page(self, prefix: str, token: str | None) -> Any:
        more: Any = {} if token is None else {"ContinuationToken": token}
        return self.client.list_objects_v2(
            Bucket=self.region.bucket, Prefix=self._key(prefix), **more
        )

    def _key(self, name: str) -> str:
        prefix = self.region.prefix.strip("/")
        return f"{prefix}/{name}" if prefix else name

    def _again(self, doing: str, once: Callable[[], T]) -> T:
        from tenacity import (
            Retrying,
            retry_if_exception,
            stop_after_delay,
            wait_random_exponential,
        )

        def translating() -> T:
            with translated(self.region, doing):
                return once()

        retrying = Retrying(
            stop=stop_after_delay(self._give_up_after.total_seconds()),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            retry=retry_if_exception(passes_by_itself),
            reraise=True,
        )
        return retrying(translating)


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same request may succeed moments later."""
    return isinstance(error, StorageError) and error.cause in TRANSIENT


def _chunks(region: Region, name: str, body: Any) -> Iterator[bytes]:
    with translated(region, f"read {name}"):
        while chunk := body.read(CHUNK):
            yield cast("bytes", chunk)


_open: dict[tuple[Region, Credentials], Bucket] = {}
_opening = threading.Lock()


def open_bucket(region: Region, secrets: Secrets) -> Bucket:
    """The region's bucket, one for each region and credentials in a process.

    Raises ConfigurationError when the credentials' secrets cannot be had. No request is made.
    """
    credentials = credentials_of(region, secrets)
    with _opening:
        return _open.setdefault((region, credentials), Bucket(region, credentials))


def close_buckets() -> None:
    """Close and forget every bucket `open_bucket` has given out."""
    with _opening:
        buckets = list(_open.values())
        _open.clear()
    for bucket in buckets:
        bucket.close()
