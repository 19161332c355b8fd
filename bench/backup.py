"""`drorch backup` beside bare `restic backup`: wall time, processor time, starts of restic, memory."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.delay import far_away
from bench.figures import Bound, Figure, Series, series
from bench.processes import Ran
from bench.yard import Repository, Site, Yard

#: What a first backup may cost, then one of unchanged data, of bare restic's wall time.
_FIRST, _UNCHANGED = 1.05, 1.3
#: What a backup to two regions may cost, of one to one region by bare restic: wall and processor
#: time, wall where the regions are far, and after how many milliseconds both are whole.
_MIRRORED, _MIRRORED_CPU, _FAR, _WHOLE_AFTER = 1.45, 1.3, 1.2, 1000
#: Seconds to a region and back, where it is far.
_ROUND_TRIP = 0.04
#: Unchanged data is quick to back up: it is done so often in each repetition.
_AGAIN, _AROUND = 2, 3
_CLIENT = "of drorch and restic together, without the region's server"
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
    last = yard.amount.repetitions - 1
    for number in range(last + 1):
        ours = _made(yard, f"backup-ours-{number}")
        theirs = yard.repository(f"backup-theirs-{number}").init()
        taken.take("ours first", _backed_up(ours))
        taken.take("theirs first", theirs.backup())
        for _ in range(_AGAIN):
            taken.take("ours again", _backed_up(ours))
            taken.take("theirs again", theirs.backup())
        if number == last:
            around = list(_around_restic(yard, ours))
        yard.forget(f"backup-ours-{number}", f"backup-theirs-{number}")
    for which, bound, what in (
        ("first", _FIRST, "first backup"),
        ("again", _UNCHANGED, "unchanged data"),
    ):
        ours_wall, theirs_wall = taken.wall(f"ours {which}"), taken.wall(f"theirs {which}")
        yield Figure(what, ours_wall, "s", theirs_wall, "restic backup", Bound(bound))
        ours_cpu, theirs_cpu = taken.cpu(f"ours {which}"), taken.cpu(f"theirs {which}")
        yield Figure(
            f"{what}, processor time", ours_cpu, "s", theirs_cpu, "restic backup", note=_CLIENT
        )
    yield from around


def _made(yard: Yard, name: str, copies: Sequence[str] = ()) -> Site:
    site = yard.site(name, copies=copies)
    site.drorch("repo", "init")
    return site


def _backed_up(site: Site, restic: str | None = None) -> Ran:
    return site.drorch("backup", "documents", "--json", restic=restic)


def _around_restic(yard: Yard, site: Site) -> Iterator[Figure]:
    """By a wrapper around restic that notes when it starts and ends; the data is unchanged.

    The first backup is not counted: of a restic it has never seen, drorch asks the version.
    """
    noted = yard.disk / "starts"
    wrapper = yard.disk / "noting-restic"
    _write_noter(wrapper, noted, yard.restic)
    starts, before, after = [], [], []
    for number in range(1 + _AROUND):
        noted.write_text("")
        ran = site.drorch("backup", "documents", "--json", restic=str(wrapper))
        lines = [line.split() for line in noted.read_text().splitlines()]
        if number:
            starts.append(float(len(lines)))
            before.append(1000 * (int(lines[0][0]) / 1e9 - ran.began))
            after.append(1000 * (ran.began + ran.wall - int(lines[-1][1]) / 1e9))
    how = "by a wrapper around restic that notes its starts and ends; unchanged data"
    yield Figure("restic starts of a backup", series(starts), "", bound=Bound(1), note=how)
    yield Figure("time before restic starts", series(before), "ms", note=how)
    yield Figure("time after restic ended", series(after), "ms", note=how)


def _write_noter(wrapper: Path, noted: Path, restic: str) -> None:
    wrapper.write_text(
        f"""#!/bin/sh
began=$(date +%s%N)
"{restic}" "$@"
code=$?
echo "$began $(date +%s%N) $1" >> "{noted}"
exit $code
"""
    )
    wrapper.chmod(0o755)


def measure_mirrored(yard: Yard) -> Iterator[Figure]:
    """A first backup to two regions, beside restic's to two and to one."""
    taken = _Taken()
    after = []
    wrapper = yard.disk / "noting-the-end"
    noted = yard.disk / "ends"
    _write_noter(wrapper, noted, yard.restic)
    for number in range(yard.amount.repetitions):
        ours = _made(yard, f"mirror-ours-{number}", [f"two-{number}"])
        one = yard.repository(f"mirror-one-{number}").init()
        two = yard.repository(f"mirror-two-{number}", region=1).init(one)
        bare = yard.repository(f"mirror-bare-{number}").init()
        noted.write_text("")
        ran = _backed_up(ours, restic=str(wrapper))
        taken.take("ours", ran)
        last = noted.read_text().splitlines()[-1].split()
        after.append(1000 * (ran.began + ran.wall - int(last[1]) / 1e9))
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
    bare_wall, bare_cpu = taken.wall("bare"), taken.cpu("bare")
    yield Figure(
        "the same beside one region", wall, "s", bare_wall, "restic backup", Bound(_MIRRORED)
    )
    yield Figure(
        "the same, processor time",
        taken.cpu("ours"),
        "s",
        bare_cpu,
        "restic backup",
        Bound(_MIRRORED_CPU),
        note=_CLIENT,
    )
    yield Figure(
        "both regions whole after restic ended",
        series(after),
        "ms",
        bound=Bound(_WHOLE_AFTER),
        note="drorch's own end: reports and records included",
    )


def measure_far(yard: Yard) -> Iterator[Figure]:
    """The same with regions that are 40 ms away."""
    taken = _Taken()
    with far_away(_ROUND_TRIP, [region.port for region in yard.regions]) as ways:
        for number in range(yard.amount.repetitions):
            ours = yard.site(f"far-{number}", copies=[f"two-far-{number}"], endpoints=ways)
            ours.drorch("repo", "init")
            bare = yard.repository(f"far-bare-{number}", endpoint=ways[0]).init()
            taken.take("ours", _backed_up(ours))
            taken.take("bare", bare.backup())
            yard.forget(*(f"{kind}-{number}" for kind in ("far", "two-far", "far-bare")))
    yield Figure(
        "first backup to two regions 40 ms away",
        taken.wall("ours"),
        "s",
        taken.wall("bare"),
        "restic backup to one of them",
        Bound(_FAR),
    )


def _both(one: Repository, two: Repository) -> Ran:
    first = one.backup()
    second = two.restic("copy", source=one)
    return Ran(first.began, first.wall + second.wall, first.cpu + second.cpu, 0.0, "")


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
