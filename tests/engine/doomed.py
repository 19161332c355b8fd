"""A process that dies at a drawn moment: at a statement, at a commit, in the midst of a deed.

The moments are counted, so that a death can be drawn among all of them and comes again with the
same seed. Once dead, whatever the process touches next dies too: nobody tidies up after a kill -9.
The journal is the real one on its real file; what the deeds truly did stands in a file beside it.
"""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from drorch.core.action import ActionSpec
from drorch.core.names import Verdict
from drorch.core.values import Result
from drorch.engine.inbox import Item
from drorch.journal.connection import (
    Connection,
    Database,
    Found,
    Parameters,
    Statement,
    Transaction,
)
from drorch.journal.store import SqlJournal
from drorch.ports import Action, Call, Tools
from tests.engine.stage import SideBySide
from tests.fakes.world import MovingClock, PowerCut


@dataclass
class Doom:
    """Lets so many moments pass, then kills; None: it only counts."""

    after: int | None = None
    moments: int = 0
    dead: bool = False

    def moment(self) -> None:
        """A moment at which the process may die."""
        self.moments += 1
        if self.dead or (self.after is not None and self.moments > self.after):
            self.dead = True
            raise PowerCut


@dataclass
class _DoomedConnection:
    """A connection whose every statement may be the last; what was not committed is not there."""

    inner: Connection
    doom: Doom

    @property
    def refusal(self) -> type[Exception]:
        return self.inner.refusal

    def execute(self, statement: Statement, parameters: Parameters | None = None) -> Found:
        self.doom.moment()
        return self.inner.execute(statement, parameters or {})

    def execute_each(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        for one in parameters:
            self.execute(statement, one)

    def begin(self, transaction: Transaction) -> None:
        self.doom.moment()
        self.inner.begin(transaction)

    def commit(self) -> None:
        self.doom.moment()
        self.inner.commit()
        self.doom.moment()

    def release(self) -> None:
        self.inner.release()

    def discard(self) -> None:
        self.inner.discard()


@dataclass
class _DoomedDatabase:
    inner: Database
    doom: Doom

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def connect(self) -> _DoomedConnection:
        return _DoomedConnection(self.inner.connect(), self.doom)


class DoomedJournal(SqlJournal):
    """The real journal, as one process that may die holds it."""

    def __init__(self, url: str, doom: Doom) -> None:
        super().__init__(url)
        self._database = _DoomedDatabase(self._database, doom)


class DoomedInbox(SideBySide):
    """Attempts go on side by side until the process is dead."""

    def __init__(self, clock: MovingClock, chance: random.Random, doom: Doom) -> None:
        super().__init__(clock, chance)
        self._doom = doom

    def wait(self, timeout: float) -> list[Item]:
        self._doom.moment()
        return super().wait(timeout)


class Outside:
    """What truly happened, a line for each deed, on the disk before the deed ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def close(self) -> None:
        os.close(self._handle)

    def happens(self, step: str) -> None:
        os.write(self._handle, f"{step}\n".encode())
        os.fsync(self._handle)

    def steps(self) -> list[str]:
        return self._path.read_text().splitlines()


@contextmanager
def outside(path: Path) -> Iterator[Outside]:
    """The outside world of one run."""
    world = Outside(path)
    try:
        yield world
    finally:
        world.close()


@dataclass
class Deeds:
    """Actions that do what they should outside, after having failed as often as they are to fail.

    Each takes a while, in which the process may die before or after it did something; now and then
    somebody sets the wall clock meanwhile, by what is noted in `clock_set`.
    """

    world: Outside
    clock: MovingClock
    doom: Doom
    chance: random.Random
    failures: Mapping[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    clock_set: float = 0.0

    def find(self, name: str) -> Action | None:
        return Action(ActionSpec(name, "does it"), self._do)

    def names(self) -> Sequence[str]:
        return ["deed"]

    def _do(self, call: Call, tools: Tools) -> Result:
        self.doom.moment()
        self.clock.pass_by(self.chance.uniform(0, 2))
        if self.chance.random() < 0.03:
            self._set_the_clock()
        if self.failed.get(call.step, 0) < self.failures.get(call.step, 0):
            self.failed[call.step] = self.failed.get(call.step, 0) + 1
            return Result(Verdict.FAIL, cause="scripted", message="it was to fail")
        self.world.happens(call.step)
        self.doom.moment()
        return Result(Verdict.PASS, {"value": call.step})

    def _set_the_clock(self) -> None:
        by = self.chance.choice((-7200.0, -60.0, 60.0, 7200.0))
        self.clock.at += timedelta(seconds=by)
        self.clock_set += by
