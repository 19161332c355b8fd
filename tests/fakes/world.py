"""A small world for the engine: a clock that moves when waited for, actions that follow a script.

Nothing here sleeps. Attempts are carried on the spot; what they did is noted in `effects`, which
stands for the outside and survives every power cut.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drorch.core.action import ActionSpec
from drorch.core.events import Event, Owner, Recorded, Stamped
from drorch.core.model import Configuration
from drorch.core.moment import Moment
from drorch.core.names import Verdict
from drorch.core.posture import RunRow
from drorch.core.values import Evidence, Result
from drorch.engine.attempts import Bench
from drorch.engine.inbox import Inbox, Item
from drorch.engine.loop import Engine
from drorch.ports import Action, Call, Head, Journal, Tools
from tests.fakes.messenger import FakeMessenger


class PowerCut(BaseException):
    """The machine stops here: nothing after this line happens."""


@dataclass
class MovingClock:
    """Time that passes only when somebody waits, or when it is told to."""

    at: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    boot: str = "boot-1"
    ticks: float = 1000.0

    def now(self) -> Moment:
        return Moment(self.at, self.boot, self.ticks)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds

    def reboot(self) -> None:
        self.boot = f"boot-{int(self.boot.split('-')[1]) + 1}"
        self.ticks = 10.0


class MovingInbox(Inbox):
    """Waiting for nothing lets the clock pass; waiting for ever is a failure."""

    def __init__(self, clock: MovingClock, patience: int = 5000) -> None:
        super().__init__()
        self._clock = clock
        self._patience = patience

    def wait(self, timeout: float) -> list[Item]:
        items = super().wait(0)
        if not items:
            self._patience -= 1
            if self._patience < 0:
                raise AssertionError("the engine waits for ever")
            self._clock.pass_by(timeout)
        return items


class CutJournal:
    """A journal whose power fails: before or after a given number of writes, each cut once.

    `taken` holds what was left for the run and has been looked at, by its number.
    """

    def __init__(self, journal: Journal, cuts: Sequence[tuple[int, bool]]) -> None:
        self.journal = journal
        self._cuts = dict(cuts)
        self._writes = itertools.count(1)
        self.taken: dict[int, Event] = {}

    def _write(self, work: Callable[[], Head]) -> Head:
        number = next(self._writes)
        after = self._cuts.pop(number, None)
        if after is False:
            raise PowerCut
        head = work()
        if after is True:
            raise PowerCut
        return head

    def begin(
        self, run: str, events: Sequence[Stamped], may_begin: Callable[[RunRow], None]
    ) -> Head:
        return self._write(lambda: self.journal.begin(run, events, may_begin))

    def append(self, run: str, after: int, events: Sequence[Stamped], taken: int = 0) -> Head:
        return self._write(lambda: self.journal.append(run, after, events, taken))

    def read(self, run: str) -> Iterator[Recorded]:
        return self.journal.read(run)

    def take_posted(self, run: str, after: int) -> Sequence[tuple[int, Event]]:
        found = self.journal.take_posted(run, after)
        self.taken.update(found)
        return found


class NoSecrets:
    """There are none."""

    def get(self, name: str, *, anew: bool = False) -> str:
        raise KeyError(name)

    def redact(self, text: str) -> str:
        return text


class NoProcesses:
    """Nothing is ever left behind here."""

    def vanished(self, host: str, pid: int, wrote_at: datetime, program: str) -> bool | None:
        """Nothing is known of other processes."""
        return None

    def reap(self, owner: str) -> int:
        return 0


class NoEvidence:
    """Keeps nothing."""

    def keep(self, run: str, name: str, content: bytes) -> Evidence:
        return Evidence(name, "0" * 64, len(content))


class NoCreations:
    """Nothing is made here."""

    def note(self, run: str, path: Path) -> None:
        return None

    def made(self, run: str, path: Path) -> Sequence[Path]:
        return ()


@dataclass
class ScriptedActions:
    """Every action's name is a step's script: what its attempts come to, one after the other.

    `effects` notes (step, attempt) of everything that was really carried out.
    """

    scripts: Mapping[str, Sequence[Verdict]]
    clock: MovingClock
    effects: list[tuple[str, int]] = field(default_factory=list)
    seconds: float = 1.0
    done: Counter[str] = field(default_factory=Counter)

    def find(self, name: str) -> Action | None:
        return Action(ActionSpec(name, "scripted"), self._run)

    def names(self) -> Sequence[str]:
        return sorted(self.scripts)

    def _run(self, call: Call, tools: Tools) -> Result:
        before = self.done[call.step]
        self.done[call.step] += 1
        self.effects.append((call.step, call.attempt))
        self.clock.pass_by(self.seconds)
        script = self.scripts.get(call.step, ())
        verdict = script[before] if before < len(script) else Verdict.PASS
        if verdict is Verdict.PASS:
            return Result(verdict, {"value": call.step, "attempt": call.attempt})
        return Result(verdict, cause="scripted", message=f"attempt {before + 1} was to fail")


def an_owner(pid: int = 1) -> Owner:
    return Owner("here", pid, pid * 10, "boot-1", "tester", f"token-{pid}")


def an_engine(
    journal: Journal,
    actions: ScriptedActions,
    clock: MovingClock,
    *,
    wait_for_people: bool = False,
    seed: int = 1,
) -> Engine:
    """An engine in this world; `wait_for_people` false: it comes back when only people are left."""
    tools = Tools(
        configuration=Configuration(Path("/nowhere")),
        clock=clock,
        commands=NoProcesses(),
        secrets=NoSecrets(),
        evidence=NoEvidence(),
        messenger=FakeMessenger(),
        creations=NoCreations(),
        knowledge=journal,
        environment={},
        random=random.Random(seed),
    )
    bench = Bench(actions, tools, carrier=lambda work: work())
    return Engine(journal, bench, MovingInbox(clock), (), wait_for_people)
