"""What the daemon's loop is told: by timers, by threads that carried runs, by signals."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Any, TypeAlias

from drorch.app.aside import Lost
from drorch.app.crew import Ended
from drorch.app.duties import Duty
from drorch.core.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Fired:
    """Slots of a schedule are due."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen aside: which regions are lost, what is owed to those that are not, and when the
    newest snapshot of each dataset was taken.
    """

    lost: dict[str, Lost]
    owed: tuple[Duty, ...]
    newest: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Signalled:
    """Somebody wants the configuration read again, or an end."""

    name: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Other control planes were looked for: what waits for that may begin, or may not."""


Word: TypeAlias = Fired | Looked | Signalled | Ended | Watched


@contextmanager
def signals(tell: Callable[[str], None]) -> Iterator[None]:
    """Signals become words; whoever ended us once waits for the end."""

    def handle(number: int, _frame: FrameType | None) -> None:
        tell(signal.Signals(number).name)

    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before: dict[signal.Signals, Any] = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
