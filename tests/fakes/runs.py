"""Recorded runs, told by hand: a narrator that folds events at given seconds, and tales that are true to life.

Nothing is decided here and nothing runs: each tale is the list of facts a journal would hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drorch.core.document import run_document
from drorch.core.events import (
    AbortRequested,
    AttemptFinished,
    AttemptLost,
    AttemptStarted,
    Event,
    FindingRecorded,
    Owner,
    PersonAnswered,
    PersonAsked,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunTaken,
    StepGivenUp,
    StepSettled,
    StepSkipped,
)
from drorch.core.model import Objectives
from drorch.core.moment import Moment
from drorch.core.names import Mode, OnFailure, Phase, RunKind, RunState, Verdict
from drorch.core.outcome import left_behind, outcome_of
from drorch.core.plan import Plan, PlannedStep
from drorch.core.run import apply, opening
from drorch.core.runbook import Retry, Until
from drorch.core.state import RunFold
from drorch.core.values import Evidence, Finding, Value

DAWN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HEAD = "9f2c" * 16
LIVE_ONLY = "live only: not done in a drill"
OWNER = Owner("dr-quebec-1", 4711, 123456, "boot-1", "root", "t0k3n", "0.1.0")


@dataclass
class Tale:
    """Tells one run: every method is a fact at `second` after its start. Returns itself."""

    plan: Plan
    by: str = "m.tremblay"
    trigger: str = "operator"
    reason: str = ""
    declared: float | None = None
    boot: str = "boot-1"
    wall_offset: float = 0.0

    def __post_init__(self) -> None:
        declared_at = None if self.declared is None else DAWN + timedelta(seconds=self.declared)
        started = RunStarted(
            self.plan, OWNER, self.by, self.trigger, self.reason, declared_at=declared_at
        )
        self.events: list[tuple[Moment, Event]] = [(self.moment(0), started)]
        self.state: RunFold = opening(started, self.moment(0))

    def moment(self, second: float) -> Moment:
        """Seconds after the start as this boot tells them."""
        return Moment(
            DAWN + timedelta(seconds=second + self.wall_offset), self.boot, 5000.0 + second
        )

    def tell(self, second: float, event: Event) -> "Tale":
        at = self.moment(second)
        self.events.append((at, event))
        apply(self.state, event, at)
        return self

    def start(self, second: float, step: str, **arguments: Value) -> "Tale":
        number = len(self.state.steps[step].attempts) + 1
        return self.tell(second, AttemptStarted(step, number, arguments))

    def end(
        self, second: float, step: str, verdict: Verdict = Verdict.PASS, **more: object
    ) -> "Tale":
        attempt = self.state.steps[step].attempts[-1]
        spent = timedelta(seconds=self.moment(second).ticks - attempt.started.ticks)
        return self.tell(second, AttemptFinished(step, attempt.number, verdict, spent, **more))  # type: ignore[arg-type]

    def do(self, begin: float, end: float, step: str, **more: object) -> "Tale":
        return self.start(begin, step).end(end, step, **more)  # type: ignore[arg-type]

    def retry(self, second: float, step: str, delay: float) -> "Tale":
        wait = timedelta(seconds=delay)
        return self.tell(second, RetryScheduled(step, self.moment(second).later(wait), wait))

    def skip(self, second: float, step: str, why: str = LIVE_ONLY) -> "Tale":
        return self.tell(second, StepSkipped(step, why))

    def give_up(self, second: float, step: str, cause: str, why: str) -> "Tale":
        return self.tell(second, StepGivenUp(step, cause, why))

    def ask(self, second: float, step: str, question: str, prompt: str, **more: object) -> "Tale":
        return self.tell(second, PersonAsked(step, question, prompt, **more))  # type: ignore[arg-type]

    def answer(
        self, second: float, step: str, by: str, reason: str = "", approved: bool = True
    ) -> "Tale":
        return self.tell(second, PersonAnswered(step, approved, by, reason))

    def reboot(self, boot: str, wall_offset: float = 0.0) -> "Tale":
        self.boot, self.wall_offset = boot, wall_offset
        return self

    def finish(self, second: float) -> "Tale":
        return self.tell(second, RunFinished(outcome_of(self.state), left_behind(self.state)))


def step(name: str, phase: Phase = Phase.STEPS, do: str = "command", **more: object) -> PlannedStep:
    return PlannedStep(name, phase, do, **more)  # type: ignore[arg-type]


def evidence(name: str, seed: str, size: int) -> Evidence:
    return Evidence(name, (seed * 64)[:64], size)


def plan(*steps: PlannedStep, **more: object) -> Plan:
    """A drill of the EHR runbook, unless said otherwise."""
    drill = Plan(
        kind=RunKind.DRILL,
        name="ehr-failover",
        mode=Mode.DRILL,
        subject="runbook:ehr-failover",
        steps=steps,
        objectives=Objectives(timedelta(hours=1), timedelta(minutes=30), timedelta(hours=8)),
        inputs={"workdir": "var/drill", "port": "18080"},
        title="Bring the EHR back at Québec",
        service="ehr",
        organization="Centre hospitalier Sainte-Rive",
        timezone="America/Toronto",
        datasets=("ehr-documents", "ehr-db"),
        runbook_digest="ab12" * 16,
        configuration_digest="cd34" * 16,
    )
    return replace(drill, **more)  # type: ignore[arg-type]


def ehr_steps(**changes: Mapping[str, object]) -> tuple[PlannedStep, ...]:
    """The contract's runbook, compiled for a drill."""
    steps = (
        step(
            "survivor-answers", Phase.PRECONDITIONS, "region.reachable", check=True, repeatable=True
        ),
        step("restore-documents", do="restore", repeatable=True, retry=Retry(attempts=3)),
        step("restore-database", do="restore", repeatable=True, retry=Retry(attempts=3)),
        step("go-ahead", do="approve", person=True, skip=LIVE_ONLY),
        step(
            "start-ehr",
            do="service.start",
            needs=("restore-documents", "restore-database", "go-ahead"),
            repeatable=True,
        ),
        step(
            "ehr-answers",
            Phase.VERIFY,
            "http.check",
            check=True,
            repeatable=True,
            until=Until(timedelta(seconds=60), timedelta(milliseconds=500), 3),
        ),
        step(
            "patients-are-all-there",
            Phase.VERIFY,
            "sql.check",
            check=True,
            repeatable=True,
            needs=("ehr-answers",),
            title="Patient count and canary are those of the snapshot",
        ),
        step("undo-start-ehr", Phase.CLEANUP, "service.stop", undoes="start-ehr"),
        step("remove-restored", Phase.CLEANUP, "files.remove"),
    )
    return tuple(replace(s, **changes.get(s.id.replace("-", "_"), {})) for s in steps)  # type: ignore[arg-type]


