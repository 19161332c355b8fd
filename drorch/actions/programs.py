"""`command` and `shell`: programs of the operator's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action, only_known
from drorch.actions.surroundings import (
    child_environment,
    keep_output,
    last_lines,
    last_words,
)
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Command, Completed, Ended, Progress, Tools

_KEPT = 1 << 20
_JSON_SHOWN = 65_536
_OUTPUTS = ("exit", "stdout", "stderr", "json")
_COMMON = (
    Parameter("env", Kind.MAPPING, required=False, doc="further environment; {secret: NAME} works"),
    Parameter("cwd", Kind.WRITE_PATH, required=False, doc="default: the configuration's folder"),
    Parameter("stdin", Kind.ANY, required=False, doc="text, or a value passed as JSON"),
    Parameter(
        "expect",
        Kind.MAPPING,
        required=False,
        doc="exit: code or list of codes (default 0); stdout: text it must contain",
    ),
)


def _command(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    return _run(arguments.argv("argv"), arguments, call, tools)


def _shell(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    interpreter: tuple[str, ...] = ("/bin/sh", "-eu")
    if arguments.has("interpreter"):
        interpreter = arguments.argv("interpreter")
    return _run((*interpreter, "-c", arguments.text("script")), arguments, call, tools)


def _run(argv: tuple[str, ...], arguments: Arguments, call: Call, tools: Tools) -> Result:
    expected = _Expectation(arguments.mapping("expect", {}))
    command = Command(
        argv=argv,
        env=child_environment(call, tools, arguments.revealed("env", tools.secrets)),
        cwd=arguments.path("cwd", tools.configuration.folder),
        stdin=_stdin(arguments.any("stdin")),
        timeout=call.timeout,
        keep_output=_KEPT,
    )
    done = tools.commands.run(
        command,
        on_stdout=lambda line: call.progress(Progress(message=tools.secrets.redact(line))),
        cancel=call.cancel,
    )
    # Redacted before anything is cut: half a secret would not be recognised any more.
    redact = tools.secrets.redact
    done = replace(done, stdout=redact(done.stdout), stderr=redact(done.stderr))
    return _result(Path(argv[0]).name, expected, done, call, tools)


def _result(
    program: str, expected: "_Expectation", done: Completed, call: Call, tools: Tools
) -> Result:
    outputs = _outputs(done)
    evidence = keep_output(call, tools, done)
    match done.ended:
        case Ended.NOT_STARTED:
            hint = "install it, or correct its name; PATH is that of drorch"
            return errored("not-started", done.message, hint)
        case Ended.TIMED_OUT:
            limit = format_duration(call.timeout) if call.timeout else "its time"
            return errored(
                "timeout",
                f"{program} was not done within {limit} and was ended",
                "look at what it last said, or give the step a longer timeout",
                outputs=outputs,
                evidence=evidence,
            )
        case Ended.CANCELLED:
            return errored(
                "cancelled", f"{program} was stopped", outputs=outputs, evidence=evidence
            )
        case Ended.EXITED:
            pass
    cause, message = expected.unmet(program, done)
    if cause:
        hint = "run it by hand with the same arguments; its output is kept with the step"
        return failed(cause, message, hint, outputs=outputs, evidence=evidence)
    return passed(outputs, evidence=evidence)


class _Expectation:
    """Which end of a program is a good one."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        only_known("expect", given, ("exit", "stdout"))
        self._exits = _exit_codes(given.get("exit", 0))
        self._stdout = given.get("stdout")
        if self._stdout is not None and not isinstance(self._stdout, str):
            raise WrongArgument("expect.stdout should be a text", "write the text to be found")

    def unmet(self, program: str, done: Completed) -> tuple[str, str]:
        """Cause and message of what is not as expected; empty if all is."""
        if done.exit_code not in self._exits:
            said = last_words(done)
            message = f"{program} ended with exit code {done.exit_code}"
            return "exit-code", f"{message}: {said}" if said else message
        if isinstance(self._stdout, str) and self._stdout not in done.stdout:
            return "output", f"{program} did not print {self._stdout!r}"
        return "", ""


def _exit_codes(value: Value) -> tuple[int, ...]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(Arguments({"expect.exit": v}, Path()).integer("expect.exit") for v in values)


def _stdin(value: Value) -> bytes:
    if value is None:
        return b""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()


def _outputs(done: Completed) -> dict[str, Value]:
    named: dict[str, Value] = {
        "exit": done.exit_code,
        "stdout": last_lines(done.stdout),
        "stderr": last_lines(done.stderr),
    }
    found = _json(done.stdout)
    if found is None:
        return named
    # A program's own names never replace the ones every step of this kind has.
    own = {str(k): v for k, v in found.items()} if isinstance(found, Mapping) else {}
    return {**own, **named, "json": found}


def _json(text: str) -> Value:
    written = text.strip()
    if not written or len(written) > _JSON_SHOWN:
        return None
    try:
        found: Value = json.loads(written, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


COMMAND = make_action(
    ActionSpec(
        "command",
        "Run a program with its arguments, without a shell",
        (Parameter("argv", Kind.ARGV, doc="the program and its arguments"), *_COMMON),
        _OUTPUTS,
        open_outputs=True,
    ),
    _command,
)

SHELL = make_action(
    ActionSpec(
        "shell",
        "Run a shell script",
        (
            Parameter("script", Kind.TEXT, doc="the script; drills cannot look into it"),
            Parameter(
                "interpreter",
                Kind.ARGV,
                required=False,
                doc="a program that takes -c; default [/bin/sh, -eu]",
            ),
            *_COMMON,
        ),
        _OUTPUTS,
        open_outputs=True,
    ),
    _shell,
)
