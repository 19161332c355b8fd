"""Which locks are stale: nothing that a living restic could hold, whatever the clocks say."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from drorch.core.moment import Moment
from drorch.core.staleness import APART, OLD, Seen, Standing, due, judge

DAWN = datetime(2026, 11, 23, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

spans = st.timedeltas(timedelta(), timedelta(days=60))
errors = st.timedeltas(timedelta(days=-2), timedelta(days=2))


def moment(minutes: float, boot: str = "boot-1", wrong: timedelta = timedelta()) -> Moment:
    span = timedelta(minutes=minutes)
    return Moment(DAWN + span + wrong, boot, 1000 + span.total_seconds())


def test_a_lock_whose_process_is_gone_is_stale_at_once_and_one_whose_process_lives_never_is():
    young = Seen("a", DAWN, moment(0))
    assert judge(young, moment(1), gone=True, ours=True)[0] is Standing.STALE
    old = Seen("a", DAWN - timedelta(days=9), moment(0))
    assert judge(old, moment(60), gone=False, ours=True)[0] is Standing.LIVE


def test_an_old_lock_is_stale_on_the_second_look_six_minutes_later():
    seen = Seen("a", DAWN - 50 * MINUTE, moment(0))
    standing, why = judge(seen, moment(0), gone=None, ours=True)
    assert (standing, why) == (
        Standing.DOUBTFUL,
        "it was not refreshed for 50m, but looked at only once",
    )
    assert due(seen, moment(0)) == APART
    assert judge(seen, moment(5.9), gone=None, ours=True)[0] is Standing.DOUBTFUL
    standing, why = judge(seen, moment(6), gone=None, ours=True)
    assert standing is Standing.STALE
    assert why == "it was not refreshed for 56m, nor between two looks"
    assert due(seen, moment(9)) == timedelta()


def test_a_young_lock_is_live_however_often_it_is_looked_at():
    seen = Seen("a", DAWN, moment(0))
    assert judge(seen, moment(44), gone=None, ours=True) == (
        Standing.LIVE,
        "it was refreshed 44m ago",
    )


def test_a_look_before_a_restart_of_this_machine_counts_for_nothing():
    seen = Seen("a", DAWN - timedelta(days=1), moment(0, "boot-0"))
    assert judge(seen, moment(600), gone=None, ours=True)[0] is Standing.DOUBTFUL
    assert due(seen, moment(600)) == APART


def test_what_was_not_made_with_the_key_is_no_lock():
    seen = Seen("a", DAWN, moment(0))
    assert judge(seen, moment(0), gone=None, ours=False)[0] is Standing.STALE


@given(wrong_here=errors, wrong_there=errors, refreshed=spans, between=spans)
def test_no_clock_that_is_off_makes_a_living_lock_stale(
    wrong_here: timedelta, wrong_there: timedelta, refreshed: timedelta, between: timedelta
) -> None:
    """A living restic writes a new object every five minutes: one object lives no longer."""
    life = min(between, 5 * MINUTE)
    first = moment(0, wrong=wrong_here)
    seen = Seen("a", DAWN - min(refreshed, 5 * MINUTE) + wrong_there, first)
    later = moment(life.total_seconds() / 60, wrong=-wrong_here)
    assert judge(seen, later, gone=None, ours=True)[0] is not Standing.STALE


@given(age=spans, watched=spans)
def test_a_lock_is_stale_only_if_old_and_watched(age: timedelta, watched: timedelta) -> None:
    first = Moment(DAWN, "boot-1", 0.0)
    now = Moment(DAWN + watched, "boot-1", watched.total_seconds())
    stale = judge(Seen("a", DAWN - age, first), now, gone=None, ours=True)[0] is Standing.STALE
    assert stale == (age + watched >= OLD and watched >= APART)
