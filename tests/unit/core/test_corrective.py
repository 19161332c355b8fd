"""A corrective action is what was said of it, at any moment."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drorch.core.codec import decode, encode
from drorch.core.corrective import Change, ChangeKind, Corrective, next_id, unfit, wants_action

BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPENED = Corrective("A1", "Look again", "anne", "2026-11-07", BEGAN, "root", "run/2")
MOVED = Change(BEGAN + HOUR, "root", ChangeKind.CHANGED, "late", due="2026-12-01")
GIVEN = Change(BEGAN + 2 * HOUR, "root", ChangeKind.CHANGED, "away", owner="bob")
DONE = Change(BEGAN + 3 * HOUR, "eve", ChangeKind.CLOSED, "done", run="run-9")
AGAIN = Change(BEGAN + 4 * HOUR, "root", ChangeKind.REOPENED, "came back", due="2027-01-01")
WHOLE = replace(OPENED, changes=(MOVED, GIVEN, DONE, AGAIN))


def stood(action):
    return action.status, action.owner, action.due, action.closed_by_run


def test_it_stands_as_the_last_word_on_each_thing_says():
    assert stood(OPENED) == ("open", "anne", "2026-11-07", "")
    assert stood(WHOLE) == ("open", "bob", "2027-01-01", "")


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0, ("open", "anne", "2026-11-07", "")),
        (1, ("open", "anne", "2026-12-01", "")),
        (2, ("open", "bob", "2026-12-01", "")),
        (3, ("closed", "bob", "2026-12-01", "run-9")),
        (4, ("open", "bob", "2027-01-01", "")),
    ],
)
def test_it_can_be_read_as_it_stood(hours, expected):
    then = WHOLE.as_of(BEGAN + hours * HOUR)
    assert then is not None
    assert stood(then) == expected


def test_before_it_was_opened_there_was_none():
    assert WHOLE.as_of(BEGAN - timedelta(microseconds=1)) is None


def test_who_closed_it_when_and_why():
    closed = replace(OPENED, changes=(MOVED, DONE))
    assert (closed.closed_at, closed.closed_by, closed.why) == (DONE.at, "eve", "done")
    assert (WHOLE.closed_at, WHOLE.closed_by, WHOLE.why) == (None, "", "")


def test_it_is_overdue_when_its_day_is_over_where_it_is_and_it_is_open():
    assert not OPENED.overdue(date(2026, 11, 7))
    assert OPENED.overdue(date(2026, 11, 8))
    assert not replace(OPENED, changes=(DONE,)).overdue(date(2026, 11, 8))
    # The day after clocks went back in Toronto: midnight is at 05:00 UTC.
    since = OPENED.overdue_since(ZoneInfo("America/Toronto"))
    assert since == datetime(2026, 11, 8, 5, tzinfo=UTC)


def test_ids_count_on_in_their_numbers():
    assert next_id([]) == "A1"
    assert next_id([replace(OPENED, id="A10"), replace(OPENED, id="A9")]) == "A11"


def test_what_cannot_become_of_it_is_said_with_the_way_on():
    closed = replace(OPENED, changes=(DONE,))
    assert unfit(OPENED, ChangeKind.CLOSED) is None
    assert unfit(closed, ChangeKind.REOPENED) is None
    assert unfit(OPENED, ChangeKind.REOPENED) == ("action A1 is open", "see: drorch action list")
    for what in (ChangeKind.CLOSED, ChangeKind.CHANGED):
        assert unfit(closed, what) == (
            "action A1 was closed by eve on 2026-11-01: done",
            "open it again: drorch action reopen A1 --reason TEXT",
        )


def test_it_comes_back_from_the_journal_as_it_went():
    assert decode(Corrective, encode(WHOLE)) == WHOLE


def test_remarks_ask_for_nothing():
    assert wants_action("objective.missed")
    assert wants_action("copy.owed")
    assert not wants_action("step.not-tested")
