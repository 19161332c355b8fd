"""A quarter that a daemon lived through, in a journal on disk: outages over both its borders and over a
change of clocks, a region that was dead, datasets that came and went, drills that failed.

What decides is real, as in test_a_year_unattended.py; what runs come to is the script's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from drorch.app.starting import begun
from drorch.app.unattended import Started
from drorch.core.alarms import RunEnded
from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    RunFinished,
    RunStarted,
    Stamped,
)
from drorch.core.model import (
    Configuration,
    CopyMode,
    CopyPolicy,
    Dataset,
    DrillSchedule,
    Objectives,
    Region,
    Service,
    Transfer,
    Verify,
)
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.settings import DaemonSettings
from drorch.daemon.timer import SlotTrigger
from drorch.journal.store import SqlJournal
from tests.engine.test_a_year_unattended import OWNER, FakeProgram, Year
from tests.fakes.clock import FakeClock

ZONE = ZoneInfo("America/Toronto")
BEGIN = datetime(2028, 9, 28, 12, tzinfo=UTC)
END = datetime(2029, 1, 4, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

OUTAGES = [
    (datetime(2028, 9, 30, 13, tzinfo=UTC), 25 * HOUR),
    (datetime(2028, 11, 5, 4, 30, tzinfo=UTC), 3 * HOUR),
    (datetime(2028, 12, 10, 9, tzinfo=UTC), timedelta(days=4, hours=3)),
    (datetime(2028, 12, 31, 20, tzinfo=UTC), 20 * HOUR),
]
DEAD = (datetime(2028, 11, 10, 7, tzinfo=UTC), datetime(2028, 11, 13, 15, tzinfo=UTC))
LEAVES, ENTERS = datetime(2028, 10, 20, 9, tzinfo=UTC), datetime(2028, 11, 20, 9, tzinfo=UTC)

#: Name, schedule, RPO, regions.
DATASETS = (
    ("a", "every 4h", 5 * HOUR, ("mtl", "qc", "tor")),
    ("b", "every 6h", 7 * HOUR, ("qc", "mtl")),
    ("c", "30 2 * * *", 30 * HOUR, ("mtl", "tor")),
    ("d", "15 1 * * *", 30 * HOUR, ("qc", "mtl")),
    ("e", "weekly on sun at 02:10", timedelta(days=8), ("mtl", "qc")),
    ("old", "every 8h", 9 * HOUR, ("mtl", "qc")),
    ("new", "every 6h", None, ("mtl", "qc")),
)
_KEPT = 4

#: The runbook that drills the loss of drorch's own records.
LOST = "control-plane-lost"


def configuration(folder: Path, *names: str) -> Configuration:
    """Of these datasets."""
    regions = {
        "mtl": Region("mtl", "http://mtl.example", "b", "CA-QC"),
        "qc": Region("qc", "http://qc.example", "b", "CA-QC"),
        "tor": Region("tor", "http://tor.example", "b", "CA-ON"),
    }
    datasets = {
        name: Dataset(
            name,
            "key",
            where[0],
            tuple(CopyPolicy(region, CopyMode.MIRROR, "key") for region in where[1:]),
            paths=(Path("/srv"),),
            schedule=schedule,
            objectives=Objectives(rpo=rpo),
            residency=("CA-QC",),
            transfer=Transfer("EFVP-1", "C-1") if name == "a" else None,
            verify=Verify(check="weekly", restore_test="monthly on 1 at 03:00"),
        )
        for name, schedule, rpo, where in DATASETS
        if name in names
    }
    return Configuration(
        folder=folder,
        timezone=ZONE.key,
        runbooks=folder / "runbooks",
        regions=regions,
        datasets=datasets,
        services={
            "ehr": Service("ehr", 1, Objectives(HOUR, 2 * HOUR), ("a", "b"), "ehr"),
            "lab": Service("lab", 1, Objectives(HOUR), ("c",), "lab"),
            "office": Service("office", 2, Objectives(), ("e",)),
        },
        drills={"quarter": DrillSchedule("quarter", "ehr", "quarterly")},
        daemon=DaemonSettings(parallel=4, per_region=4, per_site=4),
    )


@dataclass
class Lived(Year):
    """A year's driver, of which runs come to something."""

    runs: int = 0
    held: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)
    owed: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)

    def run(self) -> None:
        import heapq

        while self.events and self.events[0][0] < END:
            when, _, what, arguments = heapq.heappop(self.events)
            if when > self.now:
                self.program.clock.advance(when - self.now)
            what(*arguments)
        self.program.clock.advance(END - self.now)

    def start(self) -> None:
        self.life += 1
        self.daemon = begun(self.program, self.now, "start")
        for schedule in self.daemon.groups:
            self.tick(self.life, SlotTrigger(schedule, ZONE), None)
        self.begin(self.life)

    def changed(self, *names: str) -> None:
        self.program.configuration = configuration(self.program.configuration.folder, *names)
        self.start()

    # --- runs

    def carry(self, started: Started) -> None:
        work, request = started.duty.work, started.request
        kind, name = RunKind(work.name.partition(":")[0]), work.name.partition(":")[2]
        if kind is RunKind.DRILL:
            name = self.program.configuration.drills[name].runbook
        plan = self.plan(kind, name, work.subject)
        first = RunStarted(plan, OWNER, "drorch", request.trigger, due_at=request.due_at)
        run = self.record(first, *request.also)
        self.daemon.taken(started)
        took = MINUTE * self.random.uniform(0.3, 9)
        self.at(self.now + took, self.came, self.life, run, plan, started)

    def came(self, life: int, run: str, plan: Plan, started: Started) -> None:
        """The run ends, if the process that carried it lives."""
        if life != self.life:
            return
        self.end(run, plan, failed=self.random.random() < 0.04)
        self.daemon.ended(started.duty.work.name, self.now)
        self.begin(life)

    def by_hand(
        self, kind: RunKind, name: str, *, failed: bool = False, slow: bool = False
    ) -> None:
        """Somebody at the command line."""
        plan = self.plan(kind, name, f"{kind}:{name}:{self.runs}")
        run = self.record(RunStarted(plan, OWNER, "mgagnon", "operator", "wanted"))
        self.program.clock.advance((80 if slow else 2) * MINUTE)
        self.end(run, plan, failed=failed)

    def lost_records(self, *, failed: bool = False) -> None:
        """Somebody drills the loss of drorch's own records."""
        plan = self.plan(RunKind.DRILL, LOST, f"drill:{LOST}:{self.runs}")
        plan = replace(plan, service="", steps=tuple(_steps_of_a_loss()))
        run = self.record(RunStarted(plan, OWNER, "mgagnon", "operator"))
        self.program.clock.advance(2 * MINUTE)
        self.end(run, plan, failed=failed)

    def plan(self, kind: RunKind, name: str, subject: str) -> Plan:
        of_runbook = kind in (RunKind.DRILL, RunKind.FAILOVER)
        rpo = next((d[2] for d in DATASETS if d[0] == name), None)
        objectives = Objectives(rpo=rpo) if kind is RunKind.BACKUP else Objectives()
        return Plan(
            kind,
            name,
            Mode.DRILL if kind is RunKind.DRILL else Mode.LIVE,
            subject,
            tuple(_steps(kind, "a" if of_runbook else name)),
            objectives=Objectives(HOUR, 2 * HOUR) if of_runbook else objectives,
            service=name if of_runbook else "",
            runbook_digest="1f" * 32 if of_runbook else "",
            datasets=("a",) if of_runbook else (name,),
        )

    def record(self, *events: Event) -> str:
        self.runs += 1
        run = f"r{self.runs:05}"
        moment = self.program.clock.now()
        self.program.journal.begin(run, [Stamped(moment, e) for e in events], lambda _: None)
        self.lengths[run] = len(events)
        return run

    lengths: dict[str, int] = field(default_factory=dict)

    def end(self, run: str, plan: Plan, *, failed: bool) -> None:
        events = list(self.events_of(plan, failed=failed))
        length = timedelta(seconds=len(events))
        now = self.program.clock.now()
        began = [
            replace(now, at=now.at + n * SECOND, ticks=now.ticks + n) for n in range(len(events))
        ]
        stamped = [Stamped(at, event) for at, event in zip(began, events, strict=True)]
        self.program.journal.append(run, self.lengths[run], stamped)
        self.program.clock.advance(length)

    # --- what runs come to

    def events_of(self, plan: Plan, *, failed: bool) -> Iterator[Event]:
        bad = self.random.choice([s.id for s in plan.steps]) if failed else ""
        outcome, left = Outcome.PASSED, ()
        for step in plan.steps:
            if outcome is Outcome.FAILED and step.phase is not Phase.CLEANUP:
                continue
            yield AttemptStarted(step.id, 1, step.arguments)
            if step.id == bad:
                yield AttemptFinished(
                    step.id, 1, Verdict.FAIL, SECOND, cause="exit-code", message="no"
                )
                if step.phase is Phase.CLEANUP:
                    left = (step.id,)
                else:
                    outcome = Outcome.FAILED
                continue
            outputs, copies = self.result(plan, step)
            yield AttemptFinished(step.id, 1, Verdict.PASS, SECOND, outputs, copies=tuple(copies))
        good = outcome is Outcome.PASSED
        ended = RunEnded(plan.kind.value, plan.name, "", good=good, outcome=outcome.value)
        yield RunFinished(outcome, left, facts=(ended,))

    def result(self, plan: Plan, step: PlannedStep) -> tuple[dict[str, Any], list[CopyFact]]:
        dataset = str(step.arguments.get("dataset", ""))
        held = self.held.get(dataset, [])
        match step.do:
            case "backup":
                return {}, self.backed_up(dataset)
            case "repository.check" if held:
                return {}, [self.fact(CopyFactKind.VERIFIED, dataset, self.home(dataset), held[-1])]
            case "restore" if held:
                snapshot, at = held[-1]
                outputs = {"dataset": dataset, "region": self.home(dataset), "snapshot": snapshot}
                outputs |= {
                    "snapshot_at": at.isoformat(),
                    "files": 7,
                    "bytes": 99,
                    "path": f"/dr/{dataset}",
                }
                tested = self.fact(
                    CopyFactKind.RESTORE_TESTED, dataset, self.home(dataset), held[-1]
                )
                return outputs, [tested] if plan.kind is RunKind.RESTORE_TEST else []
            case "plane.recover":
                at = self.now - 7 * SECOND
                return {"region": "qc", "at": at.isoformat(), "elapsed_s": 3.5}, []
            case "plane.restore" if held:
                restored, _ = self.result(plan, replace(step, do="restore"))
                return {**restored, "since_s": 20.25 + self.runs % 7}, []
            case "plane.compare":
                return {"events_behind": self.runs % 5, "behind_s": float(self.runs % 5)}, []
            case "files.remove":
                return {"removed": ["/dr"]}, []
            case _:
                return {}, []

    def backed_up(self, dataset: str) -> list[CopyFact]:
        made = (f"{dataset}{self.runs:05}".ljust(64, "0"), self.now)
        held = self.held.setdefault(dataset, [])
        held.append(made)
        facts = []
        for region in self.places(dataset):
            if region == "tor" and self.dead:
                facts.append(self.fact(CopyFactKind.OWED, dataset, region, made))
            else:
                facts.append(self.fact(CopyFactKind.HELD, dataset, region, made))
        while len(held) > _KEPT:
            gone = held.pop(0)
            word = CopyFactKind.GONE
            there = [r for r in self.places(dataset) if r != "tor" or not self.dead]
            facts += [self.fact(word, dataset, region, gone) for region in there]
        self.daemon.backed_up({dataset: self.now})
        return facts

    @property
    def dead(self) -> bool:
        """Whether the third region is."""
        return DEAD[0] <= self.now < DEAD[1]

    def caught_up(self) -> None:
        """The dead region is back, and is brought what it is owed."""
        for dataset in ("a", "c"):
            plan = replace(self.plan(RunKind.REPLICATE, dataset, f"replicate:{dataset}"), steps=())
            run = self.record(
                RunStarted(plan, OWNER, "drorch", "daemon"), AttemptStarted("replicate", 1)
            )
            fact = self.fact(CopyFactKind.HELD, dataset, "tor", self.held[dataset][-1])
            done = AttemptFinished("replicate", 1, Verdict.PASS, SECOND, copies=(fact,))
            moment = self.program.clock.now()
            ended = [Stamped(moment, done), Stamped(moment, RunFinished(Outcome.PASSED))]
            self.program.journal.append(run, 2, ended)

    def lost(self, dataset: str, region: str) -> None:
        """Somebody deletes all that a region holds of a dataset, and a check finds that out."""
        plan = replace(self.plan(RunKind.CHECK, dataset, f"check:{dataset}"), steps=())
        run = self.record(RunStarted(plan, OWNER, "mgagnon", "operator"), AttemptStarted("look", 1))
        facts = tuple(
            self.fact(CopyFactKind.GONE, dataset, region, one) for one in self.held[dataset]
        )
        moment = self.program.clock.now()
        done = AttemptFinished("look", 1, Verdict.FAIL, SECOND, copies=facts)
        self.program.journal.append(
            run, 2, [Stamped(moment, done), Stamped(moment, RunFinished(Outcome.FAILED))]
        )

    def fact(
        self, kind: CopyFactKind, dataset: str, region: str, snapshot: tuple[str, datetime]
    ) -> CopyFact:
        return CopyFact(kind, dataset, region, snapshot[0], snapshot[1])

    def places(self, dataset: str) -> tuple[str, ...]:
        return next(d[3] for d in DATASETS if d[0] == dataset)

    def home(self, dataset: str) -> str:
        return self.places(dataset)[0]


