"""`ssh.command`: a program on another host, by OpenSSH's client, ended there when its time is up.

The host's key must stand in the `known_hosts` file that is given; nothing is asked, nothing is
learnt, no configuration of the user's is read. sshd hands whatever it is told to the user's shell,
so each argument is quoted for it: what is written as a list arrives as that list.

When an attempt is cut short (time, abort, a lost connection) the client's end does not end the
program over there. So a second connection ends it: everything that carries the attempt's mark in
its environment or belongs to its session, politely and then surely, and looks that it is gone.
Should no second connection come about, the program's own `timeout` ends it later.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action, reveal
from drorch.actions.endings import EXPECT, KEPT, OUTPUTS, STDIN, Expectation, input_of, result_of
from drorch.actions.identities import key_file
from drorch.actions.surroundings import child_environment, last_words
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.values import Result, Value, errored, failed
from drorch.ports import Call, Command, Completed, Ended, Progress, Tools

_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=none",
    "UpdateHostKeys=no",
    "PreferredAuthentications=publickey",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "PermitLocalCommand=no",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "LogLevel=ERROR",
)
#: The client's own exit code, when it is not the program's.
_CLIENT = 255
_CONNECT = timedelta(seconds=10)
_ENDING = timedelta(seconds=40)
_GRACE_S = 10
_BEGAN = "drorch-began"
#: Says that it began and in which session, then becomes the program. GNU's and BusyBox's timeout
#: is the last resort, should nobody be able to come back and end it.
_CARRY = f"""
DRORCH_REMOTE=$1 DRORCH_RUN=$2 DRORCH_MODE=$3 DRORCH_STEP=$4 limit=$5
export DRORCH_REMOTE DRORCH_RUN DRORCH_MODE DRORCH_STEP
[ -z "$6" ] || cd -- "$6" || exit 126
shift 6
echo "{_BEGAN} $DRORCH_REMOTE $(sed 's/.*) . [0-9]* [0-9]* \\([0-9]*\\) .*/\\1/' /proc/$$/stat 2>/dev/null)" >&2
if [ "$limit" -gt 0 ] && command -v timeout >/dev/null 2>&1; then
    exec timeout -k {_GRACE_S} "$limit" "$@"
fi
exec "$@"
"""
#: Ends everything of an attempt; prints `gone`, or what is left, or that nobody can know.
_END = f"""
mark=$1 session=$2
them() {{
    grep -lsF "DRORCH_REMOTE=$mark" /proc/[0-9]*/environ | sed 's/[^0-9]//g'
    [ -z "$session" ] || sed -n "s/^\\([0-9]*\\) (.*) [^ZX] [0-9-]* [0-9-]* $session .*/\\1/p" /proc/[0-9]*/stat 2>/dev/null
}}
[ -d /proc/self ] || {{ echo unknown; exit 1; }}
for signal in TERM KILL; do
    left=$(them)
    [ -n "$left" ] || {{ echo gone; exit 0; }}
    kill -s $signal $left 2>/dev/null
    tries=0
    while [ $tries -lt {_GRACE_S * 5} ]; do
        left=$(them)
        [ -n "$left" ] || {{ echo gone; exit 0; }}
        sleep 0.2 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
