"""The ready runbook ehr-failover on real regions, restic and data: what it proves, what it finds."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drorch.app import labs
from drorch.app.answering import approve
from drorch.app.backups import back_up
from drorch.app.drills import drill
from drorch.app.program import Program
from drorch.app.repositories import initialise
from drorch.app.runs import Control, RunView, resume
from drorch.config.load import load_configuration
from drorch.core.names import Outcome, RunState, StepStatus
from drorch.lab.hospital import production
from drorch.lab.hospital.cluster import find_postgresql
from drorch.lab.hospital.production import Database, Facts, Scale
from tests.programs import must_have

ROOT = Path(__file__).parents[3]
SMALL = Scale(patients=300, visits=900, results=1_500, documents=120, bytes=2_000_000)


@pytest.fixture(autouse=True)
def postgresql() -> None:
    must_have(find_postgresql(), "postgresql")


both = pytest.mark.parametrize("database", list(Database))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Site:
    """A hospital with two regions, and its surviving site."""

    program: Program

    @property
    def hospital(self) -> Path:
        return labs.hospital_folder(self.program)

    def make(self, database: Database) -> Facts:
        labs.regions_up(self.program)
        facts = production.generate(
            self.hospital, seed=7, database=database, commands=self.program.commands, scale=SMALL
        )
        assert all(made.ok for made in initialise(self.program, self.datasets))
        return facts

    def back_up(self) -> None:
        for done in back_up(self.program, self.datasets, control=Control()):
            assert isinstance(done, RunView)
            assert done.state.finished.outcome is Outcome.PASSED

    def lose(self) -> None:
        """The first region's server dies, and the hospital's own with it."""
        labs.lab_of(self.program).kill("mtl")
        production.stop(self.hospital, self.program.commands)

    def drill(self, facts: Facts | None = None) -> RunView:
        inputs = {"port": str(free_port())}
        if facts is not None:
            inputs |= {
                "patients": str(facts.patients),
                "visits": str(facts.visits),
                "canary": facts.canary,
                "manifest": facts.manifest_sha256,
            }
        return drill(self.program, "ehr-failover", inputs, control=Control()).view

    @property
    def datasets(self):
        return list(self.program.configuration.datasets.values())

    def close(self) -> None:
        if self.hospital.exists():
            production.clear(self.hospital, self.program.commands)
        assert labs.lab_of(self.program).down() == ()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    text = (ROOT / "configs" / "lab.yaml").read_text(encoding="utf-8")
    text = text.replace("../runbooks", str(ROOT / "runbooks"))
    for port in ("9101", "9102"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    (tmp_path / "drorch.yaml").write_text(text, encoding="utf-8")
    made = Site(Program(load_configuration(tmp_path / "drorch.yaml"), os.environ))
    yield made
    made.close()


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


def assert_nothing_left(site: Site, view: RunView) -> None:
    folder = site.program.configuration.folder
    assert not (folder / "var" / "drill").exists()
    assert view.state.finished.left_behind == ()
    for step in ("start-ehr", "load-database"):
        outputs = view.state.outputs.get(step, {})
        if "pid" in outputs:
            assert not Path(f"/proc/{outputs['pid']}").exists()
        if "data" in outputs:
            assert not Path(outputs["data"]).exists()


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
