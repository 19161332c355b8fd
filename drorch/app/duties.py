"""What the daemon does for each job: the work it is to the machine, and the run that does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.dispatch import Hold, Work
from drorch.core.events import SlotsMissed
from drorch.core.jobs import Job, JobKind
from drorch.core.model import Dataset
from drorch.core.plan import Plan
from drorch.core.policy import (
    RECORDS,
    compile_backup,
    compile_check,
    compile_lock_extend,
    compile_lock_extend_records,
    compile_replicate,
    compile_scrub,
)
from drorch.core.posture import KnownCopy
from drorch.core.quarter import ended_last
from drorch.core.reporting import SUBJECT
from drorch.core.restore_tests import compile_restore_test
from drorch.core.retaining import compile_retention
from drorch.core.schedules import longest_gap
from drorch.engine.loop import Watcher

#: Carries the run of a piece of work.
Carry = Callable[[Program, Request, Control, Sequence[Watcher]], RunView]


@dataclass(frozen=True, slots=True)
class Duty:
    """A piece of work, and how its run is carried; what is wrong with it is raised by `carry`."""

    work: Work
    carry: Carry


def duty_of(program: Program, job: Job, due_at: datetime, newest: datetime | None) -> Duty:
    """What a slot of a job asks for. `newest` is when the dataset's newest snapshot was taken."""
    promised_by = _promised_by(program, job, due_at, newest)
    match job.kind:
        case JobKind.DRILL:
            return Duty(_light(job, due_at, promised_by), _drill(job.subject))
        case JobKind.READINESS:
            return Duty(_light(job, due_at, promised_by), _look)
        case JobKind.REPORT:
            return Duty(Work(job.name, SUBJECT, promised_by, due_at), _report(due_at))
        case JobKind.LOCK_EXTEND if not job.subject:
            work = Work(job.name, f"lock:{RECORDS}", promised_by, due_at)
            return Duty(work, _planned(_plan_of_records))
        case _:
            dataset = program.configuration.datasets[job.subject]
            work = _work(job, dataset, due_at, promised_by)
            return Duty(work, _planned(lambda using: _plan(using, job)))


def catching_up(program: Program, dataset: Dataset, region: str, since: datetime) -> Duty:
    """Bring a region what it is owed."""
    work = Work(
        name=f"replicate:{dataset.name}:{region}",
        subject=f"dataset:{dataset.name}",
        promised_by=since + (dataset.objectives.rpo or timedelta()),
        due_at=since,
        dataset=dataset.name,
        regions=frozenset(dataset.regions),
        hold=Hold.BESIDE,
    )
    configuration = program.configuration
    return Duty(work, _planned(lambda _: compile_replicate(dataset.name, [region], configuration)))


def _promised_by(program: Program, job: Job, due_at: datetime, newest: datetime | None) -> datetime:
    """When the promise breaks that the job is there to keep."""
    if job.kind is JobKind.BACKUP:
        rpo = program.configuration.datasets[job.subject].objectives.rpo
        return (newest or due_at) + (rpo or longest_gap(job.schedule))
    return due_at + longest_gap(job.schedule)


def _work(job: Job, dataset: Dataset, due_at: datetime, promised_by: datetime) -> Work:
    apart = {
        JobKind.SCRUB: f"scrub:{dataset.name}",
        JobKind.LOCK_EXTEND: f"lock:{dataset.name}",
        JobKind.RESTORE_TEST: f"restore-test:{dataset.name}",
    }
    holds = {
        JobKind.BACKUP: Hold.BESIDE,
        JobKind.RESTORE_TEST: Hold.BESIDE,
        JobKind.CHECK: Hold.ALONE,
        JobKind.RETENTION: Hold.ALONE,
    }
    return Work(
        name=job.name,
        subject=apart.get(job.kind, f"dataset:{dataset.name}"),
        promised_by=promised_by,
        due_at=due_at,
        dataset=dataset.name,
        site=(dataset.site or "") if job.kind is JobKind.BACKUP else "",
        regions=frozenset(dataset.regions),
        hold=holds.get(job.kind, Hold.NOT),
    )


