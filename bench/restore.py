"""`drorch restore` beside bare `restic restore`, both from the region alone, without a cache."""

import shutil
from collections.abc import Iterator

from bench.figures import Bound, Figure, series
from bench.processes import Ran
from bench.yard import Yard

_BOUND = 1.05


def measure_restore(yard: Yard) -> Iterator[Figure]:
    """Everything, each time into a folder that is not there yet."""
    site = yard.site("restore")
    site.drorch("repo", "init")
    site.drorch("backup", "documents", "--json")
    repository = yard.repository("restore/datasets/documents")
    ours: list[Ran] = []
    theirs: list[Ran] = []
    for number in range(yard.amount.repetitions):
        one, other = (yard.bulk / f"{who}-{number}" for who in ("ours", "theirs"))
        ours.append(site.drorch("restore", "documents", "--to", str(one), "--json"))
        words = ("restore", "latest", "--no-cache", "--json", "--target", str(other))
        theirs.append(repository.restic(*words))
        for folder in (one, other):
            shutil.rmtree(folder)
    yard.forget("restore")
    walls = series([r.wall for r in ours]), series([r.wall for r in theirs])
    yield Figure("restore", walls[0], "s", walls[1], "restic restore", Bound(_BOUND))
    times = series([r.cpu for r in ours]), series([r.cpu for r in theirs])
    yield Figure("restore, processor time", times[0], "s", times[1], "restic restore")
