"""`drorch replicate` beside `restic copy`: everything, then nothing new."""

from collections.abc import Iterator

from bench.figures import Bound, Figure, series
from bench.yard import Yard

#: What looking may cost where nothing is new.
_NOTHING_NEW = 0.33


def measure_mirror(yard: Yard) -> Iterator[Figure]:
    """Each repetition brings a repository of the same data to the second region."""
    found: dict[str, list[float]] = {}
    for n in range(yard.amount.repetitions):
        site = yard.site(f"replicate-{n}", copies=[f"two-replica-{n}"])
        site.drorch("repo", "init")
        source = yard.repository(f"replicate-{n}/datasets/documents")
        source.backup()
        copy = yard.repository(f"copy-{n}", region=1).init(source)
        for what in ("everything", "nothing new"):
            ours = site.drorch("replicate", "--region", f"two-replica-{n}", "--json")
            theirs = copy.restic("copy", source=source)
            found.setdefault(f"ours {what}", []).append(ours.wall)
            found.setdefault(f"theirs {what}", []).append(theirs.wall)
        yard.forget(f"replicate-{n}", f"two-replica-{n}", f"copy-{n}")
    for what in ("everything", "nothing new"):
        ours_wall, theirs_wall = series(found[f"ours {what}"]), series(found[f"theirs {what}"])
        bound = Bound(_NOTHING_NEW) if what == "nothing new" else None
        yield Figure(f"replicate {what}", ours_wall, "s", theirs_wall, "restic copy", bound)
