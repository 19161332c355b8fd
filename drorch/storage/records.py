"""Drorch's own sealed records in a region: written once, locked where there is a lock, never over another."""

from datetime import datetime, timedelta

from drorch.core.errors import StorageError
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.versions import Retention, put_retained

_DAY = timedelta(days=1)


def keep(bucket: Bucket, name: str, content: bytes, until: datetime) -> bool:
    """Write the record, if it is not there yet; False if it was.

    In a region with an `object_lock` it is locked until then (rounded up to a day), in its mode. What
    lies there under the name with another content is left as it is: StorageError, `damaged`.
    """
    if bucket.head(name) is not None:
        if bucket.get(name) == content:
            return False
        raise StorageError(
            f"region {bucket.region.name}: {name} holds something else than was sealed",
            "somebody changed it: find out who, and compare it with the other regions' copy",
            Cause.DAMAGED,
            bucket.region.name,
        )
    lock = bucket.region.object_lock
    if lock is None:
        bucket.put(name, content)
    else:
        midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
        put_retained(bucket, name, content, Retention(lock.mode, midnight + _DAY))
    return True


def newest(bucket: Bucket, folder: str) -> list[str]:
    """The names of the records in a folder (ends with a slash), the last first."""
    return sorted((entry.name for entry in bucket.list_objects(folder)), reverse=True)
