"""`tcp.check` and `dns.check`: does something listen there, does a name lead where it should."""

import socket
import time
from datetime import timedelta

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.patience import OutOfTime, Stopped, in_time, limit_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.render import as_text
from drorch.core.values import Result, errored, failed, passed
from drorch.ports import Call, Tools

_LIMIT = timedelta(seconds=5)


def _tcp(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    host, port = arguments.text("host"), arguments.integer("port")
    if not 0 < port < 65_536:
        raise WrongArgument(f"port {port} is not one", "ports go from 1 to 65535")
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    begun = time.monotonic()
    hint = "look whether the service runs and whether a firewall lies between"

    def connect() -> str:
        with socket.create_connection((host, port), limit.total_seconds()) as connection:
            address: str = connection.getpeername()[0]
            return address

    try:
        address = in_time(call.cancel, limit, connect)
    except Stopped as error:
        return errored("cancelled", f"stopped: {error}")
    except (OutOfTime, TimeoutError):
        said = f"{host}:{port} did not answer within {format_duration(limit)}"
        return failed("timeout", said, hint)
    except (OSError, UnicodeError) as error:
        return failed("unreachable", f"{host}:{port} cannot be reached: {error}", hint)
    return passed({"address": address, "elapsed_s": round(time.monotonic() - begun, 4)})


def _dns(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    name = arguments.text("name")
    wanted = sorted({as_text(v) for v in arguments.list("addresses", [])})
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    try:
        found = in_time(call.cancel, limit, lambda: _addresses(name))
    except Stopped as error:
        return errored("cancelled", f"stopped: {error}")
    except OutOfTime:
        said = f"{name} was not resolved within {format_duration(limit)}"
        return failed("timeout", said, "look at /etc/resolv.conf and the name server")
    except (OSError, UnicodeError) as error:
        return failed("unresolved", f"{name} has no address: {error}", "look at its zone")
    outputs = {"addresses": found}
    if wanted and found != wanted:
        said = f"{name} leads to {', '.join(found)}, not {', '.join(wanted)}"
        hint = "look at its zone; old answers live on in caches for their TTL"
        return failed("addresses", said, hint, outputs=outputs)
    return passed(outputs)


def _addresses(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found})


_TIMEOUT = Parameter("timeout", Kind.DURATION, required=False, doc="default 5s")

TCP = make_action(
    ActionSpec(
        "tcp.check",
        "Look whether a TCP port takes connections",
        (Parameter("host", Kind.HOST), Parameter("port", Kind.INTEGER), _TIMEOUT),
        ("address", "elapsed_s"),
        check=True,
        repeatable=True,
    ),
    _tcp,
)

DNS = make_action(
    ActionSpec(
        "dns.check",
        "Look where a name leads, by this machine's resolver",
        (
            Parameter("name", Kind.TEXT, doc="the name; it is only looked up"),
            Parameter("addresses", Kind.LIST, required=False, doc="exactly these"),
            _TIMEOUT,
        ),
        ("addresses",),
        check=True,
        repeatable=True,
    ),
    _dns,
)
