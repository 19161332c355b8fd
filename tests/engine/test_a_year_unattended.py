"""A year of the daemon in under a minute: fifty datasets, outages, daylight saving, a leap day.

For pains 18 and, of backups, 21: no schedule is missed, doubled or switched off without a record.

Time is the test's; what decides is real (which slots there are, what waits, what begins, what is
recorded), down to a journal that encodes and chains. Runs take as long as the script says. At the
end an account of every slot is held against a calendar that was walked minute by minute.
"""

import heapq
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from drorch.app.reasons import DOWN
from drorch.app.starting import begun
from drorch.app.unattended import Started, Unattended
from drorch.core.errors import SlotGone
from drorch.core.events import Owner, RunStarted, Stamped
from drorch.core.jobs import JobKind
from drorch.core.model import (
    Configuration,
    CopyMode,
    CopyPolicy,
    Dataset,
    DrillSchedule,
    Objectives,
    Region,
    Verify,
)
from drorch.core.names import Mode, RunKind, SlotFate
from drorch.core.plan import Plan
from drorch.core.posture import Stock
from drorch.core.settings import DaemonSettings
from drorch.daemon.timer import SlotTrigger
from tests.fakes.clock import FakeClock
from tests.fakes.journal import MemoryJournal

OWNER = Owner("host", 1, 1, "boot", "root", "token", "0")
ZONE = ZoneInfo("America/Toronto")
BEGIN = datetime(2027, 12, 31, 12, tzinfo=UTC)
END = BEGIN + timedelta(days=366 + 1)  # 2028 has a 29th of February

#: By schedule, how many datasets have it; the third is skipped in March, the fourth doubled in November.
SCHEDULES = {
    "*/30 * * * *": 2,
    "every 2h": 6,
    "30 2 * * *": 16,
    "15 1 * * *": 15,
    "0 */6 29 2 *": 2,
    "weekly on sun at 02:10": 9,
}


class Books(MemoryJournal):
    """A journal that also says which snapshots were taken, by what the script made of the runs."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, datetime] = {}

    @property
    def whole(self) -> "Books":
        return self

    def stocks(self) -> list[Stock]:
        return [Stock(dataset, "mtl", "s", at) for dataset, at in self.taken.items()]


@dataclass
class FakeProgram:
    """What the daemon's decisions ask of a program."""

    configuration: Configuration
    journal: Books
    clock: FakeClock
    actions: object = None
    owner: Owner = OWNER
    token: str = OWNER.token
    carrying: set = field(default_factory=set)

    @property
    def tools(self) -> SimpleNamespace:
        """Only the clock is asked: what is recorded has no step."""
        return SimpleNamespace(clock=self.clock)


def configuration() -> Configuration:
    regions = {
        name: Region(name, f"http://{name}.example", "b", "CA-QC") for name in ("mtl", "qc", "tor")
    }
    datasets = {}
    for schedule, number in SCHEDULES.items():
        for n in range(number):
            name = f"d{len(datasets):02}"
            primary, other = sorted(regions)[n % 3], sorted(regions)[(n + 1) % 3]
            datasets[name] = Dataset(
                name,
                "key",
                primary,
                (CopyPolicy(other, CopyMode.MIRROR, "key"),),
                site="montreal" if n % 2 else "quebec",
                paths=(Path("/srv"),),
                schedule=schedule,
                objectives=Objectives(rpo=timedelta(hours=1 + n)),
                verify=Verify(check="weekly", restore_test="monthly on 1 at 03:00"),
            )
    return Configuration(
        folder=Path("/etc/drorch"),
        timezone=ZONE.key,
        regions=regions,
        datasets=datasets,
        drills={"quarter": DrillSchedule("quarter", "ehr", "quarterly")},
        daemon=DaemonSettings(parallel=6, per_region=6, per_site=4),
    )


