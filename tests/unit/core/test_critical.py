"""The critical chain and slack, on spans alone."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drorch.core.critical import Span, critical_chain, slack_of


def test_a_chain_follows_the_need_that_ended_last() -> None:
    phase = {"a": Span(0, 5), "b": Span(0, 3), "c": Span(5, 6, ("a", "b"))}
    assert critical_chain([phase], 8, 0) == ("a", "c")
    assert slack_of([phase], 8, 6) == {"a": 0, "b": 2, "c": 0}


def test_a_phase_begins_with_the_last_end_of_the_one_before() -> None:
    phases = [{"a": Span(0, 2), "b": Span(0, 4)}, {}, {"v": Span(4, 5)}]
    assert critical_chain(phases, 8, 0) == ("b", "v")
    assert slack_of(phases, 8, 5) == {"a": 2, "b": 0, "v": 0}


def test_a_skipped_step_carries_the_order_but_is_not_named() -> None:
    phase = {"a": Span(0, 5), "s": Span(5, 5, ("a",), done=False), "c": Span(5, 6, ("s",))}
    assert critical_chain([phase], 8, 0) == ("a", "c")


def test_who_waited_for_a_place_follows_who_made_room() -> None:
    phase = {
        "long": Span(0, 9),
        "first": Span(0, 4),
        "second": Span(4.1, 8),
        "third": Span(8.1, 12),
    }
    assert critical_chain([phase], 2, 0) == ("first", "second", "third")
    assert critical_chain([phase], 3, 0) == ("third",)
    slack = slack_of([phase], 2, 12)
    assert slack["long"] == 3
    assert round(slack["first"], 6) == 0.2


def test_a_question_takes_no_place() -> None:
    phase = {"q": Span(0, 4, placed=False), "a": Span(0, 4), "b": Span(4.5, 6, ("q",))}
    assert critical_chain([phase], 1, 0) == ("q", "b")


def test_starting_together_after_a_need_is_not_waiting_for_room() -> None:
    phase = {
        "a": Span(0, 4),
        "other": Span(0, 4.00005),
        "c": Span(4.0001, 9, ("a",)),
        "d": Span(4.0002, 8, ("a",)),
    }
    assert critical_chain([phase], 2, 0) == ("a", "c")


def test_what_ended_before_the_clock_started_is_left_out() -> None:
    phases = [{"p": Span(0, 1)}, {"a": Span(3, 4)}]
    assert critical_chain(phases, 8, 2) == ("a",)


def test_nothing_has_no_chain() -> None:
    assert critical_chain([{}, {}], 8, 0) == ()
    assert slack_of([{}], 8, 0) == {}


@st.composite
def runs(draw: st.DrawFn) -> tuple[dict[str, Span], int]:
    """Steps carried as the engine does: in order of readiness, `parallel` at a time."""
    parallel = draw(st.integers(1, 4))
    free = [0] * parallel
    spans: dict[str, Span] = {}
    for number in range(draw(st.integers(1, 25))):
        needs = draw(st.lists(st.sampled_from(sorted(spans) or [""]), max_size=3, unique=True))
        needs = [n for n in needs if n]
        ready = max((int(spans[n].end) for n in needs), default=0)
        free.sort()
        begin = max(ready, free[0])
        free[0] = begin + draw(st.integers(1, 9))
        spans[f"s{number:02d}"] = Span(begin, free[0], tuple(needs))
    return spans, parallel


@given(runs())
def test_chains_are_in_order_end_last_and_have_no_slack_to_give(
    made: tuple[dict[str, Span], int],
) -> None:
    phase, parallel = made
    chain = critical_chain([phase], parallel, 0)
    ends = [phase[n].end for n in chain]
    assert ends == sorted(ends)
    assert ends[-1] == max(s.end for s in phase.values())
    assert len(set(chain)) == len(chain)
    assert all(phase[one].end <= phase[two].begin for one, two in pairwise(chain))
    slack = slack_of([phase], parallel, ends[-1])
    assert slack.keys() == phase.keys()
    assert all(0 <= value <= ends[-1] for value in slack.values())
    assert slack[chain[-1]] == 0
