"""The one hierarchy of errors. Each knows its message, its hint and its exit code."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class ExitCode(IntEnum):
    """What scripts lean on; the table stands in docs/exit-codes.md."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    OBJECTIVE_MISSED = 3
    ALREADY_RUNNING = 4
    JOURNAL_UNTRUSTED = 5
    ABORTED = 6
    WAITING_FOR_PERSON = 7
    INTERRUPTED = 130


class DrorchError(Exception):
    """Something a person must know: what happened (`message`) and what to do next (`hint`)."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DrorchError):
    """The words of the command are off."""

    exit_code = ExitCode.USAGE


class AlreadyRunning(DrorchError):
    """The dataset or runbook has a run with a living owner."""

    exit_code = ExitCode.ALREADY_RUNNING


class JournalUntrusted(DrorchError):
    """The journal cannot be read, written or believed."""

    exit_code = ExitCode.JOURNAL_UNTRUSTED


class JournalFailing(JournalUntrusted):
    """The journal's database cannot do what is asked of it: its disk is full, somebody locks it."""


class NoJournal(JournalUntrusted):
    """There is no journal yet: nothing was ever run here. Raised where none may be made."""


class FenceLost(AlreadyRunning):
    """Another owner has appended to this run: stop at once, nothing more is ours to do."""

    @classmethod
    def of(cls, run: str) -> "FenceLost":
        """What there is to say of it."""
        return cls(
            f"another process has carried run {run} on",
            f"`drorch run show {run}` tells where it stands",
        )


class SlotGone(AlreadyRunning):
    """A slot of a job is accounted for already: another process was quicker, nothing was recorded."""

    @classmethod
    def of(cls, job: str, slot: datetime) -> "SlotGone":
        """What there is to say of it."""
        return cls(
            f"the slot of {job} at {slot:%Y-%m-%d %H:%M:%S} UTC is accounted for already",
            "another daemon works with this journal: nothing is left to do for the slot",
        )


class StorageError(DrorchError):
    """A region did not do what was asked; `cause` is a stable word for journals and scripts.

    `region` is its name, where it is one region that failed.
    """

    def __init__(self, message: str, hint: str, cause: str, region: str = "") -> None:
        super().__init__(message, hint)
        self.cause = cause
        self.region = region


class ResticError(DrorchError):
    """restic did not do what was asked; `cause` is a stable word for journals and scripts.

    `objects` are the objects of the repository it complained of, such as `data/d17c1f2696`: the
    kind's folder, and the first digits of the id.
    """

    def __init__(self, message: str, hint: str, cause: str, objects: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.cause = cause
        self.objects = objects


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file or in arguments.

    `path` leads to the value inside the document, for example ("steps", 2, "with", "region");
    `line` and `column` count from 1 and are None where the text is not known.
    """

    message: str
    hint: str = ""
    path: tuple[str | int, ...] = ()
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.line, self.column) if p is not None)
        return f"{place}: {self.message}" if place else self.message


class ConfigurationError(DrorchError):
    """Everything that is wrong with a configuration or runbook, at once."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(str(first), first.hint)


def render_error(error: DrorchError) -> str:
    """An error for a person: an `error:` and, where there is one, a `hint:` line for each problem."""
    if isinstance(error, ConfigurationError):
        told = [(str(problem), problem.hint) for problem in error.problems]
    else:
        told = [(error.message, error.hint)]
    lines = [
        line
        for message, hint in told
        for line in (f"error: {message}", f"hint: {hint}" if hint else "")
        if line
    ]
    return "\n".join(lines)
