"""What a step costs does not depend on how many others there are.

Counted, not timed: Python calls, and steps of loops by the lines that are run (a scan inside one
call would not show as calls). Built-in scans of a few slots are the only thing that could hide.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import FrameType

import pytest

from drorch.core.events import RunStarted
from drorch.core.names import Mode, OnFailure, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import replay
from drorch.core.runbook import Retry, Until
from tests.engine.stage import SideBySide
from tests.fakes.journal import MemoryJournal
from tests.fakes.world import MovingClock, ScriptedActions, an_engine, an_owner

RUN = "2026-11-23T03-00-00Z-cost-0001"

#: The larger plan has so many times the steps of the smaller.
TIMES = 10


def sequence(count: int) -> list[PlannedStep]:
    names = [f"s{n}" for n in range(count)]
    needs = [(), *((n,) for n in names)]
    return [
        PlannedStep(n, Phase.STEPS, "it", needs=before)
        for n, before in zip(names, needs, strict=False)
    ]


def side_by_side(count: int) -> list[PlannedStep]:
    return [PlannedStep(f"s{n}", Phase.STEPS, "it") for n in range(count)]


def retrying(count: int) -> list[PlannedStep]:
    """All of them fail at first, and most become due while all room is taken."""
    retry = Retry(2, timedelta(seconds=30), jitter=0.0)
    return [PlannedStep(f"s{n}", Phase.STEPS, "fails-once", retry=retry) for n in range(count)]


def undone(count: int) -> list[PlannedStep]:
    steps = side_by_side(count // 2)
    undo = [PlannedStep(f"u-{s.id}", Phase.CLEANUP, "it", undoes=s.id) for s in steps]
    return [*steps, *undo]


def given_up(count: int) -> list[PlannedStep]:
    """Half of them refer to what never came to be, and the run goes on without."""
    missing = {"of": "{s0.never}"}
    hopeless = [
        PlannedStep(f"h{n}", Phase.STEPS, "it", missing, on_failure=OnFailure.CONTINUE)
        for n in range(count // 2)
    ]
    good = side_by_side(count - len(hopeless))
    return [s for pair in zip(hopeless, good, strict=False) for s in pair]


def halted(count: int) -> list[PlannedStep]:
    """The first fails while all others run, and each of them ends in a turn of its own."""
    return [PlannedStep("bad", Phase.STEPS, "fails-once"), *side_by_side(count - 1)]


def looking(count: int) -> list[PlannedStep]:
    """One check that has to pass so many times in a row."""
    until = Until(timedelta(days=30), timedelta(seconds=1), count)
    return [PlannedStep("look", Phase.VERIFY, "it", check=True, repeatable=True, until=until)]


class Effort:
    """Counts the calls and lines that Python runs in drorch/core and drorch/engine."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, work: Callable[[], None]) -> int:
        sys.settrace(self._called)
        try:
            work()
        finally:
            sys.settrace(None)
        return self.count

    def _called(self, frame: FrameType, event: str, argument: object) -> object:
        name = frame.f_code.co_filename
        if "/drorch/core/" not in name and "/drorch/engine/" not in name:
            return None
        # Encoding belongs to the journal, and the whole plan is encoded once.
        if name.endswith(("encoding.py", "decoding.py", "codec.py")):
            return None
        self.count += 1
        return self._line

    def _line(self, frame: FrameType, event: str, argument: object) -> object:
        self.count += event == "line"
        return self._line


def carried(steps: list[PlannedStep], parallel: int = 8) -> tuple[int, MemoryJournal]:
    """Carry a plan of these steps, which take no time; what it took, and its journal."""
    scripts = {s.id: [Verdict.FAIL] for s in steps if s.do == "fails-once"}
    plan = Plan(RunKind.DRILL, "cost", Mode.DRILL, "cost", tuple(steps), parallel=parallel)
    clock = MovingClock()
    journal = MemoryJournal()
    engine = an_engine(journal, ScriptedActions(scripts, clock, seconds=0), clock)
    if parallel > 8:
        engine.inbox = SideBySide(clock, random.Random(1))
        engine.bench = replace(engine.bench, carrier=engine.inbox.carrier)
    started = RunStarted(plan, an_owner(), "tester", "test")
    effort = Effort().of(lambda: engine.begin(RUN, started, lambda row: None))
    return effort, journal


@pytest.mark.parametrize(
    ("shape", "parallel"),
    [
        (sequence, 8),
        (side_by_side, 8),
        (side_by_side, 1000),
        (retrying, 8),
        (undone, 8),
        (given_up, 8),
        (halted, 1000),
        (looking, 8),
    ],
)
def test_a_step_of_a_large_plan_costs_no_more_than_one_of_a_small(shape, parallel):
    # Small plans pay what every run pays once; 5 % are left for the depth of heaps.
    few, _ = carried(shape(100), parallel)
    many, _ = carried(shape(100 * TIMES), parallel)
    assert many / TIMES <= few * 1.05


def test_carrying_on_costs_what_there_is_to_read():
    efforts = []
    for count in (100, 100 * TIMES):
        _, journal = carried(sequence(count))
        recorded = list(journal.read(RUN))
        efforts.append(Effort().of(lambda recorded=recorded: replay(recorded)))
    assert efforts[1] / TIMES <= efforts[0] * 1.05