def _light(job: Job, due_at: datetime, promised_by: datetime) -> Work:
    return Work(job.name, job.name, promised_by, due_at, light=True)


def _plan(program: Program, job: Job) -> Plan:
    name, configuration = job.subject, program.configuration
    match job.kind:
        case JobKind.BACKUP:
            return compile_backup(name, configuration)
        case JobKind.CHECK:
            return compile_check(name, [], configuration)
        case JobKind.SCRUB:
            return compile_scrub(name, [], configuration)
        case JobKind.RETENTION:
            return compile_retention(name, configuration)
        case JobKind.LOCK_EXTEND:
            return compile_lock_extend(name, (), configuration)
        case JobKind.RESTORE_TEST:
            dataset = configuration.datasets[name]
            region = longest_untested(dataset, program.journal.copies(name))
            folder = configuration.work / "restore-tests" / name
            return compile_restore_test(name, configuration, to=folder.absolute(), region=region)
        case _:
            raise AssertionError(f"{job.kind} has no dataset")


def _plan_of_records(program: Program) -> Plan:
    regions = list(program.configuration.regions)
    return compile_lock_extend_records(regions, program.configuration)


def longest_untested(dataset: Dataset, known: Sequence[KnownCopy]) -> str:
    """The region whose last restore test is the oldest; of several never tested the first that
    holds a snapshot.
    """
    held = [c for c in known if not c.owed]
    holding = [r for r in dataset.regions if any(c.region == r for c in held)]
    tests: dict[str, datetime] = {}
    for copy in held:
        if copy.restore_tested_at is not None:
            before = tests.get(copy.region, copy.restore_tested_at)
            tests[copy.region] = max(before, copy.restore_tested_at)
    never = [region for region in holding or dataset.regions if region not in tests]
    return never[0] if never else min(holding, key=tests.__getitem__)


def _planned(plan: Callable[[Program], Plan]) -> Carry:
    def carry(
        program: Program, request: Request, control: Control, watchers: Sequence[Watcher]
    ) -> RunView:
        return carry_out(program, plan(program), request, control=control, watchers=watchers)

    return carry


def _drill(name: str) -> Carry:
    def carry(
        program: Program, request: Request, control: Control, watchers: Sequence[Watcher]
    ) -> RunView:
        from drorch.app.drills import drill

        wanted = program.configuration.drills[name]
        return drill(
            program,
            wanted.runbook,
            wanted.inputs,
            control=control,
            watchers=watchers,
            wait_for_people=True,
            request=request,
            participants=wanted.participants,
        ).view

    return carry


def _look(
    program: Program, request: Request, control: Control, watchers: Sequence[Watcher]
) -> RunView:
    from drorch.app.readiness import look

    return look(program, control=control, watchers=watchers, request=request).view


def _report(due_at: datetime) -> Carry:
    """The quarter that was over when it was due, to those who have not got it yet; before it those whose
    day was missed.
    """

    def carry(
        program: Program, request: Request, control: Control, watchers: Sequence[Watcher]
    ) -> RunView:
        from drorch.app.delivering import deliver, owed_before

        newest = ended_last(due_at, ZoneInfo(program.configuration.timezone))
        gaps = [one for one in request.also if isinstance(one, SlotsMissed)]

        def catch_up() -> None:
            for quarter in owed_before(program, newest, gaps):
                if not control.stopping:
                    late = Request("daemon", f"the day of {quarter} was missed")
                    deliver(program, quarter, late, control=control, watchers=watchers)

        catch_up()
        seen = deliver(program, newest, request, control=control, watchers=watchers)
        # One that failed fails last: the newest run is the one that is told of, and tried again.
        catch_up()
        return seen

    return carry
