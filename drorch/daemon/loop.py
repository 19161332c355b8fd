"""The unattended daemon's loop: timers say when slots fall due, it has them carried.

The loop is the only one that decides; timers, signals and the threads that carry runs only put
words into its inbox. Nothing in it waits for a region, a channel or a person.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from drorch import __version__
from drorch.adapters.lease import Lease
from drorch.adapters.logs import Log
from drorch.adapters.ownership import buried
from drorch.adapters.systemd import ServiceManager
from drorch.app import alarms, starting
from drorch.app.again import due_again
from drorch.app.aside import Aside, Debts, Lost, lost_regions
from drorch.app.crew import Crew, Ended, conclude
from drorch.app.duties import catching_up
from drorch.app.keeping import Keeping
from drorch.app.overview import Overlook, put_down
from drorch.app.preload import preload
from drorch.app.program import Program
from drorch.app.records import record
from drorch.app.runs import Control, RunView
from drorch.app.unattended import Unattended, newest_of
from drorch.core.document import rfc3339
from drorch.core.errors import ConfigurationError, DrorchError, ExitCode, JournalFailing
from drorch.core.events import FindingRecorded
from drorch.core.moment import Moment
from drorch.core.values import Finding, Value
from drorch.core.vitals import DaemonState, Overview
from drorch.daemon.outlook import Outlook
from drorch.daemon.plane import PlaneKeeping
from drorch.daemon.rounds import Round
from drorch.daemon.timer import Timer
from drorch.daemon.vitals import Told, document_of, line_of
from drorch.daemon.words import Fired, Looked, Signalled, Word, signals
from drorch.metrics.serving import serve

#: Between two looks at everything, whatever timers say: a jump of the clock hides slots from them.
SWEEP = 30.0

#: Between two looks at the regions, and at what is wrong.
ROUND = 30.0

#: Between two overviews for metrics.
OVERVIEW = 15.0

#: The longest the loop waits for a word, in seconds.
TURN = 5.0

#: What the wall's clock may go before or after in a turn and still be believed.
_JUMP = timedelta(seconds=5)


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
    started: Moment = field(init=False)
    turned: Moment = field(init=False)
    overview: Overview | None = None
    _swept: float = 0.0
    _rounds: tuple[Round, ...] = ()
    _overlook: Overlook = field(default_factory=Overlook)
    _configured_at: datetime = field(init=False)
    _refused_at: datetime | None = None
    _debts: Debts = field(default_factory=Debts)
    _crew: Crew = field(init=False)
    _aside: Aside = field(init=False)
    _plane: PlaneKeeping = field(init=False)
    _outlook: Outlook = field(init=False)
    _timer: Timer = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.turned = self.program.clock.now()
        self._configured_at = self.started.at
        self._swept = time.monotonic() - SWEEP
        self._crew = Crew(self.control, self.log, self.inbox.put)
        self._aside = Aside(self.log)
        self._plane = PlaneKeeping(self.log)
        self._outlook = Outlook(self.log, self.inbox.put)
        self._timer = Timer(lambda schedule: self.inbox.put(Fired(schedule)))

    def run(self) -> ExitCode:
        """Work until a signal ends it; GOOD if everything could be put down in time."""
        self.log.info("daemon.started", f"drorch {__version__} works unattended")
        preload(self.program.configuration)
        with signals(lambda name: self.inbox.put(Signalled(name))), self._serving():
            while not self.stopping:
                self._turn()
            return self._stop()

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """Metrics and health, where they are wanted; DrorchError if nobody can listen there."""
        listen = self.program.configuration.daemon.listen
        if listen is None:
            yield
            return
        server = serve(listen, Told(self.state, lambda: self.overview))
        told = f"metrics and health are served at {server.address}"
        self.log.info("metrics.served", told, address=server.address)
        try:
            yield
        finally:
            server.close()

    def _turn(self) -> None:
        before = self.program.clock.now()
        for word in self._words(self._patience()):
            self._hear(word)
        self.turned = self.program.clock.now()
        self.manager.alive()
        if self.stopping:
            return
        if _jumped(before, self.turned) and self.unattended is not None:
            self.log.warning("clock.jumped", "the clock was set: slots are looked at anew")
            self._timer.set(self.unattended.groups, self.unattended.zone)
            self._swept -= SWEEP
        if self._until_sweep() <= 0:
            self._sweep()
        for one in self._rounds:
            one.go(self._aside)
        self._plane.go()
        if self.unattended is not None:
            self._outlook.go()
        self._begin()

    def _patience(self) -> float:
        now = self._now()
        wake = self.unattended.wake_at(now) if self.unattended else None
        swept = max(0.0, self._until_sweep())
        return min(TURN, swept, TURN if wake is None else (wake - now).total_seconds())

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
            case Looked() if self.unattended is not None:
                self._tell_of_regions(word.lost)
                self.unattended.backed_up(word.newest)
                for duty in word.owed:
                    self.unattended.owe(duty, self._now())
            case Ended() if self.unattended is not None:
                if isinstance(word.result, JournalFailing):
                    self._unwell(word.result)
                self._concluded(conclude(word, self.unattended, self.log, self._now()))

    def _concluded(self, view: RunView | None) -> None:
        if view is None:
            return
        extra = self.extra()
        self._aside.put(
            f"tell:{view.run}",
            lambda: alarms.after_run(self.program, view, control=self.control, extra=extra),
        )

    # --- what is looked at again and again

    def _until_sweep(self) -> float:
        """In how many seconds; sooner where the journal fails, for nothing begins meanwhile."""
        return self._swept + (TURN if self.trouble else SWEEP) - time.monotonic()

    def _sweep(self) -> None:
        """Look at everything, whatever timers have said; say how it is."""
        self._swept = time.monotonic()
        try:
            if self.unattended is None:
                self._open()
            else:
                if self.trouble:
                    self._go_on(self.unattended)
                starting.corrected(self.unattended, self._now())
                self.program.journal.rows(limit=1)
                self.unattended.look(self._now())
            self._well()
        except DrorchError as error:
            self._unwell(error)
        self._say()

    def _say(self) -> None:
        """How it is, for whoever looks."""
        self.lease.say(self.document())
        self.manager.status(line_of(self.state(), self.lost))

    def _open(self) -> None:
        now = self._now()
        buried(self.lease.succeed(self.program.token))
        self.unattended = starting.begun(self.program, now, "start")
        for duty in starting.interrupted_runs(self.program, self.unattended):
            self.unattended.owe(duty, now)
        self._set_out(self.unattended)
        self.log.info(
            "daemon.ready", f"{len(self.unattended.jobs)} jobs", jobs=len(self.unattended.jobs)
        )
        self.manager.ready(line_of(self.state(), self.lost))

    def _go_on(self, unattended: Unattended) -> None:
        """See whether the journal can be written again: only a word in it shows that. What had to be
        dropped or put off meanwhile is taken up.
        """
        now = self._now()
        failed = Finding("journal.failed", "the journal", self.trouble)
        record(self.program, FindingRecorded(failed))
        for duty in starting.interrupted_runs(self.program, unattended):
            unattended.owe(duty, now)
        unattended.retry(now)

    def _well(self) -> None:
        if self.trouble:
            self.log.info("journal.works", "the journal can be used again")
            program = self.program
            self._aside.put("calm", lambda: alarms.calm(program))
        self.trouble = ""

    def _unwell(self, error: DrorchError) -> None:
        """Without a journal nothing is begun, and people are told without it."""
        if self.trouble != error.message:
            self.log.error("journal.failing", error.message, hint=error.hint)
        self.trouble = error.message
        program = self.program
        self._aside.put("cry", lambda: alarms.cry(program, error.message, error.hint))

    def _set_out(self, unattended: Unattended) -> None:
        """Begin, for this configuration, all that is done again and again."""
        self._timer.set(unattended.groups, unattended.zone)
        self._plane.begin(self.program)
        self._outlook.begin(self.program)
        self._rounds = tuple(self._in_turn())

    def _in_turn(self) -> Iterator[Round]:
        """What is done in the thread aside."""
        yield Round("regions", ROUND, self._ask_regions)
        yield Round("alarms", ROUND, self._attend)
        yield Round("evidence", ROUND, Keeping(self.program, self.log).go)
        settings = self.program.configuration.daemon
        if settings.listen or settings.textfile:
            yield Round("overview", OVERVIEW, self._overlooked)

    def _ask_regions(self) -> None:
        """Which regions answer, and what can be brought to them."""
        # Asking takes seconds, in which the configuration may be read again: what is asked for, and on
        # whose behalf, is taken from one hand at the start.
        unattended = self.unattended
        program, jobs = (unattended.program, unattended.jobs) if unattended else (self.program, {})
        now = self._now()
        lost, stocks = lost_regions(program, self.lost, now), program.journal.whole.stocks()
        datasets, newest = program.configuration.datasets, newest_of(stocks)
        owed = (
            *due_again(program, jobs, lost, newest, now),
            *(
                catching_up(program, datasets[dataset], region, since)
                for dataset, region, since in self._debts.due(stocks, lost, now)
                if dataset in datasets and region in datasets[dataset].regions
            ),
        )
        self.inbox.put(Looked(lost, owed, newest))

    def _overlooked(self) -> None:
        """What metrics are told from."""
        program = self.program
        self.overview = self._overlook.taken(program, self._now(), self.extra())
        put_down(program, self.overview, self.state())

    def _tell_of_regions(self, lost: dict[str, Lost]) -> None:
        for name in lost.keys() - self.lost.keys():
            self.log.warning("region.lost", lost[name].message, region=name, hint=lost[name].hint)
        for name in self.lost.keys() - lost.keys():
            self.log.info("region.back", f"{name} answers again", region=name)
        changed, self.lost = self.lost.keys() != lost.keys(), lost
        if changed:
            self._say()

    def _attend(self) -> None:
        alarms.attend(self.program, control=self.control, extra=self.extra())

    def extra(self) -> list[dict[str, Value]]:
        """Alarms that only a living daemon knows of."""
        known = [one.document for one in self.lost.values()]
        return [*known, self.refused] if self.refused is not None else known

    # --- runs

    def _begin(self) -> None:
        if self.unattended is None:
            return
        self.unattended.reasons.seen(self._outlook.leader, self._now())
        if self.trouble or not self.unattended.ready(self._now()):
            return
        if not self._outlook.clear:
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
            self.refused, self._refused_at = starting.refused(error, self._now()), self._now()
        except DrorchError as error:
            self._unwell(error)
        else:
            self.program, self.refused, self._refused_at = self.unattended.program, None, None
            self._configured_at = self._now()
            self._set_out(self.unattended)
            self.log.info("configuration.taken", "the configuration was read again")
        self.lease.say(self.document())
        self.manager.ready(line_of(self.state(), self.lost))

    # --- the end

    def _stop(self) -> ExitCode:
        """Leave every run so that it can go on, within the time there is for it."""
        limit = self.program.configuration.daemon.stop_within.total_seconds()
        ends = time.monotonic() + limit
        self.manager.stopping()
        self.log.info("daemon.stopping", "runs are interrupted; they go on at the next start")
        self._timer.stop()
        self.control.leave("the daemon was stopped")
        while self.unattended and self.unattended.running and time.monotonic() < ends:
            for word in self._words(min(1.0, max(0.0, ends - time.monotonic()))):
                if isinstance(word, Ended):
                    conclude(word, self.unattended, self.log, self._now())
        left = sorted(self.unattended.running) if self.unattended else []
        for name in left:
            self.log.error("run.left", f"{name} did not end within {limit:g} s")
        for one in (self._aside, self._plane, self._outlook):
            one.finish(max(1.0, ends - time.monotonic()))
        self.lease.say({**self.document(), "stopped_at": rfc3339(self._now())})
        self.log.info("daemon.stopped", "stopped")
        return ExitCode.FAILED if left else ExitCode.GOOD

    # --- how it is

    def state(self) -> DaemonState:
        """See metrics.source.Vitals."""
        unattended, configuration = self.unattended, self.program.configuration
        return DaemonState(
            at=self.program.clock.now(),
            started=self.started,
            turned=self.turned,
            jobs=len(unattended.jobs) if unattended else 0,
            queued=len(unattended.waiting) if unattended else 0,
            running=len(unattended.running) if unattended else 0,
            parallel=configuration.daemon.parallel,
            missing=() if unattended else ("the journal was not opened yet",),
            troubles=(self.trouble,) if self.trouble else (),
            held=(self._outlook.held,) if self._outlook.held else (),
            configuration=configuration.digest,
            configured_at=self._configured_at,
            refused_at=self._refused_at,
        )

    def document(self) -> dict[str, Value]:
        """How the daemon is, for `status` and whoever looks."""
        unattended, owner = self.unattended, self.program.owner
        running = sorted(unattended.running) if unattended else []
        found = document_of(self.state(), owner, running, self.extra())
        return {**found, "presence": self._outlook.document}

    def _now(self) -> datetime:
        return self.program.clock.now().at


def _jumped(before: Moment, after: Moment) -> bool:
    """Whether the wall's clock went another way than time did."""
    gone = timedelta(seconds=after.ticks - before.ticks)
    return abs(after.at - before.at - gone) > _JUMP