def _steps(kind: RunKind, dataset: str) -> Iterator[PlannedStep]:
    where = {"dataset": dataset}
    match kind:
        case RunKind.BACKUP:
            yield PlannedStep("backup", Phase.STEPS, "backup", where, repeatable=True)
        case RunKind.CHECK:
            yield PlannedStep("check", Phase.STEPS, "repository.check", where, check=True)
        case RunKind.RESTORE:
            to = {**where, "to": "/home/x", "purpose": "a request"}
            yield PlannedStep("restore", Phase.STEPS, "restore", to, repeatable=True)
        case RunKind.RESTORE_TEST | RunKind.DRILL:
            to = {**where, "to": f"/dr/{dataset}"}
            yield PlannedStep("restore", Phase.STEPS, "restore", to, repeatable=True)
            yield PlannedStep("whole", Phase.VERIFY, "restore.verify", where, check=True)
            yield PlannedStep("remove", Phase.CLEANUP, "files.remove", {"path": "/dr"})
        case _:
            yield PlannedStep(
                "look", Phase.PRECONDITIONS, "command", {"argv": ["/bin/true"]}, check=True
            )


def _steps_of_a_loss() -> Iterator[PlannedStep]:
    to = {"dataset": "a", "to": "/dr/a"}
    yield PlannedStep("recover", Phase.STEPS, "plane.recover", {"region": "qc", "to": "/dr/r"})
    yield PlannedStep("restore", Phase.STEPS, "plane.restore", to, repeatable=True)
    yield PlannedStep("whole", Phase.VERIFY, "plane.compare", {"path": "/dr/r"}, check=True)
    yield PlannedStep("remove", Phase.CLEANUP, "files.remove", {"path": "/dr"})


