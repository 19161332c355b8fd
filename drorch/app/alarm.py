"""What an alarm looks like, in `status` and wherever else one is told."""

from datetime import datetime

from drorch.core.document import rfc3339
from drorch.core.values import Value


def alarm(
    what: str, subject: str, since: datetime | None, message: str, hint: str
) -> dict[str, Value]:
    """One alarm of the contract's document: `what` is a stable dotted word."""
    return {
        "what": what,
        "subject": subject,
        "since": rfc3339(since) if since else None,
        "message": message,
        "hint": hint,
    }
