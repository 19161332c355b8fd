"""Objects named as restic names them, without restic: what they hold nobody ever opens."""

import hashlib

from drorch.storage.bucket import Bucket


def name_of(kind: str, content: bytes) -> str:
    """Where a repository has an object of this kind with this content."""
    digest = hashlib.sha256(content).hexdigest()
    return f"data/{digest[:2]}/{digest}" if kind == "data" else f"{kind}/{digest}"


def planted(bucket: Bucket, repository: str, *, data: int = 4) -> set[str]:
    """A config, a key, some packs, an index and two snapshots; their names below the repository."""
    objects = {"config": b"config of " + repository.encode()}
    counts = {"keys": 1, "data": data, "index": 1, "snapshots": 2}
    for kind, count in counts.items():
        for number in range(count):
            content = f"{kind} {number} of {repository}".encode()
            objects[name_of(kind, content)] = content
    for name, content in objects.items():
        bucket.put(f"{repository}/{name}", content)
    return set(objects)
