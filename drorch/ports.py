"""What the world must offer: the Protocols and values through which everything outside comes in.

Tools is built once, in app.py. Tests build it from working fakes (tests/fakes).
"""

import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from drorch.core.action import ActionSpec
from drorch.core.events import Event, Recorded, Stamped
from drorch.core.facts import F, Known
from drorch.core.model import Configuration
from drorch.core.moment import Moment
from drorch.core.names import Mode
from drorch.core.posture import KnownCopy, RunRow, SlotRow
from drorch.core.priority import USUAL, Priority
from drorch.core.settings import NotifyRule
from drorch.core.telling import Delivery, Message
from drorch.core.values import Evidence, Result, Value


class Clock(Protocol):
    """Time as this machine knows it."""

    def now(self) -> Moment:
        """The present moment."""
        ...


class Cancellation:
    """One attempt's way to be told to stop; thread-safe, set once, never unset."""

    __slots__ = ("_callbacks", "_lock", "reason")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.reason: str | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the attempt is to stop."""
        return self.reason is not None

    def cancel(self, reason: str) -> None:
        """Tell the attempt to stop, once; registered callbacks run in this thread."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when cancelled, at once if it already is; returns the way to unregister."""
        with self._lock:
            if self.reason is None:
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


class Ended(StrEnum):
    """How a process came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start, in a process group of its own.

    `env` is the whole environment, nothing is inherited. `polite` is the signal tried first
    when it must end; after `grace` the whole group is killed and waited for until it is gone.
    With `stdin_from`, that command's standard output is the standard input; end of file is
    passed on only if it exits with 0, otherwise this process is ended before it sees one.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stdin: bytes = b""
    stdin_from: "Command | None" = None
    timeout: timedelta | None = None
    grace: timedelta = timedelta(seconds=10)
    polite: signal.Signals = signal.SIGTERM
    keep_output: int = 65_536
    priority: Priority = USUAL


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that has ended. `stdout` and `stderr` are the last `keep_output` bytes, as text.

    `exit_code` is None when it never started; killed by signal N it is 128 + N.
    """

    ended: Ended
    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    elapsed: timedelta = timedelta()
    message: str = ""
    feeder: "Completed | None" = None


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A process that outlives its step: identified by pid, start time (clock ticks) and boot."""

    pid: int
    started: int
    boot: str


LineSink = Callable[[str], None]


class Commands(Protocol):
    """The one place that starts processes."""

    def run(
        self,
        command: Command,
        *,
        on_stdout: LineSink | None = None,
        on_stderr: LineSink | None = None,
        cancel: Cancellation | None = None,
    ) -> Completed:
        """Run to the end. Lines are handed over as they come, without the line end, decoded
        as UTF-8 with replacement; never raises for what the process does.
        """
        ...

    def start_service(self, command: Command, log: Path) -> ServiceProcess | Completed:
        """Start a process that goes on after us; its output goes to `log`. Completed if it could not."""
        ...

    def find_service(self, markers: Mapping[str, str]) -> ServiceProcess | None:
        """A living service whose environment holds all of `markers`; None if there is none.

        So a service is found again whose starter died before it could tell of it.
        """
        ...

    def service_alive(self, service: ServiceProcess) -> bool:
        """Whether that very process still lives."""
        ...

    def stop_service(self, service: ServiceProcess, grace: timedelta) -> bool:
        """End its process group, politely and then surely; False if something survived."""
        ...

    def vanished(self, host: str, pid: int, wrote_at: datetime, program: str) -> bool | None:
        """Whether the process is gone that had this pid on this host and wrote something then.

        None if that cannot be known from here. A pid that another process has now counts as
        gone only if that one began long after, and is not called `program`.
        """
        ...

    def reap(self, owner: str) -> int:
        """End every process a dead owner left behind; returns how many there were."""
        ...


class Secrets(Protocol):
    """Secrets by name. Values never leave through logs, journals or plans."""

    def get(self, name: str, *, anew: bool = False) -> str:
        """The value; raises ConfigurationError when it cannot be had.

        With `anew` its source is asked even if it was before: it may have been replaced.
        """
        ...

    def redact(self, text: str) -> str:
        """The text with every value handed out or hidden so far replaced by `***`."""
        ...

    def hide(self, value: str) -> None:
        """Redact this value, too: a secret that is not named in the configuration."""
        ...


class Messenger(Protocol):
    """Tells people, over the channels that the configuration names."""

    def send(self, channel: NotifyRule, message: Message, limit: timedelta) -> Delivery:
        """Hand the message to one channel, once, in about `limit`; of a dead man's switch, call it.

        Never raises for what the channel does; no value of a secret is in the answer.
        """
        ...


class EvidenceStore(Protocol):
    """Files kept beside the journal to show what happened."""

    def keep(self, run: str, name: str, content: bytes) -> Evidence:
        """Store durably (redacted beforehand by the caller) and name by content hash.

        Raises DrorchError where it cannot be.
        """
        ...

    def read(self, run: str, name: str, sha256: str) -> bytes:
        """What was kept; DrorchError if it is not there any more, or is not what it was."""
        ...


class Creations(Protocol):
    """What runs have created on disk: written down before it is made, so that cleanup knows its own."""

    def note(self, run: str, path: Path) -> None:
        """Write down, durably, that the run is about to make `path` (or the missing folders
        that lead to it). What is there already is not the run's and is not written down.
        Raises DrorchError where it cannot be.
        """
        ...

    def made(self, run: str, path: Path) -> Sequence[Path]:
        """What the run made at or below `path`: `path` itself if the run made it or what holds
        it, else those things below it that the run made; empty if none.
        """
        ...


class Knowledge(Protocol):
    """What the journal knows of snapshots, so that nothing is asked of a region twice."""

    def copies(self, dataset: str) -> Sequence[KnownCopy]:
        """Every known snapshot of the dataset in every region, newest snapshot first."""
        ...

    def facts(self, wanted: type[F], dataset: str) -> Sequence[Known[F]]:
        """The facts of one kind about the dataset that stand, by region and subject."""
        ...

    def recorded(self, run: str) -> bool:
        """Whether the journal has a run of exactly this id."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """Where a run's chain ends: the last sequence number and its hash (hex SHA-256)."""

    seq: int
    hash: str


