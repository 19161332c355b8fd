"""What the engine and the journal cost inside one process, without starting any."""

import itertools
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.figures import Bound, Figure, interleaved
from bench.yard import Yard
from drorch.adapters.clock import SystemClock
from drorch.adapters.commands import SystemCommands
from drorch.core.action import ActionSpec
from drorch.core.events import AttemptFinished, AttemptStarted, Owner, RunStarted, Stamped
from drorch.core.model import Configuration
from drorch.core.names import Mode, Outcome, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.values import Result, passed
from drorch.engine.attempts import Bench, Carrier
from drorch.engine.carriers import in_thread
from drorch.engine.loop import Engine
from drorch.journal.store import SqlJournal
from drorch.ports import Action, ActionTable, Call, Journal, Tools
from tests.fakes.journal import MemoryJournal
from tests.fakes.messenger import FakeMessenger
from tests.fakes.world import NoCreations, NoEvidence, NoSecrets

#: What a step of the largest plan may cost of one of the smallest: flat, but for noise.
_FLAT = 1.25
_SIZES = (100, 1_000, 10_000)
_OWNER = Owner("here", 1, 1, "boot", "bench", "token")

#: Commits measured at once.
_COMMITS = 200


def _done(_call: Call, _tools: Tools) -> Result:
    return passed({"exit": 0})


class _Nothing:
    """Every action does nothing, well."""

    _action = Action(ActionSpec("nothing", "does nothing"), _done)

    def find(self, _name: str) -> Action | None:
        return self._action

    def names(self) -> Sequence[str]:
        return ("nothing",)


def plan_of(count: int) -> Plan:
    """So many steps, one after the other."""
    steps = tuple(
        PlannedStep(f"step-{n}", Phase.STEPS, "nothing", {"n": n}, (f"step-{n - 1}",) if n else ())
        for n in range(count)
    )
    return Plan(RunKind.DRILL, "bench", Mode.DRILL, "bench", steps)


def measure_engine(yard: Yard) -> Iterator[Figure]:
    """One step after the other, on a journal in memory that encodes and chains as the real one."""
    largest, smallest = _SIZES[-1], _SIZES[0]
    contenders = {str(size): _engine_run(size) for size in _SIZES}
    taken = interleaved(contenders, 1 if yard.quick else yard.amount.repetitions, warm_up=True)
    for size in _SIZES[1:]:
        yield Figure(
            f"engine: a step of {size:,}",
            taken[str(size)],
            "µs",
            taken[str(smallest)],
            f"a step of {smallest}",
            Bound(_FLAT) if size == largest else None,
            note="processor time",
        )


def _engine_run(size: int) -> Callable[[], float]:
    plan = plan_of(size)

    def measure() -> float:
        """Small plans are run more often, so that each measurement takes about as long."""
        times = max(1, 2_000 // size)
        began = time.process_time()
        for _ in range(times):
            _carry(plan)
        return 1e6 * (time.process_time() - began) / (times * size)

    return measure


def _carry(plan: Plan) -> None:
    carry_on(MemoryJournal(), plan, "run", _Nothing(), lambda work: work())


def carry_on(
    journal: Journal, plan: Plan, run: str, actions: ActionTable, carrier: Carrier = in_thread
) -> None:
    """Carry a plan to its good end."""
    tools = Tools(
        configuration=Configuration(Path("/nowhere")),
        clock=SystemClock(),
        commands=SystemCommands("bench"),
        secrets=NoSecrets(),
        evidence=NoEvidence(),
        messenger=FakeMessenger(),
        creations=NoCreations(),
        knowledge=journal,
        environment={},
        random=random.Random(1),
    )
    engine = Engine(journal, Bench(actions, tools, carrier))
    state = engine.begin(run, RunStarted(plan, _OWNER, "bench", "bench"), lambda _: None)
    assert state.finished is not None
    assert state.finished.outcome is Outcome.PASSED


def measure_journal(yard: Yard) -> Iterator[Figure]:
    """Two events in one durable transaction, beside one row in one of sqlite3's own."""
    folder = yard.disk / "journal"
    folder.mkdir()
    with closing(SqlJournal("sqlite:///drorch.db", folder=folder)) as journal:
        clock = SystemClock()
        started = RunStarted(plan_of(_COMMITS), _OWNER, "bench", "bench")
        numbers = itertools.count()

        def ours() -> float:
            run = f"run-{next(numbers)}"
            seq = journal.begin(run, [Stamped(clock.now(), started)], lambda _: None).seq
            began = time.perf_counter()
            for n in range(_COMMITS):
                events = (
                    AttemptStarted(f"step-{n}", 1, {"n": n}),
                    AttemptFinished(f"step-{n}", 1, Verdict.PASS, timedelta(milliseconds=1)),
                )
                seq = journal.append(run, seq, [Stamped(clock.now(), e) for e in events]).seq
            return 1e6 * (time.perf_counter() - began) / _COMMITS

        with closing(_bare_database(folder / "bare.db")) as bare:
            taken = interleaved(
                {"ours": ours, "theirs": lambda: _bare_commits(bare)},
                3 if yard.quick else 7,
                warm_up=True,
            )
    yield Figure(
        "journal: append two events, durably",
        taken["ours"],
        "µs",
        taken["theirs"],
        "sqlite3: insert a row, durably",
    )


def _bare_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, body TEXT)")
    return connection


def _bare_commits(connection: sqlite3.Connection) -> float:
    body = "x" * 400
    began = time.perf_counter()
    for _ in range(_COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows (body) VALUES (?)", (body,))
        connection.execute("COMMIT")
    return 1e6 * (time.perf_counter() - began) / _COMMITS
