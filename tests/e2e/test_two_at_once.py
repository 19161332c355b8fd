"""Two processes start on one run at the same moment: one carries it, the other has done nothing."""

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from drorch.app.drills import compile_plan
from drorch.core.events import AttemptStarted, RunStarted, RunTaken, Stamped
from drorch.core.names import Mode, Outcome
from tests.e2e.carried import PATIENCE, QUIETLY, SOURCE, Carried
from tests.fakes.postgres import postgres_url

ROUNDS = 20 if os.environ.get("DRORCH_CAMPAIGN") else 4

#: Says who began it, and goes on until it is let go.
HOLD = """\
#!/bin/sh
set -eu
echo "$DRORCH_RUN $DRORCH_STEP $DRORCH_OWNER" >> effects.log
while ! test -e "let-go-$DRORCH_RUN"; do sleep 0.02; done
"""

RUNBOOK = """\
runbook: wanted
steps:
  - step: hold
    do: command
    repeatable: true
    with: {argv: [./hold]}
    undo: {do: command, with: {argv: [./hold]}}
"""


@dataclass
class Starter:
    """A process that is ready to start; its temporary folder is its own."""

    process: "subprocess.Popen[str]"
    place: Path

    def told(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def says(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        return said["code"], said["errors"]

    def files(self) -> set[Path]:
        """What lies in its own folder; of a run that it carried, its table of children."""
        return {p for p in self.place.rglob("*") if not p.is_dir()}


@contextmanager
def starter(place: Path) -> Iterator[Starter]:
    place.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.starter"],
        cwd=SOURCE,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield Starter(process, place)
        finally:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def carried(request: pytest.FixtureRequest, tmp_path: Path) -> Carried:
    """The runbook, with its state in either database."""
    folder = tmp_path / "site"
    folder.mkdir()
    carried = Carried.prepared(folder)
    if request.param == "postgresql":
        configuration = folder / "drorch.yaml"
        url = postgres_url().replace("postgresql:", "postgresql+psycopg:")
        configuration.write_text(configuration.read_text().replace("sqlite:///drorch.db", url))
    (folder / "runbooks" / "wanted.yaml").write_text(RUNBOOK)
    (folder / "hold").write_text(HOLD)
    (folder / "hold").chmod(0o755)
    with carried.program().journal:  # the tables are there
        return carried


@pytest.fixture
def rivals(tmp_path: Path) -> Iterator[tuple[Starter, Starter]]:
    """Two processes that are ready."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(starter(tmp_path / name)) for name in ("one", "two"))


def abandoned(carried: Carried, number: int) -> str:
    """A run whose process is gone: it had begun its step."""
    run = f"2026-11-23T03-00-00Z-wanted-{number:04}"
    program = carried.program()
    plan = compile_plan(program, "wanted", Mode.DRILL, {})
    # A process of this pid lives, but began at another time: it is another one.
    dead = replace(program.owner, started=1, token=f"dead-{number}")
    events = (RunStarted(plan, dead, "m.tremblay", "operator"), AttemptStarted("hold", 1))
    with program.journal as journal:
        now = program.clock.now()
        journal.begin(run, [Stamped(now, event) for event in events], lambda row: None)
    return run


def first_to_say(rivals: tuple[Starter, Starter]) -> tuple[Starter, Starter]:
    """The one that has come to its end, and the other; both are left alone until then."""
    with selectors.DefaultSelector() as selector:
        for rival, other in (rivals, rivals[::-1]):
            selector.register(rival.process.stdout, selectors.EVENT_READ, (rival, other))
        (key, _), *_ = selector.select(PATIENCE)
        return key.data


def marks_at(folder: Path) -> set[str]:
    """The owners' tokens of all living processes that work in the folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            here = (entry / "cwd").readlink() == folder
            block = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        marks = [e.removeprefix(b"DRORCH_OWNER=") for e in block if e.startswith(b"DRORCH_OWNER=")]
        found |= {mark.decode() for mark in marks if here}
    return found


def owners(carried: Carried, run: str) -> list[str]:
    """The tokens of all who ever carried the run, by its journal."""
    with carried.program().journal as journal:
        events = [recorded.event for recorded in journal.read(run)]
    return [e.owner.token for e in events if isinstance(e, RunStarted | RunTaken)]


@pytest.mark.campaign
@pytest.mark.parametrize("verb", ["drill", "resume"])
def test_of_two_at_the_same_moment_one_carries_it_and_the_other_has_done_nothing(
    carried: Carried, rivals: tuple[Starter, Starter], verb: str
) -> None:
    configuration = ("--config", str(carried.folder / "drorch.yaml"))
    for number in range(ROUNDS):
        run = abandoned(carried, number) if verb == "resume" else ""
        line = ("run", "resume", run) if run else ("drill", "wanted")
        files = {rival.place: rival.files() for rival in rivals}
        for rival in rivals:
            rival.told(*configuration, *line, *QUIETLY, "--json")
        loser, winner = first_to_say(rivals)
        code, errors = loser.says()
        assert code == 4, errors
        assert errors.startswith("error: ")
        assert "\nhint: " in errors
        run = run or carried.newest()
        *before, token = owners(carried, run)
        assert before == ([f"dead-{number}"] if verb == "resume" else [])
        # Nothing of the loser's runs, and nothing of its lies about, while the winner's does.
        assert marks_at(carried.folder) <= {token}
        assert loser.files() == files[loser.place]
        (carried.folder / f"let-go-{run}").touch()
        assert winner.says() == (0, "")
        ended_by_one(carried, run, token)
        assert count(carried) == number + 1


def count(carried: Carried) -> int:
    with carried.program().journal as journal:
        return len(journal.rows())


def ended_by_one(carried: Carried, run: str, token: str) -> None:
    """The run came through, and all that happened was begun by the one who carried it."""
    state = carried.seen(run).state
    assert state.finished is not None
    assert state.finished.outcome is Outcome.PASSED
    lines = [line.split() for line in (carried.folder / "effects.log").read_text().splitlines()]
    assert [(step, by) for r, step, by in lines if r == run] == [
        ("hold", token),
        ("undo:hold", token),
    ]
