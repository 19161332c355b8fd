"""What a quarter's report reads of the journal, each thing once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.core.alarms import RunEnded
from drorch.core.jobs import Job, JobKind, jobs_of
from drorch.core.moment import Moment
from drorch.core.names import RunKind
from drorch.core.posture import RunRow, Stock
from drorch.core.quarter import Quarter
from drorch.core.quarter_ages import Point
from drorch.core.quarter_datasets import Work
from drorch.core.quarter_practice import BACK
from drorch.core.quarter_story import DRILLS, Story
from drorch.core.quarter_work import Counts, beside, by_name, works
from drorch.core.run import replay
from drorch.core.slots import count_between, start_of
from drorch.core.spans import RunsCounted
from drorch.core.timing import time_run

_EVER = datetime(1970, 1, 1, tzinfo=UTC)

#: Jobs whose slots the report counts.
_COUNTED = (
    JobKind.BACKUP,
    JobKind.CHECK,
    JobKind.SCRUB,
    JobKind.RESTORE_TEST,
    JobKind.DRILL,
)

#: For so long what is due may wait for its turn.
_TURN = timedelta(hours=1)


class QuarterSeen:
    """The journal as it tells of a quarter up to `until`, its end or `now`."""

    def __init__(self, program: Program, quarter: Quarter) -> None:
        self.program = program
        self.quarter = quarter
        self.zone = ZoneInfo(program.configuration.timezone)
        self.moment: Moment = program.clock.now()
        self.now = self.moment.at
        self.since, self.end = quarter.begin(self.zone), quarter.end(self.zone)
        self.until = min(self.end, self.now)
        self.span = program.journal.span(self.since, self.until)

    @property
    def over(self) -> bool:
        """Whether the quarter is over."""
        return self.now >= self.end

    @cached_property
    def borders(self) -> Sequence[datetime]:
        """The first instants of its days, and of the one after them."""
        return [*(start_of(day, self.zone) for day in self.quarter.days()), self.end]

    # --- work

    @cached_property
    def runs(self) -> Sequence[RunsCounted]:
        """The runs that began in it, counted."""
        return self.span.runs()

    @cached_property
    def _runs(self) -> Mapping[tuple[RunKind, str], Sequence[RunsCounted]]:
        return by_name(self.runs)

    @cached_property
    def works(self) -> Mapping[str, Work]:
        """What came of the slots of each job, by its name."""
        jobs = jobs_of(self.program.configuration)
        span = self.span
        return works(
            Counts(
                self.since,
                self.until,
                self.zone,
                span.slots(),
                span.missed(),
                span.across(),
                schedules={job.name: job.schedule for job in jobs},
            )
        )

    @cached_property
    def unaccounted(self) -> tuple[datetime, int] | None:
        """Since when nobody has accounted for slots that the report should count, and how many those
        are; None: there are none. Where no daemon ever was, since the journal began.
        """
        accounted = self.program.journal.accounted()
        told = [
            (since, count)
            for job in jobs_of(self.program.configuration)
            if job.kind in _COUNTED
            and (since := accounted.get(job.name, None if accounted else self.begins)) is not None
            and (count := self._slots_since(job, since))
        ]
        return (min(since for since, _ in told), sum(n for _, n in told)) if told else None

    def _slots_since(self, job: Job, since: datetime) -> int:
        first = max(since, self.since - timedelta(microseconds=1))
        last = self.until - timedelta(microseconds=1)
        last = min(last, self.now - job.spread - _TURN)
        return count_between(job.schedule, first, last, self.zone) if first < last else 0

    def work(self, kind: RunKind, subject: str, promised: str | None) -> Work:
        """One kind of work on a dataset."""
        known = self.works.get(f"{kind.value}:{subject}", Work())
        done = beside(known, self._runs.get((kind, subject), ()))
        if done.last_at is None:
            done = replace(done, last_at=self._ended_before(kind, subject))
        return replace(done, promised=promised or "")

    def ran(self, subject: str) -> bool:
        """Whether a dataset was backed up in the quarter, or was to be."""
        return f"backup:{subject}" in self.works or (RunKind.BACKUP, subject) in self._runs

    def _ended_before(self, kind: RunKind, name: str) -> datetime | None:
        known = self.ended.get((kind.value, name))
        good = known is not None and known[0].good and known[1] < self.until
        return known[1] if known is not None and good else None

    @cached_property
    def ended(self) -> Mapping[tuple[str, str], tuple[RunEnded, datetime]]:
        """The newest end of every kind and name of run, and when that was."""
        known = self.program.journal.facts(RunEnded, "")
        return {(k.fact.kind, k.fact.name): (k.fact, k.recorded_at) for k in known}

    # --- copies

    @cached_property
    def places(self) -> Mapping[str, Mapping[str, datetime | None]]:
        """By dataset, the regions of which anything was ever known, and when each first held
        something.
        """
        found: dict[str, dict[str, datetime | None]] = {}
        for (dataset, region), first in self.span.places():
            found.setdefault(dataset, {})[region] = first
        return found

    def points(self, dataset: str, region: str) -> Sequence[Point]:
        """Since when the newest snapshot there was of when."""
        return self.span.points((dataset, region))

    @cached_property
    def stocks(self) -> Mapping[tuple[str, str], Stock]:
        """What each region holds of each dataset now."""
        return {(s.dataset, s.region): s for s in self.program.journal.whole.stocks()}

    # --- runs

    @cached_property
    def drills(self) -> Sequence[RunRow]:
        """Every drill, failover and failback that began before `until`, oldest first."""
        ever = self.program.journal.span(_EVER, self.until)
        found = [row for kind in DRILLS for row in ever.rows(kind)]
        return sorted(found, key=lambda row: (row.started_at, row.run))

    @property
    def past_drills(self) -> Sequence[RunRow]:
        """Those of the quarters before, as far back as a trend goes."""
        begin = self.quarter.moved(-BACK).begin(self.zone)
        return [row for row in self.drills if begin <= row.started_at < self.since]

    def story(self, row: RunRow) -> Story:
        """A run as it stands now."""
        recorded = list(self.program.journal.read(row.run))
        state = replay(recorded)
        return Story(row, state, time_run(state, self.moment), recorded[-1].head)

    @cached_property
    def begins(self) -> datetime | None:
        """When the journal's first run began."""
        return self.program.journal.whole.beginning()

    @property
    def last_day(self) -> datetime:
        """A moment of the last day that the figures reach."""
        return self.until - timedelta(microseconds=1)
