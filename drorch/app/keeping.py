"""What the daemon does for evidence, again and again: seal what ended, bring regions what they are owed,
write reports that are missing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drorch.adapters.logs import Log
from drorch.app.closing import close
from drorch.app.outbox import bring, owed
from drorch.app.program import Program
from drorch.app.unwritten import Unwritten
from drorch.core.errors import DrorchError

#: To one region so many at a time, so that what waits behind is not held up for long.
AT_ONCE = 20

_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


@dataclass(slots=True)
class Keeping:
    """Belongs to one thread. A region that does not take what it is owed is tried again after a
    minute, then after twice as long each time, up to an hour.
    """

    program: Program
    log: Log
    _tries: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    _told: str = ""
    _unwritten: Unwritten = field(init=False)

    def __post_init__(self) -> None:
        self._unwritten = Unwritten(self.program, self.log)

    def go(self) -> None:
        """Once; what is wrong is logged when it is news, and stands in `status`."""
        told = ""
        try:
            if (closed := close(self.program)) is not None and closed.runs:
                self.log.info("evidence.sealed", f"sealed: {', '.join(closed.runs)}")
        except DrorchError as error:
            told = error.message
            if self._told != told:
                self.log.warning("evidence.unsealed", told, hint=error.hint)
        self._told = told
        self._bring()
        self._unwritten.go()

    def _bring(self) -> None:
        now = self.program.clock.now().at
        wanted = {one.region for one in owed(self.program)}
        self._tries = {name: tried for name, tried in self._tries.items() if name in wanted}
        due = {n for n in wanted if n not in self._tries or self._tries[n][1] <= now}
        if not due:
            return
        brought = bring(self.program, regions=due, most=AT_ONCE)
        for name, error in brought.failed.items():
            count = self._tries[name][0] if name in self._tries else 0
            self._tries[name] = (count + 1, now + min(_SHORTEST * 2**count, _LONGEST))
            if not count:
                self.log.warning("evidence.owed", error.message, region=name, hint=error.hint)
        for name in brought.kept.keys() - brought.failed.keys():
            self._tries.pop(name, None)
            self.log.info("evidence.kept", f"{name} has what is sealed", region=name)
