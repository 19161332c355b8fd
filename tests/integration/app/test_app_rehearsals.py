"""`runbook test`: rehearsals through the real engine, with scripted ends and a clock of their own."""

import os
from pathlib import Path

import pytest

from drorch.app.program import Program
from drorch.app.rehearsals import rehearse_all
from drorch.config.load import load_configuration
from drorch.core.errors import ConfigurationError, UsageError

ROOT = Path(__file__).parents[3]

RUNBOOK = """
runbook: move
inputs: {to: {default: there}}
preconditions:
  - {check: looks-good, do: tcp.check, with: {host: h.example, port: 5}}
steps:
  - {step: left, do: command, with: {argv: [touch, "{to}/left"]}, timeout: 5m}
  - step: right
    needs: []
    do: http.request
    with: {url: "http://h.example/"}
    retry: {attempts: 3, delay: 60s, backoff: 1, jitter: 0%}
  - {step: ask, needs: [left, right], do: approve, with: {prompt: Go on?, quorum: 2}, live_only: true}
  - {step: pause, needs: [left, right], do: wait, with: {for: 2h}}
  - {step: use, do: command, with: {argv: [echo, "{right.status}"]}}
verify:
  - check: up
    do: http.check
    with: {url: "http://h.example/"}
    until: {within: 10m, every: 1m}
cleanup:
  - {step: sweep, do: files.remove, with: {path: "{to}"}}
"""


@pytest.fixture
def rehearsed(tmp_path):
    """What is said of the rehearsals of the runbook above, by rehearsal."""
    (tmp_path / "drorch.yaml").write_text("state: sqlite:///drorch.db\nrunbooks: .\n")
    (tmp_path / "move.yaml").write_text(RUNBOOK)
    program = Program(load_configuration(tmp_path / "drorch.yaml"), os.environ)

    def run(rehearsals: str, head: str = "runbook: move\nrehearsals:\n") -> list[list[str]]:
        (tmp_path / "move.test.yaml").write_text(head + rehearsals)
        before = sorted(p for p in tmp_path.iterdir() if p.name != "move.test.yaml")
        said = [
            [f"{p.line}:{p.column}: {p.message}" for p in one.problems]
            for one in rehearse_all(program)
        ]
        assert sorted(p for p in tmp_path.iterdir() if p.name != "move.test.yaml") == before
        return said

    return run


def test_what_is_not_scripted_passes(rehearsed):
    everything = "outcome: passed, dirty: false, statuses: {use: passed, up: passed, ask: skipped}"
    order = "order: [looks-good, left, pause, use, up, sweep]"
    assert rehearsed(f"  - {{rehearsal: r, expect: {{{everything}, {order}}}}}\n") == [[]]


def test_time_passes_side_by_side_and_by_itself(rehearsed):
    """Two of 4 min side by side, 2 h of waiting, 2 s of work: no second of it is real."""
    script = "outcomes: {left: {takes: 4m}, right: {takes: 4m}}"
    assert rehearsed(f"  - {{rehearsal: r, {script}, expect: {{within: 2h4m5s}}}}\n") == [[]]
    late = rehearsed(f"  - {{rehearsal: r, {script}, expect: {{within: 2h3m}}}}\n")
    assert late == [["3:88: the recovery took 2h 4m, more than 2h 3m"]]


def test_attempt_after_attempt(rehearsed):
    script = (
        "outcomes: {right: [{fail: a}, {error: b}, {outputs: {status: 204}}], up: [{fail: no}, {}]}"
    )
    expect = "outcome: passed, attempts: {right: 3, up: 2}, outputs: {right: {status: 204}}"
    used = "arguments: {use: {argv: [echo, 204]}}"
    assert rehearsed(f"  - {{rehearsal: r, {script}, expect: {{{expect}, {used}}}}}\n") == [[]]


