"""Which quarter is reported on, and which cannot be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.app.program import Program
from drorch.app.quarters import chosen, quarter_values
from drorch.core.errors import UsageError
from drorch.core.events import JobsSeen, SlotsMissed, Stamped
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.moment import Moment
from drorch.core.quarter import Quarter
from tests.fakes.clock import FakeClock
from tests.fakes.facts import finished, stamped, started, whole_run
from tests.fakes.postgres import postgres_url


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """At the first of October, one o'clock at night in Toronto."""
    program = Program(Configuration(tmp_path, timezone="America/Toronto"))
    program.__dict__["clock"] = FakeClock(datetime(2027, 10, 1, 5, tzinfo=UTC))
    return program


def begin(program: Program, at: datetime) -> None:
    events = [
        Stamped(Moment(at, "boot", 1.0 + n), stamped.event) for n, stamped in enumerate(whole_run())
    ]
    program.journal.begin("r1", events, lambda _: None)


def test_without_a_name_it_is_the_one_that_ended_last(program: Program) -> None:
    begin(program, datetime(2026, 11, 3, tzinfo=UTC))
    assert chosen(program, None) == Quarter(2027, 3)
    program.clock.advance(datetime(2027, 10, 1, 3, tzinfo=UTC) - program.clock.now().at)  # type: ignore[attr-defined]
    assert chosen(program, None) == Quarter(2027, 2), "by the time zone's own midnight"
    assert chosen(program, "2027q3") == Quarter(2027, 3), "the one that runs may be asked for"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("2026Q5", "'2026Q5' is not a quarter such as 2026Q4", "the quarter that ended last is 2027Q3"),
        ("2028Q1", "2028Q1 has not begun", "the one that runs is 2027Q4, the one that ended last 2027Q3"),
        ("9999Q4", "9999Q4 has not begun", "the one that runs is 2027Q4"),
        ("2026Q3", "the journal begins on 2026-10-01, after 2026Q3", "the first quarter that it tells of is 2026Q4"),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_on_is_refused(
    program: Program, text: str, message: str, hint: str
) -> None:
    begin(program, datetime(2026, 10, 1, 4, tzinfo=UTC))
    with pytest.raises(UsageError, match=message) as caught:
        chosen(program, text)
    assert hint in caught.value.hint


def test_a_journal_without_runs_has_no_quarter(program: Program) -> None:
    with pytest.raises(UsageError, match="the journal holds no run yet"):
        chosen(program, "2027Q3")


def test_a_quarter_is_read_from_postgresql_too(program: Program) -> None:
    state = postgres_url().replace("postgresql:", "postgresql+psycopg:")
    other = Program(replace(program.configuration, state=state))
    other.__dict__["clock"] = program.clock
    for one in (program, other):
        begin(one, datetime(2026, 11, 3, tzinfo=UTC))
    assert quarter_values(other, Quarter(2026, 4)) == quarter_values(program, Quarter(2026, 4))
    other.journal.close()


def test_a_quarter_without_a_drill_says_so(program: Program) -> None:
    begin(program, datetime(2026, 11, 3, tzinfo=UTC))
    document = quarter_values(program, Quarter(2027, 3))
    assert document.headline.no_drill
    assert (document.drills, document.restores, document.totals.runs) == ((), (), 0)
    assert not quarter_values(program, Quarter(2026, 4)).headline.no_drill


def test_what_nobody_has_accounted_for_is_told(tmp_path: Path) -> None:
    dataset = Dataset("db", "key", "mtl", schedule="daily at 04:00")
    regions = {"mtl": Region("mtl", "http://mtl.example", "b", "CA-QC")}
    program = Program(
        Configuration(
            tmp_path, timezone="America/Toronto", regions=regions, datasets={"db": dataset}
        )
    )
    program.__dict__["clock"] = FakeClock(datetime(2027, 10, 1, 4, 30, tzinfo=UTC))
    begin(program, datetime(2027, 9, 10, tzinfo=UTC))
    assert unaccounted(program) == [("2027-09-09 20:00", "21 slots")], "no daemon ever was"
    seen = JobsSeen(("backup:db",), datetime(2027, 9, 28, tzinfo=UTC))
    program.journal.begin("seen", stamped(started(), seen, finished()), lambda row: None)
    assert unaccounted(program) == [("2027-09-27 20:00", "3 slots")]
    first = datetime(2027, 9, 28, 8, tzinfo=UTC)
    gap = SlotsMissed("backup:db", first, first + timedelta(days=2), 3, "no daemon was running")
    program.journal.begin("gap", stamped(started(), gap, finished()), lambda row: None)
    assert unaccounted(program) == [], "they are told as missed"


def unaccounted(program: Program) -> list[tuple[str, str]]:
    notices = quarter_values(program, Quarter(2027, 3)).notices
    told = [one for one in notices if one.what == "slots.unaccounted"]
    return [(one.subject, one.message.partition(" of ")[0]) for one in told]
