"""A replication among very many objects: what memory it takes to know them all."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Bound, Figure, series
from bench.yard import Yard

#: How many objects a region holds, and how many of them the other lacks.
_OBJECTS, _LACKING = 100_000, 2_000
#: What the process may take, in MB.
_MEMORY = 200


def measure_objects(yard: Yard) -> Iterator[Figure]:
    """Tiny objects under their true names, put where the regions' servers find them."""
    objects, lacking = (10_000, 200) if yard.quick else (_OBJECTS, _LACKING)
    site = yard.site("many", copies=["two-many"])
    site.drorch("repo", "init")
    one, two = (
        r.bucket / p / "datasets/documents"
        for r, p in zip(yard.regions, ("many", "two-many"), strict=True)
    )
    for number in range(objects):
        content = number.to_bytes(8, "big")
        first = _put(one, content)
        if number >= lacking:
            second = two / first.relative_to(one)
            second.parent.mkdir(parents=True, exist_ok=True)
            os.link(first, second)
    yard.restart()
    ran = site.drorch("replicate", "--region", "two-many", "--json")
    yard.forget("many", "two-many")
    how = f"{objects} objects in each region, {lacking} of them brought to the second"
    yield Figure(
        "peak memory, very many objects",
        series([ran.peak_mb]),
        "MB",
        bound=Bound(_MEMORY),
        note=how,
    )
    yield Figure("time to list, compare and bring them", series([ran.wall]), "s", note=how)


def _put(repository: Path, content: bytes) -> Path:
    name = hashlib.sha256(content).hexdigest()
    path = repository / "data" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
