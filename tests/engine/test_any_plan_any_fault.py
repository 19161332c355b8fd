"""For any plan, any failures and any power cuts: what the engine promises holds."""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drorch.core.events import (
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    RunStarted,
    Stamped,
    StepSettled,
)
from drorch.core.names import Mode, OnFailure, Phase, RunKind, StepStatus, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import replay
from drorch.core.runbook import Retry, Until
from tests.fakes.journal import MemoryJournal
from tests.fakes.world import (
    CutJournal,
    MovingClock,
    PowerCut,
    ScriptedActions,
    an_engine,
    an_owner,
)

RUN = "2026-11-23T03-00-00Z-any-0001"
verdicts = st.lists(st.sampled_from([Verdict.PASS, Verdict.FAIL, Verdict.ERROR]), max_size=4)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    steps: list[PlannedStep] = []
    for phase, most in ((Phase.PRECONDITIONS, 2), (Phase.STEPS, 6), (Phase.VERIFY, 2)):
        steps += draw(_steps(phase, most))
    undone = [s.id for s in steps if s.phase is Phase.STEPS and draw(st.booleans())]
    steps += [
        PlannedStep(f"undo-{s}", Phase.CLEANUP, "scripted", undoes=s, repeatable=draw(st.booleans()))
        for s in undone
    ]
    steps += draw(_steps(Phase.CLEANUP, 2))
    return Plan(
        RunKind.DRILL, "any", Mode.DRILL, "any", tuple(steps), parallel=draw(st.integers(1, 4))
    )


@st.composite
def _steps(draw: st.DrawFn, phase: Phase, most: int) -> list[PlannedStep]:
    steps: list[PlannedStep] = []
    for number in range(draw(st.integers(0, most))):
        needs = draw(st.sets(st.sampled_from([s.id for s in steps]))) if steps else set()
        check = phase in (Phase.PRECONDITIONS, Phase.VERIFY) or draw(st.booleans())
        until = draw(st.booleans()) if check else False
        steps.append(
            PlannedStep(
                f"{phase}-{number}",
                phase,
                "scripted",
                {"of": f"{{{sorted(needs)[0]}.value}}"} if needs and draw(st.booleans()) else {},
                needs=tuple(sorted(needs)),
                check=check,
                repeatable=check or draw(st.booleans()),
                on_failure=draw(st.sampled_from(list(OnFailure))),
                retry=Retry(draw(st.integers(1, 3)), timedelta(seconds=2)),
                until=Until(timedelta(seconds=20), timedelta(seconds=1), 2) if until else None,
            )
        )
    return steps


cuts = st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=5)


def carry_through(plan: Plan, scripts: dict[str, list[Verdict]], cut: list[tuple[int, bool]], word):
    """Run, lose power, resume, and answer every question, until the run is over."""
    clock = MovingClock()
    actions = ScriptedActions(scripts, clock)
    kept = MemoryJournal()
    journal = CutJournal(kept, cut)
    started = RunStarted(plan, an_owner(), "tester", "test")
    state = None
    for life in range(1, 60):
        try:
            engine = an_engine(journal, actions, clock)
            if any(r.run == RUN for r in kept.rows()):
                state = engine.resume(RUN, an_owner(life), "tester")
            else:
                state = engine.begin(RUN, started, lambda row: None)
        except PowerCut:
            clock.reboot()
            continue
        if state.finished is not None:
            return kept, actions, state
        for step in list(state.asked):
            row = kept.find(RUN)
            settled = StepSettled(step, word(step), "tester", "looked")
            kept.append(RUN, row.seq, [Stamped(clock.now(), settled)])
    raise AssertionError("the run never ends")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(plan=plans(), data=st.data(), cut=cuts, happened=st.booleans())
def test_every_run_ends_right(plan, data, cut, happened):
    scripts = {s.id: data.draw(verdicts, label=s.id) for s in plan.steps}
    journal, actions, state = carry_through(plan, scripts, cut, lambda step: happened)
    recorded = list(journal.read(RUN))
    again = replay(recorded)
    # The journal alone rebuilds the state.
    assert {s: (v.status, len(v.attempts)) for s, v in again.steps.items()} == {
        s: (v.status, len(v.attempts)) for s, v in state.steps.items()
    }
    assert again.finished == state.finished
    assert all(s.status.final for s in again.steps.values())
    _nothing_runs_twice_in_silence(plan, recorded)
    _nothing_runs_unrecorded(actions, recorded)
    _needs_are_final_before(plan, recorded)
    _cleanup_is_never_skipped(plan, actions, again)


def _nothing_runs_twice_in_silence(plan, recorded):
    """A step that is not repeatable starts again only after a result, or a person's word."""
    careful = {s.id for s in plan.steps if not s.repeatable}
    unknown: set[str] = set()
    for entry in recorded:
        match entry.event:
            case AttemptStarted(step=step) if step in careful:
                assert step not in unknown
                unknown.add(step)
            case AttemptFinished(step=step):
                unknown.discard(step)
            case AttemptLost(step=step) if step in careful:
                assert step in unknown
            case StepSettled(step=step):
                unknown.discard(step)


def _nothing_runs_unrecorded(actions, recorded):
    written = {(e.event.step, e.event.attempt) for e in recorded if isinstance(e.event, AttemptStarted)}
    assert set(actions.effects) <= written
    assert max(Counter(actions.effects).values(), default=0) <= 1


def _needs_are_final_before(plan, recorded):
    needs = {s.id: s.needs for s in plan.steps}
    state = None
    for entry in recorded:
        if isinstance(entry.event, AttemptStarted) and state is not None:
            statuses = {n: state.steps[n].status for n in needs[entry.event.step]}
            assert all(s.final for s in statuses.values()), (entry.event.step, statuses)
        state = replay(recorded[: entry.seq])


def _cleanup_is_never_skipped(plan, actions, state):
    by_id = {s.id: s for s in plan.steps}
    changed = {
        s for s, _ in actions.effects if by_id[s].phase is Phase.STEPS and not by_id[s].check
    }
    for step in plan.steps:
        if step.phase is not Phase.CLEANUP:
            continue
        due = bool(changed & {step.undoes}) if step.undoes else bool(changed)
        if due and not step.arguments:
            denied = step.undoes and all(a.denied for a in state.steps[step.undoes].attempts)
            assert denied or state.steps[step.id].status is not StepStatus.SKIPPED, step.id
