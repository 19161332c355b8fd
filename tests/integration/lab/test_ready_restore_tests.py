"""The ready runbooks that test restores: one dataset, and every dataset of a tier in one run."""

from drorch.app.drills import drill
from drorch.app.posture import status
from drorch.app.runs import Control
from drorch.core.names import Outcome, StepStatus
from drorch.lab.hospital.production import Database
from drorch.storage.bucket import close_buckets
from tests.integration.lab.sites import assert_nothing_left


def proven(site):
    """Which datasets `status` calls restore-tested."""
    found = status(site.program)["datasets"]
    return {d["dataset"] for d in found if any(c["restore_tested_at"] for c in d["copies"])}


def test_every_dataset_is_restored_compared_recorded_and_removed(site):
    facts = site.make(Database.SQLITE)
    site.back_up()
    assert proven(site) == set()
    view = drill(site.program, "restore-test-tier", {"tier": "1"}, control=Control()).view
    assert view.state.finished.outcome is Outcome.PASSED
    assert view.state.outputs["test/ehr-documents/whole"]["files"] == facts.documents + 1
    assert view.state.outputs["test/ehr-db/whole"]["files"] == 1
    assert proven(site) == {"ehr-documents", "ehr-db"}
    assert_nothing_left(site, view)
    assert not (site.program.configuration.folder / "var" / "restore-test-tier").exists()


def test_one_that_cannot_come_back_takes_no_other_with_it(site):
    """pains 13: what succeeded has succeeded, and one report tells both."""
    site.make(Database.SQLITE)
    site.back_up()
    for region in ("mtl", "qc"):
        site.wipe(region, "ehr-documents", "snapshots")
    close_buckets()
    view = drill(site.program, "restore-test-tier", {}, control=Control()).view
    assert view.state.finished.outcome is Outcome.FAILED
    status_of = {s.plan.id: s.status for s in view.state.steps.values()}
    assert status_of["test/ehr-documents/restore"] is StepStatus.FAILED
    assert status_of["test/ehr-documents/whole"] is StepStatus.SKIPPED
    assert status_of["test/ehr-db/whole"] is StepStatus.PASSED
    assert proven(site) == {"ehr-db"}
    assert {f["subject"] for f in view.document["findings"] if f["what"] == "step.failed"} == {
        "test/ehr-documents/restore"
    }
    assert_nothing_left(site, view)


def test_one_dataset_with_its_first_region_dead(site):
    site.make(Database.SQLITE)
    site.back_up()
    site.lose()
    view = drill(site.program, "restore-proof", {"dataset": "ehr-db"}, control=Control()).view
    assert view.state.finished.outcome is Outcome.PASSED
    assert view.state.outputs["restore"]["region"] == "qc"
