"""Further recorded runs, those that an auditor looks at first: an exercise with all that may be
said of it, a tabletop, a restore test that failed, a failover whose fence was forced.
"""

from dataclasses import replace
from typing import Any

from drorch.core.events import (
    FenceForced,
    RetryRequested,
    RunContinued,
    RunPaused,
    SkipRequested,
)
from drorch.core.exercises import Area, Exercise, ExerciseType, Goal, Participant
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Phase, RunKind, Verdict
from drorch.core.plan import Plan
from drorch.core.runbook import Retry
from tests.fakes.runs import DATABASE, DOCUMENTS, REMOVED, Tale, ehr_steps, plan, step

PEOPLE = (
    Participant("Marie Tremblay", "incident lead"),
    Participant("Dr. Luc Gagnon", "medical director"),
    Participant("A. Roy"),
)
EXERCISE = Exercise(
    ExerciseType.ISOLATED,
    scenario="Montréal is lost at 02:40; only the region qc answers",
    scope="The EHR’s documents and database, on one machine at Québec",
    objectives=(
        Goal("Show that the EHR comes back from one region alone", ("restore-documents",)),
    ),
    criteria=(
        Goal("It is back within the hour", ("RTO",)),
        Goal("At most half an hour of data is lost", ("RPO",)),
        Goal("Every patient is there", ("patients-are-all-there",)),
        Goal("The cache is warm", ("warm-cache",)),
        Goal("Clinicians find their way about in it"),
        Goal("The clinics are switched over", ("go-ahead",)),
    ),
    assumptions=("The network at Québec works",),
    excluded=("Interfaces to the laboratory", "Printing"),
    areas={
        Area.NOTIFICATION: Goal("The medical director is asked by phone", ("call-director",)),
        Area.CONNECTIVITY: Goal("The EHR answers on its port", ("ehr-answers",)),
        Area.PERFORMANCE: Goal("not tested"),
    },
)
SOURCES = {"ehr-documents": ("/srv/ehr/documents",), "ehr-db": ()}


def whole_drill() -> Tale:
    """Everything at once: goals, people, a retry and a skip by order, a pause, an optional failure."""
    first, documents, database, *rest = ehr_steps()
    steps = (
        first,
        documents,
        replace(database, retry=Retry(attempts=1), on_failure=OnFailure.ASK),
        step("warm-cache", on_failure=OnFailure.CONTINUE),
        step("call-director", do="confirm", person=True, needs=()),
        *rest,
    )
    compiled = plan(*steps, exercise=EXERCISE, participants=PEOPLE, sources=SOURCES)
    tale = Tale(compiled, reason="yearly exercise")
    tale.do(0.1, 0.4, "survivor-answers", outputs={"region": "qc", "took_ms": 12})
    tale.skip(0.4, "go-ahead")
    tale.start(0.5, "restore-documents", dataset="ehr-documents", region="qc")
    tale.start(0.5, "restore-database", dataset="ehr-db", region="qc")
    tale.start(0.5, "warm-cache", argv=["warm-cache"])
    tale.ask(0.6, "call-director", "confirm", "Call the medical director. Is he there?")
    tale.end(3.0, "warm-cache", Verdict.FAIL, cause="exit-code", message="warm-cache left with 3")
    tale.end(20.0, "restore-database", Verdict.ERROR, cause="refused", message="the key is refused")
    tale.ask(
        20.1, "restore-database", "failed", "restore-database failed: again, leave out, or end?"
    )
    tale.answer(45.0, "call-director", "m.tremblay", "reached on the second number")
    tale.end(60.0, "restore-documents", outputs=DOCUMENTS)
    tale.tell(90.0, RetryRequested("restore-database", "m.tremblay", "the key was set right"))
    tale.start(90.1, "restore-database", dataset="ehr-db", region="qc")
    tale.tell(100.0, RunPaused("l.gagnon", "a real call came in"))
    tale.end(120.0, "restore-database", outputs=DATABASE)
    tale.tell(300.0, RunContinued("l.gagnon"))
    tale.do(300.1, 301.0, "start-ehr", outputs={"service": "pid-812"})
    tale.do(301.1, 301.5, "ehr-answers", outputs={"status": 200}).retry(301.5, "ehr-answers", 0.5)
    for at in (302.0, 302.6):
        tale.do(at, at + 0.1, "ehr-answers", outputs={"status": 200})
        if at < 302.5:
            tale.retry(at + 0.1, "ehr-answers", 0.5)
    patients = {
        "database": "sqlite:///ehr",
        "query": "SELECT count(*) FROM patients",
        "equals": 4000,
    }
    tale.start(302.8, "patients-are-all-there", **patients)
    tale.end(303.4, "patients-are-all-there", outputs={"value": 4000, "rows": 1})
    tale.do(303.5, 304.0, "undo-start-ehr", message="pid-812 ended")
    tale.do(304.1, 305.0, "remove-restored", message="2,003 files were removed", outputs=REMOVED)
    return tale.finish(305.1)


