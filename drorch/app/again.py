"""Which scheduled backups and reports failed as a whole, and when each is tried again before its next
slot.

From the journal alone: what one daemon could not do, the next one tries again in time. A copy that
a region is owed is no failure of the backup (app/aside.py).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.app.duties import Duty, duty_of
from drorch.app.program import Program
from drorch.core.alarms import RunEnded
from drorch.core.jobs import Job, JobKind, again_at
from drorch.core.names import RunKind
from drorch.core.reporting import SUBJECT


def failed_jobs(program: Program, jobs: Mapping[str, Job]) -> Iterator[tuple[Job, datetime]]:
    """Those of these jobs whose newest run failed, and when it is tried again."""
    zone = ZoneInfo(program.configuration.timezone)
    for known in program.journal.whole.ended_badly():
        job = jobs.get(_job_of(known.fact))
        again = job and again_at(job, known.recorded_at, zone)
        if job and again:
            yield job, again


def _job_of(ended: RunEnded) -> str:
    """The name of the job that is tried again after this end; empty: none is."""
    if ended.kind == RunKind.REPORT:
        return SUBJECT
    return (
        f"{JobKind.BACKUP}:{ended.name}"
        if ended.kind == RunKind.BACKUP and not ended.missed
        else ""
    )


def due_again(
    program: Program,
    jobs: Mapping[str, Job],
    lost: Collection[str],
    newest: Mapping[str, datetime],
    now: datetime,
) -> Iterator[Duty]:
    """What is to be tried again now. Where none of a dataset's regions answers, it waits for one."""
    for job, again in failed_jobs(program, jobs):
        if again <= now and not _away(program, job, lost):
            yield duty_of(program, job, again, newest.get(job.subject))


def _away(program: Program, job: Job, lost: Collection[str]) -> bool:
    """Whether nothing is there that it could work with."""
    if job.kind is not JobKind.BACKUP:
        return False
    return all(region in lost for region in program.configuration.datasets[job.subject].regions)
