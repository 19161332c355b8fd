"""What `doctor` says of one thing it looked at."""

from dataclasses import dataclass
from enum import StrEnum

from drorch.core.errors import DrorchError
from drorch.core.values import Value


class Diagnosis(StrEnum):
    """How one check came out."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    check: str
    subject: str
    result: Diagnosis
    message: str = ""
    hint: str = ""

    @property
    def document(self) -> dict[str, Value]:
        """As `doctor --json` prints it."""
        return {
            "check": self.check,
            "subject": self.subject,
            "result": self.result.value,
            "message": self.message,
            "hint": self.hint,
        }


def good(check: str, subject: str, message: str = "") -> Check:
    """It is as it should be."""
    return Check(check, subject, Diagnosis.PASS, message)


def told(check: str, subject: str, error: DrorchError) -> Check:
    """It could not be looked at, or is wrong, and says so itself."""
    return Check(check, subject, Diagnosis.FAIL, error.message, error.hint)
