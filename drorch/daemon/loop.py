"""The unattended daemon's loop: timers say when slots fall due, it has them carried.

The loop is the only one that decides; timers, signals and the threads that carry runs only put
words into its inbox. Nothing in it waits for a region, a channel or a person.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TypeAlias

from drorch import __version__
from drorch.adapters.lease import Lease
from drorch.adapters.logs import Log
from drorch.adapters.systemd import ServiceManager
from drorch.app import alarms, starting
from drorch.app.alarm import alarm
from drorch.app.aside import Aside, Debts, Lost, lost_regions
from drorch.app.crew import Crew, Ended, conclude
from drorch.app.duties import Duty, catching_up
from drorch.app.program import Program
from drorch.app.runs import Control, RunView
from drorch.app.unattended import Unattended
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.errors import ConfigurationError, DrorchError, ExitCode
from drorch.core.schedules import Schedule
from drorch.core.values import Value
from drorch.daemon.timer import Timer

#: Between two looks at everything, whatever timers say: a jump of the clock hides slots from them.
SWEEP = 30.0

#: Between two looks at the regions, and at what they are owed.
ROUND = 60.0

#: The longest the loop waits for a word, in seconds.
TURN = 5.0

#: What the wall's clock may go before or after in a turn and still be believed.
_JUMP = 5.0


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


@dataclass(slots=True)
class Daemon:
    """One daemon's life."""

    program: Program
    log: Log
    lease: Lease
    manager: ServiceManager
    control: Control = field(default_factory=Control)
    inbox: "SimpleQueue[Word]" = field(default_factory=SimpleQueue)
    unattended: Unattended | None = None
    lost: dict[str, Lost] = field(default_factory=dict)
    trouble: str = ""
    refused: dict[str, Value] | None = None
    stopping: bool = False
    started_at: datetime = field(init=False)
    turned: float = field(default_factory=time.monotonic)
    _swept: float = -SWEEP
    _rounded: float = -ROUND
    _debts: Debts = field(default_factory=Debts)
    _crew: Crew = field(init=False)
    _aside: Aside = field(init=False)
    _timer: Timer = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self._now()
        self._crew = Crew(self.control, self.log, self.inbox.put)
        self._aside = Aside(self.log)
        self._timer = Timer(lambda schedule: self.inbox.put(Fired(schedule)))

    def run(self) -> ExitCode:
        """Work until a signal ends it; GOOD if everything could be put down in time."""
        self.log.info("daemon.started", f"drorch {__version__} works unattended")
        with _handled(lambda name: self.inbox.put(Signalled(name))):
            while not self.stopping:
                self._turn()
            return self._stop()

    def _turn(self) -> None:
        before = time.monotonic(), self._now()
        for word in self._words(self._patience()):
            self._hear(word)
        self.turned = time.monotonic()
        self.manager.alive()
        if self.stopping:
            return
        jumped = abs((self._now() - before[1]).total_seconds() - (self.turned - before[0])) > _JUMP
        if jumped and self.unattended is not None:
            self.log.warning("clock.jumped", "the clock was set: slots are looked at anew")
            self._timer.set(self.unattended.groups, self.unattended.zone)
        if jumped or self.turned - self._swept >= SWEEP:
            self._sweep()
        self._begin()

    def _patience(self) -> float:
        now = self._now()
        wake = self.unattended.wake_at(now) if self.unattended else None
        return TURN if wake is None else min(TURN, (wake - now).total_seconds())

    def _words(self, patience: float) -> Iterator[Word]:
        try:
            yield self.inbox.get(timeout=patience)
            while True:
                yield self.inbox.get_nowait()
        except Empty:
            return

    def _hear(self, word: Word) -> None:
        match word:
            case Signalled("SIGHUP"):
                self._renew()
            case Signalled():
                self.stopping = True
            case Fired() if self.unattended is not None:
                self.unattended.look(self._now(), [word.schedule])
            case Owed() if self.unattended is not None:
                self._tell_of_regions(word.lost)
                for duty in word.duties:
                    self.unattended.owe(duty, self._now())
            case Ended() if self.unattended is not None:
                self._concluded(conclude(word, self.unattended, self.log, self._now()))

    def _concluded(self, view: RunView | None) -> None:
        if view is None:
            return
        extra = self.extra()
        self._aside.put(
            f"tell:{view.run}",
            lambda: _none(alarms.after_run(self.program, view, control=self.control, extra=extra)),
        )

    # --- what is looked at again and again

    def _sweep(self) -> None:
        """Look at everything, whatever timers have said; say how it is."""
        self._swept = self.turned
        try:
            if self.unattended is None:
                self._open()
            else:
                self.program.journal.rows(limit=1)
                self.unattended.look(self._now())
            self._well()
        except DrorchError as error:
            self._unwell(error)
        if self.unattended is not None and self.turned - self._rounded >= ROUND:
            self._rounded = self.turned
            program, before = self.program, self.lost
            self._aside.put("regions", lambda: self._round(program, before))
            self._aside.put("alarms", self._attend)
        self.lease.say(self.document())
        self.manager.status(self.status)

    def _open(self) -> None:
        now = self._now()
        self.unattended = starting.begun(self.program, now, "start")
        for duty in starting.interrupted_runs(self.program, self.unattended):
            self.unattended.owe(duty, now)
        self._timer.set(self.unattended.groups, self.unattended.zone)
        self.log.info(
            "daemon.ready", f"{len(self.unattended.jobs)} jobs", jobs=len(self.unattended.jobs)
        )
        self.manager.ready(self.status)

    def _well(self) -> None:
        if self.trouble:
            self.log.info("journal.works", "the journal can be used again")
        self.trouble = ""

    def _unwell(self, error: DrorchError) -> None:
        """Without a journal nothing is begun, and people are told without it."""
        self.trouble = error.message
        self.log.error("journal.failing", error.message, hint=error.hint)

    def _round(self, program: Program, before: dict[str, Lost]) -> None:
        """Which regions answer, and what can be brought to them; in the thread aside."""
        now = self._now()
        lost = lost_regions(program, before, now)
        datasets = program.configuration.datasets
        owed = [c for name in datasets for c in program.journal.copies(name) if c.owed]
        duties = tuple(
            catching_up(program, datasets[dataset], region, since)
            for dataset, region, since in self._debts.due(owed, lost, now)
            if dataset in datasets and region in datasets[dataset].regions
        )
        self.inbox.put(Owed(duties, lost))

    def _tell_of_regions(self, lost: dict[str, Lost]) -> None:
        for name in lost.keys() - self.lost.keys():
            self.log.warning("region.lost", lost[name].message, region=name, hint=lost[name].hint)
        for name in self.lost.keys() - lost.keys():
            self.log.info("region.back", f"{name} answers again", region=name)
        self.lost = lost

    def _attend(self) -> None:
        alarms.attend(self.program, control=self.control, extra=self.extra())

    def extra(self) -> list[dict[str, Value]]:
        """Alarms that only a living daemon knows of."""
        known = [one.document for one in self.lost.values()]
        return [*known, self.refused] if self.refused is not None else known

    # --- runs

    def _begin(self) -> None:
        if self.unattended is None or self.trouble:
            return
        for started in self.unattended.begin(self._now()):
            self._crew.carry(self.program, started)

    def _renew(self) -> None:
        if self.unattended is None:
            return
        self.manager.reloading()
        try:
            self.unattended = starting.renewed(self.unattended, self._now())
        except ConfigurationError as error:
            for problem in error.problems:
                self.log.warning(starting.REFUSED, str(problem), hint=problem.hint)
            self.refused = _refused(error, self._now())
        except DrorchError as error:
            self._unwell(error)
        else:
            self.program, self.refused = self.unattended.program, None
            self._timer.set(self.unattended.groups, self.unattended.zone)
            self.log.info("configuration.taken", "the configuration was read again")
        self.manager.ready(self.status)

    # --- the end

    def _stop(self) -> ExitCode:
        """Leave every run so that it can go on, within the time there is for it."""
        limit = self.program.configuration.daemon.stop_within.total_seconds()
        ends = time.monotonic() + limit
        self.manager.stopping()
        self.log.info(
            "daemon.stopping", "runs under way are interrupted; they go on at the next start"
        )
        self._timer.stop()
        self.control.leave("the daemon was stopped")
        while self.unattended and self.unattended.running and time.monotonic() < ends:
            for word in self._words(min(1.0, max(0.0, ends - time.monotonic()))):
                if isinstance(word, Ended):
                    conclude(word, self.unattended, self.log, self._now())
        left = sorted(self.unattended.running) if self.unattended else []
        for name in left:
            self.log.error("run.left", f"{name} did not end within {limit:g} s")
        self._aside.finish(max(1.0, ends - time.monotonic()))
        self.lease.say({**self.document(), "stopped_at": rfc3339(self._now())})
        self.log.info("daemon.stopped", "stopped")
        return ExitCode.FAILED if left else ExitCode.GOOD

    # --- how it is

    @property
    def status(self) -> str:
        """One line for people."""
        if self.trouble:
            return f"the journal cannot be used: {self.trouble}"
        if self.unattended is None:
            return "starting"
        running, waiting = len(self.unattended.running), len(self.unattended.waiting)
        lost = f"; lost: {', '.join(sorted(self.lost))}" if self.lost else ""
        return f"{running} runs under way, {waiting} wait{lost}"

    def document(self) -> dict[str, Value]:
        """How the daemon is, for `status` and whoever looks."""
        unattended = self.unattended
        return {
            "pid": self.program.owner.pid,
            "host": self.program.owner.host,
            "version": __version__,
            "started_at": rfc3339(self.started_at),
            "at": rfc3339(self._now()),
            "stopped_at": None,
            "healthy": not self.trouble,
            "why": self.trouble,
            "jobs": len(unattended.jobs) if unattended else 0,
            "running": sorted(unattended.running) if unattended else [],
            "waiting": len(unattended.waiting) if unattended else 0,
            "alarms": [dict(one) for one in self.extra()],
        }

    def _now(self) -> datetime:
        return self.program.clock.now().at


@contextmanager
def _handled(tell: Callable[[str], None]) -> Iterator[None]:
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


def _refused(error: ConfigurationError, now: datetime) -> dict[str, Value]:
    first = error.problems[0]
    return alarm(
        AlarmWord.CONFIGURATION_REFUSED,
        "drorch.yaml",
        now,
        f"the changed configuration was not taken over: {first}",
        "mend it, then send SIGHUP again; until then the one before is in force",
    )


def _none(_: object) -> None:
    """What a chore gives back is of no use to anybody."""
