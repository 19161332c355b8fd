"""What the daemon has to do: which slots are due, which work waits, runs, and may begin.

Belongs to one thread. It knows neither timers nor threads: who drives it (drorch/daemon.py, a
simulated year in the tests) says what time it is, carries what `begin` gives out, and tells when
that has ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drorch.app.duties import Duty, duty_of
from drorch.app.program import Program
from drorch.app.reasons import Reasons
from drorch.app.runs import Request
from drorch.core.dispatch import Work, choose
from drorch.core.durations import format_duration
from drorch.core.events import Event, SlotsMissed, SlotTaken
from drorch.core.jobs import LIE, Due, Job, JobKind, account, jobs_of
from drorch.core.posture import Stock
from drorch.core.schedules import Schedule

#: A run that may not begin yet (another process has its subject, the journal cannot be written) is
#: tried again after this.
AGAIN = timedelta(seconds=30)

#: What there is nothing to do for as long as a dataset has no snapshot.
_OF_SNAPSHOTS = frozenset(
    {JobKind.CHECK, JobKind.SCRUB, JobKind.RETENTION, JobKind.RESTORE_TEST, JobKind.LOCK_EXTEND}
)


@dataclass(slots=True)
class _Waiting:
    """A slot that is due, or something owed; `why` says what it was held up by first, as far as that
    concerns it alone; see Reasons.
    """

    duty: Duty
    due: Due | None
    not_before: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """Work to be carried now, and the request that its run begins with."""

    duty: Duty
    request: Request
    due: Due | None
    why: str = ""


@dataclass(slots=True)
class Unattended:
    """The jobs of one configuration. `accounted` says up to where each job's slots are accounted
    for; `since` is when this daemon began, `reasons` what else is known of why slots were not begun.
    """

    program: Program
    since: datetime
    accounted: dict[str, datetime]
    newest: dict[str, datetime] = field(default_factory=dict)
    jobs: dict[str, Job] = field(init=False)
    groups: dict[Schedule, list[Job]] = field(init=False)
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    running: dict[str, Work] = field(default_factory=dict)
    reasons: Reasons = field(init=False)
    _hindered: dict[str, str] = field(default_factory=dict)
    _next: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reasons = Reasons(self.since)
        self.jobs = {job.name: job for job in jobs_of(self.program.configuration)}
        self.groups = {}
        for job in self.jobs.values():
            self.groups.setdefault(job.schedule, []).append(job)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the schedules."""
        return ZoneInfo(self.program.configuration.timezone)

    def unknown(self, now: datetime) -> tuple[str, ...]:
        """Jobs that the journal does not know, or knows from a later time than this: a clock lied."""
        known = self.accounted
        return tuple(name for name in self.jobs if name not in known or known[name] - now > LIE)

    def look(self, now: datetime, schedules: Sequence[Schedule] | None = None) -> None:
        """See which slots have come due: of the jobs with these schedules, or of all."""
        zone = self.zone
        for schedule in self.groups if schedules is None else schedules:
            for job in self.groups.get(schedule, ()):
                self._look_at(job, now, zone)

    def _look_at(self, job: Job, now: datetime, zone: ZoneInfo) -> None:
        if job.kind in _OF_SNAPSHOTS and job.subject and job.subject not in self.newest:
            return  # there is nothing yet to be looked at, tested or let go
        due = self._due(job, now, zone)
        if due is None or job.name in self.running:
            return  # what comes due while it runs is looked at when it has ended
        known = self.waiting.get(job.name)
        if known is not None and known.due is not None and known.due.slot == due.slot:
            return
        duty = duty_of(self.program, job, due.slot, self.newest.get(job.subject))
        why = known.why if known is not None else ""
        self.waiting[job.name] = _Waiting(duty, due, max(due.start_at, self._held(known)), why)

    def _due(self, job: Job, now: datetime, zone: ZoneInfo) -> Due | None:
        """What is due of it. The slot that comes next is remembered: ten thousand jobs are looked at
        again and again, and most often it has not come.
        """
        accounted = self.accounted.get(job.name, self.since)
        known = self._next.get(job.name)
        if known is None or known[0] != accounted:
            known = self._next[job.name] = accounted, job.next_slot(accounted, zone)
        return None if known[1] > now else account(job, accounted, now, zone)

    def _held(self, known: _Waiting | None) -> datetime:
        return known.not_before if known is not None and known.why else self.since

    def owe(self, duty: Duty, now: datetime) -> None:
        """Let something wait that no slot asks for."""
        name = duty.work.name
        if name not in self.waiting and name not in self.running:
            self.waiting[name] = _Waiting(duty, None, now)

    def ready(self, now: datetime) -> bool:
        """Whether anything may begin, as far as its time goes."""
        return any(w.not_before <= now for w in self.waiting.values())

    def begin(self, now: datetime) -> list[Started]:
        """What is to be carried now; it counts as running from here on."""
        ready = {n: w for n, w in self.waiting.items() if w.not_before <= now}
        if not ready:
            return []
        choice = choose(
            (w.duty.work for w in ready.values()),
            tuple(self.running.values()),
            self.program.configuration.daemon,
        )
        for name, why in choice.held.items():
            self.waiting[name].why = self.waiting[name].why or why
        started = []
        for work in choice.begin:
            one = self.waiting.pop(work.name)
            self.running[work.name] = work
            started.append(Started(one.duty, self._request(one, now), one.due, one.why))
        return started

    def _request(self, one: _Waiting, now: datetime) -> Request:
        if one.due is None:
            return Request("daemon")
        due_at, also = one.due.slot, tuple(self._accounts(one.due, one.why, now))
        return Request("schedule", due_at=due_at, also=also)

    def _accounts(self, due: Due, why: str, now: datetime) -> Iterator[Event]:
        """What is recorded of a slot as its run begins, and of those before it."""
        late = now > due.late_from
        behind = f"{format_duration(now - due.slot)} late" if late else ""
        yield from self._before(due, why)
        told = (self.reasons.of(due.slot, why) or behind) if late else ""
        yield SlotTaken(due.job.name, due.slot, late, told)

    def _before(self, due: Due, why: str) -> Iterator[SlotsMissed]:
        if due.missed is None:
            return
        for gap, reason in self.reasons.of_gap(due.job, due.missed, why, self.zone):
            yield SlotsMissed(due.job.name, gap.first, gap.last, gap.count, reason)

    def missed(self, started: Started, why: str) -> tuple[SlotsMissed, ...]:
        """That nothing could be fired for a slot at all, for this reason; and of those before it."""
        due = started.due
        if due is None:
            return ()
        this = SlotsMissed(due.job.name, due.slot, due.slot, 1, why)
        return (*self._before(due, started.why), this)

    def ended(self, name: str, now: datetime) -> None:
        """A piece of work has come to an end, however; its slot is accounted for."""
        self.running.pop(name, None)
        self._hindered.pop(name, None)
        job = self.jobs.get(name)
        if job is not None:
            self._look_at(job, now, self.zone)
            if name in self.waiting:
                self.waiting[name].why = self.waiting[name].why or "the run before was under way"

    def taken(self, started: Started) -> None:
        """Its slot stands in the journal, whoever wrote it there."""
        if started.due is not None:
            name, slot = started.due.job.name, started.due.slot
            self.accounted[name] = max(slot, self.accounted.get(name, slot))

    def reread(self) -> None:
        """See in the journal up to where slots are accounted for; JournalUntrusted."""
        self.accounted = dict(self.program.journal.accounted())

    def again(self, started: Started, why: str, now: datetime) -> bool:
        """It could not begin; it waits on, and `why` is told when it does. Whether that is news."""
        name = started.duty.work.name
        news = self._hindered.get(name) != why
        self._hindered[name] = why
        self.running.pop(name, None)
        self.waiting[name] = _Waiting(started.duty, started.due, now + AGAIN, started.why or why)
        if started.due is not None:
            self._look_at(started.due.job, now, self.zone)
        return news

    def retry(self, now: datetime) -> None:
        """Let what was put off because it could not begin try again at once."""
        for one in self.waiting.values():
            if one.why:
                one.not_before = min(one.not_before, now)

    def hurry(self, now: datetime) -> None:
        """Wait for nothing that is due to be spread over time."""
        for one in self.waiting.values():
            one.not_before = now

    def wake_at(self, now: datetime) -> datetime | None:
        """When time alone lets something begin; None: what waits, waits for others to end."""
        later = (w.not_before for w in self.waiting.values() if w.not_before > now)
        return min(later, default=None)

    def backed_up(self, newest: Mapping[str, datetime]) -> None:
        """Snapshots were taken, by whomever: of each dataset the newest."""
        for dataset, at in newest.items():
            self.newest[dataset] = max(at, self.newest.get(dataset, at))


def newest_of(stocks: Iterable[Stock]) -> dict[str, datetime]:
    """When the newest snapshot of each dataset was taken that lies somewhere."""
    found: dict[str, datetime] = {}
    for stock in stocks:
        if stock.newest_at is not None:
            found[stock.dataset] = max(stock.newest_at, found.get(stock.dataset, stock.newest_at))
    return found
