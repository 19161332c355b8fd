"""Real drills by the real program on a real journal, killed at any moment and carried on.

The runbook's steps leave one line each in `effects.log`, which drorch knows nothing of: it stands
for the outside world, and says what truly happened. `Carried` is what a person would do: start,
look, settle what is unknown by looking at the outside, resume.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from drorch.app.answering import approve, settle
from drorch.app.program import Program
from drorch.app.reports import run_report
from drorch.app.runs import RunView, view
from drorch.core.names import Outcome, StepStatus
from drorch.core.run import LOST_LIMIT
from drorch.core.state import RunFold
from drorch.journal.verify import verify_journal
from drorch.reports.run import ReportFormat
from tests.agreeing import figures_agree

SOURCE = Path(__file__).parents[2]

CONFIGURATION = """\
organization: Centre hospitalier Sainte-Rive
timezone: America/Toronto
state: sqlite:///drorch.db
runbooks: runbooks/
"""

#: `act NAME SECONDS`: work half the time, leave the one line, work the other half. The line is
#: written by one write to a file opened for appending.
ACT = """\
#!/bin/sh
set -eu
sleep "$1"
echo "$DRORCH_RUN $DRORCH_STEP" >> effects.log
sleep "$1"
"""

#: Fails the first time it comes to its end; then it acts.
SECOND_TIME = """\
#!/bin/sh
set -eu
sleep 0.05
test -e "tried-$DRORCH_RUN" || { touch "tried-$DRORCH_RUN"; exit 3; }
exec ./act 0.05
"""

#: Has children and grandchildren of its own, which would live much longer than any test.
FAMILY = """\
#!/bin/sh
set -eu
sleep 600 & first=$!
sh -c 'sleep 600 & exec sleep 600' & second=$!
sleep 0.1
kill $first
pkill -P $second || true
kill $second
exec ./act 0.05
"""

RUNBOOK = """\
runbook: campaign
parallel: 3
preconditions:
  - check: place-is-there
    do: command
    with: {argv: [test, -x, ./act]}
steps:
  - step: prepare
    do: command
    with: {argv: [./act, "0.03"]}
    undo: {do: command, with: {argv: [./act, "0.03"]}}
  - step: left
    needs: [prepare]
    do: command
    with: {argv: [./act, "0.15"]}
    undo: {do: command, with: {argv: [./act, "0.03"]}}
  - step: right
    needs: [prepare]
    do: command
    with: {argv: [./second-time]}
    retry: {attempts: 4, delay: 100ms, jitter: 50%}
    undo: {do: command, with: {argv: [./act, "0.03"]}}
  - step: family
    needs: [prepare]
    do: command
    repeatable: true
    with: {argv: [./family]}
  - step: told-to-go-on
    needs: [prepare]
    on_failure: continue
    do: command
    with: {argv: ["false"]}
  - step: gather
    needs: [left, right, family, told-to-go-on]
    do: command
    with: {argv: [./act, "0.03"]}
verify:
  - check: gathered
    do: shell
    with: {script: 'grep -qx "$DRORCH_RUN gather" effects.log'}
    until: {within: 30s, every: 100ms, successes: 3}
cleanup:
  - step: sweep
    do: command
    repeatable: true
    with: {argv: [./act, "0.03"]}
  - step: last
    do: command
    with: {argv: [./act, "0.03"]}
