"""What one run tells a quarter: what it brought back, and the proof that it was destroyed again."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    Recorded,
    RunFinished,
    RunStarted,
)
from drorch.core.model import Configuration, Dataset, Region, Site
from drorch.core.names import Mode, Outcome, Phase, RunKind, RunState, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.posture import RunRow
from drorch.core.quarter_records import Destruction
from drorch.core.quarter_story import Story, drill_of, findings_of, restores_of, targets_of
from drorch.core.run import replay
from drorch.core.timing import time_run
from tests.fakes.facts import DAWN, OWNER, at

CONFIGURATION = Configuration(
    Path("/etc/drorch"),
    sites={"quebec": Site("quebec", "CA-QC")},
    regions={"qc": Region("qc", "http://qc", "b", "CA-QC")},
    datasets={"db": Dataset("db", "key", "qc", residency=("CA-QC",))},
)
OUTPUTS = {
    "dataset": "db",
    "region": "qc",
    "snapshot": "9a" * 32,
    "snapshot_at": "2026-11-23T02:30:00Z",
    "files": 7,
    "bytes": 99,
    "path": "/srv/drorch/var/drill/db",
}


def story(
    *told: tuple[str, Verdict, Mapping[str, Any]],
    removes: Sequence[str] = ("/srv/drorch/var/drill",),
    undoes: str = "",
    ended: bool = True,
    site: str = "",
    kind: RunKind = RunKind.DRILL,
) -> Story:
    """A drill that restores, verifies, and removes; what its attempts came to, in order."""
    arguments = {"dataset": "db", "region": "qc", "to": "var/drill/db", "purpose": "to see"}
    steps = [
        PlannedStep("restore", Phase.STEPS, "restore", arguments),
        PlannedStep("look", Phase.VERIFY, "command", {}, check=True),
        *(
            PlannedStep(f"remove-{n}", Phase.CLEANUP, "files.remove", {"path": p}, undoes=undoes)
            for n, p in enumerate(removes)
        ),
    ]
    plan = Plan(kind, "ehr", Mode.DRILL, "s", tuple(steps), service="ehr", site=site)
    events: list[Event] = [RunStarted(plan, OWNER, "m.tremblay", "operator", "quarterly")]
    failed = False
    for step, verdict, outputs in told:
        given = next(s.arguments for s in steps if s.id == step)
        events.append(AttemptStarted(step, 1, given))
        took = timedelta(seconds=1)
        events.append(AttemptFinished(step, 1, verdict, took, outputs, message="no"))
        failed = failed or (verdict is not Verdict.PASS and not step.startswith("remove"))
    if ended:
        left = tuple(s for s, v, _ in told if v is not Verdict.PASS and s.startswith("remove"))
        events.append(RunFinished(Outcome.FAILED if failed else Outcome.PASSED, left))
    recorded = [Recorded("r1", n, at(n), event, "h") for n, event in enumerate(events, 1)]
    state = replay(recorded)
    row = RunRow("r1", RunKind.DRILL, "ehr", "s", Mode.DRILL, "operator", "m", DAWN, None, RunState.FINISHED, None, False, 1, "h", "h", 1, 1, "b", "t")  # fmt: skip
    return Story(row, state, time_run(state, at(len(events))), "h")


PASS, FAIL = Verdict.PASS, Verdict.FAIL
NOTHING: Mapping[str, Any] = {"removed": []}
STILL = {"removed": [], "left": ["/srv/drorch/var"]}
BACK = ("restore", PASS, OUTPUTS)
WHOLE = ("look", PASS, {})


@pytest.mark.parametrize(
    ("removes", "removed"),
    [
        ("/srv/drorch/var/drill", ["/srv/drorch/var/drill"]),
        ("/srv/drorch/var/drill/db", ["/srv/drorch/var/drill/db"]),
        ("var/drill", ["/srv/drorch/var/drill"]),
        ("./var/drill/", []),
        ("/srv/drorch/var/drill", []),
    ],
    ids=["above", "itself", "relative", "relative and gone before", "gone before"],
)
def test_what_a_cleanup_step_removed_is_destroyed(removes: str, removed: list[str]) -> None:
    told = story(BACK, WHOLE, ("remove-0", PASS, {"removed": removed}), removes=[removes])
    (entry,) = restores_of(told, CONFIGURATION)
    assert (entry.state, entry.destroyed_by) == (Destruction.DESTROYED, "remove-0")
    assert entry.destroyed_at == at(7).at
    assert (entry.by, entry.purpose, entry.region, entry.jurisdiction) == ("m.tremblay", "to see", "qc", "CA-QC")  # fmt: skip
    assert (entry.host, entry.to, entry.files) == (OWNER.host, OUTPUTS["path"], 7)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (story(BACK, WHOLE, ("remove-0", FAIL, {})), Destruction.LEFT),
        (story(BACK, WHOLE, ("remove-0", PASS, {"removed": ["/x"]})), Destruction.LEFT),
        (story(BACK, WHOLE, ("remove-0", PASS, {"removed": ["/x"]}), removes=["/x"]), Destruction.LEFT),
        (story(BACK, WHOLE, removes=["/srv/drorch/var/drill-2"]), Destruction.LEFT),
        (story(BACK, WHOLE, removes=["elsewhere"], undoes="restore"), Destruction.LEFT),
        (story(BACK, WHOLE, removes=()), Destruction.LEFT),
        (story(BACK, WHOLE, removes=(), kind=RunKind.FAILOVER), Destruction.KEPT),
        (story(BACK, WHOLE, ("remove-0", PASS, STILL), removes=["var/drill"]), Destruction.LEFT),
        (story(("remove-0", PASS, NOTHING), BACK, WHOLE, removes=["var/drill"]), Destruction.LEFT),
        (story(BACK, ended=False), Destruction.OPEN),
        (story(BACK, removes=(), ended=False), Destruction.OPEN),
        (story(("restore", FAIL, {})), Destruction.NOTHING),
    ],
    ids=["failed", "another", "elsewhere", "a name alike", "undo", "none", "a failover", "still there", "before it came", "open", "open none", "failed restore"],
)  # fmt: skip
def test_what_was_not_is_told(told: Story, state: Destruction) -> None:
    (entry,) = restores_of(told, CONFIGURATION)
    assert (entry.state, entry.destroyed_at) == (state, None)


def test_a_run_that_restored_nothing_is_not_in_the_log() -> None:
    assert list(restores_of(story(), CONFIGURATION)) == []


@pytest.mark.parametrize(("site", "inside"), [("quebec", True), ("", None)])
def test_where_data_went_is_known_by_the_plan_s_site(site: str, inside: bool | None) -> None:
    (target,) = targets_of(story(BACK, WHOLE, site=site), CONFIGURATION)
    assert (target.site, target.inside) == (site or None, inside)
    assert (target.residency, target.host) == (("CA-QC",), OWNER.host)


def test_findings_have_the_numbers_of_the_run_s_own_report() -> None:
    from drorch.core.document import run_document

    told = story(BACK, ("look", FAIL, {}), ("remove-0", FAIL, {}))
    found = list(findings_of(told, DAWN + timedelta(days=3)))
    document = run_document(
        told.state, run="r1", journal_head="h", state_word=RunState.FINISHED, now=at(9)
    )
    assert [f.id for f in found] == [f["id"] for f in document["findings"]] != []
    assert {f.service for f in found} == {"ehr"}
    assert found[0].age == DAWN + timedelta(days=3) - at(8).at


def test_a_drill_is_what_its_report_says() -> None:
    drill = drill_of(story(BACK, WHOLE, ("remove-0", PASS, {"removed": []})))
    assert (drill.outcome, drill.datasets, drill.regions) == ("passed", ("db",), ("qc",))
    assert drill.rto.actual == timedelta(seconds=3)
    assert drill.rpo.actual == at(1).at - (DAWN - timedelta(minutes=30))
    assert (drill.exercise, drill.dirty, drill.reason) == ("", False, "quarterly")
