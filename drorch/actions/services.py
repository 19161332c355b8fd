"""`service.start` and `service.stop`: processes that outlive their step."""

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.patience import pause
from drorch.actions.surroundings import child_environment
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Command, Completed, ServiceProcess, Tools

_SETTLE = timedelta(milliseconds=300)
_LOOK = timedelta(milliseconds=20)
_GRACE = timedelta(seconds=10)
_LAST = 2000


def _start(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    argv = arguments.argv("command")
    log = arguments.path("log", _default_log(call, tools))
    settle = arguments.duration("settle", _SETTLE)
    command = Command(
        argv=argv,
        env=child_environment(call, tools, arguments.revealed("env", tools.secrets)),
        cwd=arguments.path("cwd", tools.configuration.folder),
    )
    service = _already_started(call, tools) or tools.commands.start_service(command, log)
    if isinstance(service, Completed):
        return failed("not-started", service.message, "install it, or correct its name")
    if not _settles(call, tools, service, settle):
        tools.commands.stop_service(service, _GRACE)
        if call.cancel.cancelled:
            return errored("cancelled", f"{Path(argv[0]).name} was stopped again")
        return _died(argv[0], log, settle, tools)
    return passed({"service": service_value(service), "pid": service.pid, "log": str(log)})


def _already_started(call: Call, tools: Tools) -> ServiceProcess | None:
    """What an earlier attempt of this very step started before its process died, if it lives."""
    if call.attempt == 1:
        return None
    return tools.commands.find_service({"DRORCH_RUN": call.run, "DRORCH_STEP": call.step})


def _settles(call: Call, tools: Tools, service: ServiceProcess, settle: timedelta) -> bool:
    until = time.monotonic() + settle.total_seconds()
    while tools.commands.service_alive(service):
        left = until - time.monotonic()
        if left <= 0:
            return True
        if not pause(call.cancel, min(_LOOK, timedelta(seconds=left))):
            return False
    return False


def _died(program: str, log: Path, settle: timedelta, tools: Tools) -> Result:
    said = tools.secrets.redact(_end_of(log)).strip()
    words = f": {said.splitlines()[-1][:300]}" if said else ""
    return failed(
        "died",
        f"{Path(program).name} ended within {format_duration(settle)} of its start{words}",
        f"read {log}; a service has to stay in the foreground",
        outputs={"log": str(log), "said": said},
    )


def _stop(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    service = service_of(arguments.mapping("service"))
    grace = arguments.duration("grace", _GRACE)
    ran = tools.commands.service_alive(service)
    if not tools.commands.stop_service(service, grace):
        return failed(
            "still-alive",
            f"process {service.pid} or one of its group could not be ended",
            f"look at it with: ps -o pid,stat,wchan,args -g {service.pid}",
        )
    return passed({"stopped": ran}, message="" if ran else "it was not running any more")


def service_value(service: ServiceProcess) -> Mapping[str, Value]:
    """A service as an output."""
    return {"pid": service.pid, "started": service.started, "boot": service.boot}


def service_of(value: Mapping[str, Value]) -> ServiceProcess:
    """A service from such an output; raises WrongArgument."""
    match value:
        case {"pid": int(pid), "started": int(started), "boot": str(boot)} if pid > 1:
            return ServiceProcess(pid, started, boot)
    raise WrongArgument(
        "service is not what service.start gives", 'write service: "{its-step.service}"'
    )


def _default_log(call: Call, tools: Tools) -> Path:
    step = call.step.replace("/", ".")
    return tools.configuration.work / "logs" / call.run / f"{step}-{call.attempt}.log"


def _end_of(log: Path) -> str:
    try:
        return log.read_bytes()[-_LAST:].decode("utf-8", "replace")
    except OSError:
        return ""


START = make_action(
    ActionSpec(
        "service.start",
        "Start a process that goes on after the step",
        (
            Parameter("command", Kind.ARGV, doc="a program that stays in the foreground"),
            Parameter("env", Kind.MAPPING, required=False, doc="{secret: NAME} works"),
            Parameter("cwd", Kind.WRITE_PATH, required=False, doc="default: the configuration's"),
            Parameter("log", Kind.WRITE_PATH, required=False, doc="where its output goes"),
            Parameter(
                "settle", Kind.DURATION, required=False, doc="must live so long, default 300ms"
            ),
        ),
        ("service", "pid", "log"),
    ),
    _start,
)

STOP = make_action(
    ActionSpec(
        "service.stop",
        "Stop what service.start started, with its whole group",
        (
            Parameter("service", Kind.STEP_OUTPUT, doc='"{its-step.service}"'),
            Parameter("grace", Kind.DURATION, required=False, doc="before it is killed, 10s"),
        ),
        ("stopped",),
        repeatable=True,
    ),
    _stop,
)
