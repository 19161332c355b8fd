"""What happened between two moments is counted as reading each run and slot by itself gives, on every
database.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from drorch.core.events import Event, RunFinished, RunStarted, SlotsMissed, SlotTaken
from drorch.core.names import Mode, Outcome, RunKind, SlotFate
from drorch.core.plan import Plan
from drorch.core.spans import MissedCounted, RunsCounted, SlotsCounted
from drorch.journal.store import SqlJournal
from tests.fakes.facts import DAWN, OWNER, stamped
from tests.fakes.postgres import postgres_url

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SINCE, UNTIL = DAWN + 7 * HOUR, DAWN + 33 * HOUR


@pytest.fixture(params=["sqlite", "sqlite-by-sqlalchemy", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlJournal]:
    url = f"sqlite:///{tmp_path}/drorch.db"
    if request.param == "sqlite-by-sqlalchemy":
        url += "?cached_statements=50"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    with SqlJournal(url) as made:
        filled(made)
        yield made


postgres_database = pytest.fixture(postgres_url)


def filled(journal: SqlJournal) -> None:
    """Forty hours of runs, every twenty minutes; each hour has a slot, some of which were missed."""
    random = Random(7)
    for n in range(120):
        at = n * 20 * MINUTE
        kind = random.choice([RunKind.BACKUP, RunKind.CHECK, RunKind.DRILL])
        name = random.choice("ab")
        plan = Plan(kind, name, Mode.LIVE, f"s{n}", ())
        trigger = "operator" if n % 3 else "schedule"
        events: list[Event] = [RunStarted(plan, OWNER, "m", trigger)]
        due = DAWN + at
        if n % 30 == 0 and n:  # the six slots before this one; some reach over a border
            events.append(SlotsMissed("backup:a", due - 6 * HOUR, due - HOUR, 6, "down"))
        elif n % 30 == 9:
            events.append(SlotsMissed("backup:a", due - HOUR, due - HOUR, 1, "held up"))
        if n % 3 == 0 and (n % 30 == 0 or n % 30 in (3, 9)):
            events.append(SlotTaken("backup:a", due, late=n % 30 == 9, why="late" if n % 30 == 9 else ""))  # fmt: skip
        outcome = random.choice([*Outcome, None])
        if outcome is not None:
            events.append(RunFinished(outcome))
        if random.random() < 0.02:
            events = events[:1]
        journal.begin(f"r{n:03}", stamped(*events, second=at.total_seconds()), lambda _: None)


def test_runs_are_counted_by_kind_name_trigger_and_outcome(journal: SqlJournal) -> None:
    rows = [row for row in journal.rows() if SINCE <= row.started_at < UNTIL]
    wanted = Counter((r.kind, r.name, r.trigger, r.outcome) for r in rows)
    found = journal.span(SINCE, UNTIL).runs()
    assert {(r.kind, r.name, r.trigger, r.outcome): r.count for r in found} == wanted
    for one in found:
        ends = [r.finished_at for r in rows if (r.kind, r.name, r.trigger, r.outcome) == (one.kind, one.name, one.trigger, one.outcome)]  # fmt: skip
        passed = max(ends) if one.outcome is Outcome.PASSED else None  # type: ignore[type-var]
        assert one == RunsCounted(one.kind, one.name, one.trigger, one.outcome, len(ends), passed)


def test_runs_of_a_kind_come_oldest_first(journal: SqlJournal) -> None:
    rows = [r for r in journal.rows() if SINCE <= r.started_at < UNTIL and r.kind is RunKind.DRILL]
    assert journal.span(SINCE, UNTIL).rows(RunKind.DRILL) == sorted(rows, key=lambda r: r.run)


def test_slots_are_counted_by_fate_and_how_their_runs_ended(journal: SqlJournal) -> None:
    wanted: Counter[tuple[str, SlotFate, Outcome | None]] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for slot in journal.slots():
        if slot.first_at >= SINCE and slot.last_at < UNTIL:
            missed = slot.fate is SlotFate.MISSED
            outcome = None if missed else journal.find(slot.run).outcome
            wanted[slot.job, slot.fate, outcome] += slot.count
            if missed:
                reasons[slot.job, slot.why] += slot.count
    span = journal.span(SINCE, UNTIL)
    counted: Counter[tuple[str, SlotFate, Outcome | None]] = Counter()
    for one in span.slots():
        assert isinstance(one, SlotsCounted)
        counted[one.job, one.fate, one.outcome] += one.count
    assert counted == wanted
    assert {fate for _, fate, _ in wanted} == set(SlotFate)
    assert {(m.job, m.why): m.count for m in span.missed()} == reasons
    assert all(isinstance(m, MissedCounted) and type(m.count) is int for m in span.missed())


@pytest.mark.parametrize("hours", [(7, 27), (3, 35), (5, 6), (0, 100)])
def test_gaps_over_a_border_are_told_apart(journal: SqlJournal, hours: tuple[int, int]) -> None:
    since, until = (DAWN + n * HOUR for n in hours)
    wanted = [
        slot
        for slot in journal.slots()
        if any(slot.first_at < border <= slot.last_at for border in (since, until))
    ]
    found = journal.span(since, until).across()
    assert sorted(found, key=lambda s: s.run) == sorted(wanted, key=lambda s: s.run)


def test_the_first_and_the_last_run_of_a_name(journal: SqlJournal) -> None:
    span = journal.span(SINCE, UNTIL)
    for kind in (RunKind.BACKUP, RunKind.CHECK):
        rows = sorted((r.started_at, r.run) for r in journal.rows(name="a") if r.kind is kind)
        assert span.first_run(kind, "a") == rows[0]
        assert span.last_run(kind, "a") == max(row for row in rows if row[0] < UNTIL)
    assert (
        span.first_run(RunKind.BACKUP, "nobody") is span.last_run(RunKind.BACKUP, "nobody") is None
    )
    assert journal.span(SINCE, DAWN).last_run(RunKind.BACKUP, "a") is None
