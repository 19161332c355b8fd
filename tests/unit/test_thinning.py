"""Which whole states need not stay."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from drorch.app.plane.forgetting import braked, judged
from drorch.app.plane.whole import Manifest
from drorch.core.plane import Point
from drorch.core.settings import KEEP_STATES, Keep
from drorch.restic.results import Snapshot

NOON = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
TORONTO = ZoneInfo("America/Toronto")


def state(days_ago, *, hours_ago=0, instance="mine"):
    made = NOON - timedelta(days=days_ago, hours=hours_ago)
    tags = Manifest(Point(1, "a"), made, "0005", instance=instance).tags
    return Snapshot(f"{days_ago:04}{hours_ago:060}", made, "tree", (), "drorch", tags)


def gone_of(found, keep):
    judgement = judged(found, "mine", keep, NOON, TORONTO)
    return tuple(one.candidate.snapshot for one in judgement if not one.keep)


def days_left(found, keep):
    gone = gone_of(found, keep)
    return [int(one.id[:4]) for one in found if one.id not in gone]


def test_usually_the_daily_ones_of_a_month_and_the_monthly_ones_of_a_year_stay():
    left = days_left([state(day) for day in range(800)], KEEP_STATES)
    assert left[:31] == list(range(31))
    older = [(NOON - timedelta(days=day)).astimezone(TORONTO) for day in left[31:]]
    assert [(at.year, at.month) for at in older] == [
        *((2026, month) for month in range(9, 0, -1)),
        *((2025, month) for month in (12, 11)),
    ]


def test_the_newest_and_the_one_before_it_stay_whatever_the_rules_say():
    found = [state(0), state(0, hours_ago=1), state(0, hours_ago=2), state(1)]
    assert gone_of(found, Keep(daily=1)) == (found[2].id, found[3].id)


def test_without_a_rule_all_stay():
    assert gone_of([state(day) for day in range(0, 900, 100)], Keep()) == ()


def test_a_clock_that_lies_pushes_nothing_out():
    later = [state(-day) for day in range(1, 40)]
    for keep in (Keep(last=1), Keep(within=timedelta(days=1))):
        assert gone_of([*later, state(0), state(1)], keep) == ()
    older = [state(day) for day in range(5)]
    assert days_left([*later, *older], Keep(within=timedelta(days=3)))[-3:] == [0, 1, 2]


def test_a_clock_that_runs_ahead_lets_no_mass_of_them_go():
    """Its state is the newest then, and by `within` all others are old."""
    found = [state(0), *(state(day) for day in range(365, 395))]
    judgement = judged(found, "mine", Keep(within=timedelta(days=30)), NOON, TORONTO)
    assert [one.keep for one in judgement].count(True) == 2
    assert braked(judgement, 30) == (
        "of 31 whole states 2 would remain: 93 % fewer than the last time left, more than the 30 % "
        "that may vanish at once"
    )
    assert "fewer than there are now" in braked(judgement, None)


def test_the_ordinary_turn_of_things_is_no_mass():
    week = [state(day) for day in range(37)]
    judgement = judged(week, "mine", Keep(daily=30), NOON, TORONTO)
    assert [one.keep for one in judgement].count(False) == 7
    assert braked(judgement, 30) == ""
    assert braked(judged([state(0), state(1)], "mine", Keep(), NOON, TORONTO), None) == ""


def test_what_is_no_whole_state_stays():
    other = Snapshot("f" * 64, NOON - timedelta(days=900), "tree", (), "drorch", ("control-plane",))
    assert gone_of([state(0), state(1), other], Keep(last=1)) == ()


def test_what_another_instance_wrote_stays_and_pushes_nothing_out():
    theirs = [state(day, instance="theirs") for day in range(5)]
    mine = [state(day, hours_ago=1) for day in range(3)]
    assert gone_of([*theirs, *mine], Keep(last=1)) == (mine[2].id,)
