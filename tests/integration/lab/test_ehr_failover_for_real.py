"""The ready runbook ehr-failover on real regions, restic and data: what it proves, what it finds."""

import pytest

from drorch.app.answering import approve
from drorch.app.drills import drill
from drorch.app.runs import Control, RunView, resume
from drorch.core.names import Outcome, RunState, StepStatus
from drorch.lab.hospital import production
from drorch.lab.hospital.cluster import find_postgresql
from drorch.lab.hospital.production import Database
from tests.integration.lab.sites import assert_nothing_left
from tests.programs import must_have


@pytest.fixture(autouse=True)
def postgresql() -> None:
    must_have(find_postgresql(), "postgresql")


both = pytest.mark.parametrize("database", list(Database))


def with_status(view: RunView, status: StepStatus) -> set[str]:
    return {s.plan.id for s in view.state.steps.values() if s.status is status}


@both
def test_the_newest_copy_passes_and_an_older_one_is_found_out(database, site):
    before = site.make(database)
    site.back_up()
    after = production.change(site.hospital, commands=site.program.commands)
    site.lose()

    found_out = site.drill(after)
    assert found_out.state.finished.outcome is Outcome.FAILED
    assert with_status(found_out, StepStatus.FAILED) == {
        "patients-are-all-there",
        "visits-are-all-there",
        "canary-is-the-newest",
        "patients-by-sql",
        "canary-by-sql",
        "manifest-is-the-newest",
    }
    assert_nothing_left(site, found_out)

    passed = site.drill(before)
    assert passed.state.finished.outcome is Outcome.PASSED
    unused = {"load-database", "postgresql-answers-at", "undo:load-database", "remove-database"}
    if database is Database.POSTGRESQL:
        unused = {"sqlite-lies-at"}
    assert with_status(passed, StepStatus.SKIPPED) == unused | {"go-ahead", "primary-is-down"}
    assert_nothing_left(site, passed)


def test_without_productions_numbers_it_proves_that_the_copy_agrees_with_itself(site):
    facts = site.make(Database.SQLITE)
    site.back_up()
    site.lose()
    view = site.drill()
    assert view.state.finished.outcome is Outcome.PASSED
    assert view.state.outputs["patients-in-database"]["value"] == facts.patients
    assert view.state.outputs["documents-are-whole"]["matched"] == facts.documents
    assert "canary-is-the-newest" in with_status(view, StepStatus.SKIPPED)


def test_a_document_that_changed_without_its_manifest_is_found_out(site):
    site.make(Database.SQLITE)
    one = next((site.hospital / "documents").rglob("*.txt"))
    one.write_text("tampered with")
    site.back_up()
    site.lose()
    view = site.drill()
    assert view.state.finished.outcome is Outcome.FAILED
    assert with_status(view, StepStatus.FAILED) == {"documents-are-whole"}
    assert_nothing_left(site, view)


def test_the_other_ready_runbooks(site):
    """Region lost, one file, and a tabletop, each by its one command."""
    facts = site.make(Database.SQLITE)
    site.back_up()
    site.lose()
    lost = drill(site.program, "region-lost", {}, control=Control()).view
    assert lost.state.finished.outcome is Outcome.PASSED
    assert lost.state.outputs["documents/restore"]["files"] == facts.documents + 1
    assert_nothing_left(site, lost)

    wanted = next((site.hospital / "documents").rglob("*.txt"))
    inputs = {"dataset": "ehr-documents", "path": str(wanted), "asked-by": "ward 3"}
    one = drill(site.program, "restore-files", inputs, control=Control()).view
    assert one.state.finished.outcome is Outcome.PASSED
    assert one.state.outputs["restore"]["files"] == 1
    assert one.state.steps["restore"].attempts[0].arguments["purpose"] == "asked by ward 3"
    inputs["path"] = str(wanted.with_name("never-was.txt"))
    none = drill(site.program, "restore-files", inputs, control=Control()).view
    assert none.state.finished.outcome is Outcome.FAILED


def test_a_tabletop_goes_from_answer_to_answer(site):
    view = drill(site.program, "tabletop", {}, control=Control()).view
    answered = []
    while view.word is RunState.WAITING_FOR_PERSON:
        (step,) = view.state.asked
        approve(site.program, view.run, step, yes=True, reason=f"found out at {step}")
        answered.append(step)
        view = resume(site.program, view.run, control=Control())
    assert view.state.finished.outcome is Outcome.PASSED
    assert answered == [s.plan.id for s in view.state.steps.values()]
    assert view.document["machine_s"] < view.document["person_s"]