def test_a_deadline_ends_an_attempt(rehearsed):
    """pains 5."""
    script = "outcomes: {left: {takes: 6m}}"
    expect = "outcome: failed, statuses: {left: failed, use: skipped, sweep: passed}, within: 5m"
    assert rehearsed(f"  - {{rehearsal: r, {script}, expect: {{{expect}}}}}\n") == [[]]


@pytest.mark.parametrize(
    ("answer", "expect"),
    [
        ("answer: yes, takes: 3h", "outcome: passed, statuses: {ask: passed}"),
        ("answer: no", "outcome: failed, statuses: {ask: failed}"),
    ],
)
def test_people_answer_as_they_are_told(rehearsed, answer, expect):
    answer = answer.replace("yes", '"yes"').replace("no", '"no"')
    script = f"mode: live, outcomes: {{ask: {{{answer}}}}}"
    assert rehearsed(f"  - {{rehearsal: r, {script}, expect: {{{expect}}}}}\n") == [[]]


def test_a_run_that_waits_for_ever_is_told(rehearsed):
    script = "mode: live, outcomes: {ask: {answer: never}}"
    said = rehearsed(f"  - {{rehearsal: r, {script}, expect: {{outcome: passed}}}}\n")
    assert said == [["3:5: the run waits for ever"]]


def test_everything_that_came_otherwise_is_told_with_its_place(rehearsed):
    said = rehearsed(
        """  - rehearsal: wrong in all
    outcomes: {left: {fail: full, message: the disk is full}}
    expect:
      outcome: passed
      order: [use, left, right]
      statuses: {left: passed}
      attempts: {right: 3}
      outputs: {right: {status: 200}}
"""
    )
    assert said == [
        [
            "6:16: the run failed: left failed, not passed",
            "7:15: use was never begun",
            "8:24: left is failed, not passed: the disk is full",
            "9:25: right was tried 1 times, not 3",
            "10:33: right: status is right.status, not 200",
        ]
    ]


def test_steps_and_inputs_that_do_not_exist(rehearsed):
    said = rehearsed(
        """  - {rehearsal: r, outcomes: {lft: {}}, expect: {order: [up, over]}}
  - {rehearsal: s, with: {two: x}, expect: {}}
"""
    )
    assert said[0] == ["3:36: there is no step 'lft'", "3:62: there is no step 'over'"]
    assert "has no input 'two'" in said[1][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  - {rehearsal: r}\n", "expect"),
        ("  - {rehearsal: r, expect: {outcome: good}}\n", "outcome"),
        (
            "  - {rehearsal: r, outcomes: {left: {fail: a, error: b}}, expect: {}}\n",
            "either fail or",
        ),
        ("  - {rehearsal: r, expects: {}}\n", "expects"),
    ],
)
def test_files_that_are_wrong(rehearsed, text, said):
    with pytest.raises(ConfigurationError) as refused:
        rehearsed(text)
    assert any(said in str(problem) for problem in refused.value.problems)


def test_a_file_for_another_runbook(rehearsed):
    with pytest.raises(ConfigurationError) as refused:
        rehearsed("  - {rehearsal: r, expect: {}}\n", head="runbook: other\nrehearsals:\n")
    assert "named for move" in str(refused.value.problems[0])


def shipped() -> Program:
    return Program(load_configuration(ROOT / "configs" / "lab.yaml"), os.environ)


def test_the_ready_runbooks_do_as_their_rehearsals_say():
    program = shipped()
    done = list(rehearse_all(program))
    assert {one.runbook for one in done} == set(program.runbooks.paths())
    assert not [p for one in done for p in one.problems]


def test_a_runbook_without_rehearsals_is_told(tmp_path):
    (tmp_path / "drorch.yaml").write_text("state: sqlite:///drorch.db\nrunbooks: .\n")
    (tmp_path / "move.yaml").write_text(RUNBOOK)
    program = Program(load_configuration(tmp_path / "drorch.yaml"), os.environ)
    with pytest.raises(UsageError) as told:
        list(rehearse_all(program, ["move"]))
    assert "move.test.yaml" in told.value.hint
