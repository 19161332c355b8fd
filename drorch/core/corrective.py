"""Corrective actions: what is to be done about a finding, by whom and by when, and what became of it.

An action carries its whole history, so that it can be read as it stood at any moment. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final


class ChangeKind(StrEnum):
    """What became of an action."""

    CHANGED = "changed"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that became of an action, and why. `owner` and `due` hold from then on; empty: as before.

    `run` is the one that proved that it was done.
    """

    at: datetime
    by: str
    what: ChangeKind
    why: str
    owner: str = ""
    due: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Corrective:
    """A corrective action. Ids are A1, A2 and so on; none is given twice.

    `finding` is RUN/N, of the run's document, or QUARTER/WORD/SUBJECT, of a quarter's; `run` is the run it
    came from; both may be empty.
    A due day is local: 2026-12-31. `first_owner` and `first_due` are those it was opened with.
    """

    id: str
    title: str
    first_owner: str
    first_due: str
    opened_at: datetime
    opened_by: str
    finding: str = ""
    run: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def number(self) -> int:
        """The id's number, by which actions are in order."""
        return int(self.id[1:])

    @property
    def owner(self) -> str:
        """Who is to see to it."""
        return next((c.owner for c in reversed(self.changes) if c.owner), self.first_owner)

    @property
    def due(self) -> str:
        """The day by whose end it is to be done."""
        return next((c.due for c in reversed(self.changes) if c.due), self.first_due)

    @property
    def closing(self) -> Change | None:
        """How it was closed; None while it is open."""
        told = [c for c in self.changes if c.what is not ChangeKind.CHANGED]
        return told[-1] if told and told[-1].what is ChangeKind.CLOSED else None

    @property
    def status(self) -> str:
        """`open` or `closed`."""
        return "closed" if self.closing else "open"

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed; None while it is open."""
        return self.closing.at if self.closing else None

    @property
    def closed_by(self) -> str:
        """Who closed it."""
        return self.closing.by if self.closing else ""

    @property
    def closed_by_run(self) -> str:
        """The run that proved it; empty if none was named."""
        return self.closing.run if self.closing else ""

    @property
    def why(self) -> str:
        """Why it was closed."""
        return self.closing.why if self.closing else ""

    def overdue(self, today: date) -> bool:
        """Whether it is open though its day is over; `today` is the local day."""
        return self.status == "open" and self.due < today.isoformat()

    def overdue_since(self, zone: tzinfo) -> datetime:
        """The moment after which it is overdue, as long as it is open; aware UTC."""
        after = date.fromisoformat(self.due) + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)

    def as_of(self, at: datetime) -> "Corrective | None":
        """As it stood at that moment; None if it was not opened yet."""
        if self.opened_at > at:
            return None
        return replace(self, changes=tuple(c for c in self.changes if c.at <= at))


def next_id(known: Sequence[Corrective]) -> str:
    """The id of the next action: they are never taken away, so none comes again."""
    return f"A{max((action.number for action in known), default=0) + 1}"


def unfit(action: Corrective, what: ChangeKind) -> tuple[str, str] | None:
    """Why that cannot become of the action as it stands, with a hint; None if it can."""
    closing = action.closing
    if what is ChangeKind.REOPENED and closing is None:
        return f"action {action.id} is open", "see: drorch action list"
    if what is not ChangeKind.REOPENED and closing is not None:
        said = (
            f"action {action.id} was closed by {closing.by} on {closing.at:%Y-%m-%d}: {closing.why}"
        )
        return said, f"open it again: drorch action reopen {action.id} --reason TEXT"
    return None


#: How an action about a finding is opened; `--finding RUN/N` follows.
OPEN_ONE: Final = "drorch action add TITLE --owner NAME --due DATE"

#: Findings that tell a reader what to allow for, and ask nobody to do anything.
_REMARKS = frozenset(
    {
        "clock.moved",
        "override.retry",
        "override.skip",
        "plan.notice",
        "run.taken-over",
        "step.not-tested",
        "step.settled",
        "word.unheeded",
    }
)


def wants_action(what: str) -> bool:
    """Whether a finding of this word is one that somebody should do something about."""
    return what not in _REMARKS
