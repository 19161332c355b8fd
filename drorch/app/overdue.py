"""Alarms about corrective actions whose day is over."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.corrective import Corrective
from drorch.core.values import Value


def alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    """Each until it is closed, or its day moved."""
    zone = ZoneInfo(seen.program.configuration.timezone)
    today = seen.now.astimezone(zone).date()
    for known in seen.facts(Corrective, ""):
        action = known.fact
        if action.overdue(today):
            yield alarm(
                AlarmWord.ACTION_OVERDUE,
                action.id,
                action.overdue_since(zone),
                f"action {action.id} was due on {action.due}: {action.title}; "
                f"{action.owner} is to see to it",
                f"once it is done: drorch action close {action.id} --reason TEXT; another day: "
                f"drorch action change {action.id} --due DATE --reason TEXT",
            )