@dataclass
class Year:
    """Drives the daemon's decisions through time, as drorch/daemon/loop.py does in ours."""

    random: Random
    program: FakeProgram
    events: list = field(default_factory=list)
    number: count = field(default_factory=count)
    daemon: Unattended | None = None
    life: int = 0
    wakes: datetime | None = None

    def at(self, when: datetime, what, *arguments) -> None:
        heapq.heappush(self.events, (when, next(self.number), what, arguments))

    def run(self) -> None:
        while self.events and self.events[0][0] < END:
            when, _, what, arguments = heapq.heappop(self.events)
            now = self.program.clock.now().at
            if when > now:
                self.program.clock.advance(when - now)
            what(*arguments)

    @property
    def now(self) -> datetime:
        return self.program.clock.now().at

    def start(self) -> None:
        self.life += 1
        self.daemon = begun(self.program, self.now, "start")
        for schedule in self.daemon.groups:
            self.tick(self.life, SlotTrigger(schedule, ZONE), None)
        self.begin(self.life)

    def killed(self) -> None:
        """With everything that it carried: those runs stay as the journal has them."""
        self.life += 1
        self.daemon = None

    def tick(self, life: int, trigger: SlotTrigger, previous: datetime | None) -> None:
        if life != self.life:
            return
        if previous is not None:
            self.daemon.look(self.now, [trigger.schedule])
            self.begin(life)
        following = trigger.get_next_fire_time(previous, self.now)
        self.at(following, self.tick, life, trigger, following)

    def begin(self, life: int) -> None:
        if life != self.life:
            return
        for started in self.daemon.begin(self.now):
            self.carry(started)
        wake = self.daemon.wake_at(self.now)
        if wake is not None and (self.wakes is None or not self.now < self.wakes <= wake):
            self.wakes = wake
            self.at(wake, self.begin, life)

    def carry(self, started: Started) -> None:
        """The run's beginning is recorded; it ends when the script says so."""
        if self.random.random() < 0.002:  # somebody at the command line is at it
            self.daemon.again(started, "the dataset is already running", self.now)
            return
        work, request = started.duty.work, started.request
        plan = Plan(RunKind.BACKUP, work.name, Mode.LIVE, f"{work.name}/{next(self.number)}", ())
        event = RunStarted(plan, OWNER, "root", request.trigger, "", None, request.due_at)
        moment = self.program.clock.now()
        stamped = [Stamped(moment, one) for one in (event, *request.also)]
        try:
            self.program.journal.begin(f"r{next(self.number)}", stamped, lambda _: None)
        except SlotGone:
            pytest.fail(f"{work.name} was to be fired twice for {request.due_at}")
        self.daemon.taken(started)
        busy = 40 if self.random.random() < 0.01 else 1
        took = timedelta(minutes=self.random.uniform(0.2, 3) * busy)
        self.at(self.now + took, self.ended, self.life, started)

    def ended(self, life: int, started: Started) -> None:
        if life != self.life:
            return
        if self.random.random() < 0.97:
            self.program.journal.taken[started.duty.work.dataset] = self.now
            self.daemon.backed_up({started.duty.work.dataset: self.now})
        self.daemon.ended(started.duty.work.name, self.now)
        self.begin(life)


OUTAGES = [
    # Killed and back within a minute; over the spring change; four days; over the autumn change;
    # over the leap day; ten times in one afternoon.
    (datetime(2028, 1, 5, 8, 0, tzinfo=UTC), timedelta(seconds=50)),
    (datetime(2028, 3, 12, 5, 0, tzinfo=UTC), timedelta(hours=4)),
    (datetime(2028, 6, 24, 13, 7, tzinfo=UTC), timedelta(days=4, hours=3)),
    (datetime(2028, 11, 5, 4, 30, tzinfo=UTC), timedelta(hours=3)),
    (datetime(2028, 2, 29, 10, 59, tzinfo=UTC), timedelta(hours=2)),
    *(
        (datetime(2028, 9, 1, 12, tzinfo=UTC) + n * timedelta(minutes=17), timedelta(minutes=9))
        for n in range(10)
    ),
]


#: The year is lived once, not by each worker.
pytestmark = pytest.mark.xdist_group("year")


@pytest.fixture(scope="module")
def year() -> Year:
    program = FakeProgram(configuration(), Books(), FakeClock(BEGIN))
    done = Year(Random(20281105), program)
    done.at(BEGIN, done.start)
    for at, lasting in OUTAGES:
        done.at(at, done.killed)
        done.at(at + lasting, done.start)
    done.run()
    return done


