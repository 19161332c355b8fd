"""`dns.update`: what a name leads to, changed at its primary server (RFC 2136) by ISC's nsupdate.

All records of a name and type are replaced at once; then the server is asked, by prerequisites
alone, whether exactly these are there. The message is signed (TSIG, RFC 8945) if a key is given.
"""

import re
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action, reveal
from drorch.actions.identities import key_file
from drorch.actions.patience import limit_of
from drorch.actions.surroundings import child_environment, last_words
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.render import as_text
from drorch.core.values import Result, errored, failed, passed
from drorch.ports import Call, Command, Completed, Ended, Tools

_LIMIT = timedelta(seconds=20)
_TYPES = ("A", "AAAA", "CNAME", "TXT")
_TTL = 60
#: So nsupdate says that a server understood and would not.
_SAID = re.compile(r"update failed: (\w+)")


class _Records:
    """What is to stand there, in nsupdate's words."""

    def __init__(self, arguments: Arguments) -> None:
        self.server = _word("server", arguments.text("server"), r"[\w.:%-]+")
        self.port = arguments.integer("port", 53)
        self.zone = _word("zone", arguments.text("zone"), r"[\w.-]+").rstrip(".")
        self.name = _word("name", arguments.text("name"), r"[\w.*-]+").rstrip(".")
        self.type = arguments.text("type", "A").upper()
        self.ttl = arguments.integer("ttl", _TTL)
        self.values = [as_text(v) for v in arguments.list("values")]
        if self.name != self.zone and not self.name.endswith(f".{self.zone}"):
            raise WrongArgument(f"name {self.name} is not in zone {self.zone}", "write it in full")
        if self.type not in _TYPES:
            raise WrongArgument(f"type knows no {self.type!r}", f"it takes {', '.join(_TYPES)}")
        self._data = [self._datum(value) for value in self.values]

    def _datum(self, value: str) -> str:
        if self.type != "TXT":
            return _word("values", value, r"[\w.:-]+")
        if len(value.encode()) > 255 or not value.isprintable():
            raise WrongArgument("a TXT value is at most 255 printable bytes", "shorten it")
        return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'

    def change(self) -> str:
        """Replace them all."""
        added = [f"update add {self.name}. {self.ttl} {self.type} {d}" for d in self._data]
        return self._message(f"update delete {self.name}. {self.type}", *added)

    def proof(self) -> str:
        """Exactly these stand there; nothing is changed."""
        there = [f"prereq yxrrset {self.name}. {self.type} {d}" for d in self._data]
        return self._message(*(there or [f"prereq nxrrset {self.name}. {self.type}"]))

    def _message(self, *lines: str) -> str:
        head = (f"server {self.server} {self.port}", f"zone {self.zone}.")
        return "\n".join([*head, *lines, "send", ""])


def _word(what: str, text: str, shape: str) -> str:
    if not re.fullmatch(shape, text) or text.startswith("-"):
        raise WrongArgument(f"{what} {text!r} is not one", "write a name or an address")
    return text


def _update(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    records = _Records(arguments)
    limit = limit_of(arguments.duration("timeout", _LIMIT), call.timeout)
    key = None
    if arguments.has("key"):
        key = reveal("key", arguments.mapping("key"), tools.secrets)
    with nullcontext() if key is None else key_file(key) as file:
        for message in (records.change(), records.proof()):
            done = _nsupdate(message, file, limit, call, tools)
            if done.ended is not Ended.EXITED or done.exit_code != 0:
                return _not_done(records, done, limit, tools)
    return passed(
        {"name": records.name, "type": records.type, "values": records.values, "ttl": records.ttl}
    )


def _nsupdate(
    message: str, key: Path | None, limit: timedelta, call: Call, tools: Tools
) -> Completed:
    signed = ("-k", str(key)) if key is not None else ()
    seconds = str(max(1, int(limit.total_seconds())))
    command = Command(
        argv=("nsupdate", "-v", "-t", seconds, *signed),
        env=child_environment(call, tools, {}),
        cwd=tools.configuration.folder,
        stdin=message.encode(),
        timeout=limit + timedelta(seconds=2),
    )
    return tools.commands.run(command, cancel=call.cancel)


def _not_done(records: _Records, done: Completed, limit: timedelta, tools: Tools) -> Result:
    where = f"{records.server}:{records.port}"
    if done.ended is Ended.NOT_STARTED:
        return errored("not-started", done.message, "install it (Debian: bind9-dnsutils)")
    if done.ended is Ended.CANCELLED:
        return errored("cancelled", f"stopped while changing {records.name}")
    said = tools.secrets.redact(last_words(done))
    rcode = _SAID.search(done.stderr)
    if rcode is None:
        late = f"no answer within {format_duration(limit)}"
        hint = "look whether the server is up; whether it took the change is not known"
        return errored("unreachable", f"{where}: {said or late}", hint)
    if rcode[1] in ("NXRRSET", "YXRRSET"):
        hint = "somebody else changes the same name: look at the server's log"
        return failed("not-there", f"{where} holds other records of {records.name} now", hint)
    hint = "look at the key, and at what the zone lets it update (update-policy)"
    return failed("refused", f"{where} refuses to change {records.name}: {rcode[1]}", hint)


UPDATE = make_action(
    ActionSpec(
        "dns.update",
        "Replace what a name leads to, at its primary server, and see that it is so",
        (
            Parameter("server", Kind.HOST, doc="the zone's primary server"),
            Parameter("zone", Kind.TEXT, doc="the zone's name"),
            Parameter("name", Kind.HOST, doc="in full; refused in a drill if it is protected"),
            Parameter("values", Kind.LIST, doc="addresses, a name, texts; empty: none any more"),
            Parameter("type", Kind.TEXT, required=False, doc="default A", choices=_TYPES),
            Parameter("ttl", Kind.INTEGER, required=False, doc="seconds, default 60", minimum=0),
            Parameter(
                "key", Kind.MAPPING, required=False, doc="{secret: NAME}: as tsig-keygen prints it"
            ),
            Parameter("port", Kind.INTEGER, required=False, doc="default 53"),
            Parameter("timeout", Kind.DURATION, required=False, doc="default 20s"),
        ),
        ("name", "type", "values", "ttl"),
    ),
    _update,
)
