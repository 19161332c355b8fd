"""One alarm, as `status` and wherever else one is told."""

from datetime import datetime

from drorch.core.alarms import AlarmWord, severity_of
from drorch.core.document import rfc3339
from drorch.core.values import Value


def alarm(
    what: AlarmWord,
    subject: str,
    since: datetime | None,
    message: str,
    hint: str,
    *,
    once: bool = False,
) -> dict[str, Value]:
    """One alarm of the contract's document, and how grave it is.

    `once` marks what happened and does not go on; it is told, and stands in no posture.
    """
    found: dict[str, Value] = {
        "what": what.value,
        "subject": subject,
        "since": rfc3339(since) if since else None,
        "message": message,
        "hint": hint,
        "severity": severity_of(what).value,
    }
    return {**found, "once": True} if once else found
