"""What a quarter left on record: findings, corrective actions, where copies lie and by what right, and
who brought data back. Parts of the quarter's document (core/quarter_document.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class FindingQuarter:
    """Something an auditor must know. `id` is RUN/N for what a run found (N as in its own report), and
    QUARTER/WORD/SUBJECT for what the quarter adds up to. `age` is from `found_at` to the document's
    `until`. `action` is the corrective action that names it, `closed` whether that one is done.
    """

    id: str
    run: str | None
    what: str
    subject: str
    message: str
    hint: str
    dataset: str | None
    service: str | None
    found_at: datetime
    age: timedelta
    action: str | None
    closed: bool


@dataclass(frozen=True, slots=True)
class ActionQuarter:
    """A corrective action that was open at the quarter's beginning or opened in it.

    `status` is `open` or `closed`, at the document's `until`. `carried_over`: it was opened in an
    earlier quarter. `overdue`: it was open after the day it was due.
    """

    id: str
    title: str
    owner: str
    due: date | None
    status: str
    finding: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None
    why: str | None
    closed_by_run: str | None
    carried_over: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class CopyPlace:
    """Where a copy lies and by what right. `inside`: the region's jurisdiction is within the dataset's
    residency (an empty one allows all). `assessment` and `agreement` are references to the papers that
    let it lie outside; `papered`: both are named. `key` is the name of the secret that opens it, and
    `key_lies` where that one comes from, never its value. `holds`: a snapshot is known to lie there.
    `configured`: it is to lie there by today's configuration. `locked_until`: everything that a live
    snapshot needs is locked at least so long; `lock` is the mode promised (compliance, governance).
    """

    dataset: str
    region: str
    role: str
    configured: bool
    holds: bool
    jurisdiction: str | None
    residency: tuple[str, ...]
    inside: bool | None
    assessment: str | None
    agreement: str | None
    papered: bool
    key: str | None
    key_lies: str | None
    lock: str | None
    lock_keep: timedelta | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """Where a drill (or failover, failback, restore test) brought a dataset back to.

    `host` is the machine that carried the run, `to` the folder. `site` is the one the plan names, and
    `jurisdiction` that site's; None: the plan names none, so that `inside` cannot be said.
    """

    run: str
    kind: str
    dataset: str
    host: str
    to: str
    site: str | None
    jurisdiction: str | None
    residency: tuple[str, ...]
    inside: bool | None
    assessment: str | None
    agreement: str | None


class Destruction(StrEnum):
    """What became of the data that came back."""

    DESTROYED = "destroyed"
    LEFT = "left"
    KEPT = "kept"
    OPEN = "open"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RestoreQuarter:
    """One entry of the access log: a step that brought a snapshot back, or tried to.

    `state` of what came back: `destroyed` (the cleanup step `destroyed_by` passed at
    `destroyed_at`), `left` (an exercise brought it back, or a cleanup step was to remove it, and none
    did), `kept` (nothing was to remove it: a restore or a failover, asked for by somebody), `open` (the
    run has not ended), `nothing` (nothing came back).
    """

    run: str
    step: str
    kind: str
    trigger: str
    by: str
    purpose: str
    dataset: str
    snapshot: str | None
    snapshot_at: datetime | None
    region: str | None
    jurisdiction: str | None
    at: datetime
    host: str
    to: str
    files: int | None
    bytes: int | None
    verdict: str | None
    state: Destruction
    destroyed_by: str | None
    destroyed_at: datetime | None
