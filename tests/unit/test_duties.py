"""What the daemon does for jobs, and what it remembers of debts."""

import itertools
from datetime import UTC, datetime, timedelta

from drorch.app.aside import Debts
from drorch.app.duties import longest_untested
from drorch.core.model import CopyMode, CopyPolicy, Dataset
from drorch.core.posture import KnownCopy, Stock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATASET = Dataset(
    "ehr",
    "key",
    "mtl",
    (CopyPolicy("qc", CopyMode.MIRROR, "key"), CopyPolicy("tor", CopyMode.COPY, "key")),
)


def copy(region, *, owed=False, tested=None):
    at = NOON - timedelta(days=tested) if tested is not None else None
    return KnownCopy("ehr", region, "s", NOON, None, None, owed, NOON, restore_tested_at=at)


def test_the_region_that_was_never_tested_comes_first():
    known = [copy("mtl", tested=9), copy("qc"), copy("tor", tested=3)]
    assert longest_untested(DATASET, known) == "qc"


def test_then_the_one_whose_test_is_the_oldest_whatever_snapshot_it_was_of():
    known = [
        copy("mtl", tested=5),
        copy("mtl", tested=1),
        copy("qc", tested=2),
        copy("tor", tested=3),
    ]
    assert longest_untested(DATASET, known) == "tor"


def test_a_region_that_holds_nothing_yet_cannot_be_tested():
    known = [copy("mtl", owed=True), copy("qc"), copy("tor", tested=1)]
    assert longest_untested(DATASET, known) == "qc"
    assert longest_untested(DATASET, []) == "mtl"


def owed(region="qc"):
    return Stock("ehr", region, owed_at=NOON, owed_since=NOON)


def test_a_debt_is_tried_at_once_then_after_twice_as_long_each_time_up_to_an_hour():
    debts, now, tries = Debts(), NOON, []
    while now < NOON + timedelta(hours=6):
        if debts.due([owed()], (), now):
            tries.append(now)
        now += timedelta(minutes=1)
    gaps = [(b - a) // timedelta(minutes=1) for a, b in itertools.pairwise(tries)]
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[6:]) == {60}


def test_a_lost_region_is_not_tried_and_tried_at_once_when_it_is_back():
    debts = Debts()
    assert debts.due([owed()], {"qc"}, NOON) == []
    assert debts.due([owed()], (), NOON) == [("ehr", "qc", NOON)]


def test_a_debt_that_was_paid_begins_anew_when_it_comes_back():
    debts = Debts()
    for minute in range(10):
        debts.due([owed()], (), NOON + timedelta(minutes=minute))
    assert debts.due([Stock("ehr", "qc")], (), NOON + timedelta(minutes=11)) == []
    assert debts.due([owed()], (), NOON + timedelta(minutes=12)) == [("ehr", "qc", NOON)]