class Journal(Knowledge, Protocol):
    """Append-only facts of all runs, hash-chained, fenced by (run, seq)."""

    def begin(
        self, run: str, events: Sequence[Stamped], may_begin: Callable[[RunRow], None]
    ) -> Head:
        """Record a new run's first events (RunStarted first), in one transaction.

        For each unfinished run of the same subject `may_begin` is called inside the
        transaction; it raises (AlreadyRunning, say) to refuse. Raises SlotGone, with nothing
        recorded, if a slot among the events is accounted for already.
        """
        ...

    def append(self, run: str, after: int, events: Sequence[Stamped], taken: int = 0) -> Head:
        """Record events after sequence number `after`, in one durable transaction.

        Posted requests of the run up to the id `taken` are removed in the same transaction:
        they are among the events now.

        Raises FenceLost when somebody else has appended meanwhile, JournalUntrusted when it
        cannot be written.
        """
        ...

    def read(self, run: str) -> Iterator[Recorded]:
        """A run's events in order, each checked against the chain; JournalUntrusted if broken."""
        ...

    def find(self, run: str) -> RunRow:
        """The run with this id, or the only one whose id begins or ends so; UsageError otherwise."""
        ...

    def rows(
        self, *, unfinished: bool = False, name: str | None = None, limit: int | None = None
    ) -> Sequence[RunRow]:
        """Runs in short, newest first."""
        ...

    def accounted(self) -> Mapping[str, datetime]:
        """Up to when the slots of each job, by name, are accounted for; only jobs that were seen."""
        ...

    def slots(
        self, *, job: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[SlotRow]:
        """What became of slots (of one job), newest first; without what ended before `since`."""
        ...

    def newest_slots(self) -> Mapping[str, SlotRow]:
        """The last slot, or gap of missed ones, that is accounted for, by job; only where one was."""
        ...

    def post(self, run: str, request: Event) -> None:
        """Leave a person's request for the run's living owner to take."""
        ...

    def take_posted(self, run: str, after: int) -> Sequence[tuple[int, Event]]:
        """Requests left for the run with an id above `after`, oldest first, with their ids."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an attempt is; None where unknown. Rates are bytes a second."""

    bytes_done: int | None = None
    bytes_total: int | None = None
    files_done: int | None = None
    files_total: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of an action, its arguments rendered."""

    run: str
    step: str
    attempt: int
    mode: Mode
    arguments: Mapping[str, Value]
    cancel: Cancellation
    progress: Callable[[Progress], None]
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything an action may touch."""

    configuration: Configuration
    clock: Clock
    commands: Commands
    secrets: Secrets
    evidence: EvidenceStore
    messenger: Messenger
    creations: Creations
    knowledge: Knowledge
    environment: Mapping[str, str]
    random: random.Random
    restic_binary: str = "restic"


@dataclass(frozen=True, slots=True)
class Action:
    """What a step can do: its promise, and the function that keeps it.

    `run` blocks until done, honours `call.cancel` within a second or two, and turns whatever
    it expects to go wrong into a Result; an exception is an error of the checker.
    """

    spec: ActionSpec
    run: Callable[[Call, Tools], Result]


class ActionTable(Protocol):
    """Finds actions by name."""

    def find(self, name: str) -> Action | None:
        """The action, or None."""
        ...

    def names(self) -> Sequence[str]:
        """Every name, sorted."""
        ...
