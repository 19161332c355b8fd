"""What the end of an operator's program means: what was expected of it, its outputs, the result."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, only_known
from drorch.actions.surroundings import keep_output, last_lines, last_words
from drorch.core.action import Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Completed, Ended, Tools

#: So much of a program's output is kept, from its end.
KEPT = 1 << 20
OUTPUTS = ("exit", "stdout", "stderr", "json")
EXPECT = Parameter(
    "expect",
    Kind.MAPPING,
    required=False,
    doc="exit: code or list of codes (default 0); stdout: text it must contain",
)
STDIN = Parameter("stdin", Kind.ANY, required=False, doc="text, or a value passed as JSON")
_JSON_SHOWN = 65_536


def result_of(
    program: str, expected: "Expectation", done: Completed, call: Call, tools: Tools
) -> Result:
    """What a program's end comes to; its output is redacted already."""
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


class Expectation:
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


def input_of(value: Value) -> bytes:
    """What a program is given on its standard input: a text, or a value as JSON."""
    if value is None:
        return b""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()


def _exit_codes(value: Value) -> tuple[int, ...]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(Arguments({"expect.exit": v}, Path()).integer("expect.exit") for v in values)


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
