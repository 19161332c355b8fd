"""Runs on the real journal on a disk: what a step costs in long ones, how soon the next one starts,
and what many that wait side by side take of memory.
"""

import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from bench.figures import Bound, Broken, Figure, interleaved, series
from bench.inside import carry_on, plan_of
from bench.processes import Ran, environment, run
from bench.yard import Site, Yard
from drorch.core.action import ActionSpec
from drorch.core.values import Result, passed
from drorch.journal.store import SqlJournal
from drorch.ports import Action, Call, Tools

#: What a step of the long run may cost of one of the short: flat, but for noise.
_FLAT = 1.25
_SHORT, _LONG = 200, 10_000

#: Milliseconds from a step's end to its successor's start.
_SOON = 5
_SUCCESSORS = 200

#: Steps that wait side by side, for how many seconds, and what the process may take, in MB.
_WAITING, _WHILE, _MEMORY = 500, 15, 150


@dataclass
class _Noting:
    """An action that does nothing, and notes in seconds when it was begun and when it ended."""

    begun: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def find(self, _name: str) -> Action | None:
        return Action(ActionSpec("nothing", "does nothing"), self._do)

    def names(self) -> Sequence[str]:
        return ("nothing",)

    def _do(self, _call: Call, _tools: Tools) -> Result:
        self.begun.append(time.perf_counter())
        result = passed({"exit": 0})
        self.ended.append(time.perf_counter())
        return result

    def gaps(self) -> list[float]:
        """Seconds from each end to the next beginning."""
        return [b - e for e, b in zip(self.ended, self.begun[1:], strict=False)]


def measure_durable(yard: Yard) -> Iterator[Figure]:
    """A step in a run of 10,000 beside one in a run of 200: in one process, and `drorch drill`."""
    long = _LONG // 10 if yard.quick else _LONG
    repetitions = 1 if yard.quick else yard.amount.repetitions
    with closing(_journal(yard, "durable")) as journal:
        few, many = _Durable(journal, _SHORT), _Durable(journal, long)
        walls = interleaved({"short": few, "long": many}, repetitions, warm_up=True)
    short, bound = f"a step of {_SHORT}", Bound(_FLAT)
    what = f"durable: a step of {long:,}"
    note = "actions that do nothing, in threads; every event durable on a disk"
    yield Figure(what, walls["long"], "µs", walls["short"], short, bound, note=note)
    spent = [series(one.spent[-repetitions:]) for one in (many, few)]
    yield Figure(f"{what}, processor time", spent[0], "µs", spent[1], short, bound, note=note)
    yield from _drilled(yard, long, 1 if yard.quick else min(2, repetitions))


def _drilled(yard: Yard, long: int, repetitions: int) -> Iterator[Figure]:
    """Whole processes; what a drill of one step takes is taken off, for it is no step's."""
    counts = (1, _SHORT, long)
    drills = _Drills(yard, counts)
    ran: dict[int, list[Ran]] = {count: [] for count in counts}
    for _, count in itertools.product(range(repetitions), counts):
        ran[count].append(drills.run(count))
    for how, of in (("", _wall), (", processor time", _cpu)):
        taken = {n: series([1000 * of(one) for one in found]) for n, found in ran.items()}
        yield Figure(
            f"drill: a step of {long:,}{how}",
            taken[long].per(taken[1], long - 1),
            "ms",
            taken[_SHORT].per(taken[1], _SHORT - 1),
            f"a step of {_SHORT}",
            Bound(_FLAT),
            note="processes of /bin/true, compiling and reports included; start taken off",
        )


def _wall(ran: Ran) -> float:
    return ran.wall


def _cpu(ran: Ran) -> float:
    return ran.cpu


_NUMBERS = itertools.count()


