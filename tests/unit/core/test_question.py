"""What a question to people asks for, when its numbers come in by reference: then they are text."""

import pytest

from drorch.core.decide import Ask, GiveUp, decide
from drorch.core.events import Owner, RunStarted
from drorch.core.moment import Moment
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import opening
from tests.fakes.world import MovingClock

NOW: Moment = MovingClock().now()


def order_for(inputs, **arguments):
    """What is decided of a run whose only step is the question."""
    step = PlannedStep("ask", Phase.STEPS, "approve", arguments, person=True)
    plan = Plan(RunKind.DRILL, "ask", Mode.DRILL, "runbook:ask", (step,), inputs=inputs)
    owner = Owner("here", 1, 1, "boot-1", "ana", "token")
    (order,) = decide(opening(RunStarted(plan, owner, "ana", "operator"), NOW), NOW)
    return order


def test_a_quorum_from_an_input_is_not_taken_for_one():
    order = order_for({"people": "2"}, prompt="Go?", quorum="{people}", within="30m")
    assert isinstance(order, Ask)
    assert order.question.quorum == 2
    assert order.question.within.total_seconds() == 1800


def test_left_out_it_is_one_person_for_ever():
    order = order_for({}, prompt="Go?")
    assert isinstance(order, Ask)
    assert (order.question.quorum, order.question.within) == (1, None)


@pytest.mark.parametrize(
    "wrong", [{"quorum": "{x}"}, {"within": "{x}"}, {"quorum": "0"}, {"quorum": "-2"}]
)
def test_what_cannot_be_understood_asks_nobody(wrong):
    order = order_for({"x": "several"}, prompt="Go?", **wrong)
    assert isinstance(order, GiveUp)
    assert order.cause == "argument"
    assert order.why.startswith("the question cannot be put: ")
