"""`drorch replicate` beside `restic copy`: everything, then nothing new."""

from collections.abc import Iterator

from bench.figures import Bound, Figure, series
from bench.yard import Yard

#: What looking may cost where nothing is new.
_NOTHING_NEW = 0.33


def measure_mirror(yard: Yard) -> Iterator[Figure]:
    """Each repetition brings the same repository to fresh places in the second region."""
    numbers = range(yard.amount.repetitions)
    site = yard.site("replicate", copies=[f"two-replica-{n}" for n in numbers])
    site.drorch("repo", "init")
    source = yard.repository("replicate/datasets/documents")
    source.backup()
    found: dict[str, list[float]] = {}
    for n in numbers:
        copy = yard.repository(f"copy-{n}", region=1).init(source)
        for what in ("everything", "nothing new"):
            ours = site.drorch("replicate", "--region", f"two-replica-{n}", "--json")
            theirs = copy.restic("copy", source=source)
            found.setdefault(f"ours {what}", []).append(ours.wall)
            found.setdefault(f"theirs {what}", []).append(theirs.wall)
        yard.forget(f"two-replica-{n}", f"copy-{n}")
    yard.forget("replicate")
    for what in ("everything", "nothing new"):
        ours_wall, theirs_wall = series(found[f"ours {what}"]), series(found[f"theirs {what}"])
        bound = Bound(_NOTHING_NEW) if what == "nothing new" else None
        yield Figure(f"replicate {what}", ours_wall, "s", theirs_wall, "restic copy", bound)
