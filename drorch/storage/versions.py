"""Versions of objects: listed in the order they were written, retained, hidden, brought back.

Nothing here deletes a version; what goes by its id is only ever a delete marker.

When a version was written is not what every store says of it: Ceph (16.2) lists a version that is
no more the newest with the time of its last change of retention. The order of versions holds in
every store, and so do the times of delete markers, which are never retained.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any, Literal, TypeVar

from drorch.core.errors import StorageError
from drorch.core.model import LockMode
from drorch.storage.bucket import CHUNK, Bucket
from drorch.storage.client import MARKERS
from drorch.storage.faults import Cause, hint_for, not_understood, translated

T = TypeVar("T")

#: How many versions a page of a listing holds.
PAGE = 1000

#: What stores say of a version that has no retention, in a bucket that has a lock.
_NOT_RETAINED = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, or (`marker`) a deletion of it; `name` is below the prefix.

    `modified` is never before it was written, but may be after. `etag` is the same for the same
    content, written in the same way.
    """

    name: str
    id: str
    modified: datetime
    size: int = 0
    etag: str = ""
    marker: bool = False


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when a version cannot be deleted."""

    mode: LockMode
    until: datetime


def keeps_versions(bucket: Bucket) -> bool:
    """Whether the bucket keeps versions, or kept some once."""
    ask = partial(bucket.client.get_bucket_versioning, Bucket=bucket.region.bucket)
    answer = _asked(bucket, "ask for its versioning", "s3:GetBucketVersioning", ask)
    return "Status" in answer


def histories(
    bucket: Bucket, prefix: str = "", *, page: int = PAGE
) -> Iterator[tuple[Version, ...]]:
    """Each object's versions and markers, the newest first; objects in the order of their names."""
    for _, history in groupby(listed_versions(bucket, prefix, page=page), lambda v: v.name):
        yield tuple(history)


def listed_versions(bucket: Bucket, prefix: str = "", *, page: int = PAGE) -> Iterator[Version]:
    """Every version and marker of objects whose names begin so, a page at a time."""
    top = bucket.region.key()
    below = f"{top}/" if top else ""
    following: dict[str, Any] = {}
    while True:
        ask = partial(
            bucket.client.list_object_versions,
            Bucket=bucket.region.bucket,
            Prefix=below + prefix,
            MaxKeys=page,
            **following,
        )
        doing = f"list versions of {prefix or 'objects'}"
        answer: Any = _asked(bucket, doing, "s3:ListBucketVersions", ask)
        before = following
        for entry, marker in _in_order(answer):
            # Ceph's own NextKeyMarker is not encoded as the keys are: a name with `+` would never
            # be passed. The last entry says the same.
            following = {"KeyMarker": entry["Key"], "VersionIdMarker": entry["VersionId"]}
            yield _version(entry, below, marker=marker)
        if not answer.get("IsTruncated"):
            return
        if following == before:
            raise not_understood(bucket.region, doing)


def retention_of(bucket: Bucket, version: Version) -> Retention | None:
    """Until when it is retained; None if it is not. Cause `no-lock` where the bucket cannot lock."""
    from botocore.exceptions import ClientError

    def ask() -> Any:
        try:
            return bucket.client.get_object_retention(**_at(bucket, version))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NOT_RETAINED:
                return {}
            raise

    answer = _asked(bucket, f"see the lock of {version.name}", "s3:GetObjectRetention", ask)
    found = answer.get("Retention")
    if not found:
        return None
    return Retention(LockMode(found["Mode"].lower()), found["RetainUntilDate"].astimezone(UTC))


def retain(bucket: Bucket, version: Version, retention: Retention, *, bypass: bool = False) -> None:
    """Retain it until then. A store refuses (`credentials`) what would weaken a lock.

    With `bypass` the right to pass over governance is claimed, if the key has it.
    """
    passing: Any = {"BypassGovernanceRetention": True} if bypass else {}

    def ask() -> None:
        bucket.client.put_object_retention(
            **_at(bucket, version),
            **passing,
            Retention={
                "Mode": _mode(retention),
                "RetainUntilDate": retention.until,
            },
        )

    _asked(bucket, f"lock {version.name}", "s3:PutObjectRetention", ask)