def lived(folder: Path) -> tuple[Configuration, Moment]:
    """Live it, into the folder's journal: the last configuration, and when it is over."""
    (folder / "runbooks").mkdir()
    for name in ("ehr", "lab"):
        (folder / "runbooks" / f"{name}.yaml").write_text(f"runbook: {name}\n")
    first = configuration(folder, "a", "b", "c", "d", "e", "old")
    with SqlJournal("sqlite:///drorch.db", folder=folder) as journal:
        clock = FakeClock(datetime(2028, 1, 20, 8, tzinfo=UTC))
        done = Lived(Random(20281231), FakeProgram(first, journal, clock))
        for month, slow in ((1, False), (5, True), (8, False)):
            before = datetime(2028, month, 20, 8, tzinfo=UTC)
            clock.advance(max(timedelta(), before - clock.now().at))
            done.held["a"] = [("0" * 64, clock.now().at - 30 * MINUTE)]
            done.by_hand(RunKind.DRILL, "ehr", slow=slow)
            if month == 5:
                done.lost_records()
        done.held.clear()
        clock.advance(BEGIN - clock.now().at)
        _script(done)
        done.run()
        return done.program.configuration, clock.now()


def _script(done: Lived) -> None:
    done.at(BEGIN, done.start)
    for at, lasting in OUTAGES:
        done.at(at, done.killed)
        done.at(at + lasting, done.start)
    for at, names in ((LEAVES, "a b c d e"), (ENTERS, "a b c d e new")):
        done.at(at, done.killed)
        done.at(at + 50 * SECOND, done.changed, *names.split())
    done.at(DEAD[1], done.caught_up)
    for at, what, failed, slow in (
        (datetime(2028, 10, 12, 14, 3, tzinfo=UTC), (RunKind.DRILL, "ehr"), True, False),
        (datetime(2028, 11, 30, 14, 3, tzinfo=UTC), (RunKind.DRILL, "ehr"), False, True),
        (datetime(2028, 10, 14, 14, 3, tzinfo=UTC), (RunKind.BACKUP, "a"), False, False),
        (datetime(2028, 12, 14, 15, 3, tzinfo=UTC), (RunKind.BACKUP, "c"), True, False),
        (datetime(2028, 12, 20, 15, 3, tzinfo=UTC), (RunKind.RESTORE, "b"), False, False),
    ):
        done.at(at, lambda w=what, f=failed, s=slow: done.by_hand(*w, failed=f, slow=s))
    done.at(datetime(2028, 12, 22, 4, 3, tzinfo=UTC), done.lost, "d", "mtl")
    done.at(datetime(2028, 11, 20, 15, 3, tzinfo=UTC), done.lost_records)
    done.at(datetime(2028, 12, 19, 15, 3, tzinfo=UTC), lambda: done.lost_records(failed=True))
