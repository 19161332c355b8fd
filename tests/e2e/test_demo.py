"""`drorch demo`: from an installed wheel as a process, and stopped at every part of it."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drorch.app.demo import Demonstrated, Stage, clean, demo
from drorch.app.runs import Control
from drorch.core.events import AttemptStarted, Event
from drorch.core.moment import Moment
from drorch.core.names import Outcome
from drorch.core.state import RunFold
from drorch.engine.loop import Interrupted
from drorch.lab.hospital.production import Scale
from drorch.ports import Progress

ROOT = Path(__file__).resolve().parents[2]
SMALL = Scale(patients=300, visits=900, results=1_500, documents=120, bytes=2_000_000)
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def processes_in(folder: Path) -> list[str]:
    """Command lines of living processes that work in the folder or name it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            inside = (entry / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if int(entry.name) != os.getpid() and (inside or str(folder) in line):
            found.append(line)
    return found


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked: nothing of the source tree is beside it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


@pytest.mark.xdist_group("demo")
def test_an_installed_wheel_has_every_language(installed: Path) -> None:
    """What reads no file of the source tree says it in French."""
    code = (
        "from drorch.reports.language import LANGUAGES, language; "
        "print(*(language(code).say('Who to call') for code in LANGUAGES), sep='|')"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Who to call|Qui appeler\n"


@pytest.mark.xdist_group("demo")
def test_an_installed_wheel_does_the_whole_demo(installed: Path, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    program = [sys.executable, str(installed / "bin" / "drorch")]
    done = subprocess.run(
        [*program, "demo", "a demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    told = done.stdout[done.stdout.index("\ndrill ehr-failover: passed\n") :].splitlines()
    for beginning in ("  RTA ", "  RPA ", "  critical path: ", "  report: "):
        assert any(line.startswith(beginning) for line in told), beginning
    (report,) = (x.removeprefix("  report: ") for x in told if x.startswith("  report: "))
    assert "</html>" in Path(report).read_text(encoding="utf-8")
    check = next(line for line in told if line.startswith("  it is sealed; check it: "))
    words = shlex.split(check.partition(" journal verify ")[2])
    verified = [*program, "journal", "verify", *words]
    said = subprocess.check_output(verified, cwd=tmp_path, env=environment, text=True)
    assert "sealed by key " in said
    assert told[-1].endswith(" demo --clean 'a demo'")
    held = tmp_path / "a demo" / "var" / "lab" / "data" / "qc"
    assert list(held.glob("*/control-plane/*/*/segments/*/*")), "drorch's own records"
    assert processes_in(tmp_path) == []
    removed = [*program, "demo", "--clean", "a demo"]
    for says in ("removed: a demo\n", "no demo lies in a demo\n"):
        assert subprocess.check_output(removed, cwd=tmp_path, env=environment, text=True) == says
    assert not (tmp_path / "a demo").exists()


@dataclass
class Seen:
    """Who looks on at a demo, and does something when its moment comes."""

    at_part: Callable[[object], None] = lambda _: None
    at_attempt: Callable[[object], None] = lambda _: None
    parts: list[str] = field(default_factory=list)

    def stage(self) -> Stage:
        return Stage(self._begin, lambda _: None, self._watchers)

    def _begin(self, says: str) -> None:
        self.parts.append(says)
        self.at_part(len(self.parts))

    def _watchers(self, _: str) -> "Sequence[Seen]":
        return (self,)

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        if isinstance(event, AttemptStarted):
            self.at_attempt(event.step)

    def progress(self, step: str, progress: Progress) -> None:
        pass


def shown(folder: Path, seen: Seen, control: Control) -> Demonstrated:
    return demo(folder, control=control, stage=seen.stage(), environment=ENVIRONMENT, scale=SMALL)


def at(control: Control, wanted: object, *, gently: bool = True) -> Callable[[object], None]:
    """Stops the demo when this part begins, or this step's attempt."""

    def stop(found: object) -> None:
        if found == wanted and gently:
            control.abort("tester", "enough")
        elif found == wanted:
            control.leave("enough")

    return stop


def outcome(done: Demonstrated) -> Outcome:
    finished = done.drilled.view.state.finished
    assert finished is not None
    return finished.outcome


@pytest.mark.xdist_group("demo")
def test_a_demo_stopped_as_a_part_begins_leaves_no_process_and_begins_anew(tmp_path: Path) -> None:
    for part in (2, 4, 6, 7):
        control = Control()
        with pytest.raises(Interrupted):
            shown(tmp_path / "demo", Seen(at_part=at(control, part)), control)
        assert processes_in(tmp_path) == [], part
    again = Seen()
    assert outcome(shown(tmp_path / "demo", again, Control())) is Outcome.PASSED
    assert len(again.parts) == 9
    assert processes_in(tmp_path) == []


@pytest.mark.xdist_group("demo")
def test_a_port_that_somebody_takes_in_the_meantime_is_exchanged_for_another(
    tmp_path: Path,
) -> None:
    control, demo_folder = Control(), tmp_path / "demo"
    endpoint = re.compile(r"127\.0\.0\.1:(\d+)")
    with ExitStack() as squatters:

        def squat(part: object) -> None:
            if part == 1:
                taken.extend(endpoint.findall((demo_folder / "drorch.yaml").read_text()))
                squatters.enter_context(socket.create_server(("127.0.0.1", int(taken[0]))))
            else:
                control.abort("tester", "enough")

        taken: list[str] = []
        with pytest.raises(Interrupted):
            shown(demo_folder, Seen(at_part=squat), control)
    used = endpoint.findall((demo_folder / "drorch.yaml").read_text())
    assert used[0] != taken[0]
    assert used[1:] == taken[1:]
    assert processes_in(tmp_path) == []


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize(
    ("step", "gently"), [("backup", False), ("start-ehr", True), ("ehr-answers", False)]
)
def test_a_demo_stopped_in_a_step_leaves_no_process(
    tmp_path: Path, step: str, gently: bool
) -> None:
    control = Control()
    seen = Seen(at_attempt=at(control, step, gently=gently))
    if gently:
        assert outcome(shown(tmp_path / "demo", seen, control)) is Outcome.ABORTED
    else:
        with pytest.raises(Interrupted):
            shown(tmp_path / "demo", seen, control)
    assert processes_in(tmp_path) == []
    assert clean(tmp_path / "demo", ENVIRONMENT)
    assert not clean(tmp_path / "demo", ENVIRONMENT)
