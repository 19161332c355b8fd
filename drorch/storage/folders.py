"""The folders of a bucket, without what lies in them: one request for a thousand."""

from functools import partial
from typing import Any

from drorch.storage.bucket import Bucket


def folders(bucket: Bucket, below: str, most: int | None = None) -> list[str]:
    """The names of those directly below a folder (`below` ends with a slash), in their order; no more
    than `most`. Raises StorageError.
    """
    found: list[str] = []
    top = f"{bucket.region.prefix.strip('/')}/{below}".lstrip("/")
    more: Any = {}
    while True:
        asked = {"Delimiter": "/", **more} | ({"MaxKeys": most} if most is not None else {})
        page = bucket.attempt(f"list {below}", partial(bucket.page, below, asked))
        told = (entry["Prefix"] for entry in page.get("CommonPrefixes", ()))
        found += [name.removeprefix(top).strip("/") for name in told]
        token = page.get("NextContinuationToken")
        if token is None or (most is not None and len(found) >= most):
            return found[:most]
        more = {"ContinuationToken": token}
