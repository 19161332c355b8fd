"""Which scheduled backups failed as a whole, and when each is tried again before its next slot.

From the journal alone: what one daemon could not do, the next one tries again in time. A copy that
a region is owed is no failure of the backup (app/aside.py).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.app.duties import Duty, duty_of
from drorch.app.program import Program
from drorch.core.jobs import Job, JobKind, again_at
from drorch.core.names import RunKind


def failed_backups(program: Program, jobs: Mapping[str, Job]) -> Iterator[tuple[Job, datetime]]:
    """Those of these jobs whose newest backup failed, and when it is tried again."""
    zone = ZoneInfo(program.configuration.timezone)
    for known in program.journal.whole.ended_badly():
        ended = known.fact
        if ended.kind != RunKind.BACKUP or ended.missed:
            continue
        job = jobs.get(f"{JobKind.BACKUP}:{ended.name}")
        again = job and again_at(job, known.recorded_at, zone)
        if job and again:
            yield job, again


def backups_again(
    program: Program,
    jobs: Mapping[str, Job],
    lost: Collection[str],
    newest: Mapping[str, datetime],
    now: datetime,
) -> Iterator[Duty]:
    """What is to be tried again now. Where none of a dataset's regions answers, it waits for one."""
    for job, again in failed_backups(program, jobs):
        regions = program.configuration.datasets[job.subject].regions
        if again <= now and not all(region in lost for region in regions):
            yield duty_of(program, job, again, newest.get(job.subject))
