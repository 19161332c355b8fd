"""What retention keeps and why, beside restic's own rules: those are held against restic itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.model import CopyMode, CopyPolicy, Dataset
from drorch.core.retention import Brake, Candidate, Origin, judge, matches
from drorch.core.settings import Keep
from drorch.restic.policy import forget_flags

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TORONTO = ZoneInfo("America/Toronto")


def candidate(hours_before, **more):
    return Candidate(f"{10**6 + hours_before:064x}", NOON - timedelta(hours=hours_before), **more)


def told(*candidates, keep=Keep(last=1), now=NOON, zone=UTC):  # noqa: B008 - a value
    """By hours before noon: whether it stays, and why."""
    judged = judge(candidates, keep, now=now, zone=zone)
    assert [j.candidate.at for j in judged] == sorted((c.at for c in candidates), reverse=True)
    return {
        (NOON - j.candidate.at) // timedelta(hours=1): (j.keep, list(j.reasons)) for j in judged
    }


def test_every_reason_is_told_not_only_the_first():
    held = candidate(1, shields=("held by root: court order",))
    found = told(candidate(0), held, candidate(2), keep=Keep(last=2, within=timedelta(hours=2)))
    assert found == {
        0: (True, ["newest snapshot", "within 2h", "last 1"]),
        1: (True, ["held by root: court order", "within 2h", "last 2"]),
        2: (False, ["no rule keeps it"]),
    }


@pytest.mark.parametrize("keep", [Keep(), Keep(last=0, daily=0, within=timedelta())])
def test_without_a_rule_everything_stays(keep):
    remains = candidate(9, origin=Origin.REMAINS)
    found = told(candidate(1), candidate(2), remains, keep=keep)
    assert found == {
        1: (True, ["newest snapshot", "no `keep` is configured"]),
        2: (True, ["no `keep` is configured"]),
        9: (True, ["no `keep` is configured"]),
    }
    assert forget_flags(keep) == ()


def test_days_are_those_of_the_zone():
    late, early = candidate(8), candidate(10)  # 04:00 and 02:00 UTC, 23:00 and 21:00 in Toronto
    midnight = candidate(6)  # 06:00 UTC, 01:00 in Toronto
    keep = Keep(daily=2)
    assert [k for k, _ in told(midnight, late, early, keep=keep, zone=UTC).values()] == [
        True,
        False,
        True,
    ]
    assert [k for k, _ in told(midnight, late, early, keep=keep, zone=TORONTO).values()] == [
        True,
        True,
        False,
    ]


def test_days_within_are_days_of_the_calendar_through_daylight_saving():
    newest = datetime(2026, 11, 2, 12, tzinfo=TORONTO)  # clocks went back on 1 November
    for minutes, kept in ((1, True), (-1, False)):
        other = datetime(2026, 10, 31, 12, tzinfo=TORONTO) + timedelta(minutes=minutes)
        found = matches([newest, other], Keep(within=timedelta(days=2)), TORONTO)
        assert bool(found[1]) is kept


def test_snapshots_later_than_the_clock_stay_and_expire_nothing():
    """The clock was in 2040 for an hour, or is in 2020 now: neither costs a snapshot."""
    found = told(candidate(-100_000), candidate(-2), candidate(1), candidate(2))
    later = (True, ["later than this clock"])
    assert found[-100_000] == found[-2] == later
    assert found[1] == (True, ["newest snapshot", "last 1"])
    assert found[2] == (False, ["no rule keeps it"])
    before = NOON - timedelta(days=3000)
    found = told(candidate(1), candidate(2), candidate(3), now=before)
    assert list(found.values()) == [later] * 3


def test_what_the_journal_does_not_know_is_judged_by_itself():
    """Whoever can write to a region cannot push out what is ours by planting more."""
    planted = [candidate(n, origin=Origin.FOREIGN) for n in range(5)]
    found = told(*planted, candidate(7), candidate(8), keep=Keep(last=2))
    assert [hours for hours, (kept, _) in found.items() if kept] == [0, 1, 7, 8]
    suffix = " of those the journal does not know"
    assert found[0][1] == [f"newest snapshot{suffix}", f"last 1{suffix}"]
    assert found[7][1] == ["newest snapshot", "last 1"]


def test_what_a_failed_backup_left_counts_for_nothing_and_goes_once_a_whole_one_is_newer():
    def left(hours):
        return candidate(hours, origin=Origin.REMAINS)

    found = told(left(0), candidate(1), left(2), candidate(3), keep=Keep(last=2))
    assert found[0] == (True, ["left by a failed backup, but nothing whole is newer"])
    assert found[2] == (False, ["left by a failed backup, and a whole one is newer"])
    assert found[1][0]
    assert found[3][0]
    assert told(left(2), candidate(3), candidate(1, origin=Origin.FOREIGN))[2][0]


def test_what_was_forgotten_goes_whatever_else_is_said_of_it_and_counts_for_nothing():
    gone = candidate(0, forgotten="no rule kept it", shields=("held by root: too late",))
    found = told(gone, candidate(1), candidate(2))
    assert found[0] == (False, ["forgotten already: no rule kept it"])
    assert found[1] == (True, ["newest snapshot", "last 1"])


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=40, unique=True),
    st.builds(Keep, last=st.integers(0, 3), daily=st.integers(0, 5), monthly=st.integers(0, 2)),
)
def test_the_newest_stays_and_more_rules_never_keep_less(hours, keep):
    candidates = [candidate(h) for h in hours]
    few = {c for c, (kept, _) in told(*candidates, keep=keep).items() if kept}
    more = told(*candidates, keep=Keep(keep.last, 2, keep.daily, 1, keep.monthly, 1))
    assert min(hours) in few
    assert few <= {c for c, (kept, _) in more.items() if kept} or not any(
        (keep.last, keep.daily, keep.monthly)
    )


@pytest.mark.parametrize(
    ("before", "after", "left", "said"),
    [
        (10, 7, None, ""),
        (10, 6, None, "of 10 snapshots 6 would remain: 40 % fewer than there are now"),
        (10, 10, 100, ""),
        (10, 0, None, "of 10 snapshots none would remain"),
        (1, 0, 1, "of 1 snapshots none would remain"),
        (100, 7, 7, ""),  # a week of frequent backups: as many remain as the last time
        (48, 3, 47, "of 48 snapshots 3 would remain: 94 % fewer than the last time left"),
        (20, 19, 47, ""),  # what others have deleted is not ours to stop
    ],
)
def test_the_brake(before, after, left, said):
    stopped = Brake(0.3).stops("snapshots", before, after, left)
    assert stopped.startswith(said)
    assert bool(stopped) == bool(said)
    if "fewer" in said:
        assert stopped.endswith(", more than the 30 % that may vanish at once")


def test_one_may_go_in_any_case_but_never_the_last():
    brake = Brake(0.3, least=1)
    assert brake.stops("snapshots", 3, 2, None) == ""
    assert brake.stops("snapshots", 4, 1, 2) == ""
    assert brake.stops("snapshots", 3, 1, None)
    assert brake.stops("snapshots", 1, 0, None)


def test_a_brake_of_everything_still_stops_what_leaves_nothing():
    assert Brake(1.0).stops("objects", 10, 1, None) == ""
    assert Brake(1.0).stops("objects", 10, 0, None)
    assert Brake(0.0).stops("objects", 10, 9, None)


@pytest.mark.parametrize(
    ("keep", "flags"),
    [
        (Keep(last=4, yearly=2), "--keep-last=4 --keep-yearly=2"),
        (Keep(daily=1, within=timedelta(days=30)), "--keep-daily=1 --keep-within=30d"),
        (Keep(within=timedelta(days=1, hours=5, minutes=1)), "--keep-within=1d6h"),
        (Keep(within=timedelta(minutes=90)), "--keep-within=2h"),
    ],
)
def test_the_flags_that_restic_would_take(keep, flags):
    assert " ".join(forget_flags(keep)) == f"--group-by= {flags}"


def test_mirrors_are_one_repository_and_each_copy_is_another():
    mirror, copy = CopyMode.MIRROR, CopyMode.COPY
    copies = (CopyPolicy("tor", copy, "k"), CopyPolicy("qc", mirror, "k"), CopyPolicy("cal", copy, "k"))  # fmt: skip
    dataset = Dataset("ehr", "k", "mtl", copies=copies)
    assert dataset.repositories == (("mtl", "qc"), ("tor",), ("cal",))