def restored(dataset: str, snapshot: str, at: str, files: int, size: int) -> dict[str, Value]:
    return {
        "snapshot": snapshot * 16,
        "snapshot_at": at,
        "dataset": dataset,
        "region": "qc",
        "files": files,
        "bytes": size,
        "path": f"/srv/drill/{dataset}",
        "restic": "0.18.0",
        "expected_files": files,
    }


DOCUMENTS = restored("ehr-documents", "1a2b", "2026-11-23T02:56:28Z", 2000, 829_422_000)
DATABASE = restored("ehr-db", "3c4d", "2026-11-23T02:58:01Z", 1, 12_582_912)


#: What `files.remove` says of a drill whose folder is gone.
REMOVED: dict[str, Value] = {
    "removed": ["/srv/drill"],
    "files": 2001,
    "bytes": 842_004_912,
    "left": [],
}


def passed_drill() -> Tale:
    """Parallel restores (one needs a second attempt), an until-check, a live_only skip."""
    tale = Tale(plan(*ehr_steps()), trigger="schedule", by="drorch")
    tale.do(0.02, 0.31, "survivor-answers", outputs={"region": "qc"})
    tale.skip(0.32, "go-ahead")
    tale.start(0.33, "restore-documents", dataset="ehr-documents", region="qc")
    tale.start(0.34, "restore-database", dataset="ehr-db", region="qc")
    tale.end(
        2.9,
        "restore-database",
        Verdict.ERROR,
        cause="region-unreachable",
        message="qc did not answer within 2 s",
        hint="look at drorch doctor",
    )
    tale.retry(2.9, "restore-database", 5.0)
    tale.start(7.9, "restore-database", dataset="ehr-db", region="qc")
    tale.end(
        8.63,
        "restore-documents",
        outputs=DOCUMENTS,
        evidence=(evidence("restore-documents-1.json", "5e", 18_211),),
    )
    tale.end(
        14.2,
        "restore-database",
        outputs=DATABASE,
        evidence=(evidence("restore-database-2.json", "6f", 4_102),),
    )
    tale.do(14.21, 14.65, "start-ehr", outputs={"service": "pid-812", "pid": 812})
    _answers(tale, 14.66)
    tale.do(
        16.4,
        16.9,
        "patients-are-all-there",
        outputs={"patients": 4000, "canary": "whole"},
        evidence=(evidence("patients.json", "7a", 512),),
    )
    tale.do(16.91, 17.2, "undo-start-ehr")
    tale.do(17.21, 17.9, "remove-restored", outputs=REMOVED)
    return tale.finish(17.91)


