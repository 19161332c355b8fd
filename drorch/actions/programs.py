"""`command` and `shell`: programs of the operator's own."""

from dataclasses import replace
from pathlib import Path

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.endings import EXPECT, KEPT, OUTPUTS, STDIN, Expectation, input_of, result_of
from drorch.actions.surroundings import child_environment
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.values import Result
from drorch.ports import Call, Command, Progress, Tools

_COMMON = (
    Parameter("env", Kind.MAPPING, required=False, doc="further environment; {secret: NAME} works"),
    Parameter("cwd", Kind.WRITE_PATH, required=False, doc="default: the configuration's folder"),
    STDIN,
    EXPECT,
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
    expected = Expectation(arguments.mapping("expect", {}))
    command = Command(
        argv=argv,
        env=child_environment(call, tools, arguments.revealed("env", tools.secrets)),
        cwd=arguments.path("cwd", tools.configuration.folder),
        stdin=input_of(arguments.any("stdin")),
        timeout=call.timeout,
        keep_output=KEPT,
    )
    done = tools.commands.run(
        command,
        on_stdout=lambda line: call.progress(Progress(message=tools.secrets.redact(line))),
        cancel=call.cancel,
    )
    # Redacted before anything is cut: half a secret would not be recognised any more.
    redact = tools.secrets.redact
    done = replace(done, stdout=redact(done.stdout), stderr=redact(done.stderr))
    return result_of(Path(argv[0]).name, expected, done, call, tools)


COMMAND = make_action(
    ActionSpec(
        "command",
        "Run a program with its arguments, without a shell",
        (Parameter("argv", Kind.ARGV, doc="the program and its arguments"), *_COMMON),
        OUTPUTS,
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
        OUTPUTS,
        open_outputs=True,
    ),
    _shell,
)
