"""What people say to a run that another process carries is heeded or refused, and never lost.

Pain 17: no silent refusal. Owners are real processes, or stand-ins for one: a `sleep` whose pid the
journal names, so that a test says at which moment it does what.
"""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.adapters.reaper import read_stat
from drorch.app.answering import abort, answer, approve, let_go_on, pause, retry, settle, skip
from drorch.app.drills import compile_plan
from drorch.app.program import Program
from drorch.app.runs import Control, resume, view
from drorch.cli.session import Session
from drorch.cli.verbs.run import answered
from drorch.core.errors import UsageError
from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStarted,
    SkipRequested,
    Stamped,
)
from drorch.core.names import Mode, Outcome, StepStatus, Verdict
from tests.e2e.carried import PATIENCE, QUIETLY, Carried

#: In every other round somebody ends the run while the others still talk.
ROUNDS = 16 if os.environ.get("DRORCH_CAMPAIGN") else 2
#: How many people say how many words in a round, and how often the process is killed meanwhile.
#: Killed once more, its step would have been lost too often.
PEOPLE, WORDS, KILLS = 3, 8, 2
SEED = os.environ.get("DRORCH_CAMPAIGN_SEED", "20261126")

RUN = "2026-11-23T03-00-00Z-steered-0001"

HOLD = """\
#!/bin/sh
while ! test -e let-go; do sleep 0.05; done
"""


def runbook(each: int) -> str:
    """Steps for people to steer: some fail and ask, some wait to be tried again, some are asked."""
    lines = ["runbook: steered", f"parallel: {4 * each + 1}", "steps:"]
    lines += ["  - {step: hold, do: shell, with: {script: ./hold}, repeatable: true}"]
    for n in range(each):
        test = f"do: command, with: {{argv: [test, -e, mended-{n}]}}"
        lines += [
            f"  - {{step: mend-{n}, needs: [], {test}, on_failure: ask}}",
            f"  - {{step: soon-{n}, needs: [], {test}, retry: {{attempts: 9, delay: 30m}}}}",
            f"  - {{step: go-{n}, needs: [], do: approve, with: {{prompt: Go?}}}}",
            f"  - {{step: later-{n}, needs: [hold], do: command, with: {{argv: ['true']}}}}",
        ]
    lines += ["cleanup:", "  - {step: sweep, do: command, with: {argv: [touch, swept]}}"]
    return "\n".join(lines) + "\n"


def prepared(folder: Path, each: int) -> Carried:
    carried = Carried.prepared(folder)
    (folder / "runbooks" / "steered.yaml").write_text(runbook(each))
    (folder / "hold").write_text(HOLD)
    (folder / "hold").chmod(0o755)
    return carried


# A stand-in for the owner


@dataclass
class Steered:
    """A run that a stand-in carries: it does what the test says while somebody waits for it."""

    carried: Carried
    process: "subprocess.Popen[bytes]"
    during: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.program = self.carried.program()
        plan = compile_plan(self.program, "steered", Mode.DRILL, {})
        found = read_stat(self.process.pid)
        assert found is not None
        owner = replace(self.program.owner, pid=found.pid, started=found.started, token="stands-in")
        self.record(RunStarted(plan, owner, "m.tremblay", "operator"))
        self.record(*(AttemptStarted(s, 1) for s in ("hold", "mend-0", "soon-0")))

    def record(self, *events: Event, taken: int = 0) -> None:
        journal, now = self.program.journal, self.program.clock.now()
        stamped = [Stamped(now, event) for event in events]
        if journal.recorded(RUN):
            journal.append(RUN, journal.find(RUN).seq, stamped, taken)
        else:
            journal.begin(RUN, stamped, lambda row: None)

    def takes(self, *before: Event) -> None:
        """What an owner does: it records what happened, and what was left for it."""
        left = self.program.journal.take_posted(RUN, 0)
        self.record(*before, *(word for _, word in left), taken=left[-1][0])

    def dies(self) -> None:
        self.process.kill()
        self.process.wait()

    def rest(self, seconds: float) -> None:
        """Somebody waits: the next thing happens."""
        if self.during:
            self.during.pop(0)()

    def events(self) -> list[Event]:
        return [recorded.event for recorded in self.program.journal.read(RUN)]


@pytest.fixture
def steered(tmp_path: Path) -> Iterator[Steered]:
    with subprocess.Popen(["sleep", "600"]) as process:
        steered = Steered(prepared(tmp_path, 1), process)
        with steered.program.journal:
            yield steered
        process.kill()