def _answers(tale: Tale, begin: float) -> None:
    """One refused look, then three good ones in a row."""
    looks = [Verdict.FAIL, Verdict.PASS, Verdict.PASS, Verdict.PASS]
    for number, verdict in enumerate(looks):
        at = begin + 0.52 * number
        words = (
            {} if verdict is Verdict.PASS else {"cause": "refused", "message": "connection refused"}
        )
        tale.start(round(at, 2), "ehr-answers").end(
            round(at + 0.02, 2), "ehr-answers", verdict, outputs={"status": 200}, **words
        )
        if number < len(looks) - 1:
            tale.retry(round(at + 0.02, 2), "ehr-answers", 0.5)


def failed_drill() -> Tale:
    """Verification finds too few patients; the undo fails and something is left behind."""
    tale = Tale(plan(*ehr_steps()))
    tale.do(0.02, 0.31, "survivor-answers").skip(0.32, "go-ahead")
    tale.start(0.33, "restore-documents").start(0.34, "restore-database")
    tale.end(8.63, "restore-documents", outputs=DOCUMENTS)
    tale.end(9.2, "restore-database", outputs=DATABASE)
    tale.do(9.21, 9.65, "start-ehr", outputs={"service": "pid-812"})
    for n in range(3):
        at = 9.66 + n
        tale.start(at, "ehr-answers").end(at + 0.1, "ehr-answers")
        if n < 2:
            tale.retry(at + 0.1, "ehr-answers", 0.9)
    tale.do(
        11.8,
        12.4,
        "patients-are-all-there",
        verdict=Verdict.FAIL,
        cause="mismatch",
        message="3,981 patients were found, the snapshot's manifest says 4,000",
        hint="compare with the dump of 02:58; do not switch to this copy",
        outputs={"patients": 3981},
        evidence=(evidence("patients.json", "7a", 512),),
    )
    tale.do(
        12.41,
        42.4,
        "undo-start-ehr",
        verdict=Verdict.ERROR,
        cause="timeout",
        message="process 812 still lives after 30 s",
        hint="end it by hand: kill -9 812",
    )
    tale.do(42.41, 43.0, "remove-restored", outputs=REMOVED)
    return tale.finish(43.01)


def aborted_drill() -> Tale:
    """Ended by a person during the restores; what began is told, what did not is skipped."""
    tale = Tale(plan(*ehr_steps()))
    tale.do(0.02, 0.31, "survivor-answers").skip(0.32, "go-ahead")
    tale.start(0.33, "restore-documents").start(0.34, "restore-database")
    tale.tell(4.0, AbortRequested("m.tremblay", "the real site is back"))
    for name in ("restore-documents", "restore-database"):
        tale.end(
            4.4, name, Verdict.ERROR, cause="cancelled", message="stopped: the run was aborted"
        )
    for name in ("start-ehr", "ehr-answers", "patients-are-all-there"):
        tale.skip(4.41, name, "the run was aborted")
    tale.skip(4.42, "undo-start-ehr", "nothing to undo: start-ehr did not run")
    return tale.do(4.43, 5.0, "remove-restored", outputs=REMOVED).finish(5.01)


