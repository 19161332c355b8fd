"""`wait`, and the questions nobody carries out."""

import pytest

from drorch.actions.course import APPROVE, CONFIRM, RUNBOOK, WAIT
from drorch.core.names import Verdict
from drorch.ports import Cancellation
from tests.fakes.commands import FakeCommands
from tests.fakes.tools import Place


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, FakeCommands())


def test_wait(place):
    result = place.do(WAIT, for_="5ms")
    assert (result.verdict, result.outputs) == (Verdict.PASS, {"waited_s": 0.005})


def test_wait_is_stopped(place):
    cancel = Cancellation()
    cancel.cancel("abort")
    result = place.do(WAIT, for_="1h", cancel=cancel)
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")


@pytest.mark.parametrize("action", [APPROVE, CONFIRM, RUNBOOK])
def test_never_carried_out(place, action):
    assert place.do(action).verdict is Verdict.ERROR
    assert action.spec.person is (action is not RUNBOOK)
