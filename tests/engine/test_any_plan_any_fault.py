"""For any plan, any failures and any power cuts: what the engine promises holds."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drorch.core.decide import decide
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Recorded,
    RetryRequested,
    RetryScheduled,
    RunContinued,
    RunPaused,
    RunStarted,
    SkipRequested,
    Stamped,
    StepSettled,
)
from drorch.core.moment import elapsed
from drorch.core.names import Mode, OnFailure, Outcome, Phase, RunKind, StepStatus, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import LOST_LIMIT, apply, opening, replay
from drorch.core.runbook import Retry, Until
from drorch.core.state import RunFold, StepState
from tests.engine.stage import SideBySide
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
ABORT = AbortRequested("tester", "enough")
ROUNDING = timedelta(milliseconds=5)
verdicts = st.lists(st.sampled_from([Verdict.PASS, Verdict.FAIL, Verdict.ERROR]), max_size=4)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    steps: list[PlannedStep] = []
    for phase, most in (
        (Phase.PRECONDITIONS, 2),
        (Phase.FENCE, 1),
        (Phase.STEPS, 6),
        (Phase.VERIFY, 2),
    ):
        steps += draw(_steps(phase, most))
    undone = [s.id for s in steps if s.phase is Phase.STEPS and draw(st.booleans())]
    steps += [
        PlannedStep(
            f"undo-{s}", Phase.CLEANUP, "scripted", undoes=s, repeatable=draw(st.booleans())
        )
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
        within = timedelta(seconds=draw(st.sampled_from([3, 20])))
        steps.append(
            PlannedStep(
                f"{phase}-{number}",
                phase,
                "scripted",
                {"of": f"{{{min(needs)}.value}}"} if needs and draw(st.booleans()) else {},
                needs=tuple(sorted(needs)),
                check=check,
                repeatable=check or draw(st.booleans()),
                on_failure=draw(st.sampled_from(list(OnFailure))),
                retry=Retry(draw(st.integers(1, 3)), timedelta(seconds=2)),
                until=Until(within, timedelta(seconds=1), 2) if until else None,
            )
        )
    return steps


#: Before which of the engine's waits somebody aborts, if at all.
aborts = st.one_of(st.none(), st.integers(0, 12))
#: What people say while it runs: before which wait, and of which step.
sayings = st.lists(
    st.tuples(
        st.integers(0, 15),
        st.sampled_from([RunPaused, RunContinued, RetryRequested, SkipRequested]),
        st.integers(0, 20),
    ),
    max_size=4,
)
cuts = st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=5)


def carry_through(
    plan: Plan,
    scripts: dict[str, list[Verdict]],
    cut: list[tuple[int, bool]],
    word,
    order: int | None = None,
    abort: int | None = None,
    said: Sequence[tuple[int, type, int]] = (),
):
    """Run, lose power, resume, and answer every question, until the run is over.

    With `order`, attempts go on side by side and come to their results in an order drawn from it.
    """
    clock = MovingClock()
    actions = ScriptedActions(scripts, clock)
    kept = MemoryJournal()
    journal = CutJournal(kept, cut)
    started = RunStarted(plan, an_owner(), "tester", "test")
    chance = random.Random(order)
    for life in range(1, 60):
        engine = an_engine(journal, actions, clock, seed=life)
        if order is not None:
            engine.inbox = SideBySide(clock, chance)
            engine.bench = replace(engine.bench, carrier=engine.inbox.carrier)
            if life == 1:
                engine.inbox.before_wait = _interruptions(plan, engine.inbox, kept, abort, said)
        try:
            if any(r.run == RUN for r in kept.rows()):
                state = engine.resume(
                    RUN, an_owner(life), "tester", word=RunContinued("tester", "go on")
                )
            else:
                state = engine.begin(RUN, started, lambda row: None)
        except PowerCut:
            clock.reboot()
            continue
        if state.finished is not None:
            return journal, actions, state
        for step in list(state.asked):
            row = kept.find(RUN)
            spoken = _answer(state.steps[step], yes=word(step))
            kept.append(RUN, row.seq, [Stamped(clock.now(), spoken)])
    raise AssertionError("the run never ends")


def _answer(step: StepState, *, yes: bool) -> StepSettled | RetryRequested | SkipRequested:
    if step.unknown:
        return StepSettled(step.plan.id, yes, "tester", "looked")
    assert step.failed_and_asks
    again = RetryRequested if yes and len(step.attempts) < 10 else SkipRequested
    return again(step.plan.id, "tester", "enough of it")


def _interruptions(plan, inbox, kept, abort, said):
    """What happens before each wait of the first life."""
    told = {number: partial(_say, kept, plan, kind, step) for number, kind, step in said}
    if abort is not None:
        told[abort] = partial(inbox.put, ABORT)
    return [told.get(n, lambda: None) for n in range(max(told, default=-1) + 1)]


def _say(kept: MemoryJournal, plan: Plan, kind: type, step: int) -> None:
    if kind in (RunPaused, RunContinued):
        kept.post(RUN, kind("tester", "a word"))
    elif plan.steps:
        kept.post(RUN, kind(plan.steps[step % len(plan.steps)].id, "tester", "a word"))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    plan=plans(),
    data=st.data(),
    cut=cuts,
    happened=st.booleans(),
    order=st.one_of(st.none(), st.integers(0, 999)),
    abort=aborts,
    said=sayings,
)
def test_every_run_ends_right(plan, data, cut, happened, order, abort, said):
    scripts = {s.id: data.draw(verdicts, label=s.id) for s in plan.steps}
    journal, actions, state = carry_through(
        plan, scripts, cut, lambda step: happened, order, abort, said
    )
    recorded = list(journal.read(RUN))
    _no_word_is_lost(journal, recorded)
    # The journal alone rebuilds the state.
    assert replay(recorded) == state
    assert all(s.status.final for s in state.steps.values())
    _nothing_runs_twice_in_silence(plan, recorded)
    _nothing_runs_unrecorded(actions, recorded)
    _cleanup_is_never_skipped(plan, actions, state)
    _undo_is_the_reverse_of_start(state, recorded)
    _retry_is_bounded(state)
    _the_outcome_follows(state, recorded)
    folded: RunFold | None = None
    for entry in recorded:
        _starts_are_allowed(folded, entry)
        if isinstance(entry.event, RunStarted):
            folded = opening(entry.event, entry.at, entry.run)
        elif folded is not None:
            folded = apply(folded, entry.event, entry.at)
        _until_is_bounded(folded, entry)
        # Deciding says the same when asked again, and has changed nothing (see below).
        assert decide(folded, entry.at) == decide(folded, entry.at)
    assert folded == state


def _no_word_is_lost(journal: CutJournal, recorded: Sequence[Recorded]) -> None:
    """What was left for an owner and looked at is recorded once, whoever died in between."""
    left = Counter(repr(word) for word in journal.taken.values())
    assert Counter(r for e in recorded if (r := repr(e.event)) in left) == left


def _starts_are_allowed(state: RunFold | None, entry: Recorded) -> None:
    """What it needs is final, there is room, its phase has come, and nothing has halted the run."""
    if not isinstance(entry.event, AttemptStarted):
        return
    assert state is not None
    step = state.steps[entry.event.step]
    assert all(state.steps[n].status.final for n in step.plan.needs)
    assert step.plan.phase is state.phase
    assert len(state.running) < state.plan.parallel
    assert not state.halted or state.phase is Phase.CLEANUP
    assert not step.status.final
    assert state.paused is None


def _until_is_bounded(state: RunFold, entry: Recorded) -> None:
    """It passes by its streak alone; another look is never planned beyond its time."""
    match entry.event:
        case AttemptFinished(step=name) if until := state.steps[name].plan.until:
            step = state.steps[name]
            assert (step.status is StepStatus.PASSED) == (step.streak >= until.successes)
        case RetryScheduled(step=name, not_before=due):
            step = state.steps[name]
            if step.plan.until and step.looking_since:
                assert elapsed(step.looking_since, due) <= step.plan.until.within + ROUNDING


def _undo_is_the_reverse_of_start(state: RunFold, recorded: Sequence[Recorded]) -> None:
    undoes = {s.id: s.undoes for s in state.plan.steps if s.undoes}
    begun: list[str] = []
    closed: set[str] = set()
    others = {s.id for s in state.plan.steps if s.phase is Phase.CLEANUP and not s.undoes}
    for entry in recorded:
        if isinstance(entry.event, AttemptStarted):
            name = entry.event.step
            if name in undoes and name not in begun:
                begun.append(name)
            assert not (name in undoes and closed & others)
            closed.add(name)
    places = [state.started_order.index(undoes[name]) for name in begun]
    assert places == sorted(places, reverse=True)


def _retry_is_bounded(state: RunFold) -> None:
    for step in state.steps.values():
        if step.plan.until is None:
            denied = sum(1 for a in step.attempts if a.denied)
            assert step.made <= step.plan.retry.attempts
            assert step.losses <= LOST_LIMIT or denied


def _the_outcome_follows(state: RunFold, recorded: Sequence[Recorded]) -> None:
    """From the statuses, and from what had failed when somebody aborted."""
    assert state.finished is not None
    cleanup = [s.id for s in state.plan.steps if s.phase is Phase.CLEANUP]
    dirty = tuple(s for s in cleanup if state.steps[s].status is StepStatus.FAILED)
    assert state.finished.left_behind == dirty
    before_abort = _failed(_until_abort(recorded)) | _asking(_until_abort(recorded), recorded)
    failed = {s for s in before_abort if _counts(state.steps[s].plan)}
    gates = (Phase.PRECONDITIONS, Phase.FENCE)
    early = {s for s in _failed(recorded) if state.steps[s].plan.phase in gates}
    if failed:
        wanted = Outcome.FAILED
    elif early or _aborted_in_time(recorded):
        wanted = Outcome.ABORTED
    else:
        wanted = Outcome.PASSED
    assert state.finished.outcome is wanted


def _counts(plan: PlannedStep) -> bool:
    stops = plan.phase is Phase.STEPS and plan.on_failure is not OnFailure.CONTINUE
    return stops or plan.phase is Phase.VERIFY


def _asking(before: Sequence[Recorded], recorded: Sequence[Recorded]) -> set[str]:
    """The steps that had failed and asked when somebody aborted, if anybody did."""
    if len(before) == len(recorded):
        return set()
    return {s.plan.id for s in replay(before).steps.values() if s.failed_and_asks}


def _failed(recorded: Sequence[Recorded]) -> set[str]:
    steps = replay(recorded).steps.values()
    return {s.plan.id for s in steps if s.status is StepStatus.FAILED}


def _until_abort(recorded: Sequence[Recorded]) -> Sequence[Recorded]:
    for number, entry in enumerate(recorded):
        if isinstance(entry.event, AbortRequested):
            return recorded[:number]
    return recorded


def _aborted_in_time(recorded: Sequence[Recorded]) -> bool:
    before = _until_abort(recorded)
    return len(before) < len(recorded) and replay(before).phase is not Phase.CLEANUP


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
    written = {
        (e.event.step, e.event.attempt) for e in recorded if isinstance(e.event, AttemptStarted)
    }
    assert set(actions.effects) <= written
    assert max(Counter(actions.effects).values(), default=0) <= 1


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