def taken_over_failover() -> Tale:
    """A failover in earnest: approved by people, its owner dies in a step that is not repeatable,
    another takes over after a reboot, a person settles what happened, the clock is set right.
    """
    steps = ehr_steps(
        go_ahead={"skip": "", "title": "Switch the clinics to Québec?"},
        start_ehr={"repeatable": False},
    )
    compiled = plan(*steps, kind=RunKind.FAILOVER, mode=Mode.LIVE)
    tale = Tale(compiled, reason="Flood at Montréal, power lost at 21:52", declared=-95.0)
    tale.do(0.02, 0.31, "survivor-answers")
    tale.start(0.33, "restore-documents").start(0.34, "restore-database")
    tale.ask(
        0.35, "go-ahead", "approve", "Switch the clinics to Québec?", within=timedelta(minutes=30)
    )
    tale.end(410.0, "restore-documents", outputs=DOCUMENTS)
    tale.end(655.5, "restore-database", outputs=DATABASE)
    tale.answer(1024.0, "go-ahead", "dr.gagnon", "clinics told by phone")
    tale.start(1024.01, "start-ehr")
    tale.reboot("boot-2", wall_offset=0.0)
    tale.tell(1180.0, RunTaken(replace(OWNER, boot="boot-2", pid=99), "m.tremblay"))
    tale.tell(1180.01, AttemptLost("start-ehr", 1))
    tale.ask(
        1180.02,
        "start-ehr",
        "settle",
        "the process that carried start-ehr (attempt 1) died: did it happen?",
    )
    tale.tell(
        1300.0, StepSettled("start-ehr", True, "m.tremblay", "ps shows it listening on 18080")
    )
    tale.reboot("boot-2", wall_offset=-7.5)
    for n in range(3):
        at = 1300.1 + n
        tale.start(at, "ehr-answers").end(at + 0.05, "ehr-answers")
        if n < 2:
            tale.retry(at + 0.05, "ehr-answers", 0.9)
    tale.do(1302.3, 1303.1, "patients-are-all-there", outputs={"patients": 4000})
    tale.skip(1303.2, "undo-start-ehr", "left standing: this is a live run").skip(
        1303.2, "remove-restored", "left standing: this is a live run"
    )
    return tale.finish(1303.3)


def late_drill() -> Tale:
    """Passes, but neither in time nor with fresh data; an optional step fails and it goes on."""
    steps = (
        *ehr_steps()[:3],
        step("warm-cache", do="command", on_failure=OnFailure.CONTINUE),
        *ehr_steps()[3:],
    )
    objectives = Objectives(timedelta(seconds=30), timedelta(minutes=3))
    tale = Tale(plan(*steps, objectives=objectives))
    tale.do(0.02, 0.31, "survivor-answers").skip(0.32, "go-ahead")
    tale.start(0.33, "restore-documents").start(0.34, "restore-database").start(0.35, "warm-cache")
    tale.end(
        1.2,
        "warm-cache",
        Verdict.FAIL,
        cause="exit-code",
        message="warm-cache.sh left with 3: <script>alert('x')</script> & co",
        hint="run it by hand with DEBUG=1",
    )
    tale.end(20.5, "restore-database", outputs=DATABASE)
    tale.end(41.0, "restore-documents", outputs=DOCUMENTS)
    tale.do(41.01, 41.6, "start-ehr", outputs={"service": "pid-812"})
    _answers(tale, 41.61)
    tale.do(43.3, 43.9, "patients-are-all-there", outputs={"patients": 4000})
    tale.do(43.91, 44.1, "undo-start-ehr")
    tale.do(44.11, 44.6, "remove-restored", outputs=REMOVED)
    return tale.finish(44.61)