def skips(steered: Steered, step: str) -> SkipRequested:
    word = SkipRequested(step, "bob", "not needed")
    seen = answer(steered.program, RUN, word, steered.rest)
    assert not seen.left
    return word


def test_a_word_is_given_back_recorded_once_its_owner_has_taken_it(steered: Steered) -> None:
    steered.during = [lambda: None, steered.takes]
    word = skips(steered, "later-0")
    assert steered.events()[-1] == word


def test_a_word_left_for_an_owner_that_dies_is_recorded_all_the_same(steered: Steered) -> None:
    others = RunPaused("carol", "hold on")
    steered.program.journal.post(RUN, others)
    steered.during = [lambda: None, steered.dies]
    word = skips(steered, "later-0")
    assert steered.events()[-2:] == [others, word]
    assert list(steered.program.journal.take_posted(RUN, 0)) == []


def test_a_word_that_came_too_late_is_refused_with_the_reason(steered: Steered) -> None:
    gone = SkipRequested("later-0", "carol", "first")
    steered.during = [lambda: steered.takes(gone)]
    with pytest.raises(UsageError) as refused:
        skips(steered, "later-0")
    assert refused.value.message == "later-0: this came too late, it is skipped"
    assert "recorded and changed nothing" in refused.value.hint


def test_the_same_word_is_heeded_again_where_it_fits_again(steered: Steered) -> None:
    """What was said before, in the same words, is not taken for what is said now."""
    program, rest = steered.program, steered.rest
    steered.record(RunPaused(program.owner.user, "x"), RunContinued(program.owner.user))
    finish = AttemptFinished("hold", 1, Verdict.PASS, elapsed=program.clock.now().at.resolution)
    end = RunFinished(Outcome.PASSED)
    steered.during = [lambda: steered.record(finish, end)]
    with pytest.raises(UsageError) as refused:
        answer(program, RUN, RunPaused(program.owner.user, "x"), rest)
    assert refused.value.message == f"run {RUN} ended before it could heed this"


def test_a_word_that_a_silent_owner_does_not_take_is_said_to_be_left(steered: Steered) -> None:
    """It waits its time, by what `rest` is told, and lies there for the next who carries the run."""
    word = RunPaused("bob", "hold")
    assert answer(steered.program, RUN, word, steered.rest).left
    assert [w for _, w in steered.program.journal.take_posted(RUN, 0)] == [word]
    assert word not in steered.events()


def test_a_word_put_down_while_a_run_is_taken_over_turns_nobody_away(steered: Steered) -> None:
    """Both find its process gone; the word comes first, and moves the fence."""
    steered.dies()
    (steered.carried.folder / "let-go").touch()
    word = SkipRequested("later-0", "bob", "not needed")

    class Slow(SystemCommands):
        """What is done for a dead owner takes a moment, in which somebody says something."""

        def reap(self, owner: str) -> int:
            if word not in steered.events():
                answer(steered.program, RUN, word)
            return super().reap(owner)

    program = steered.carried.program()
    program.__dict__["commands"] = Slow(program.token)  # before its first use
    with program.journal:
        seen = resume(program, RUN, control=Control())
    assert seen.state.steps["later-0"].status is StepStatus.SKIPPED
    assert len(seen.state.takings) == 1


