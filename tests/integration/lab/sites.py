"""A hospital with two regions on loopback, as the lab makes it, for tests of the ready runbooks."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from drorch.actions.places import bucket_of
from drorch.app import labs
from drorch.app.answering import approve
from drorch.app.backups import back_up
from drorch.app.drills import drill
from drorch.app.failovers import Declaration, carry_live, compile_live, request_by
from drorch.app.program import Program
from drorch.app.runs import Control, RunView, resume
from drorch.config.load import load_configuration
from drorch.core.names import Outcome, RunState
from drorch.lab.hospital import production
from drorch.lab.hospital.production import Database, Facts, Scale
from drorch.loopback import free_port, free_ports
from tests.integration.app.quick_keys import made_quick

ROOT = Path(__file__).parents[3]
SMALL = Scale(patients=300, visits=900, results=1_500, documents=120, bytes=2_000_000)


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
        assert all(made.ok for made in made_quick(self.program, self.datasets))
        return facts

    def back_up(self) -> None:
        for done in back_up(self.program, self.datasets, control=Control()):
            assert isinstance(done, RunView)
            assert done.state.finished.outcome is Outcome.PASSED

    def lose(self) -> None:
        """The first region's server dies, and the hospital's own with it."""
        labs.lab_of(self.program).kill("mtl")
        production.stop(self.hospital, self.program.commands)

    def wipe(self, region: str, dataset: str, kind: str) -> None:
        """Delete a repository's objects of one kind, as somebody with the region's keys can."""
        bucket = bucket_of(self.program.tools, self.program.region(region))
        for entry in list(bucket.list_objects(f"datasets/{dataset}/{kind}/")):
            bucket.delete(entry.name)

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


def a_site(folder: Path) -> Site:
    """configs/lab.yaml in a folder of its own, on free ports; `close` it."""
    text = (ROOT / "configs" / "lab.yaml").read_text(encoding="utf-8")
    text = text.replace("../runbooks", str(ROOT / "runbooks"))
    for port, free in zip(("9101", "9102"), free_ports(2), strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
    (folder / "drorch.yaml").write_text(text, encoding="utf-8")
    return Site(Program(load_configuration(folder / "drorch.yaml"), os.environ))


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


@contextmanager
def _colleague(program: Program) -> Iterator[None]:
    """Somebody else at the keyboard: who declares does not approve alone."""
    owner = program.owner
    vars(program)["owner"] = replace(owner, user="marie")
    yield
    vars(program)["owner"] = owner


def carried_live(
    program: Program, name: str, inputs: Mapping[str, str], *, homeward: bool = False
) -> tuple[RunView, dict[str, str]]:
    """Declared, and every question answered with yes by a colleague; the view, and what was asked."""
    asked: dict[str, str] = {}
    plan = compile_live(program, name, inputs, homeward=homeward)
    request = request_by(program, Declaration("ticket 4711"), name)
    view = carry_live(program, plan, request, control=Control()).view
    while view.word is RunState.WAITING_FOR_PERSON:
        for step in list(view.state.asked):
            asked[step] = view.state.steps[step].question.asked.prompt
            with _colleague(program):
                approve(program, view.run, step, yes=True, reason="seen")
        view = resume(program, view.run, control=Control())
    return view, asked