done
echo left $left
exit 1
"""


@dataclass(slots=True)
class _Heard:
    """What of the errors is the carrier's own word: whether the program began, in which session."""

    mark: str
    began: bool = False
    session: str = ""
    said: list[str] = field(default_factory=list)

    def line(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        mark, _, session = rest.partition(" ")
        if word == _BEGAN and mark == self.mark and not self.began:
            self.began, self.session = True, session if session.isdecimal() else ""

    def without(self, text: str) -> str:
        """The errors without that line."""
        return re.sub(rf"^{_BEGAN} {self.mark}.*\n?", "", text, count=1, flags=re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Host:
    """Where to, as whom, and by which keys it is known."""

    name: str
    port: int
    user: str
    known_hosts: Path

    def argv(self, identity: Path, remote: str) -> tuple[str, ...]:
        """The client's command line."""
        options = [
            *_OPTIONS,
            f"UserKnownHostsFile={self.known_hosts}",
            f"ConnectTimeout={int(_CONNECT.total_seconds())}",
        ]
        given = [word for option in options for word in ("-o", option)]
        where = ("-p", str(self.port), "-l", self.user, "-i", str(identity))
        return ("ssh", "-F", "none", "-T", *given, *where, "--", self.name, remote)


def _command(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    host = _host(arguments)
    remote = _Remote(call, tools, host, Expectation(arguments.mapping("expect", {})))
    key = reveal("identity", arguments.mapping("identity"), tools.secrets)
    with key_file(key) as identity:
        return remote.carry(arguments, identity)


def _host(arguments: Arguments) -> _Host:
    name, user = arguments.text("host"), arguments.text("user")
    for what, text in (("host", name), ("user", user)):
        if not re.fullmatch(r"[\w.:%][\w.:%-]*", text):
            raise WrongArgument(f"{what} {text!r} is not one", "write a name or an IP address")
    known = arguments.path("known_hosts")
    if any(mark in str(known) for mark in ' "%\n'):
        hint = "ssh takes blanks, quotes and % apart: move the file"
        raise WrongArgument(f"known_hosts {str(known)!r} cannot be handed to ssh", hint)
    if not known.is_file():
        hint = f"make it with: ssh-keyscan {name}, and compare the key with the host's own"
        raise WrongArgument(f"known_hosts {known} is not there", hint)
    return _Host(name, arguments.integer("port", 22), user, known)


class _Remote:
    """One attempt on one host."""

    def __init__(self, call: Call, tools: Tools, host: _Host, expected: Expectation) -> None:
        self._call = call
        self._tools = tools
        self._host = host
        self._expected = expected
        # Of the step, not the attempt: what a lost attempt left is found by the next one.
        self._mark = sha256(f"{call.run}\0{call.step}".encode()).hexdigest()[:32]

    def carry(self, arguments: Arguments, identity: Path) -> Result:
        """Run the program; end it over there if it is cut short."""
        argv = arguments.words("argv")
        if self._call.attempt > 1:
            ended = self._end(identity, "")
            if ended != "gone":
                return self._still_there(f"what an earlier attempt began on {self._host.name}")
        heard = _Heard(self._mark)
        done = self._ssh(identity, self._carrier(argv, arguments), heard, arguments)
        if done.ended is Ended.NOT_STARTED:
            return errored("not-started", done.message, "install OpenSSH's client")
        cut = done.ended is not Ended.EXITED or done.exit_code == _CLIENT
        if cut and not heard.began and done.ended is Ended.EXITED:
            return self._no_way(done)
        if cut:
            return self._cut_short(done, heard, identity, Path(argv[0]).name)
        return result_of(Path(argv[0]).name, self._expected, done, self._call, self._tools)

    def _carrier(self, argv: Sequence[str], arguments: Arguments) -> str:
        call = self._call
        limit = 0 if call.timeout is None else int(call.timeout.total_seconds()) + _GRACE_S * 2
        about = (self._mark, call.run, str(call.mode), call.step, str(limit))
        folder = arguments.text("cwd", "")
        return "exec " + shlex.join(["sh", "-c", _CARRY, "drorch", *about, folder, *argv])

    def _ssh(self, identity: Path, remote: str, heard: _Heard, arguments: Arguments) -> Completed:
        redact = self._tools.secrets.redact
        command = Command(
            argv=self._host.argv(identity, remote),
            env=child_environment(self._call, self._tools, {}),
            cwd=self._tools.configuration.folder,
            stdin=input_of(_revealed(arguments, self._tools)),
            timeout=self._call.timeout,
            keep_output=KEPT,
        )
        done = self._tools.commands.run(
            command,
            on_stdout=lambda line: self._call.progress(Progress(message=redact(line))),
            on_stderr=heard.line,
            cancel=self._call.cancel,
        )
        return replace(done, stdout=redact(done.stdout), stderr=redact(heard.without(done.stderr)))

    def _no_way(self, done: Completed) -> Result:
        """The client ended before the program began."""
        said = last_words(done)
        where = f"{self._host.user}@{self._host.name}:{self._host.port}"
        if "host key" in done.stderr.lower():
            hint = f"compare the host's key with {self._host.known_hosts}; do not just replace it"
            return failed("host-key", f"{where} is not who it should be: {said}", hint)
        if "Permission denied" in done.stderr or "invalid format" in done.stderr:
            hint = "look at the identity, and at authorized_keys over there"
            return failed("denied", f"{where} does not let us in: {said}", hint)
        hint = "look whether the host is up and whether a firewall lies between"
        return errored("unreachable", f"{where} cannot be reached: {said}", hint)

    def _cut_short(self, done: Completed, heard: _Heard, identity: Path, program: str) -> Result:
        result = result_of(program, self._expected, done, self._call, self._tools)
        began = heard.began or done.ended is not Ended.EXITED
        ended = self._end(identity, heard.session) if began else "gone"
        if ended != "gone":
            return replace(
                self._still_there(f"{program}, which was cut short ({done.ended})"),
                outputs=result.outputs,
                evidence=result.evidence,
            )
        if done.ended is Ended.EXITED:
            said = f"the connection to {self._host.name} broke; {program} was ended there"
            return errored(
                "connection-lost", said, "look at the network between", outputs=result.outputs
            )
        return replace(result, message=f"{result.message} on {self._host.name}, where it is gone")

    def _still_there(self, what: str) -> Result:
        hint = f"look for it on {self._host.name}: its environment has DRORCH_REMOTE={self._mark}"
        return errored("not-ended", f"{what}, may still be at work: it could not be ended", hint)

    def _end(self, identity: Path, session: str) -> str:
        """End everything of this step over there: `gone`, or anything else if that is not known."""
        remote = "exec " + shlex.join(["sh", "-c", _END, "drorch-end", self._mark, session])
        command = Command(
            argv=self._host.argv(identity, remote),
            env=child_environment(self._call, self._tools, {}),
            cwd=self._tools.configuration.folder,
            timeout=_ENDING,
        )
        done = self._tools.commands.run(command)  # not cancelled: it is what cancelling does
        return done.stdout.strip() if done.ended is Ended.EXITED else "unknown"


def _revealed(arguments: Arguments, tools: Tools) -> Value:
    value = arguments.any("stdin")
    if isinstance(value, Mapping) and set(value) == {"secret"}:
        return reveal("stdin", value, tools.secrets)
    return value


COMMAND = make_action(
    ActionSpec(
        "ssh.command",
        "Run a program on another host; when its time is up it is ended there",
        (
            Parameter("host", Kind.HOST, doc="name or IP address"),
            Parameter("argv", Kind.ARGV, doc="the program and its arguments, as over there"),
            Parameter("user", Kind.TEXT, doc="as whom"),
            Parameter(
                "identity", Kind.MAPPING, doc="{secret: NAME}: a private key without passphrase"
            ),
            Parameter("known_hosts", Kind.READ_PATH, doc="the host's key must stand there"),
            Parameter("port", Kind.INTEGER, required=False, doc="default 22"),
            Parameter("cwd", Kind.TEXT, required=False, doc="over there; default: the user's home"),
            replace(STDIN, doc="text, a value passed as JSON, or {secret: NAME}"),
            EXPECT,
        ),
        OUTPUTS,
        open_outputs=True,
    ),
    _command,
)
