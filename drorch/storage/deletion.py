"""What a region's key could delete for good, found out by trying it on an object made for that.

It has one name, at most one version and one delete marker, however often it is tried: a version
that could not be deleted is tried again the next time, its lock held for another minute.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from drorch.core.errors import StorageError
from drorch.core.model import LockMode
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.versions import (
    Retention,
    Version,
    hide,
    histories,
    put_retained,
    retain,
    retention_of,
)

#: The object that is tried, below the region's prefix.
TRIED = "control-plane/doctor"

_CONTENT = b"`drorch doctor` tries whether the region's key could delete versions of this object.\n"

#: How long a version tried is locked: long enough for the trial, whatever the clocks.
_LOCKED = timedelta(minutes=1)


class Power(StrEnum):
    """What the key can delete for good."""

    NOTHING = "nothing"
    UNLOCKED = "unlocked"
    GOVERNED = "governed"
    LOCKED = "locked"


def power_to_delete(bucket: Bucket, mode: LockMode | None, now: datetime) -> Power:
    """What the bucket's key can delete in a bucket that keeps versions: of `mode` are locks there
    (None: it has none). Raises StorageError if it cannot be tried.
    """
    if mode is not None:
        version = _locked_version(bucket, mode, now)
        if _deletes(bucket, version):
            return Power.LOCKED
        if _deletes(bucket, version, BypassGovernanceRetention=True):
            return Power.GOVERNED
    return Power.UNLOCKED if _deletes(bucket, _marker(bucket)) else Power.NOTHING


def _history(bucket: Bucket) -> tuple[Version, ...]:
    return next((h for h in histories(bucket, TRIED) if h[0].name == TRIED), ())


def _locked_version(bucket: Bucket, mode: LockMode, now: datetime) -> Version:
    for version in _history(bucket):
        if not version.marker:
            held = retention_of(bucket, version)
            if held is None or held.until < now + _LOCKED / 2:
                retain(bucket, version, Retention(held.mode if held else mode, now + _LOCKED))
            return version
    return put_retained(bucket, TRIED, _CONTENT, Retention(mode, now + _LOCKED))


def _marker(bucket: Bucket) -> Version:
    """The delete marker on top; markers are never locked."""
    for again in (True, False):
        history = _history(bucket)
        if history and history[0].marker:
            return history[0]
        if again:
            hide(bucket, TRIED)
    raise StorageError(
        f"region {bucket.region.name}: deleting an object left no delete marker",
        "look whether its bucket still keeps versions",
        Cause.NO_VERSIONS,
    )


def _deletes(bucket: Bucket, version: Version, **passing: Any) -> bool:
    """Whether the store deletes the version when we ask for it."""
    ask = partial(
        bucket.client.delete_object,
        Bucket=bucket.region.bucket,
        Key=bucket.region.key(version.name),
        VersionId=version.id,
        **passing,
    )
    try:
        bucket.attempt("delete a version", ask)
    except StorageError as error:
        if error.cause == Cause.CREDENTIALS:
            return False
        raise
    return True
