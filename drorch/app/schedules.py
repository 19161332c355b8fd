"""Use case: what happens by itself and when, and what became of the slots there were.

From the configuration and the journal alone: also where no daemon runs.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.app.again import failed_jobs
from drorch.app.plane.telling import named
from drorch.app.plane.terms import in_charge_elsewhere
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import UsageError
from drorch.core.jobs import Job, jobs_of
from drorch.core.nearest import did_you_mean
from drorch.core.posture import SlotRow
from drorch.core.values import Value


def jobs(program: Program) -> list[dict[str, Value]]:
    """Every job of the configuration: when it is due next, and what became of its newest slot; of one
    that failed and is tried again before its next slot, when; `held` says why none begins here.
    """
    now = program.clock.now().at
    zone = ZoneInfo(program.configuration.timezone)
    accounted, newest = program.journal.accounted(), program.journal.newest_slots()
    wanted = {job.name: job for job in jobs_of(program.configuration)}
    again = {job.name: at for job, at in failed_jobs(program, wanted)}
    first = in_charge_elsewhere(program)
    held = f"{named(first)} is in charge" if first is not None else None
    return [
        _job(job, now, zone, accounted, newest.get(job.name))
        | {"again_at": rfc3339(max(again[job.name], now)) if job.name in again else None}
        | {"held": held}
        for job in wanted.values()
    ]


def _job(
    job: Job,
    now: datetime,
    zone: ZoneInfo,
    accounted: Mapping[str, datetime],
    newest: SlotRow | None,
) -> dict[str, Value]:
    next_at, known = job.next_slot(now, zone), accounted.get(job.name)
    return {
        "job": job.name,
        "schedule": job.text,
        "next_at": rfc3339(next_at),
        "starts_at": rfc3339(next_at + job.spread),
        "accounted_at": rfc3339(known) if known else None,
        "last": _slot(newest) if newest else None,
    }


def slots(
    program: Program, *, job: str | None, since: datetime | None, limit: int
) -> list[dict[str, Value]]:
    """What became of slots, newest first; UsageError for a job that there is not and never was."""
    if job is not None:
        _check(program, job)
    return [_slot(row) for row in program.journal.slots(job=job, since=since, limit=limit)]


def _check(program: Program, name: str) -> None:
    known = {*program.journal.accounted(), *(job.name for job in jobs_of(program.configuration))}
    if name not in known:
        raise UsageError(f"there is no job {name!r}", did_you_mean(name, known, "jobs are"))


def names(program: Program) -> list[str]:
    """The names of all jobs."""
    return [job.name for job in jobs_of(program.configuration)]


def _slot(row: SlotRow) -> dict[str, Value]:
    return {
        "job": row.job,
        "due_at": rfc3339(row.first_at),
        "until": rfc3339(row.last_at),
        "count": row.count,
        "fate": row.fate.value,
        "why": row.why,
        "run": row.run,
    }