@contextmanager
def reading(bucket: Bucket, version: Version) -> Iterator[Iterator[bytes]]:
    """A version's bytes as they come, at most CHUNK at a time; never tried again here."""
    doing = f"read {version.name}"
    with translated(bucket.region, doing):
        body: Any = bucket.client.get_object(**_at(bucket, version))["Body"]
    try:
        yield _chunks(bucket, doing, body)
    finally:
        body.close()


def put_retained(bucket: Bucket, name: str, body: bytes, retention: Retention) -> Version:
    """Write a small object that is locked until then, whatever the bucket's own rule is."""

    def ask() -> str:
        answer = bucket.client.put_object(
            Bucket=bucket.region.bucket,
            Key=bucket.region.key(name),
            Body=body,
            ContentMD5=base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
            ObjectLockMode=_mode(retention),
            ObjectLockRetainUntilDate=retention.until,
        )
        return answer["VersionId"]

    return Version(name, _asked(bucket, f"write {name}", "s3:PutObject", ask), datetime.now(UTC))


def hide(bucket: Bucket, name: str) -> None:
    """Put a delete marker on top: listings show the object no more, and its versions stay."""
    bucket.delete(name)


def remove_marker(bucket: Bucket, marker: Version) -> None:
    """Take a delete marker away, so that what lies below it shows again. Harmless again."""
    if not marker.marker:
        raise ValueError(f"{marker.name} {marker.id} is a version, and versions are not deleted")
    ask = partial(bucket.client.delete_object, **_at(bucket, marker))
    _asked(bucket, f"bring {marker.name} back", "s3:DeleteObjectVersion", ask)


def copy_to_top(bucket: Bucket, version: Version) -> str:
    """Make a new version of the same content, which is then the one that shows; returns its etag."""
    source: Any = {
        "Bucket": bucket.region.bucket,
        "Key": bucket.region.key(version.name),
        "VersionId": version.id,
    }

    def ask() -> str:
        done = bucket.client.copy_object(
            Bucket=bucket.region.bucket, Key=bucket.region.key(version.name), CopySource=source
        )
        return done["CopyObjectResult"].get("ETag", "")

    doing = f"bring {version.name} back"
    return _asked(bucket, doing, "s3:GetObjectVersion and s3:PutObject", ask)


def _mode(retention: Retention) -> Literal["COMPLIANCE", "GOVERNANCE"]:
    return "COMPLIANCE" if retention.mode is LockMode.COMPLIANCE else "GOVERNANCE"


def _at(bucket: Bucket, version: Version) -> Any:
    return {
        "Bucket": bucket.region.bucket,
        "Key": bucket.region.key(version.name),
        "VersionId": version.id,
    }


def _in_order(answer: Any) -> Iterator[tuple[Any, bool]]:
    """Versions and markers in the order of the answer's XML, which its parser has taken apart."""
    parts = {True: iter(answer.get("DeleteMarkers", ())), False: iter(answer.get("Versions", ()))}
    for marker in answer[MARKERS]:
        yield next(parts[marker]), marker


def _version(entry: Any, below: str, *, marker: bool) -> Version:
    return Version(
        name=entry["Key"].removeprefix(below),
        id=entry["VersionId"],
        modified=entry["LastModified"].astimezone(UTC),
        size=entry.get("Size", 0),
        etag=entry.get("ETag", ""),
        marker=marker,
    )


def _chunks(bucket: Bucket, doing: str, body: Any) -> Iterator[bytes]:
    with translated(bucket.region, doing):
        while chunk := body.read(CHUNK):
            yield chunk


def _asked(bucket: Bucket, doing: str, right: str, once: Callable[[], T]) -> T:
    """The answer; what is refused names the right that a key needs, and a bucket without a lock
    is told apart.
    """
    try:
        return bucket.attempt(doing, once)
    except StorageError as error:
        if error.cause == Cause.CREDENTIALS:
            hint = f"let the region's key do {right} on the bucket"
            raise StorageError(error.message, hint, error.cause) from error
        if error.message.endswith("InvalidRequest"):
            raise StorageError(error.message, hint_for(Cause.NO_LOCK), Cause.NO_LOCK) from error
        raise