@dataclass
class _Durable:
    """Measures the microseconds that a step of so many takes; `spent` are those of the processor."""

    journal: SqlJournal
    size: int
    spent: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Small plans are run more often, so that each measurement takes about as long."""
        plan = plan_of(self.size)
        times = max(1, _LONG // 5 // self.size)
        began, spent = time.perf_counter(), time.process_time()
        for _ in range(times):
            carry_on(self.journal, plan, f"run-{next(_NUMBERS)}", _Noting())
        each = 1e6 / (times * self.size)
        self.spent.append(each * (time.process_time() - spent))
        return each * (time.perf_counter() - began)


def _journal(yard: Yard, name: str) -> SqlJournal:
    folder = yard.disk / name
    folder.mkdir()
    return SqlJournal("sqlite:///drorch.db", folder=folder)


class _Drills:
    """Runbooks of many steps that do nothing, as processes."""

    def __init__(self, yard: Yard, counts: Sequence[int]) -> None:
        self._site = yard.bare_site("long")
        for count in counts:
            steps = [_step(number, ["/bin/true"]) for number in range(count)]
            _write(self._site, f"long-{count}", steps)
        self._site.drorch("run", "list")  # makes the state's tables, once for all

    def run(self, count: int) -> Ran:
        return self._site.drorch("drill", f"long-{count}", "--progress", "none")


def _step(number: int, argv: Sequence[str]) -> dict[str, object]:
    return {"step": f"step-{number}", "do": "command", "with": {"argv": list(argv)}}


def _write(site: Site, name: str, steps: Sequence[object], **more: object) -> None:
    document = {"runbook": name, **more, "steps": list(steps)}
    (site.folder / "runbooks" / f"{name}.yaml").write_text(json.dumps(document))


def measure_succession(yard: Yard) -> Iterator[Figure]:
    """From one step's end to the next one's start, of 200 in a row, each median of a repetition."""
    repetitions = 3 if yard.quick else 7
    with closing(_journal(yard, "succession")) as journal:

        def ours() -> float:
            noting = _Noting()
            carry_on(journal, plan_of(_SUCCESSORS), f"run-{next(_NUMBERS)}", noting)
            return 1000 * statistics.median(noting.gaps())

        taken = interleaved({"ours": ours}, repetitions, warm_up=True)
    yield Figure(
        "from a step's end to its successor's start",
        taken["ours"],
        "ms",
        bound=Bound(_SOON),
        note="medians of 199 gaps; both steps' events are durable in between",
    )
    site = yard.bare_site("succession")
    _write(site, "clock", [_step(number, ["date", "+%s.%N"]) for number in range(_SUCCESSORS)])
    taken = interleaved(
        {"ours": lambda: _told_by(site), "theirs": lambda: _told_bare(yard)}, repetitions
    )
    yield Figure(
        "from one command's word to the next one's",
        taken["ours"],
        "ms",
        taken["theirs"],
        "subprocess.run of the same in Python",
        note="what two processes of `date` say: an end, a record, a start, and half a `date` each",
    )


def _told_by(site: Site) -> float:
    document = json.loads(site.drorch("drill", "clock", "--json", "--progress", "none").stdout)
    return _median_gap([step["outputs"]["stdout"] for step in document["steps"]])


_BARE = (
    "import subprocess, sys\n"
    "for _ in range(int(sys.argv[1])):\n"
    "    done = subprocess.run(['date', '+%s.%N'], capture_output=True, text=True)\n"
    "    sys.stdout.write(done.stdout)\n"
)


def _told_bare(yard: Yard) -> float:
    argv = [sys.executable, "-c", _BARE, str(_SUCCESSORS)]
    ran = run(argv, env=environment(), cwd=yard.disk, log=yard.log)
    return _median_gap(ran.stdout.split())


def _median_gap(told: Sequence[str]) -> float:
    times = [float(one) for one in told]
    if len(times) != _SUCCESSORS:
        raise Broken(f"{len(times)} of {_SUCCESSORS} told the time")
    return 1000 * statistics.median(b - a for a, b in itertools.pairwise(times))


def measure_waiting(yard: Yard) -> Iterator[Figure]:
    """Peak memory of drorch's own process while 500 steps wait side by side."""
    site = yard.bare_site("waiting")
    how = f"{_WAITING} at once"
    waits = [{"do": "wait", "with": {"for": f"{_WHILE}s"}}]
    sleeps = [{"do": "command", "with": {"argv": ["sleep", str(_WHILE)]}}]
    tries = [
        {
            "do": "command",
            "with": {"argv": ["test", "-e", f"tried-{n}"]},
            "retry": {"attempts": 2, "delay": f"{_WHILE}s", "jitter": "0%"},
            "on_failure": "continue",
        }
        for n in range(_WAITING)
    ]
    for name, what, bodies in (
        ("waits", "steps that let time pass", waits * _WAITING),
        ("sleeps", "commands that take their time", sleeps * _WAITING),
        ("tries", "steps that wait to be tried again", tries),
    ):
        steps = [{"step": f"s{n}", "needs": [], **body} for n, body in enumerate(bodies)]
        _write(site, name, steps, parallel=_WAITING)
        ran = site.drorch("drill", name, "--progress", "none")
        if ran.wall > 2 * _WHILE:
            raise Broken(f"{name} took {ran.wall:.0f} s: they did not wait side by side")
        yield Figure(
            f"peak memory, {what}", series([ran.peak_mb]), "MB", bound=Bound(_MEMORY), note=how
        )
