"""`fence.check`: is the primary known to be down or fenced? What is not known is not down.

Two brains that both write are worse than an outage, so silence is no answer here: a primary that
does not answer may be well and cut off. Pass: down or fenced. Fail: up. Error: unknown.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.patience import OutOfTime, Stopped, in_time, limit_of
from drorch.actions.surroundings import child_environment, last_words
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.render import as_text
from drorch.core.values import Result, errored, failed, passed
from drorch.ports import Call, Command, Ended, Tools

_LIMIT = timedelta(seconds=5)


class Stands(StrEnum):
    """How the primary stands, as far as one look can tell."""

    DOWN = "down"
    UP = "up"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class _Look:
    stands: Stands
    said: str


def _check(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    try:
        looks = [
            _knock(call, *place, limit) for place in map(_host_and_port, arguments.list("tcp", []))
        ]
    except Stopped as error:
        return errored("cancelled", f"stopped: {error}")
    if arguments.has("command"):
        looks.append(_ask(call, tools, arguments.argv("command"), limit))
    return _judged(looks, asked=arguments.has("command"))


def _judged(looks: Sequence[_Look], *, asked: bool) -> Result:
    """One that answers is up. A command that knows (it was `asked`) outweighs silence."""
    said = "; ".join(look.said for look in looks)
    found = {look.stands for look in looks}
    if Stands.UP in found:
        hint = "stop it or fence it (cut its power, its network), then declare again"
        return failed("primary-up", f"the primary is up: {said}", hint, outputs={"primary": "up"})
    known = looks[-1].stands is Stands.DOWN if asked else found == {Stands.DOWN}
    if known:
        return passed({"primary": "down"}, message=f"the primary is down or fenced: {said}")
    hint = (
        "find out at the primary itself; if you know better, --force-unfenced REASON goes on"
        if looks
        else "write `fence:` into the runbook (or `unfenced: REASON` if nothing can write twice), or "
        "go on by --force-unfenced REASON"
    )
    message = f"whether the primary is down is unknown: {said or 'nothing says how to find out'}"
    return errored("primary-unknown", message, hint, outputs={"primary": "unknown"})


def _knock(call: Call, host: str, port: int, limit: timedelta) -> _Look:
    """A port that takes a connection is up; one that is refused, by a host that lives, is down."""
    place = f"{host}:{port}"

    def connect() -> None:
        socket.create_connection((host, port), limit.total_seconds()).close()

    try:
        in_time(call.cancel, limit, connect)
    except ConnectionRefusedError:
        return _Look(Stands.DOWN, f"{place} refuses connections")
    except (OutOfTime, TimeoutError):
        return _Look(Stands.UNKNOWN, f"{place} is silent")
    except (OSError, UnicodeError) as error:
        return _Look(Stands.UNKNOWN, f"{place} cannot be reached: {error}")
    return _Look(Stands.UP, f"{place} takes connections")


def _ask(call: Call, tools: Tools, argv: tuple[str, ...], limit: timedelta) -> _Look:
    """A program that knows: 0 is down or fenced, 1 is up, anything else is not known."""
    command = Command(
        argv=argv,
        env=child_environment(call, tools, {}),
        cwd=tools.configuration.folder,
        timeout=call.timeout or limit,
    )
    done = tools.commands.run(command, cancel=call.cancel)
    name, words = Path(argv[0]).name, tools.secrets.redact(last_words(done))
    if done.ended is not Ended.EXITED:
        return _Look(Stands.UNKNOWN, f"{name} did not answer: {done.message or done.ended}")
    stands = Stands.UNKNOWN
    if done.exit_code in (0, 1):
        stands = Stands.UP if done.exit_code else Stands.DOWN
    told = f" ({words})" if words else ""
    return _Look(stands, f"{name} ended with {done.exit_code}: {stands}{told}")


def _host_and_port(value: object) -> tuple[str, int]:
    host, colon, port = as_text(value).rpartition(":")  # type: ignore[arg-type] # any JSON value
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise WrongArgument(f"tcp: {value!r} is no HOST:PORT", "write it like db1.example:5432")
    return host.strip("[]"), int(port)


CHECK = make_action(
    ActionSpec(
        "fence.check",
        "Know that the primary is down or fenced: up fails, unknown is an error",
        (
            Parameter(
                "tcp",
                Kind.LIST,
                required=False,
                doc="HOST:PORT of the primary: one that connects is up, all refused are down, "
                "silence is unknown",
            ),
            Parameter(
                "command",
                Kind.ARGV,
                required=False,
                doc="a program that knows: exit 0 down or fenced, 1 up, anything else unknown",
            ),
            Parameter("timeout", Kind.DURATION, required=False, doc="of each look, default 5s"),
        ),
        ("primary",),
        check=True,
        repeatable=True,
    ),
    _check,
)
