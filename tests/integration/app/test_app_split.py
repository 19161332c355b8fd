"""Two control planes of the same records: who is in charge, who stands back, and what is said of it."""

from contextlib import ExitStack

import pytest

from drorch.app.plane.lookout import Lookout
from drorch.app.plane.terms import own_term
from drorch.core.terms import Fate
from tests.integration.app.sites import copy, recovered


@pytest.fixture
def stack():
    with ExitStack() as found:
        yield found


def lookout(stack, site):
    """One daemon's eye, in this process."""
    return Lookout(stack.enter_context(site.program()), tells=True, within=60.0)


def test_the_first_stands_back_for_one_that_was_recovered(premises, tmp_path, stack):
    copy(premises)
    first = lookout(stack, premises)
    assert first.look().leader is None
    site, said = recovered(premises, tmp_path / "site")
    assert said.document["term"] == 1
    (other,) = said.document["others"]
    assert (other["state"], other["term"]) == ("alive", 0)
    assert first.look().leader is None, "a copy that was only looked at outranks nobody"

    second = lookout(stack, site)
    seen = second.look()
    assert seen.leader is None
    assert [(one.fate, one.term, one.back) for one in seen.others] == [(Fate.ALIVE, 0, False)]
    back = first.look()
    assert back.leader.instance == own_term(second.program).instance

    assert [one.back for one in second.look().others] == [True]
    first.stop()
    assert [one.fate for one in second.look().others] == [Fate.STOPPED]
    second.stop()
    again = lookout(stack, premises).look()
    assert again.leader.fate is Fate.STOPPED, "what it recorded, this one lacks"