def backup_with_owed_copy() -> Tale:
    """A backup whose second region is dead: passed, and the copy is owed."""
    compiled = Plan(
        kind=RunKind.BACKUP,
        name="ehr-documents",
        mode=Mode.LIVE,
        subject="dataset:ehr-documents",
        steps=(
            step("backup", do="backup", repeatable=True),
            step(
                "replicate-qc",
                do="replicate",
                repeatable=True,
                on_failure=OnFailure.CONTINUE,
                needs=("backup",),
            ),
        ),
        objectives=Objectives(timedelta(hours=1), timedelta(minutes=30)),
        organization="Centre hospitalier Sainte-Rive",
        timezone="America/Toronto",
        datasets=("ehr-documents",),
    )
    tale = Tale(compiled, trigger="schedule", by="drorch")
    tale.do(
        0.01,
        11.4,
        "backup",
        outputs={
            "snapshot": "1a2b" * 16,
            "snapshot_at": "2026-11-23T03:00:00Z",
            "region": "mtl",
            "files": 2000,
            "bytes": 829_422_000,
        },
        evidence=(evidence("backup-1.json", "8b", 2_201),),
    )
    tale.do(
        11.41,
        13.6,
        "replicate-qc",
        verdict=Verdict.FAIL,
        cause="region-unreachable",
        message="qc did not answer within 2 s",
        hint="the copy is owed; drorch replicate catches it up once qc answers",
        findings=(
            Finding(
                "copy.owed",
                "ehr-documents",
                "snapshot 1a2b1a2b is not in qc yet",
                "drorch replicate catches it up once qc answers",
            ),
        ),
    )
    tale.tell(
        13.61,
        FindingRecorded(
            Finding(
                "guard.tripped",
                "ehr-documents",
                "41% of the files changed",
                "look at what changed before the next prune",
            )
        ),
    )
    return tale.finish(13.62)


def waiting_failover() -> Tale:
    """Under way: only a person is waited for."""
    steps = ehr_steps(go_ahead={"skip": "", "title": "Switch the clinics to Québec?"})
    tale = Tale(
        plan(*steps, kind=RunKind.FAILOVER, mode=Mode.LIVE),
        reason="Flood at Montréal",
        declared=0.0,
    )
    tale.do(0.02, 0.31, "survivor-answers")
    tale.start(0.33, "restore-documents").start(0.34, "restore-database")
    tale.ask(0.35, "go-ahead", "approve", "Switch the clinics to Québec?", quorum=2)
    tale.end(8.63, "restore-documents", outputs=DOCUMENTS)
    tale.end(9.2, "restore-database", outputs=DATABASE)
    return tale.answer(15.0, "go-ahead", "dr.gagnon", "first of two")


def wide_drill(count: int) -> Tale:
    """Many short steps, eight at a time."""
    names = [f"restore-clinic-{n:04d}" for n in range(1, count + 1)]
    tale = Tale(plan(*(step(n, do="restore", repeatable=True) for n in names)))
    for first in range(0, count, 8):
        for lane, name in enumerate(names[first : first + 8]):
            tale.start(first * 0.2 + lane * 0.001, name)
        for lane, name in enumerate(names[first : first + 8]):
            tale.end(first * 0.2 + 1.5 - lane * 0.01, name, outputs=DOCUMENTS)
    return tale.finish(count * 0.2 + 1)


def document_of(tale: Tale, now: float = 20.0) -> dict[str, Any]:
    """The tale's document, as it stands at `now` if it has not ended."""
    over = tale.state.finished is not None
    return run_document(
        tale.state,
        run=f"2026-11-23T03-00-00Z-{tale.state.plan.name}-7f3a",
        journal_head=HEAD,
        state_word=RunState.FINISHED if over else RunState.WAITING_FOR_PERSON,
        now=tale.moment(now),
    )


TALES = {
    "passed-drill": passed_drill,
    "failed-drill": failed_drill,
    "aborted-drill": aborted_drill,
    "taken-over-failover": taken_over_failover,
    "late-drill": late_drill,
    "backup-copy-owed": backup_with_owed_copy,
    "waiting-failover": waiting_failover,
}