def test_who_left_a_word_is_told_that_it_is_not_recorded(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(Session(()), replace(view(steered.program, RUN), left=True))
    assert capsys.readouterr().out == (
        f"left for run {RUN}: its process has not taken it yet\n"
        f"see whether it has with: drorch run show {RUN}\n"
    )


def test_an_abort_whose_owner_dies_before_it_heeds_it_is_carried_out_here(
    steered: Steered,
) -> None:
    (steered.carried.folder / "let-go").touch()
    steered.during = [lambda: None, steered.dies]
    seen = abort(steered.program, RUN, "enough", control=Control(), rest=steered.rest)
    assert seen.state.finished is not None
    assert seen.state.finished.outcome is Outcome.ABORTED
    assert (steered.carried.folder / "swept").exists()


def test_an_abort_recorded_by_an_owner_that_then_dies_is_carried_out_here(
    steered: Steered,
) -> None:
    steered.during = [steered.takes, steered.dies]
    seen = abort(steered.program, RUN, "enough", control=Control(), rest=steered.rest)
    assert seen.state.finished is not None
    assert seen.state.steps["sweep"].status is StepStatus.PASSED


# Real owners, killed now and then


@dataclass
class Said:
    """A word, by its reason, and what came of it: heeded, left, or refused with a reason."""

    reason: str
    came: str


class Person:
    """Somebody at another terminal who says things at random."""

    def __init__(self, carried: Carried, run: str, name: str) -> None:
        self.program: Program = carried.program()
        self.run = run
        self.name = name
        self.chance = random.Random(f"{SEED}-{name}")

    def talks(self) -> list[Said]:
        with self.program.journal:
            return [self._says(f"{self.name} says {n}") for n in range(WORDS)]

    def _says(self, reason: str) -> Said:
        kind = self.chance.choice(("mend", "soon", "later"))
        step = f"{kind}-{self.chance.randrange(WORDS)}"
        go = f"go-{self.chance.randrange(WORDS)}"
        program, run = self.program, self.run
        word = self.chance.choice(
            (
                lambda: pause(program, run, reason),
                lambda: let_go_on(program, run, reason),
                lambda: retry(program, run, step, reason),
                lambda: skip(program, run, step, reason),
                lambda: approve(program, run, go, yes=True, reason=reason),
                lambda: settle(program, run, step, happened=False, reason=reason),
            )
        )
        try:
            return Said(reason, "left" if word().left else "heeded")
        except UsageError as error:
            return Said(reason, f"refused: {error.message}")


def ends(carried: Carried, run: str) -> str:
    """Somebody ends the run, and sees it ended; the reason that the run gives."""
    program = carried.program()
    with program.journal:
        state = abort(program, run, "enough", control=Control()).state
    assert state.finished is not None
    assert state.abort is not None
    assert state.steps["sweep"].status is StepStatus.PASSED
    return state.abort.reason


def carry_to_its_end(carried: Carried, run: str) -> None:
    """Whatever is still wanted is given, until the run is over."""
    for n in range(WORDS):
        (carried.folder / f"mended-{n}").touch()
    program = carried.program()
    with program.journal:
        while (state := carried.seen(run).state).finished is None:
            for step in [state.steps[s] for s in state.asked]:
                if step.failed_and_asks:
                    retry(program, run, step.plan.id, "mended")
            carried.settle_what_is_unknown(run)
            carried.approve_what_is_asked(run)
            for step in [s for s in state.steps.values() if s.status is StepStatus.RETRYING]:
                retry(program, run, step.plan.id, "now")
            code, errors = carried.finish(carried.start(*QUIETLY, "run", "resume", run, "--json"))
            assert code in {0, 7}, errors


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(ROUNDS))
def test_words_from_many_terminals_are_each_heeded_or_refused_whatever_becomes_of_the_owner(
    tmp_path: Path, number: int
) -> None:
    carried = prepared(tmp_path, WORDS)
    owner = carried.start(*QUIETLY, "drill", "steered", "--json")
    until = time.monotonic() + PATIENCE
    while carried.count() == 0:
        assert time.monotonic() < until
    run = carried.newest()
    people = [Person(carried, run, f"person {number}-{n}") for n in range(PEOPLE)]
    chance = random.Random(f"{SEED}-{number}")
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        talking = [pool.submit(person.talks) for person in people]
        for _ in range(KILLS):
            assert carried.kill_after(owner, chance.uniform(0.5, 3.0), of_the_run=False)
            owner = carried.start(*QUIETLY, "run", "resume", run, "--json")
        ending = pool.submit(ends, carried, run) if number % 2 else None
        said = [word for one in talking for word in one.result()]
    if ending is not None:
        assert ending.result() == "enough"
    (carried.folder / "let-go").touch()
    until = time.monotonic() + PATIENCE
    while not carried.seen(run).state.steps["hold"].status.final:
        assert time.monotonic() < until
    carried.kill_after(owner, 0.0, of_the_run=False)
    carry_to_its_end(carried, run)
    _each_was_heeded_or_refused(carried, run, said)


def _each_was_heeded_or_refused(carried: Carried, run: str, said: list[Said]) -> None:
    program = carried.program()
    with program.journal as journal:
        events = [recorded.event for recorded in journal.read(run)]
        assert list(journal.take_posted(run, 0)) == []
    recorded = [getattr(event, "reason", "") for event in events]
    unheeded = {getattr(word, "reason", "") for _, word, _ in carried.seen(run).state.unheeded}
    for word in said:
        times = recorded.count(word.reason)
        if word.came == "heeded":
            assert (times, word.reason in unheeded) == (1, False), word
        elif word.came == "left":
            assert times == 1, word
        else:
            assert (times, word.reason in unheeded) in {(0, False), (1, True)}, word
    came = [word.came.partition(":")[0] for word in said]
    print({one: came.count(one) for one in set(came)}, f"{len(unheeded)} came too late")
    assert "heeded" in came
