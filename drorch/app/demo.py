"""Use case `demo`: the main job, end to end, on this machine alone.

An invented hospital is backed up to two embedded regions, one region dies, and the runbook
ehr-failover brings everything back from the other, proven and timed.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drorch.app import labs
from drorch.app.backups import Carried, back_up
from drorch.app.closing import close
from drorch.app.drills import Drilled, drill
from drorch.app.outbox import bring
from drorch.app.plane.copying import copied
from drorch.app.program import Program
from drorch.app.repositories import initialise
from drorch.app.runs import Control, RunView, resume
from drorch.app.sealing import export_run
from drorch.app.setup import made_folder
from drorch.app.shipped import shipped
from drorch.config.load import load_configuration
from drorch.core.errors import DrorchError, ExitCode, UsageError
from drorch.core.events import AbortRequested
from drorch.core.names import Outcome
from drorch.engine.loop import Interrupted, Watcher
from drorch.lab.hospital import production
from drorch.lab.hospital.production import Facts, Scale
from drorch.lab.regions import PortTaken
from drorch.loopback import free_port
from drorch.ports import Progress

RUNBOOK = "ehr-failover"
LOST, SURVIVOR = "mtl", "qc"
_MARKER = ".drorch-demo"

#: How often the demo looks for other ports when somebody was quicker to take one.
_PORT_TRIES = 5


class DemoFailed(DrorchError):
    """A part of the demo that must work did not."""

    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True)
class Stage:
    """How the demo speaks: a line as each part begins, progress within, watchers of its runs."""

    begin: Callable[[str], None]
    progress: Callable[[Progress], None]
    watchers: Callable[[str], Sequence[Watcher]]


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demo came to."""

    drilled: Drilled
    facts: Facts
    folder: Path
    bundle: Path | None

    @property
    def public_key(self) -> Path:
        """What the bundle is checked with."""
        return self.folder / "var" / "lab" / "secrets" / "evidence-key.pub"


def demo(
    folder: Path,
    *,
    control: Control,
    stage: Stage,
    environment: Mapping[str, str] | None = None,
    scale: Scale | None = None,
) -> Demonstrated:
    """Run the demo in `folder`; what was there of an earlier one is replaced.

    Raises DemoFailed, or Interrupted when told to stop; no process is left behind either way.
    """
    program = _prepared(folder, environment, control)

    def step(says: str) -> None:
        if control.stopping:
            raise Interrupted("the demo was interrupted", "run it again: it begins anew")
        stage.begin(says)

    def watched(progress: Progress) -> None:
        if control.stopping:
            raise Interrupted("the demo was interrupted", "run it again: it begins anew")
        stage.progress(progress)

    step(f"two embedded S3 regions come up on loopback: {LOST} and {SURVIVOR}")
    program = _regions_up(program, environment)
    hospital = labs.hospital_folder(program)
    commands = program.commands
    with _cleared(program, control):
        step("an invented hospital is made: patients, visits, documents")
        production.generate(
            hospital,
            seed=labs.SEED,
            database=production.database_here(),
            commands=commands,
            scale=scale or Scale(),
            progress=watched,
        )
        step("its repositories are made")
        datasets = list(program.configuration.datasets.values())
        for made in initialise(program, datasets):
            if not made.ok:
                raise DemoFailed(f"{made.dataset} in {made.region}: {made.message}", made.hint)
        step(f"both datasets are backed up to {LOST}, encrypted, and mirrored to {SURVIVOR}")
        _all_passed(back_up(program, datasets, control=control, watchers=stage.watchers), control)
        step("a working day passes")
        facts = production.change(hospital, commands=commands, progress=watched)
        step("both datasets are backed up again")
        _all_passed(back_up(program, datasets, control=control, watchers=stage.watchers), control)
        step(f"region {LOST} is lost: its server is killed, and the hospital's database stops")
        labs.lab_of(program).kill(LOST)
        production.stop(hospital, commands)
        step(f"the drill brings the EHR back from {SURVIVOR}")
        drilled = drill(
            program,
            RUNBOOK,
            _inputs(facts),
            control=control,
            watchers=stage.watchers(RUNBOOK),
        )
        bundle = None
        if not control.stopping:
            step(f"what the drill recorded is sealed, and kept in {SURVIVOR}")
            bundle = _sealed(program, drilled.view.run)
    return Demonstrated(drilled, facts, program.configuration.folder, bundle)


