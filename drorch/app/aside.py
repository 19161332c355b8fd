"""What the daemon does beside its runs, one thing after the other in a thread of its own: people are
told, regions are looked at. It may take as long as it takes: no run and no slot waits for it.
"""

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue

from drorch.adapters.logs import Log
from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.core.alarms import AlarmWord
from drorch.core.errors import DrorchError
from drorch.core.posture import Stock
from drorch.core.values import Value

#: Something to be done aside; what it gives back is of no use to anybody.
Chore = Callable[[], object]

_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


class Aside:
    """The thread. A chore of a name that already waits is not put down again."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._chores: SimpleQueue[tuple[str, Chore] | None] = SimpleQueue()
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="aside", daemon=True)
        self._thread.start()

    def put(self, name: str, chore: Chore) -> None:
        """Do this when what was put down before is done."""
        with self._lock:
            if name in self._waiting:
                return
            self._waiting.add(name)
        self._chores.put((name, chore))

    def finish(self, within: float) -> bool:
        """Do what is still to be done and end; False if that takes longer than so many seconds."""
        self._chores.put(None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (item := self._chores.get()) is not None:
            name, chore = item
            with self._lock:
                self._waiting.discard(name)
            try:
                chore()
            except DrorchError as error:
                self._log.error("daemon.chore-failed", f"{name}: {error.message}", hint=error.hint)
            except Exception as error:  # noqa: BLE001 - the next chore must not suffer from this one
                self._log.error("daemon.chore-failed", f"{name}: {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class Lost:
    """A region that does not answer, or not as it should, and since when it was seen so."""

    region: str
    since: datetime
    message: str
    hint: str

    @property
    def document(self) -> dict[str, Value]:
        """As an alarm."""
        return alarm(AlarmWord.REGION_LOST, self.region, self.since, self.message, self.hint)


def lost_regions(program: Program, before: dict[str, Lost], now: datetime) -> dict[str, Lost]:
    """Ask every region at once, in a few seconds; what was lost before keeps its time."""
    from drorch.actions.places import bucket_of
    from drorch.storage.probe import Depth, probe_all

    found: dict[str, DrorchError] = {}
    buckets = []
    for region in program.configuration.regions.values():
        try:
            buckets.append(bucket_of(program.tools, region))
        except DrorchError as error:
            found[region.name] = error
    for health in probe_all(buckets, Depth.REACHABLE):
        if health.error is not None:
            found[health.region] = health.error
    return {
        name: Lost(name, before[name].since if name in before else now, error.message, error.hint)
        for name, error in found.items()
    }


class Debts:
    """Copies that regions are owed, and when each may be tried again: from a minute to an hour."""

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], tuple[int, datetime]] = {}

    def due(
        self, stocks: Iterable[Stock], lost: Collection[str], now: datetime
    ) -> list[tuple[str, str, datetime]]:
        """Which may be paid now: dataset, region, and since when. Regions that are lost wait."""
        owed = {(s.dataset, s.region): s.owed_since for s in stocks if s.owed_since is not None}
        self._tries = {place: tried for place, tried in self._tries.items() if place in owed}
        found = []
        for (dataset, region), since in owed.items():
            count, not_before = self._tries.get((dataset, region), (0, now))
            if region in lost or not_before > now:
                continue
            self._tries[dataset, region] = (count + 1, now + min(_SHORTEST * 2**count, _LONGEST))
            found.append((dataset, region, since))
        return found
