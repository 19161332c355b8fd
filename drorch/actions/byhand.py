"""Steps as a person does them where drorch is not there: action and arguments to lines of a shell.

What cannot be said honestly is not said: an action that is not in the table has no command.
Arguments are as far known as inputs are; `{step.output}` and inputs not given stay as blanks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from shlex import quote as shell_quote
from types import MappingProxyType
from urllib.parse import quote as encoded

from drorch.actions.places import password_name
from drorch.core.byhand import NO_COMMAND, ByHand, Note, Opening
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.render import as_text
from drorch.core.values import Value
from drorch.restic import byhand as restic


def by_hand(
    action: str, arguments: Mapping[str, Value], configuration: Configuration, step: str
) -> ByHand:
    """What to type for a step of that name; NO_COMMAND where there is nothing."""
    work = _TABLE.get(action)
    return work(_Given(arguments, configuration, step)) if work else NO_COMMAND


@dataclass(frozen=True, slots=True)
class _Given:
    """A step's arguments, as text."""

    values: Mapping[str, Value]
    configuration: Configuration
    step: str

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else as_text(value)

    def words(self, name: str) -> list[str]:
        value = self.values.get(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [as_text(word) for word in value]
        return [] if value is None else [as_text(value)]

    def pairs(self, name: str) -> Mapping[str, Value]:
        value = self.values.get(name)
        return value if isinstance(value, Mapping) else {}

    def secret(self, name: str) -> str:
        """The name of the secret that the argument stands for, if it does."""
        return _secret(self.values.get(name))

    @property
    def dataset(self) -> Dataset | None:
        """The dataset that is named, if it is known yet."""
        return self.configuration.datasets.get(self.text("dataset"))

    @property
    def region(self) -> Region | None:
        """The region that is named, else the dataset's first, if it is known yet."""
        first = self.dataset.primary if self.dataset else ""
        return self.configuration.regions.get(self.text("region", first))

    def opening(self) -> Opening:
        """How the repository is opened that is meant."""
        dataset, region = self.dataset, self.region
        known = password_name(dataset, region.name) if dataset and region else restic.PASSWORD
        called = self.text("region", "{region}")
        return restic.opening(self.text("dataset"), region, known, called)

    @property
    def blanks(self) -> tuple[Note, ...]:
        """What must be said if it is not known yet which dataset or region it will be."""
        return () if self.dataset and self.region else (Note.PLACES,)


def _secret(value: Value) -> str:
    name = value.get("secret") if isinstance(value, Mapping) else None
    return name if isinstance(name, str) else ""


def quote(word: str) -> str:
    """The word as the shell takes it; in double quotes where those are easier to read and to type."""
    if "'" in word and not any(letter in word for letter in '"$`\\!'):
        return f'"{word}"'
    return shell_quote(word)


def join(words: Sequence[str]) -> str:
    """A command of these words."""
    return " ".join(quote(word) for word in words)


def _restore(given: _Given) -> ByHand:
    dataset, snapshot, notes = given.dataset, "latest", [*given.blanks]
    if dataset is None:
        notes.append(Note.WHOLE_PATH)
    elif dataset.dump is None:
        notes.append(Note.MOVED)
    elif given.words("include"):
        notes.append(Note.WHOLE_SNAPSHOT)
    if given.text("at"):
        snapshot = "ID"
        notes.append(Note.AT_A_TIME)
    target = given.text("to")
    lines = restic.restoring(dataset, target, snapshot, given.words("include"))
    finding = restic.finding(target, snapshot, given.words("include"))
    return ByHand(lines, tuple(notes), given.opening(), finding=finding)


def _snapshot_age(given: _Given) -> ByHand:
    return ByHand((restic.newest(),), (*given.blanks, Note.AGE), given.opening())


def _check(given: _Given) -> ByHand:
    line = restic.checking(read_data=given.text("read_data") == "true")
    return ByHand((line,), given.blanks, given.opening())


def _reachable(given: _Given) -> ByHand:
    region = given.configuration.regions.get(given.text("region"))
    place = f"{region.endpoint.rstrip('/')}/{region.bucket}" if region else "{endpoint}/{bucket}"
    words = ["curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}\\n", place]
    notes = (Note.ANSWERS_ONLY,) if region else (Note.PLACES, Note.ANSWERS_ONLY)
    return ByHand((join(words),), notes)


def _command(given: _Given) -> ByHand:
    return _program(given, join(given.words("argv")))


def _shell(given: _Given) -> ByHand:
    interpreter = given.words("interpreter") or ["/bin/sh", "-eu"]
    return _program(given, join([*interpreter, "-c", given.text("script")]))


def _program(given: _Given, line: str) -> ByHand:
    lines, secrets = _environment(given.pairs("env"))
    piped, asked = _piped(given, line)
    into = [join(["cd", given.text("cwd")])] if given.text("cwd") else []
    return ByHand((*into, *lines, *piped), secrets=(*secrets, *asked))


def _environment(wanted: Mapping[str, Value]) -> tuple[list[str], list[str]]:
    """Lines that set variables, and the secrets they ask for."""
    lines, secrets = [], []
    for name, value in wanted.items():
        if secret := _secret(value):
            lines += [restic.asking(name, secret), f"export {name}"]
            secrets.append(secret)
        else:
            lines.append(f"export {name}={quote(as_text(value))}")
    return lines, secrets


def _piped(given: _Given, line: str) -> tuple[list[str], list[str]]:
    value = given.values.get("stdin")
    if value is None:
        return [line], []
    if secret := _secret(value):
        asked = [restic.asking("INPUT", secret), f'printf %s "$INPUT" | {line}']
        return asked, [secret]
    return [f"printf %s {quote(as_text(value))} | {line}"], []


def _ssh(given: _Given) -> ByHand:
    far = join(given.words("argv"))
    if given.text("cwd"):
        far = f"{join(['cd', given.text('cwd')])} && {far}"
    words = ["ssh", "-o", f"UserKnownHostsFile={given.text('known_hosts')}"]
    words += ["-o", "StrictHostKeyChecking=yes", "-i", "KEYFILE"]
    if given.text("port"):
        words += ["-p", given.text("port")]
    line = join([*words, f"{given.text('user')}@{given.text('host')}", far])
    lines, secrets = _piped(given, line)
    key = given.secret("identity")
    return ByHand(tuple(lines), (Note.KEY_FILE,), secrets=(*([key] if key else []), *secrets))


def _start(given: _Given) -> ByHand:
    lines, secrets = _environment(given.pairs("env"))
    log = given.text("log", f"{given.step.replace('/', '.')}.log")
    into = [join(["cd", given.text("cwd")])] if given.text("cwd") else []
    program = join(["setsid", "nohup", *given.words("command")])
    started = f'{program} >{quote(log)} 2>&1 & echo "$!"'
    return ByHand((*into, *lines, started), (Note.STAYS,), secrets=tuple(secrets))


def _stop(given: _Given) -> ByHand:
    service = given.text("service")
    if not service.endswith(".service}"):
        return NO_COMMAND
    return ByHand((f"kill {service.removesuffix('.service}')}.pid}}",))


def _look(given: _Given) -> ByHand:
    return _http(given, given.text("method", "GET"))


def _request(given: _Given) -> ByHand:
    return _http(given, given.text("method", "POST"))


def _http(given: _Given, method: str) -> ByHand:
    words = ["curl", "-sS", "-i", "-m", "10"]
    if method != "GET":
        words += ["-X", method]
    if given.text("ca"):
        words += ["--cacert", given.text("ca")]
    lines: list[str] = []
    secrets: list[str] = []
    extra = ""
    for name, value in given.pairs("headers").items():
        if secret := _secret(value):
            variable = f"HEADER{len(secrets) + 1}"
            lines.append(restic.asking(variable, secret))
            extra += f' -H "{name}: ${variable}"'
            secrets.append(secret)
        else:
            words += ["-H", f"{name}: {as_text(value)}"]
    if given.values.get("body") is not None:
        words += ["--data-binary", given.text("body")]
    return ByHand((*lines, f"{join([*words, given.text('url')])}{extra}"), secrets=tuple(secrets))


def _tcp(given: _Given) -> ByHand:
    return ByHand((_knock(f"{given.text('host')}:{given.text('port')}"),))


def _knock(address: str) -> str:
    return f"{join(['curl', '-sv', '-m', '5', f'telnet://{address}'])} </dev/null"


def _fence(given: _Given) -> ByHand:
    lines = [_knock(address) for address in given.words("tcp")]
    if given.words("command"):
        lines.append(f'{join(given.words("command"))}; echo "$?"')
    return ByHand(tuple(lines), (Note.SILENCE,))


def _dns_check(given: _Given) -> ByHand:
    return ByHand((join(["getent", "ahosts", given.text("name")]),))


def _dns_update(given: _Given) -> ByHand:
    kind, name = given.text("type", "A"), f"{given.text('name').rstrip('.')}."
    signed, asked = ("", []) if not given.secret("key") else (" -k KEYFILE", [given.secret("key")])
    added = [
        f"update add {name} {given.text('ttl', '60')} {kind} {value}"
        for value in given.words("values")
    ]
    lines = (
        f"nsupdate -v{signed} <<'END'",
        f"server {given.text('server')} {given.text('port', '53')}",
        f"zone {given.text('zone').rstrip('.')}.",
        f"update delete {name} {kind}",
        *added,
        "send",
        "END",
    )
    return ByHand(lines, (Note.KEY_FILE,) if asked else (), secrets=tuple(asked))


def _sql(given: _Given) -> ByHand:
    query = given.values.get("query")
    one = isinstance(query, str) or not isinstance(query, Sequence)
    statements = [as_text(query)] if one else given.words("query")
    return _asked(given, "database", "password", statements)


def _asked(given: _Given, database: str, password: str, statements: Sequence[str]) -> ByHand:
    """Statements put to a database by its own client, or bare where the database is not known."""
    url, secret = given.text(database), given.secret(password)
    if url.startswith("sqlite:///"):
        file = url.removeprefix("sqlite:///")
        return ByHand(tuple(join(["sqlite3", file, one]) for one in statements))
    if not url.startswith(("postgresql://", "postgres://")):
        return ByHand(
            tuple(f"{one.rstrip().rstrip(';')};" for one in statements), (Note.SQL_CLIENT,)
        )
    asked = [restic.asking("PGPASSWORD", secret), "export PGPASSWORD"] if secret else []
    words = ["psql", url, *(word for one in statements for word in ("-c", one))]
    return ByHand((*asked, join(words)), secrets=(secret,) if secret else ())


def _is_primary(given: _Given) -> ByHand:
    hand = _asked(given, "database", "password", ["SELECT pg_is_in_recovery()"])
    fenced = given.text("expect") == "fenced"
    return replace(hand, notes=(*hand.notes, Note.FENCED if fenced else Note.PRIMARY_IS_F))


def _lag(given: _Given) -> ByHand:
    query = "SELECT now() - pg_last_xact_replay_timestamp()"
    return _asked(given, "database", "password", [query])


def _promote(given: _Given) -> ByHand:
    return _asked(given, "database", "password", ["SELECT pg_promote()"])


def _load(given: _Given) -> ByHand:
    data = given.text("data", f"{{{given.step}.data}}")
    name = given.text("database", "restored")
    secret = given.secret("password")
    # pg_ctl hands what follows -o to a shell of its own.
    options = f"-k {shell_quote(data)} -c listen_addresses="
    start = ["pg_ctl", "-D", data, "-w", "-l", f"{data}/server.log", "-o", options, "start"]
    lines = (
        join(["initdb", "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"]),
        join(start),
        join(["createdb", "-h", data, "-U", "postgres", name]),
        join(
            [
                "pg_restore",
                "-h",
                data,
                "-U",
                "postgres",
                "-d",
                name,
                *_AS_LOADED,
                given.text("dump"),
            ]
        ),
    )
    finding = {
        "pid": f"head -1 {join([f'{data}/postmaster.pid'])}",
        "url": join(["echo", f"postgresql:///{name}?host={encoded(data, '/{}')}&user=postgres"]),
    }
    asked = (secret,) if secret else ()
    return ByHand(lines, (Note.NEW_CLUSTER,), secrets=asked, finding=finding)


#: How `postgres.load` loads a dump.
_AS_LOADED = ("--no-owner", "--no-privileges", "--exit-on-error")


def _verify(given: _Given) -> ByHand:
    path, manifest = given.text("path"), given.text("manifest")
    lines = []
    if manifest:
        check = f"cd {quote(path)} && sha256sum --check --quiet"
        lines.append(f"({check}) <{quote(manifest)} && echo whole")
    if given.text("digest"):
        lines.append(join(["sha256sum", manifest or path]))
    if given.text("files"):
        lines.append(f"{join(['find', path, '-type', 'f'])} | wc -l")
    if given.text("bytes"):
        sizes = join(["find", path, "-type", "f", "-printf", "%s\\n"])
        lines.append(f"{sizes} | awk '{{n += $1}} END {{print n}}'")
    return ByHand(tuple(lines)) if lines else NO_COMMAND


def _write(given: _Given) -> ByHand:
    path, content = given.text("path"), given.text("content")
    folder = str(PurePosixPath(path).parent)
    made = () if folder in (".", "/") else (join(["mkdir", "-p", folder]),)
    return ByHand((*made, f"printf %s {quote(content)} > {quote(path)}"))


def _remove(given: _Given) -> ByHand:
    return ByHand((join(["rm", "-rI", "--", given.text("path")]),), (Note.ONLY_OURS,))


_TABLE: Mapping[str, Callable[[_Given], ByHand]] = MappingProxyType(
    {
        "restore": _restore,
        "snapshot.age": _snapshot_age,
        "repository.check": _check,
        "region.reachable": _reachable,
        "command": _command,
        "shell": _shell,
        "ssh.command": _ssh,
        "service.start": _start,
        "service.stop": _stop,
        "http.check": _look,
        "http.request": _request,
        "tcp.check": _tcp,
        "dns.check": _dns_check,
        "dns.update": _dns_update,
        "sql.check": _sql,
        "sql.execute": _sql,
        "postgres.load": _load,
        "postgres.is_primary": _is_primary,
        "postgres.lag": _lag,
        "postgres.promote": _promote,
        "files.verify": _verify,
        "files.write": _write,
        "files.remove": _remove,
        "fence.check": _fence,
    }
)