@cache
def walls() -> list[datetime]:
    """What the wall shows in every minute of the world's time, from a day before it all begins."""
    minutes = range((END - BEGIN) // timedelta(minutes=1) + 2 * 24 * 60)
    begin = BEGIN - timedelta(days=1)
    return [(begin + timedelta(minutes=n)).astimezone(ZONE).replace(tzinfo=None) for n in minutes]


def minutes_of(text: str, until: datetime) -> list[datetime]:
    """When a schedule of this test comes true, by walking every minute of the world's time."""
    wanted = {
        "*/30 * * * *": lambda t: t.minute % 30 == 0,
        "30 2 * * *": lambda t: (t.hour, t.minute) == (2, 30),
        "15 1 * * *": lambda t: (t.hour, t.minute) == (1, 15),
        "0 */6 29 2 *": lambda t: (t.month, t.day, t.minute) == (2, 29, 0) and t.hour % 6 == 0,
        "weekly on sun at 02:10": lambda t: (t.isoweekday(), t.hour, t.minute) == (7, 2, 10),
    }[text]
    found, seen, before = [], set(), None
    for n, local in enumerate(walls()):
        # The minutes of the wall that were skipped between the last one and this one count here.
        skipped = []
        if before is not None and local - before > timedelta(minutes=1):
            walk = before + timedelta(minutes=1)
            while walk < local:
                skipped.append(walk)
                walk += timedelta(minutes=1)
        doubled = local in seen and text != "*/30 * * * *"
        if (wanted(local) and not doubled) or any(wanted(one) for one in skipped):
            found.append(BEGIN + timedelta(days=-1, minutes=n))
        seen.add(local)
        before = local if before is None or local > before else before
    return [at for at in found if BEGIN < at <= until]


def hours_of(since: datetime, until: datetime) -> list[datetime]:
    """Every two hours that pass, counted anew from each local midnight."""
    found = []
    day = since.astimezone(ZONE).date() - timedelta(days=1)
    while datetime(day.year, day.month, day.day, tzinfo=ZONE) <= until:
        following = day + timedelta(days=1)
        at = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
        ends = datetime(following.year, following.month, following.day, tzinfo=ZONE)
        while at < ends.astimezone(UTC):
            found.append(at)
            at += timedelta(hours=2)
        day = following
    return [at for at in found if since < at <= until]


@pytest.mark.parametrize("text", SCHEDULES)
def test_every_slot_is_accounted_for_once_as_fired_late_or_missed(year, text):
    journal = year.program.journal
    until = year.now
    expected = hours_of(BEGIN, until) if text == "every 2h" else minutes_of(text, until)
    jobs = [j for j in year.daemon.jobs.values() if (j.text, j.kind) == (text, JobKind.BACKUP)]
    assert len(jobs) == SCHEDULES[text]
    for job in jobs:
        known = [at for at in expected if at <= journal.accounted()[job.name]]
        told: list[datetime] = []
        for row in journal.slots(job=job.name):
            inside = known[bisect_left(known, row.first_at) : bisect_right(known, row.last_at)]
            assert (inside[0], inside[-1], len(inside)) == (row.first_at, row.last_at, row.count)
            assert row.why or row.fate is SlotFate.FIRED, "late and missed ones say why"
            told += inside
        assert sorted(told) == known, f"{job.name}: not every slot, or one twice"
        assert len(expected) - len(known) <= 1, "only the last may still wait"


def test_no_slot_of_any_job_is_left_out_or_doubled(year):
    """Of the other jobs, too: what one row ends at, the next begins after, with nothing between."""
    for job in year.daemon.jobs.values():
        rows = sorted(year.program.journal.slots(job=job.name), key=lambda row: row.first_at)
        reached = BEGIN
        for row in rows:
            assert job.next_slot(reached, ZONE) == row.first_at, (job.name, row)
            reached = row.last_at


def test_each_quarter_has_its_report_on_its_day(year):
    rows = sorted(year.program.journal.slots(job="report:quarter"), key=lambda row: row.first_at)
    days = [datetime(2028, month, 5, 6, 0, tzinfo=ZONE) for month in (1, 4, 7, 10)]
    assert [row.first_at for row in rows] == days
    assert {row.count for row in rows} == {1}
    assert SlotFate.MISSED not in {row.fate for row in rows}


def test_what_an_outage_cost_is_told(year):
    by_why = {row.why for row in year.program.journal.slots() if row.fate is not SlotFate.FIRED}
    assert DOWN in by_why
    assert any("under way" in why for why in by_why)
    (row,) = [
        row
        for row in year.program.journal.slots(job="backup:d00")
        if row.fate is SlotFate.MISSED and row.count > 100
    ]
    # Four days and three hours at two an hour, from 13:07 to 16:07; the last of them was caught up.
    assert (row.count, row.why) == (197, DOWN)


def test_what_was_down_catches_up_once_oldest_promise_first(year):
    """After the four days: of each backup one slot is fired late, in the order of promises."""
    at, lasting = OUTAGES[2]
    back = at + lasting
    rows = year.program.journal.slots(since=at)
    caught = [
        row
        for row in rows
        if row.fate is SlotFate.LATE and row.why == DOWN and at < row.first_at <= back
    ]
    assert len({row.job for row in caught}) == len(caught)
    daily = [j.name for j in year.daemon.jobs.values() if j.text in ("30 2 * * *", "*/30 * * * *")]
    assert set(daily) <= {row.job for row in caught}
