"""What a verification found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is not as it was recorded: `subject` is a run's id, `ledger`, or a file."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at, and what is wrong with it.

    `head` (hex SHA-256) is where the ledger ends, or, of a bundle, the run's chain. It is what to
    compare with a copy kept elsewhere: without one, a journal cut back to an earlier state as a
    whole cannot be told from an honest one.
    """

    runs: int
    events: int
    head: str
    flaws: tuple[Flaw, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is as it was recorded."""
        return not self.flaws
