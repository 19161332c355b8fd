"""How long ago something was put into a bucket, by the clock of its own store: no other is asked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from drorch.storage.bucket import Bucket, ObjectInfo


def listed_at(bucket: Bucket, prefix: str) -> tuple[datetime | None, Sequence[ObjectInfo]]:
    """What time it is by the store's clock, None where it does not say; and the objects whose names
    begin so. Raises StorageError.
    """
    page = bucket.attempt(f"list {prefix}", partial(bucket.page, prefix, {}))
    above = bucket.region.prefix.strip("/")
    entries = [
        ObjectInfo(
            entry["Key"].removeprefix(f"{above}/" if above else ""),
            entry["Size"],
            entry["LastModified"].astimezone(UTC),
        )
        for entry in page.get("Contents", ())
    ]
    if page.get("IsTruncated"):
        entries += bucket.list_objects(prefix, after=entries[-1].name)
    return _date_of(page), entries


def _date_of(page: Any) -> datetime | None:
    told = page["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(told).astimezone(UTC)
    except (ValueError, OverflowError):  # what a store says may be anything
        return None
