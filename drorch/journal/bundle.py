"""A finished run as files that a stranger can check: its events and its plan.

    journal.jsonl   the run's events, one a line, canonical JSON, each with the hash before and its own
    plan.json       the plan as the first event holds it

All encodings are canonical, so a verifier derives each file anew from the journal and compares bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from drorch.core.codec import NotDecodable, canonical, decode, parse
from drorch.core.errors import DrorchError, UsageError
from drorch.core.events import AttemptFinished, Recorded
from drorch.core.values import Evidence
from drorch.journal.chain import Row, unseal
from drorch.journal.store import SqlJournal

JOURNAL, PLAN = "journal.jsonl", "plan.json"

Files = Mapping[str, bytes]


class NotOneRun(Exception):
    """A file is not what it was when the run was exported: which, and why (as a sentence's end)."""

    def __init__(self, subject: str, message: str) -> None:
        super().__init__(f"{subject}: {message}")
        self.subject = subject
        self.message = message


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished run: its rows as they lie there, and as events."""

    rows: Sequence[Row]
    recorded: Sequence[Recorded]

    @property
    def run(self) -> str:
        """Its id."""
        return self.rows[0].run

    @property
    def head(self) -> str:
        """The hash (hex) of its last event."""
        return self.rows[-1].hash

    @property
    def files(self) -> Files:
        """Events and plan as the bytes of files."""
        return {JOURNAL: b"".join(map(line_of, self.rows)), PLAN: plan_of(self.rows)}

    @property
    def evidence(self) -> Mapping[str, Evidence]:
        """The files kept as evidence that its events name, by name."""
        ended = (one.event for one in self.recorded if isinstance(one.event, AttemptFinished))
        return {kept.name: kept for event in ended for kept in event.evidence}


def exported(journal: SqlJournal, run: str) -> Exported:
    """A finished run; `run` is a whole id or part of one.

    Raises UsageError for a run that goes on, JournalUntrusted for a broken chain.
    """
    row = journal.find(run)
    if row.outcome is None:
        raise UsageError(
            f"run {row.run} is not finished, so there is no last event to seal",
            "finish it (`drorch run resume` or `run abort`), then export it",
        )
    rows = list(journal.sealed(row.run))
    return Exported(rows, list(unseal(rows)))


def read_back(files: Files) -> Exported:
    """The run that files hold, each byte of them looked at; raises NotOneRun."""
    for name in (JOURNAL, PLAN):
        if name not in files:
            raise NotOneRun(name, "the file is missing")
    lines = files[JOURNAL].splitlines(keepends=True)
    rows = [_row(number, line) for number, line in enumerate(lines, 1)]
    if not rows:
        raise NotOneRun(JOURNAL, "it is empty")
    try:
        recorded = list(unseal(rows))
    except DrorchError as error:
        raise NotOneRun(JOURNAL, error.message) from None
    if {row.run for row in rows} != {rows[0].run} or rows[0].kind != "run.started":
        raise NotOneRun(JOURNAL, "it is not one run from its start")
    if rows[-1].kind != "run.finished" or len(recorded) != len(rows):
        raise NotOneRun(JOURNAL, "the run's last event is missing")
    if files[PLAN] != plan_of(rows):
        raise NotOneRun(PLAN, "it is not the plan the run started with")
    return Exported(rows, recorded)


def plan_of(rows: Sequence[Row]) -> bytes:
    """The plan of the first event, as the bytes of a file."""
    body = parse(rows[0].body)
    return canonical(body["plan"] if isinstance(body, Mapping) else None) + b"\n"


def line_of(row: Row) -> bytes:
    """An event as its line."""
    return canonical({**row.columns(), "body": parse(row.body)}) + b"\n"


def _row(number: int, line: bytes) -> Row:
    try:
        row = _parsed(line)
    except NotDecodable as error:
        raise NotOneRun(JOURNAL, f"line {number}: {error}") from None
    if line_of(row) != line:
        raise NotOneRun(JOURNAL, f"line {number} is not written as it was sealed")
    return row


def _parsed(line: bytes) -> Row:
    value = parse(line)
    if not isinstance(value, dict) or "body" not in value:
        raise NotDecodable("it is no event")
    body = canonical(value.pop("body")).decode()
    return replace(decode(Row, {**value, "body": ""}), body=body)
