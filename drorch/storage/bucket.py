"""A region's bucket: objects listed, read, written. Names are below the region's prefix.

Requests are tried again only for what passes by itself, and only for a bounded time.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from drorch.core.errors import StorageError
from drorch.core.model import LockMode, ObjectLock, Region
from drorch.ports import Secrets
from drorch.storage.access import Access
from drorch.storage.client import Credentials, Patience, credentials_of
from drorch.storage.faults import Cause, not_understood, refuse_larger, refuses_body, translated
from drorch.storage.retries import Retries

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

#: How much is held of an object that streams through.
CHUNK = 1 << 18

#: In restic's folder for what is not finished.
_ASKED = "tmp/asked"
_REFUSED = frozenset({Cause.CREDENTIALS, Cause.EXPIRED})


class Checks(StrEnum):
    """By what a store proves a body that it is sent."""

    SHA256 = "sha-256"
    MD5 = "md5"
    NOTHING = "nothing"


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

    The client is made at the first request. `renew` gives the credentials as they are now, when
    the region refuses those it was given. Every method raises StorageError; its cause is one of
    `faults.Cause`.
    """

    def __init__(
        self,
        region: Region,
        credentials: Credentials,
        *,
        patience: Patience | None = None,
        give_up_after: timedelta = timedelta(seconds=20),
        renew: Callable[[], Credentials] | None = None,
    ) -> None:
        self.region = region
        self._access = Access(region, credentials, patience or Patience(), renew)
        self._retries = Retries(give_up_after)
        self._finding_out = threading.Lock()
        self._checks: Checks | None = None

    def __repr__(self) -> str:
        return f"Bucket({self.region.name}: {self.region.endpoint}/{self.region.bucket})"

    @property
    def credentials(self) -> Credentials:
        """Who we are to the region now."""
        return self._access.credentials

    @property
    def client(self) -> "S3Client":
        """The S3 client, made once."""
        return self._access.client

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._access.close()

    def list_objects(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name begins so, in the order of names, a page at a time.

        Those up to the name `after` are left out.
        """
        below = self._key("")
        more: Any = {"StartAfter": self._key(after)} if after else {}
        while True:
            page = self._again(f"list {prefix or 'objects'}", partial(self.page, prefix, more))
            for entry in page.get("Contents", ()):
                name = entry["Key"].removeprefix(below)
                yield ObjectInfo(name, entry["Size"], entry["LastModified"].astimezone(UTC))
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or token is None:
                return
            more = {"ContinuationToken": token}

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

    def get(self, name: str, *, most: int | None = None) -> bytes:
        """The whole object, in memory: for small ones; of more than `most` bytes it is `damaged`."""

        def read() -> bytes:
            with self.stream(name) as reading:
                refuse_larger(self.region, name, reading.size, most)
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
    def stream(
        self,
        name: str,
        first: int = 0,
        last: int | None = None,
        *,
        piece: Callable[[int], int] = lambda most: most,
    ) -> Iterator["Reading"]:
        """The object's bytes as they come, or those from `first` to `last`, both counted from 0
        and included; never tried again here.

        `piece` says how many to read at once, at most CHUNK. A body that ends early raises
        StorageError.
        """
        until = "" if last is None else last
        part: Any = {"Range": f"bytes={first}-{until}"} if first or last is not None else {}
        with self._asking(f"read {name}"):
            answer = self.client.get_object(Bucket=self.region.bucket, Key=self._key(name), **part)
            body = answer["Body"]
            try:
                yield Reading(answer["ContentLength"], _chunks(self.region, name, body, piece))
            finally:
                body.close()

    def put(self, name: str, content: bytes, *, only_new: bool = False) -> None:
        """Write a small object. The store is told its SHA-256 and its MD5, and refuses another.

        With `only_new` a store that knows conditional writes refuses if the object exists.
        """
        sha256 = hashlib.sha256(content).digest()
        self._again(
            f"write {name}",
            lambda: self.put_stream(
                name, content, len(content), sha256, only_new, md5=md5_of(content)
            ),
        )

    def put_stream(
        self,
        name: str,
        body: Any,
        size: int,
        sha256: bytes,
        only_new: bool = False,
        *,
        md5: bytes | None = None,
    ) -> str:
        """Write `size` bytes whose SHA-256 is known beforehand; never tried again here. Returns the
        store's ETag, which most make the MD5 (hex) of what they have got.

        `body` is bytes, or has `read()`, which gives pieces of any length until an empty one; the
        object appears only when all have come: an exception of `read` leaves nothing behind. A
        store that checks no SHA-256 (`checks`) may still check the MD5, if that is known.
        """
        told: Any = {"IfNoneMatch": "*"} if only_new else {}
        if md5 is not None:
            told["ContentMD5"] = _base64(md5)
        with self._asking(f"write {name}"):
            answer = self.client.put_object(
                Bucket=self.region.bucket,
                Key=self._key(name),
                Body=body,
                ContentLength=size,
                ChecksumSHA256=_base64(sha256),
                **told,
            )
        return answer.get("ETag", "").strip('"')

    def checks(self, folder: str) -> Checks:
        """By what the store refuses a body that is not what it was told.

        Asked once: something wrong is written below `folder`, and removed where it was taken.
        """
        with self._finding_out:
            if self._checks is None:
                doing = "ask whether it checks what is written"
                self._checks = self._again(doing, partial(self._found_out, f"{folder}/{_ASKED}"))
            return self._checks

    def _found_out(self, name: str) -> Checks:
        asked, wrong = b"asked", b"told"
        right, lie = hashlib.sha256(asked).digest(), hashlib.sha256(wrong).digest()
        if self._refuses(name, asked, lie):
            return Checks.SHA256
        refused = self._refuses(name, asked, right, md5_of(wrong))
        # Who may not delete leaves it: it is in nobody's way.
        with suppress(StorageError):
            self.delete(name)
        return Checks.MD5 if refused else Checks.NOTHING

    def _refuses(self, name: str, body: bytes, sha256: bytes, md5: bytes | None = None) -> bool:
        try:
            self.put_stream(name, body, len(body), sha256, md5=md5)
        except StorageError as error:
            if refuses_body(error.__cause__):
                return True
            raise
        return False

    def delete(self, name: str) -> None:
        """Remove the object, if it is there."""

        def remove() -> None:
            self.client.delete_object(Bucket=self.region.bucket, Key=self._key(name))

        self._again(f"delete {name}", remove)

    def create(self) -> bool:
        """Make the bucket in the region's configured location; False if it was there and is ours.

        Where the region is to have an object lock, the bucket gets it, and a rule that locks each
        new object for as long.
        """
        try:
            name = self.region.bucket
            self._again("look at the bucket", lambda: self.client.head_bucket(Bucket=name))
        except StorageError as error:
            if error.cause != Cause.NO_BUCKET:
                raise
        else:
            return False
        self._again("create the bucket", self._create)
        if self.region.object_lock is not None:
            rule = partial(self._lock_by_rule, self.region.object_lock)
            self._again("give the bucket its rule of object lock", rule)
        return True

    def attempt(self, doing: str, once: Callable[[], T]) -> T:
        """Do one thing with bounded repetition of what passes by itself."""
        return self._again(doing, once)

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

    def _lock_by_rule(self, lock: ObjectLock) -> None:
        compliance = lock.mode is LockMode.COMPLIANCE
        days = -(-lock.keep // timedelta(days=1))
        self.client.put_object_lock_configuration(
            Bucket=self.region.bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {
                    "DefaultRetention": {
                        "Mode": "COMPLIANCE" if compliance else "GOVERNANCE",
                        "Days": days,
                    }
                },
            },
        )

    def page(self, prefix: str, more: Any) -> Any:
        """A page of a listing. Nothing proves it, so one that contradicts itself is asked again."""
        try:
            page = self.client.list_objects_v2(
                Bucket=self.region.bucket, Prefix=self._key(prefix), **more
            )
        except ValueError as error:  # of a number or a time that is none
            raise not_understood(self.region, "list objects") from error
        strays = any(not e["Key"].startswith(self._key(prefix)) for e in page.get("Contents", ()))
        if strays or bool(page.get("IsTruncated")) != ("NextContinuationToken" in page):
            raise not_understood(self.region, "list objects")
        return page

    def _key(self, name: str) -> str:
        prefix = self.region.prefix.strip("/")
        return f"{prefix}/{name}" if prefix else name

    def _again(self, doing: str, once: Callable[[], T]) -> T:
        def asking() -> T:
            with self._asking(doing):
                return once()

        return self._retries.attempt(asking)

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """Not before the store wants to be asked; what it refuses is taken notice of."""
        self._retries.keep_calm()
        with translated(self.region, doing, partial(self._noticed, self._access.generation)):
            yield
        self._retries.went_well()

    def _noticed(self, generation: int, raw: Exception, error: StorageError) -> StorageError:
        self._retries.went_wrong(raw)
        if error.cause in _REFUSED and self._access.renewed(generation, Cause(error.cause)):
            return StorageError(error.message, error.hint, Cause.EXPIRED, error.region)
        return error


def md5_of(content: bytes | bytearray) -> bytes:
    """The MD5 (16 bytes), for stores that know no better check."""
    return hashlib.md5(content, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _chunks(region: Region, name: str, body: Any, piece: Callable[[int], int]) -> Iterator[bytes]:
    with translated(region, f"read {name}"):
        while chunk := body.read(piece(CHUNK)):
            yield cast("bytes", chunk)


_open: dict[tuple[Region, Credentials], Bucket] = {}
_opening = threading.Lock()


def open_bucket(region: Region, secrets: Secrets) -> Bucket:
    """The region's bucket, one for each region and credentials in a process.

    Raises ConfigurationError when the credentials' secrets cannot be had. No request is made.
    """
    credentials = credentials_of(region, secrets)
    with _opening:
        known = _open.get((region, credentials))
        if known is None:
            renew = partial(credentials_of, region, secrets, anew=True)
            known = _open[region, credentials] = Bucket(region, credentials, renew=renew)
        return known


def close_buckets() -> None:
    """Close and forget every bucket `open_bucket` has given out."""
    with _opening:
        buckets = list(_open.values())
        _open.clear()
    for bucket in buckets:
        bucket.close()