"""

#: The same, and beside the work it waits: for people, and for time to pass.
ASKING = RUNBOOK.replace("runbook: campaign", "runbook: asking\nobjectives: {rto: 1h}").replace(
    """\
  - step: gather
    needs: [left,""",
    """\
  - step: go-ahead
    needs: [prepare]
    do: approve
    with: {prompt: "Go on?", within: 1h, otherwise: abort}
  - step: breathe
    needs: [prepare]
    do: wait
    with: {for: 100ms}
  - step: gather
    needs: [go-ahead, breathe, left,""",
)

#: What each step that may go again comes to when nobody loses it; `family` and `sweep` may
#: leave more than one line.
ONCE = ("prepare", "left", "right", "gather", "undo:prepare", "undo:left", "undo:right", "last")
REPEATED = ("family", "sweep")

#: Options of a line that nobody looks at.
QUIETLY = ("--progress", "none")

#: How long anything may take before a test gives up on it; never waited for when all is well.
PATIENCE = 60.0


@dataclass
class Carried:
    """One folder with a configuration, its runbook, its journal, and the outside."""

    folder: Path
    kills: int = 0
    approved: int = 0
    settled: dict[str, int] = field(default_factory=lambda: {"happened": 0, "did-not-happen": 0})

    @classmethod
    def prepared(cls, folder: Path) -> "Carried":
        (folder / "runbooks").mkdir()
        for name, text in (("campaign", RUNBOOK), ("asking", ASKING)):
            (folder / "runbooks" / f"{name}.yaml").write_text(text)
        (folder / "drorch.yaml").write_text(CONFIGURATION)
        for name, script in (("act", ACT), ("second-time", SECOND_TIME), ("family", FAMILY)):
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)
        (folder / "effects.log").touch()
        return cls(folder)

    def program(self) -> Program:
        return Program.open(self.folder / "drorch.yaml", {"PATH": os.environ["PATH"]})

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """The real program, in a session of its own so that nothing but it is hit."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "HOME": "/nonexistent",
        }
        line = [sys.executable, "-m", "drorch", "--config", str(self.folder / "drorch.yaml")]
        return subprocess.Popen(
            [*line, *words],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        """Let it come to its end; its exit code and what it said on stderr."""
        try:
            _, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return process.returncode, errors

    def kill_after(
        self, process: "subprocess.Popen[str]", seconds: float, *, of_the_run: bool
    ) -> bool:
        """Kill it -9 after so long; False if it had come to its end by itself.

        The time begins with the process, or `of_the_run`: with the first line on stderr.
        """
        if of_the_run and process.stderr is not None:
            process.stderr.readline()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            self.kills += 1
            return True
        return False

    def began(self) -> bool:
        return (self.folder / "drorch.db").exists()

    def count(self) -> int:
        """How many runs the journal knows."""
        if not self.began():
            return 0
        program = self.program()
        with program.journal:
            return len(program.journal.rows())

    def newest(self) -> str:
        program = self.program()
        with program.journal:
            return program.journal.rows(limit=1)[0].run

    def seen(self, run: str) -> RunView:
        program = self.program()
        with program.journal:
            return view(program, run)

    def journal_is_whole(self) -> None:
        if self.began():
            program = self.program()
            with program.journal:
                report = verify_journal(program.journal)
            assert report.ok, report.flaws

    def report_can_be_made(self, run: str) -> None:
        """In every format, and it names the run."""
        program = self.program()
        with program.journal:
            for one in (ReportFormat.MARKDOWN, ReportFormat.JSON):
                assert run.encode() in run_report(program, run, one)

    def effects(self, run: str) -> list[str]:
        """The steps that truly happened, in order."""
        lines = (self.folder / "effects.log").read_text().splitlines()
        return [step for r, step in (line.split() for line in lines) if r == run]

    def wait_until_alone(self, token: str) -> None:
        """No process that the killed program had in flight survives it."""
        until = time.monotonic() + PATIENCE
        while left := marked(token):
            assert time.monotonic() < until, f"processes {left} survive their owner"
            time.sleep(0.01)

    def settle_what_is_unknown(self, run: str) -> None:
        """Say of each step of unknown outcome what the outside says, as `drorch run settle` does."""
        program = self.program()
        with program.journal:
            for step in view(program, run).state.steps.values():
                running = step.status is StepStatus.RUNNING and not step.plan.repeatable
                if not (running or step.unknown):
                    continue
                happened = step.plan.id in self.effects(run)
                self.settled["happened" if happened else "did-not-happen"] += 1
                settle(program, run, step.plan.id, happened=happened, reason="looked")

    def approve_what_is_asked(self, run: str) -> None:
        """Say yes to whatever the run asks, as `drorch run approve` does."""
        program = self.program()
        with program.journal:
            state = view(program, run).state
            for step in [s for s in state.asked if state.steps[s].plan.person]:
                approve(program, run, step, yes=True, reason="seen")
                self.approved += 1

    def carry_to_its_end(self, run: str) -> None:
        """Resume, settle by what the outside says, and say yes, until it is over."""
        while self.seen(run).state.finished is None:
            self.settle_what_is_unknown(run)
            self.approve_what_is_asked(run)
            code, errors = self.finish(self.start(*QUIETLY, "run", "resume", run, "--json"))
            if code == 1:
                # Given up: lost too often at the same step, as a line on stderr says.
                assert f"its owner died {LOST_LIMIT} times while it ran" in errors, errors
            else:
                assert (code, errors) in {(0, ""), (7, "")}, (code, errors)


def marked(token: str) -> list[int]:
    """Living processes that carry an owner's token."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            mark = f"DRORCH_OWNER={token}".encode() in (entry / "environ").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark and state not in "ZX":
            found.append(int(entry.name))
    return found


def ended_right(carried: Carried, run: str) -> None:
    """Everything that must hold of a run that was killed and carried on, whatever happened."""
    carried.journal_is_whole()
    seen = carried.seen(run)
    state = seen.state
    assert state.finished is not None
    figures_agree(seen.document)
    carried.report_can_be_made(run)
    for token in [state.owner.token, *(t.owner.token for _, t in state.takings)]:
        carried.wait_until_alone(token)
    lost = {s.plan.id for s in state.steps.values() if s.losses >= LOST_LIMIT and s.plan.repeatable}
    if lost:
        # Killed too often at the same place: given up, and said so; cleanup was still done.
        assert all(state.steps[s].status is StepStatus.FAILED for s in lost)
        happened = Counter(carried.effects(run))
        for undo in _undone(state):
            # What was said not to have happened, and did not come to be tried again, is not undone.
            step = state.steps[state.steps[undo].plan.undoes]
            assert happened[undo] == step.may_have_happened, undo
        return
    assert state.finished.outcome is Outcome.PASSED, state.steps
    assert not state.finished.left_behind
    passed = {s for s, v in state.steps.items() if v.status is StepStatus.PASSED}
    assert set(state.steps) - passed == {"told-to-go-on"}
    _happened_right(carried.effects(run), _undone(state))


def _undone(state: RunFold) -> list[str]:
    """The undo steps in the order in which they must have happened."""
    undoes = {s.plan.undoes: s.plan.id for s in state.steps.values() if s.plan.undoes}
    return [undoes[s] for s in reversed(state.started_order) if s in undoes]


def _happened_right(effects: list[str], undone: list[str]) -> None:
    counted = Counter(effects)
    assert {s: counted[s] for s in ONCE} == dict.fromkeys(ONCE, 1)
    assert all(counted[s] >= 1 for s in REPEATED)
    assert [s for s in effects if s.startswith("undo:")] == undone
    assert effects[-1] == "last"
