"""`drorch scrub` of a whole region beside `restic check --read-data` of the same repository."""

from collections.abc import Iterator

from bench.figures import Bound, Figure, series
from bench.yard import Yard


def measure_scrub(yard: Yard) -> Iterator[Figure]:
    """Each repetition reads everything twice: once by each, one after the other."""
    site = yard.site("scrub")
    site.drorch("repo", "init")
    site.drorch("backup", "documents", "--json")
    repository = yard.repository("scrub/datasets/documents")
    ours, theirs = [], []
    for _ in range(yard.amount.repetitions):
        ours.append(site.drorch("scrub", "--budget", "all", "--json"))
        theirs.append(repository.restic("check", "--read-data"))
    yard.forget("scrub")
    beside = "restic check --read-data"
    yield Figure(
        "scrub everything",
        series([ran.wall for ran in ours]),
        "s",
        series([ran.wall for ran in theirs]),
        beside,
        Bound(1),
    )
    yield Figure(
        "scrub everything, processor time",
        series([ran.cpu for ran in ours]),
        "s",
        series([ran.cpu for ran in theirs]),
        beside,
        note="of the client, without the region's server",
    )
    yield Figure("scrub: peak memory", series([ran.peak_mb for ran in ours]), "MB")
