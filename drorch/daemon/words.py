"""What the daemon's loop is told: by timers, by threads that carried runs, by signals."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
class Owed:
    """Something that no slot asks for is to be done."""

    duties: tuple[Duty, ...]
    lost: dict[str, Lost]


@dataclass(frozen=True, slots=True)
class Signalled:
    """Somebody wants the configuration read again, or an end."""

    name: str


Word: TypeAlias = Fired | Owed | Signalled | Ended


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
