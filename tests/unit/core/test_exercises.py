"""What an exercise is for, who takes part, and what came of its goals."""

from datetime import timedelta

import pytest

from drorch.config.convert import runbook as as_runbook
from drorch.config.load import load_configuration
from drorch.config.runbook_models import RunbookShape
from drorch.core.exercises import (
    EVIDENCE,
    Area,
    Exercise,
    ExerciseType,
    Goal,
    Participant,
    participant,
)
from drorch.core.model import Objectives
from drorch.core.names import Mode, Phase, RunKind, Verdict
from drorch.core.runbook import Input
from tests.fakes.runs import Tale, document_of, plan, step
from tests.unit.core.test_compile import book, compiled, nested, refused
from tests.unit.core.test_compile import step as written

SECTION = Exercise(
    ExerciseType.ISOLATED,
    scenario="{site} is lost",
    criteria=(Goal("{site} answers", ("a",)), Goal("in time", ("RTO", "RPO"))),
    areas={Area.RETURN: Goal("not tested")},
)


def test_what_counts_as_evidence():
    assert {kind.value for kind in EVIDENCE} == {
        "drill",
        "failover",
        "failback",
        "restore",
        "restore-test",
    }
    assert RunKind.BACKUP not in EVIDENCE


def test_the_section_goes_into_the_plan_of_a_drill_and_of_nothing_else():
    more = {"exercise": SECTION, "inputs": (Input("site", "Montréal"),)}
    drilled = compiled([written("a")], **more)
    assert drilled.exercise is not None
    assert drilled.exercise.scenario == "Montréal is lost"
    assert drilled.exercise.criteria[0] == Goal("Montréal answers", ("a",))
    assert compiled([written("a")], mode=Mode.LIVE, **more).exercise is None


def test_what_is_not_there_is_refused_all_at_once():
    section = Exercise(
        scenario="{nowhere} and {a.output}",
        objectives=(Goal("{nobody}", ("a", "b")),),
        areas={Area.CONNECTIVITY: Goal("x", ("rto",))},
    )
    assert refused([written("a")], exercise=section) == [
        "exercise: {nowhere} is no input of this runbook",
        "exercise: {a.output} is no input of this runbook",
        "exercise: {nobody} is no input of this runbook",
        "exercise: there is no step 'b'",
        "exercise: there is no step 'rto'",
    ]


def test_a_step_that_nests_a_runbook_stands_for_all_of_it():
    inner = book("inner", steps=[written("x"), written("y")])
    section = Exercise(criteria=(Goal("inside", ("outer",)), Goal("one", ("outer/x",))))
    found = compiled([written("outer", nested("inner"))], others=(inner,), exercise=section)
    assert found.exercise == section


def test_every_form_that_a_goal_may_be_written_in():
    shape = RunbookShape.model_validate(
        {
            "runbook": "r",
            "steps": [{"step": "a", "do": "wait"}],
            "exercise": {
                "type": "tabletop",
                "criteria": ["alone", {"text": "shown", "shown_by": ["a"]}],
                "areas": {"return": "not tested", "performance": {"text": "p", "shown_by": ["a"]}},
            },
        }
    )
    found = as_runbook(shape, "", "").exercise
    assert found is not None
    assert found.criteria == (Goal("alone"), Goal("shown", ("a",)))
    assert found.areas == {Area.RETURN: Goal("not tested"), Area.PERFORMANCE: Goal("p", ("a",))}


@pytest.mark.parametrize(
    ("text", "name", "role"),
    [
        ("Marie Tremblay, incident lead", "Marie Tremblay", "incident lead"),
        ("  J.  Roy ,DBA, on call", "J. Roy", "DBA, on call"),
        ("J. Roy", "J. Roy", ""),
    ],
)
def test_a_participant(text, name, role):
    found = participant(text)
    assert (found.name, found.role) == (name, role)


@pytest.mark.parametrize("text", ["", " , lead"])
def test_nobody_is_no_participant(text):
    with pytest.raises(ValueError, match="names nobody"):
        participant(text)


def results(*goals, end=5.0):
    """What came of goals after `good` passed, `bad` failed and `left` was skipped."""
    steps = (
        step("good"),
        step("left", skip="live_only"),
        step("in/one"),
        step("in/two", skip="live_only"),
        step("bad", Phase.VERIFY, check=True),
    )
    objectives = Objectives(timedelta(hours=1), timedelta(hours=1))
    tale = Tale(plan(*steps, objectives=objectives, exercise=Exercise(criteria=goals)))
    tale.do(0.1, 0.2, "good").skip(0.2, "left", "live_only").do(0.2, 0.3, "in/one")
    tale.skip(0.3, "in/two", "live_only")
    tale.do(0.3, end, "bad", verdict=Verdict.FAIL).finish(end)
    return document_of(tale)["exercise"]["criteria"]


def test_what_came_of_goals():
    found = results(
        Goal("1", ("good",)),
        Goal("2", ("good", "bad", "left")),
        Goal("3", ("good", "left")),
        Goal("4"),
        Goal("5", ("in",)),
        Goal("6", ("RTO",)),
        Goal("7", ("RPO",)),
    )
    assert [(one["result"], one["failed"], one["unknown"]) for one in found] == [
        ("passed", [], []),
        ("failed", ["bad"], ["left"]),
        ("not-judged", [], ["left"]),
        ("not-judged", [], []),
        ("passed", [], []),
        ("failed", ["RTO"], []),
        ("not-judged", [], ["RPO"]),
    ]


def test_a_step_that_was_stopped_by_something_else_shows_nothing():
    tale = Tale(plan(step("a"), exercise=Exercise(criteria=(Goal("g", ("a",)),))))
    tale.do(0.1, 0.2, "a", verdict=Verdict.ERROR, cause="cancelled").finish(0.3)
    (found,) = document_of(tale)["exercise"]["criteria"]
    assert (found["result"], found["unknown"]) == ("not-judged", ["a"])


def test_a_scheduled_drill_names_who_takes_part(tmp_path):
    path = tmp_path / "drorch.yaml"
    people = 'participants: ["Marie Tremblay, incident lead", J. Roy]'
    path.write_text(f"drills: {{q: {{runbook: r, schedule: quarterly, {people}}}}}", "utf-8")
    assert load_configuration(path).drills["q"].participants == (
        Participant("Marie Tremblay", "incident lead"),
        Participant("J. Roy"),
    )
