"""A plan carried out by the real engine takes as long as the forecast from that very run says."""

import random
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drorch.actions.table import TABLE
from drorch.core.experience import experience_of
from drorch.core.forecast import forecast
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.rehearsal import Rehearsal, Scripted
from drorch.core.timing import time_run
from drorch.engine.rehearsing import rehearse
from tests.fakes.commands import FakeCommands
from tests.fakes.tools import Place

#: Each step without a time of its own is a microsecond; the engine takes none.
ROUNDING = timedelta(milliseconds=2)


@st.composite
def rehearsals(draw: st.DrawFn) -> tuple[Plan, Rehearsal]:
    steps: list[PlannedStep] = []
    script: dict[str, tuple[Scripted, ...]] = {}
    for phase in (Phase.PRECONDITIONS, Phase.STEPS, Phase.VERIFY):
        before: list[str] = []
        for number in range(draw(st.integers(phase is Phase.STEPS, 6))):
            name = f"{phase}-{number}"
            needs = draw(st.sets(st.sampled_from(before))) if before else set()
            steps.append(PlannedStep(name, phase, "command", needs=tuple(sorted(needs))))
            before.append(name)
            # Odd lengths, so that no two ends come together and queues have one order only.
            takes = draw(st.integers(1, 300)) + random.Random(name).random()
            script[name] = (Scripted(takes=timedelta(seconds=takes)),)
    mode = draw(st.sampled_from(Mode))
    kind = RunKind.DRILL if mode is Mode.DRILL else RunKind.FAILOVER
    parallel = draw(st.integers(1, 4))
    return Plan(kind, "any", mode, "any", tuple(steps), parallel=parallel), Rehearsal(
        "r", mode, script=script
    )


@given(rehearsals())
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_forecast_from_one_run_is_that_run(given_):
    plan, rehearsal = given_
    state = rehearse(plan, rehearsal, TABLE, Place(Path("/nowhere"), FakeCommands()).tools)
    measured = time_run(state, state.latest)
    found = forecast(plan, experience_of(state))
    assert not found.unknown
    assert abs(found.rta.typical - measured.rto.actual) <= ROUNDING
    assert found.critical_path == measured.critical_path