def tabletop() -> Tale:
    """People only: the answers are the report."""
    asked = ("who-is-called", "what-is-lost", "decide")
    steps = [
        step(name, do="approve" if name == "decide" else "confirm", person=True, needs=needs)
        for name, needs in zip(asked, ((), ("who-is-called",), ("what-is-lost",)), strict=True)
    ]
    exercise = Exercise(
        ExerciseType.TABLETOP,
        scenario="Fire in the data centre at Montréal, 02:40",
        objectives=(Goal("Everybody knows who decides", ("who-is-called", "decide")),),
        criteria=(Goal("Each ward has its forms", ("what-is-lost",)),),
        areas={Area.NOTIFICATION: Goal("Everybody named was called", ("who-is-called",))},
    )
    compiled = plan(
        *steps,
        name="tabletop",
        subject="runbook:tabletop",
        title="Tabletop exercise: fire at Montréal",
        objectives=Objectives(),
        datasets=(),
        inputs={},
        parallel=1,
        exercise=exercise,
        participants=PEOPLE,
    )
    tale = Tale(compiled, by="m.tremblay")
    tale.ask(0.1, "who-is-called", "confirm", "Name who is called. Is everybody reached?")
    tale.answer(840.0, "who-is-called", "m.tremblay", "all but the network’s on-call, voice mail")
    tale.ask(840.1, "what-is-lost", "confirm", "Say what the wards do on paper.")
    tale.answer(1500.0, "what-is-lost", "a.roy", "third floor has no forms", approved=False)
    tale.skip(1500.1, "decide", "what-is-lost failed")
    return tale.finish(1500.2)


def failed_restore_test() -> Tale:
    """What came back is not what the snapshot holds."""
    compiled = Plan(
        kind=RunKind.RESTORE_TEST,
        name="ehr-documents",
        mode=Mode.DRILL,
        subject="restore-test:ehr-documents",
        steps=(
            step("restore", do="restore", repeatable=True),
            step("compare", Phase.VERIFY, "restore.verify", check=True, repeatable=True),
            step("remove", Phase.CLEANUP, "files.remove"),
        ),
        title="Restore test of ehr-documents from qc",
        organization="Centre hospitalier Sainte-Rive",
        timezone="America/Toronto",
        datasets=("ehr-documents",),
        configuration_digest="cd34" * 16,
        sources={"ehr-documents": ("/srv/ehr/documents",)},
    )
    tale = Tale(compiled, trigger="schedule", by="drorch")
    tale.do(0.1, 30.0, "restore", outputs=DOCUMENTS)
    found: dict[str, Any] = {"files": 1998, "bytes": 829_000_000, "snapshot": "1a2b" * 16}
    counts = {
        "missing": ["a.pdf", "b.pdf"],
        "missing_count": 2,
        "different_count": 1,
        "extra_count": 0,
    }
    tale.do(
        30.1,
        48.0,
        "compare",
        verdict=Verdict.FAIL,
        cause="mismatch",
        message="/srv/drill is not what snapshot 1a2b1a2b holds: 2 missing (a.pdf …), 1 different (c.pdf …)",
        hint="restore it anew into another folder, from another region if need be",
        outputs={**found, **counts},
    )
    return tale.do(48.1, 49.0, "remove", outputs=REMOVED).finish(49.1)


def forced_failover() -> Tale:
    """Nobody can say whether the primary is down; somebody answers for it, and it goes on."""
    gate = step("primary-is-down", Phase.FENCE, "fence.check", check=True, repeatable=True)
    first, *rest = ehr_steps(go_ahead={"skip": ""})
    compiled = plan(
        first,
        gate,
        *rest,
        kind=RunKind.FAILOVER,
        mode=Mode.LIVE,
        site="quebec",
        sources=SOURCES,
    )
    tale = Tale(compiled, reason="Flood at Montréal", declared=-30.0)
    tale.tell(
        0.05, FenceForced("m.tremblay", "the building is under water, seen by the fire brigade")
    )
    tale.do(0.1, 0.4, "survivor-answers", outputs={"region": "qc"})
    tale.do(
        0.5,
        5.5,
        "primary-is-down",
        verdict=Verdict.ERROR,
        cause="primary-unknown",
        message="it does not answer, and that is not down",
        outputs={"primary": "unknown"},
    )
    tale.start(5.6, "restore-documents", dataset="ehr-documents", region="qc")
    tale.start(5.6, "restore-database", dataset="ehr-db", region="qc")
    tale.ask(5.7, "go-ahead", "approve", "Switch the clinics to Québec?", quorum=1)
    tale.end(280.0, "restore-database", outputs=DATABASE)
    tale.end(300.0, "restore-documents", outputs=DOCUMENTS)
    tale.tell(
        310.0, SkipRequested("patients-are-all-there", "m.tremblay", "counted by hand: 4,000")
    )
    tale.answer(400.0, "go-ahead", "l.gagnon", "clinics told")
    tale.do(400.1, 401.0, "start-ehr", outputs={"service": "pid-9"})
    for n in range(3):
        tale.do(401.1 + n, 401.2 + n, "ehr-answers", outputs={"status": 200})
        if n < 2:
            tale.retry(401.2 + n, "ehr-answers", 0.9)
    for name in ("undo-start-ehr", "remove-restored"):
        tale.skip(403.4, name, "left standing: this is a live run")
    return tale.finish(403.5)


EXERCISES = {
    "whole-drill": whole_drill,
    "tabletop": tabletop,
    "failed-restore-test": failed_restore_test,
    "forced-failover": forced_failover,
}