def _sealed(program: Program, run: str) -> Path:
    """The run's bundle, which is in the living region, too, as are drorch's own records."""
    bundle = program.configuration.folder / "evidence" / f"{run}.zip"
    export_run(program, run, bundle)
    close(program)
    bring(program)
    copied(program)
    return bundle


def _inputs(facts: Facts) -> dict[str, str]:
    """What production last knew of itself, for the runbook to compare with."""
    return {
        "region": SURVIVOR,
        "port": str(free_port()),
        "patients": str(facts.patients),
        "visits": str(facts.visits),
        "canary": facts.canary,
        "manifest": facts.manifest_sha256,
    }


def _prepared(folder: Path, environment: Mapping[str, str] | None, control: Control) -> Program:
    """The demo's own folder with a configuration of its own; an earlier demo's leftovers end."""
    folder = folder.absolute()
    made_folder(folder, "drorch demo FOLDER")
    if any(folder.iterdir()) and not (folder / _MARKER).exists():
        raise UsageError(
            f"{folder} holds something that is not a demo",
            "name another folder: drorch demo FOLDER",
        )
    clean(folder, environment, control=control)
    folder.mkdir(exist_ok=True)
    (folder / _MARKER).touch()
    shutil.copytree(shipped("runbooks"), folder / "runbooks")
    (folder / "drorch.yaml").write_text(_configuration(), encoding="utf-8")
    return Program(load_configuration(folder / "drorch.yaml"), environment)


def _regions_up(program: Program, environment: Mapping[str, str] | None) -> Program:
    """The program with its regions up: on other ports, where one was taken in the meantime."""
    file = program.configuration.folder / "drorch.yaml"
    for _ in range(_PORT_TRIES):
        try:
            labs.regions_up(program)
        except PortTaken as taken:
            text = file.read_text(encoding="utf-8")
            text = text.replace(f"127.0.0.1:{taken.port}", f"127.0.0.1:{free_port()}")
            file.write_text(text, encoding="utf-8")
            program = Program(load_configuration(file), environment)
        else:
            return program
    labs.regions_up(program)
    return program


def _configuration() -> str:
    """configs/lab.yaml, with the runbooks beside it and on ports that are free."""
    text = (shipped("configs") / "lab.yaml").read_text(encoding="utf-8")
    text = text.replace("../runbooks", "runbooks")
    for usual in ("9101", "9102"):
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{free_port(int(usual))}")
    return text


def clean(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    control: Control | None = None,
) -> bool:
    """End what a demo in `folder` left running, and remove the folder; False if there is none."""
    folder = folder.absolute()
    if not (folder / _MARKER).exists():
        return False
    if (folder / "drorch.yaml").exists():
        program = Program(load_configuration(folder / "drorch.yaml"), environment)
        _clear(program, control or Control())
    shutil.rmtree(folder)
    return True


@contextmanager
def _cleared(program: Program, control: Control) -> Iterator[None]:
    """Whatever happens inside, no process of the demo is left."""
    try:
        yield
    finally:
        _clear(program, control)


def _clear(program: Program, control: Control) -> None:
    # Told to leave at once, the demo's runs stay open; ending them here is a matter of its own.
    ending = Control() if control.stopping else control
    try:
        _end_open_runs(program, ending)
    finally:
        labs.down(program)


def _end_open_runs(program: Program, control: Control) -> None:
    """A run that was left open may have started services: its cleanup ends them."""
    for row in program.journal.rows(unfinished=True):
        with suppress(DrorchError):
            request = AbortRequested("drorch", "the demo is over")
            resume(program, row.run, control=control, word=request)


def _all_passed(carried: Sequence[Carried], control: Control) -> None:
    for one in carried:
        if isinstance(one, RunView) and one.state.finished is not None:
            if one.state.finished.outcome is Outcome.PASSED:
                continue
            if control.stopping:
                raise Interrupted("the demo was interrupted", "run it again: it begins anew")
            raise DemoFailed(f"backup {one.run} did not pass", _reason(one))
        if isinstance(one, DrorchError):
            raise one
        raise DemoFailed("a backup did not end", "run the demo again")


def _reason(seen: RunView) -> str:
    messages = (s.message for s in seen.state.steps.values() if s.message)
    return next(messages, "see its journal")
