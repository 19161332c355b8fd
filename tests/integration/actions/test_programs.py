"""`command` and `shell` with real processes."""

from datetime import timedelta

import pytest

from drorch.actions.programs import COMMAND, SHELL
from drorch.core.errors import ConfigurationError
from drorch.core.names import Mode, Verdict
from drorch.ports import Cancellation


def test_outputs_of_a_plain_program(place):
    result = place.do(COMMAND, argv=["sh", "-c", "echo out; echo err >&2"])
    assert result.verdict is Verdict.PASS
    assert result.outputs == {"exit": 0, "stdout": "out\n", "stderr": "err\n"}


@pytest.mark.parametrize(
    ("printed", "json", "own"),
    [
        ('{"old": "db1", "n": 3}', {"old": "db1", "n": 3}, {"old": "db1", "n": 3}),
        ('{"exit": 99}', {"exit": 99}, {"exit": 0}),
        ("[1, 2]", [1, 2], {}),
        ("42", 42, {}),
    ],
)
def test_json_becomes_outputs(place, printed, json, own):
    outputs = place.do(COMMAND, argv=["printf", "%s", printed]).outputs
    assert outputs["json"] == json
    assert {k: outputs[k] for k in own} == own
    assert outputs["exit"] == 0


@pytest.mark.parametrize("printed", ["NaN", "no json", "{broken", ""])
def test_what_is_not_json_is_none(place, printed):
    assert "json" not in place.do(COMMAND, argv=["printf", "%s", printed]).outputs


def test_environment_is_minimal_and_secrets_come_by_it(place):
    result = place.do(
        COMMAND,
        step="sub/a-step",
        run_mode=Mode.LIVE,
        argv=["env"],
        env={"TOKEN": {"secret": "token"}, "N": 1},
    )
    found = dict(line.split("=", 1) for line in result.outputs["stdout"].splitlines())
    assert found.pop("DRORCH_OWNER")
    assert found.pop("DRORCH_CHILD")
    assert found == {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "TOKEN": "***",
        "N": "1",
        "DRORCH_RUN": "run-1",
        "DRORCH_MODE": "live",
        "DRORCH_STEP": "sub/a-step",
    }


def test_folder_and_relative_program(place):
    tool = place.folder / "tools" / "say"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\npwd\n")
    tool.chmod(0o755)
    assert place.do(COMMAND, argv=["tools/say"]).outputs["stdout"] == f"{place.folder}\n"
    inside = place.do(COMMAND, argv=["tools/say"], cwd="tools").outputs["stdout"]
    assert inside == f"{tool.parent}\n"


@pytest.mark.parametrize(("given", "read"), [("text é", "text é"), ({"a": [1]}, '{"a": [1]}')])
def test_stdin(place, given, read):
    assert place.do(COMMAND, argv=["cat"], stdin=given).outputs["stdout"] == read


@pytest.mark.parametrize(
    ("script", "expect", "verdict", "cause"),
    [
        ("exit 3", {}, Verdict.FAIL, "exit-code"),
        ("exit 3", {"exit": 3}, Verdict.PASS, ""),
        ("exit 3", {"exit": "3"}, Verdict.PASS, ""),
        ("exit 4", {"exit": [3, 4]}, Verdict.PASS, ""),
        ("true", {"exit": 3}, Verdict.FAIL, "exit-code"),
        ("echo ready now", {"stdout": "ready"}, Verdict.PASS, ""),
        ("echo not yet", {"stdout": "ready"}, Verdict.FAIL, "output"),
        ("true", {"status": 1}, Verdict.FAIL, "argument"),
        ("true", {"exit": "x"}, Verdict.FAIL, "argument"),
    ],
)
def test_expectations(place, script, expect, verdict, cause):
    result = place.do(SHELL, script=script, expect=expect)
    assert (result.verdict, result.cause) == (verdict, cause)


def test_a_failure_tells_the_last_words(place):
    result = place.do(SHELL, script="echo fine; echo 'no route' >&2; exit 2")
    assert result.message == "sh ended with exit code 2: no route"
    assert result.hint


def test_not_startable_is_an_error_of_the_checker(place):
    result = place.do(COMMAND, argv=["no-such-program"])
    assert (result.verdict, result.cause) == (Verdict.ERROR, "not-started")
    assert "no-such-program" in result.message


def test_a_timeout_is_an_error_and_keeps_what_was_said(place):
    result = place.do(
        SHELL, script="echo begun; sleep 1000", step_timeout=timedelta(milliseconds=200)
    )
    assert (result.verdict, result.cause) == (Verdict.ERROR, "timeout")
    assert result.outputs["stdout"] == "begun\n"
    assert "200ms" in result.message


def test_a_cancellation_stops_it(place):
    cancel = Cancellation()
    result = place.do(
        SHELL,
        script="echo begun; sleep 1000",
        cancel=cancel,
        progress=lambda p: cancel.cancel("stop"),
    )
    assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")


def test_shell_stops_at_the_first_failure_and_unset_names(place):
    assert place.do(SHELL, script="false\necho on").outputs["stdout"] == ""
    assert place.do(SHELL, script='echo "$NOPE"').verdict is Verdict.FAIL


def test_another_interpreter(place):
    result = place.do(SHELL, script="print(6 * 7)", interpreter=["/usr/bin/env", "python3"])
    assert result.outputs["json"] == 42


def test_long_output_is_cut_by_lines_and_kept_as_evidence(place):
    script = 'seq 1 5000; echo "$T"'
    result = place.do(SHELL, step="sub/a", script=script, env={"T": {"secret": "token"}})
    shown = result.outputs["stdout"]
    assert len(shown) <= 4096
    assert shown.endswith("4999\n5000\n***\n")
    assert shown.splitlines()[0].isdecimal()
    (kept,) = result.evidence
    assert kept.name == "sub.a-1-stdout.txt"
    content = place.evidence.content("run-1", kept.name)
    assert content.startswith(b"1\n2\n")
    assert content.endswith(b"5000\n***\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (None, "argv is missing"),
        ("ls -l", "should be a list, not a text"),
        ([], "is empty"),
        (["echo", {"secret": "token"}], "must not hold a secret"),
        (["echo", ["x"]], "a list of texts, not a list"),
    ],
)
def test_wrong_arguments(place, argv, said):
    result = place.do(COMMAND, argv=argv)
    assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
    assert said in result.message
    assert result.hint


def test_a_secret_that_cannot_be_had(place):
    with pytest.raises(ConfigurationError):
        place.do(COMMAND, argv=["true"], env={"X": {"secret": "none"}})


def test_progress_is_redacted(place):
    said = []
    place.do(
        SHELL,
        script='echo "a $T"',
        env={"T": {"secret": "token"}},
        progress=lambda p: said.append(p.message),
    )
    assert said == ["a ***"]
