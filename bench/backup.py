"""`drorch backup` beside bare `restic backup`: wall time, processor time, starts of restic, memory."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Bound, Figure, Series, series
from bench.processes import Ran
from bench.yard import Repository, Site, Yard

#: What a first backup may cost, then one of unchanged data, of bare restic's wall time.
_FIRST, _UNCHANGED = 1.05, 1.3
#: What the process may take, in MB.
_MEMORY = 120


class _Taken:
    """What was measured, by contender."""

    def __init__(self) -> None:
        self._ran: dict[str, list[Ran]] = defaultdict(list)

    def take(self, what: str, ran: Ran) -> None:
        self._ran[what].append(ran)

    def wall(self, what: str) -> Series:
        return series([ran.wall for ran in self._ran[what]])

    def cpu(self, what: str) -> Series:
        return series([ran.cpu for ran in self._ran[what]])

    def peak(self, what: str) -> Series:
        return series([ran.peak_mb for ran in self._ran[what]])


def measure_backup(yard: Yard) -> Iterator[Figure]:
    """A first backup and one of unchanged data, each repetition in fresh repositories."""
    taken = _Taken()
    for number in range(yard.amount.repetitions):
        ours = _made(yard, f"backup-ours-{number}")
        theirs = yard.repository(f"backup-theirs-{number}").init()
        taken.take("ours first", _backed_up(ours))
        taken.take("theirs first", theirs.backup())
        taken.take("ours again", _backed_up(ours))
        taken.take("theirs again", theirs.backup())
        yard.forget(f"backup-ours-{number}", f"backup-theirs-{number}")
    for which, bound, what in (
        ("first", _FIRST, "first backup"),
        ("again", _UNCHANGED, "unchanged data"),
    ):
        ours_wall, theirs_wall = taken.wall(f"ours {which}"), taken.wall(f"theirs {which}")
        yield Figure(what, ours_wall, "s", theirs_wall, "restic backup", Bound(bound))
    yield Figure(
        "first backup, processor time",
        taken.cpu("ours first"),
        "s",
        taken.cpu("theirs first"),
        "restic backup",
        note="drorch and restic together, without the region's server",
    )
    yield _restic_starts(yard)
    yield from _mirrored(yard)


def _made(yard: Yard, name: str, copies: Sequence[str] = ()) -> Site:
    site = yard.site(name, copies=copies)
    site.drorch("repo", "init")
    return site


def _backed_up(site: Site) -> Ran:
    return site.drorch("backup", "documents", "--json")


def _restic_starts(yard: Yard) -> Figure:
    """By a wrapper that counts; the first backup through it may ask it for its version."""
    site = _made(yard, "backup-counted")
    counted = yard.disk / "starts"
    wrapper = yard.disk / "counting-restic"
    _write_counter(wrapper, counted, yard.restic)
    starts = []
    for _ in range(2):
        counted.write_text("")
        site.drorch("backup", "documents", "--json", restic=str(wrapper))
        starts.append(float(len(counted.read_text().splitlines())))
    yard.forget("backup-counted")
    return Figure(
        "restic starts of a backup",
        series(starts),
        "",
        bound=Bound(1),
        note="by a counting wrapper; a first backup, then one of unchanged data",
    )


def _write_counter(wrapper: Path, counted: Path, restic: str) -> None:
    wrapper.write_text(f'#!/bin/sh\necho "$*" >> "{counted}"\nexec "{restic}" "$@"\n')
    wrapper.chmod(0o755)


def _mirrored(yard: Yard) -> Iterator[Figure]:
    taken = _Taken()
    for number in range(yard.amount.repetitions):
        ours = _made(yard, f"mirror-ours-{number}", [f"two-{number}"])
        one = yard.repository(f"mirror-one-{number}").init()
        two = yard.repository(f"mirror-two-{number}", region=1).init(one)
        bare = yard.repository(f"mirror-bare-{number}").init()
        taken.take("ours", _backed_up(ours))
        taken.take("copied", _both(one, two))
        taken.take("bare", bare.backup())
        kinds = ("mirror-ours", "mirror-one", "mirror-two", "mirror-bare", "two")
        yard.forget(*(f"{kind}-{number}" for kind in kinds))
    wall = taken.wall("ours")
    yield Figure(
        "first backup and mirror to a second region",
        wall,
        "s",
        taken.wall("copied"),
        "restic backup + restic copy",
    )
    yield Figure("the same beside one region", wall, "s", taken.wall("bare"), "restic backup")
    yield Figure(
        "the same, processor time", taken.cpu("ours"), "s", taken.cpu("bare"), "restic backup"
    )


def _both(one: Repository, two: Repository) -> Ran:
    first = one.backup()
    second = two.restic("copy", source=one)
    return Ran(first.wall + second.wall, first.cpu + second.cpu, 0.0, "")


def measure_memory(yard: Yard) -> Iterator[Figure]:
    """The peak of drorch's own process during a backup, without restic's."""
    taken = _Taken()
    plain = _made(yard, "memory-plain")
    taken.take("plain", _backed_up(plain))
    yard.forget("memory-plain")
    mirrored = _made(yard, "memory-mirrored", ["two-memory"])
    taken.take("mirrored", _backed_up(mirrored))
    yard.forget("memory-mirrored", "two-memory")
    yield Figure("peak memory, one region", taken.peak("plain"), "MB", bound=Bound(_MEMORY))
    yield Figure(
        "peak memory, mirror to a second", taken.peak("mirrored"), "MB", bound=Bound(_MEMORY)
    )
