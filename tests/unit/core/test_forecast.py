"""How long a plan should take: by properties of any plan, and by plans one can reckon in the head.

For pain 14 (dry-run: resolved graph, rendered commands, missing secrets, estimate) and pain 7
(waiting for people apart from technical time).
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.decide import NOT_MET
from drorch.core.experience import Spent, experience_of
from drorch.core.forecast import Forecast, forecast
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.runbook import Retry, When, WhenTest
from tests.fakes.runs import Tale, plan, step

#: What the reckoning of a step without any time may add, in seconds.
ROUNDING = 0.002

PHASES = (Phase.PRECONDITIONS, Phase.FENCE, Phase.STEPS, Phase.VERIFY, Phase.CLEANUP)


def spent(name: str, *seconds: float | None, mode: Mode = Mode.DRILL, **matter: str) -> list[Spent]:
    """What the step took in one run after the other."""
    return [
        Spent(name, "command", matter, mode, None if s is None else timedelta(seconds=s))
        for s in seconds
    ]


def seconds(found: Forecast, which: str = "typical") -> dict[str, float]:
    return {
        part: getattr(getattr(found, part), which).total_seconds()
        for part in ("rta", "machine", "person")
    }


@st.composite
def planned(draw: st.DrawFn) -> tuple[Plan, list[Spent]]:
    """Any plan, and any past of it: some steps known, some not, some passed over."""
    mode = draw(st.sampled_from(Mode))
    steps: list[PlannedStep] = []
    past: list[Spent] = []
    for phase in PHASES:
        before: list[str] = []
        for number in range(draw(st.integers(0, 5))):
            name = f"{phase}-{number}"
            needs = draw(st.sets(st.sampled_from(before))) if before else set()
            person = draw(st.integers(0, 4)) == 0
            skip = "left out" if draw(st.integers(0, 5)) == 0 else ""
            steps.append(step(name, phase, needs=tuple(sorted(needs)), person=person, skip=skip))
            before.append(name)
            times = draw(st.lists(st.none() | st.integers(0, 600), max_size=4))
            past += spent(name, *times, mode=mode)
    made = plan(*steps, mode=mode, parallel=draw(st.integers(1, 4)))
    return made, past


@given(planned())
def test_the_usual_lies_between_the_bounds_and_people_and_machines_add_up(given_):
    made, past = planned_ = given_
    found = forecast(made, past)
    for part in (found.rta, found.machine, found.person):
        assert timedelta() <= part.least <= part.typical <= part.most
    usual = seconds(found)
    assert usual["machine"] + usual["person"] == pytest.approx(usual["rta"], abs=ROUNDING)
    if not any(s.person for s in made.steps):
        assert usual["person"] == 0
    assert forecast(*planned_) == found


@given(planned())
def test_it_is_no_shorter_than_any_chain_and_no_longer_than_all_together(given_):
    made, past = given_
    found = forecast(made, past)
    took = usual_times(made, found)
    assert longest_chain(made, took) - ROUNDING <= seconds(found)["rta"]
    assert seconds(found)["rta"] <= sum(took.values()) + ROUNDING


@given(planned())
def test_with_a_place_for_every_step_it_is_the_longest_chain_and_so_is_the_critical_path(given_):
    made, past = given_
    wide = plan(*made.steps, mode=made.mode, parallel=len(made.steps) + 1)
    found = forecast(wide, past)
    took = usual_times(wide, found)
    assert seconds(found)["rta"] == pytest.approx(longest_chain(wide, took), abs=ROUNDING)
    along = sum(took[name] for name in found.critical_path)
    assert along == pytest.approx(seconds(found)["rta"], abs=ROUNDING)


@given(planned())
def test_every_step_of_the_window_is_known_named_as_unknown_or_left_out(given_):
    made, past = given_
    found = forecast(made, past)
    window = [s for s in made.steps if s.phase in timed(made)]
    for one in window:
        known = one.id in found.steps
        assert known + (one.id in found.unknown) + bool(one.skip) == 1
    assert {*found.unknown} <= {s.id for s in window}
    assert {*found.critical_path} <= {s.id for s in window if not s.skip}


@given(planned())
def test_what_is_learned_of_an_unknown_step_never_makes_a_wide_plan_shorter(given_):
    made, past = given_
    wide = plan(*made.steps, mode=made.mode, parallel=len(made.steps) + 1)
    before = forecast(wide, past)
    learned = [*past, *(one for name in before.unknown for one in spent(name, 60, mode=made.mode))]
    after = forecast(wide, learned)
    assert not after.unknown
    assert after.rta.typical >= before.rta.typical


def timed(made: Plan) -> Sequence[Phase]:
    return PHASES[:4] if made.mode is Mode.LIVE else PHASES[2:4]


def usual_times(made: Plan, found: Forecast) -> dict[str, float]:
    return {
        s.id: found.steps[s.id].took.typical.total_seconds() if s.id in found.steps else 0.0
        for s in made.steps
        if s.phase in timed(made)
    }


def longest_chain(made: Plan, took: dict[str, float]) -> float:
    """Phase after phase, the longest way through the needs."""
    whole = 0.0
    for phase in timed(made):
        ends: dict[str, float] = {}
        for one in made.steps:
            if one.phase is phase:
                begin = max((ends[need] for need in one.needs), default=0.0)
                ends[one.id] = begin + took[one.id]
        whole += max(ends.values(), default=0.0)
    return whole


def test_medians_bounds_and_the_critical_path() -> None:
    made = plan(step("a"), step("b"), step("c", needs=("a", "b")), step("v", Phase.VERIFY))
    past = [*spent("a", 10, 30, 11), *spent("b", 20, 21, 22), *spent("c", 1), *spent("v", 2, 4)]
    found = forecast(made, past)
    assert [getattr(found.rta, w).total_seconds() for w in ("least", "typical", "most")] == [
        20 + 1 + 2,
        21 + 1 + 3,
        30 + 1 + 4,
    ]
    assert found.critical_path == ("b", "c", "v")
    assert (found.met, found.unknown, found.steps["a"].runs) == (True, (), 3)


def test_a_step_that_never_ran_is_named_and_the_rest_is_at_least() -> None:
    made = plan(step("a"), step("go", do="approve", person=True, needs=("a",)))
    found = forecast(made, spent("a", 10))
    assert (found.unknown, found.met) == (("go",), None)
    assert seconds(found)["rta"] == 10
    late = plan(*made.steps, objectives=Objectives(timedelta(seconds=9)))
    assert forecast(late, spent("a", 10)).met is False


def test_a_declared_run_counts_its_preconditions_a_drill_does_not() -> None:
    steps = (step("p", Phase.PRECONDITIONS), step("f", Phase.FENCE), step("a"))
    past = [*spent("p", 1), *spent("f", 2), *spent("a", 4)]
    assert seconds(forecast(plan(*steps), past))["rta"] == 4
    live = plan(*steps, kind=RunKind.FAILOVER, mode=Mode.LIVE)
    assert seconds(forecast(live, past))["rta"] == 7


def test_people_are_told_apart_and_learned_only_from_the_same_mode() -> None:
    steps = (step("a"), step("go", do="command", person=True))
    past = [*spent("a", 10), *spent("go", 60), *spent("go", 600, mode=Mode.LIVE)]
    assert seconds(forecast(plan(*steps), past)) == {"rta": 60, "machine": 10, "person": 50}
    live = forecast(plan(*steps, mode=Mode.LIVE), past)
    assert seconds(live) == {"rta": 600, "machine": 10, "person": 590}


def test_another_dataset_is_another_work() -> None:
    made = plan(step("a", arguments={"dataset": "{which}"}), inputs={"which": "ehr-db"})
    past = [*spent("a", 500, dataset="ehr-documents"), *spent("a", 3, dataset="ehr-db")]
    assert seconds(forecast(made, past))["rta"] == 3
    assert forecast(made, spent("a", 500, dataset="ehr-documents")).unknown == ("a",)


def test_what_its_condition_left_out_each_time_takes_no_time_and_is_not_on_the_path() -> None:
    made = plan(step("a"), step("b", needs=("a",)), step("c", needs=("b",)))
    past = [*spent("a", 2, 2), *spent("b", None, None), *spent("c", 3, 3)]
    found = forecast(made, past)
    assert (found.critical_path, found.unknown) == (("a", "c"), ())
    assert seconds(found)["rta"] == 5
    sometimes = forecast(made, [*spent("a", 2), *spent("b", None, 9, 9), *spent("c", 3)])
    assert (sometimes.rta.least, sometimes.rta.typical) == (
        timedelta(seconds=5),
        timedelta(seconds=14),
    )


def test_ten_thousand_steps_are_no_trouble() -> None:
    chain = [step(f"s{n}", needs=(f"s{n - 1}",) if n else ()) for n in range(5_000)]
    beside = [step(f"w{n}") for n in range(5_000)]
    past = [one for s in (*chain, *beside) for one in spent(s.id, 1)]
    found = forecast(plan(*chain, *beside, parallel=1), past)
    assert seconds(found)["rta"] == 10_000
    assert len(found.critical_path) == 10_000


def test_experience_is_attempts_and_the_waits_between_not_pauses_nor_death() -> None:
    steps = (step("a", retry=Retry(attempts=2)), step("b", repeatable=True), step("q", person=True))
    tale = Tale(plan(*steps)).start(1, "a").end(3, "a", Verdict.FAIL).retry(3, "a", 5)
    # The next attempt came late, for the run stood still: the wait counts as it was journalled.
    tale.start(500, "a").end(504, "a").ask(504, "q", "approve", "Go?").answer(564, "q", "ann")
    tale.do(600, 607, "b")
    took = {one.step: one.took.total_seconds() for one in experience_of(tale.state)}
    assert took == {"a": 2 + 5 + 4, "b": 7, "q": 60}


def test_nothing_is_learned_of_what_failed_was_left_out_by_plan_or_did_not_begin() -> None:
    steps = (
        step("broke"),
        step("let-go", on_failure=OnFailure.CONTINUE),
        step("live", skip="live only"),
        step("not-now", when=When("a", WhenTest.IS, "b")),
        step("never"),
    )
    tale = Tale(plan(*steps)).skip(0, "live").skip(0, "not-now", NOT_MET)
    tale.do(1, 3, "let-go", verdict=Verdict.FAIL).do(1, 4, "broke", verdict=Verdict.FAIL)
    found = {one.step: one.took for one in experience_of(tale.state)}
    assert found == {"let-go": timedelta(seconds=2), "not-now": None}
