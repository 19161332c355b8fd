"""Secrets by name, from files, the environment, commands and systemd's credentials; and keeping them
out of what is written.

Files are read anew each time, so that a rotated secret is taken up; commands are asked once, and
again only when what they gave is refused.
"""

import base64
import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

from drorch.core.errors import ConfigurationError, Problem
from drorch.core.model import Configuration, SecretSource
from drorch.core.nearest import did_you_mean
from drorch.ports import Command, Commands, Ended

#: Shorter values are not searched for: replacing every `12` would ruin what is written.
SHORTEST_REDACTED = 4
_SHORTEST_PART = 8
#: The name of a secret that is typed in, or read from a file that the configuration does not name.
LENT = "(given)"
_ASK = timedelta(seconds=60)
_CREDENTIALS = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True)
class SecretProblem:
    """What is wrong with a secret; `grave` if it cannot be had at all."""

    name: str
    message: str
    hint: str
    grave: bool


@dataclass(frozen=True, slots=True)
class SecretLook:
    """What a look at a secret came to: `there` is None where only its program could tell."""

    name: str
    source: str
    there: bool | None
    message: str = ""
    hint: str = ""


class ConfiguredSecrets:
    """The secrets a configuration names. `environment` is what env sources and commands see."""

    def __init__(
        self, configuration: Configuration, commands: Commands, environment: Mapping[str, str]
    ) -> None:
        self._sources = configuration.secrets
        self._folder = configuration.folder
        self._environment = environment
        self._commands = commands
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}
        self._known: set[str] = set()
        self._forms: tuple[str, ...] = ()
        self._learned = False
        self._lent: dict[str, str] = {}

    def get(self, name: str, *, anew: bool = False) -> str:
        """The value, without one trailing line end; with `anew` a command is asked again.

        Raises ConfigurationError when there is no such secret, or it cannot be had or is empty.
        """
        source = self._sources.get(name)
        if source is None and name in self._lent:
            return self._lent[name]
        if source is None:
            hint = did_you_mean(name, self._sources, "secrets")
            raise _problem(name, "is not named in the configuration", hint)
        if anew:
            with self._lock:
                self._asked.pop(name, None)
        value = self._read(name, source)
        if not value:
            raise _problem(name, f"is empty ({describe(source)})", "put the value there")
        self.hide(value)
        return value

    def lend(self, value: str) -> str:
        """Make a value that a person gave a secret of this process alone; returns its name.

        No secret of a configuration can be called so.
        """
        self.hide(value)
        self._lent[LENT] = value
        return LENT

    def redact(self, text: str) -> str:
        """The text with every known value, plain or encoded, replaced by `***`.

        Known are all from files and the environment, and those of commands once handed out.
        """
        self._learn()
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        return text

    def _learn(self) -> None:
        """A program may print a secret that nobody has asked for yet."""
        if self._learned:
            return
        for name, source in self._sources.items():
            if source.command is None:
                with suppress(ConfigurationError):
                    self.hide(self._read(name, source))
        self._learned = True

    def problems(self) -> tuple[SecretProblem, ...]:
        """What doctor should say: secrets that cannot be had, lie open, or are too short."""
        return tuple(p for name in self._sources for p in self._problems_of(name))

    def look(self, name: str) -> SecretLook:
        """Whether a secret can be had, as far as that shows without running the program it is
        asked of: that may call a person, or leave a trace in somebody's vault.
        """
        source = self._sources.get(name)
        try:
            if source is not None and source.command is not None:
                self._look_for_program(name, source.command[0])
                return SecretLook(name, describe(source), None)
            self.get(name)
        except ConfigurationError as error:
            where = describe(source) if source is not None else ""
            return SecretLook(name, where, False, error.message, error.hint)
        return SecretLook(name, describe(source) if source is not None else "", True)

    def _look_for_program(self, name: str, program: str) -> None:
        where = str(self._folder / program) if "/" in program else program
        if shutil.which(where, path=self._environment.get("PATH")) is None:
            raise _problem(
                name, f"cannot be had: there is no program {program}", "install it, or correct it"
            )

    def _problems_of(self, name: str) -> Iterator[SecretProblem]:
        try:
            value = self.get(name)
        except ConfigurationError as error:
            yield SecretProblem(name, error.message, error.hint, grave=True)
            return
        if len(value) < SHORTEST_REDACTED:
            yield SecretProblem(
                name,
                f"secret {name} is too short to be kept out of logs",
                f"use at least {SHORTEST_REDACTED} characters",
                grave=False,
            )
        file = self._sources[name].file
        if file is not None and stat.S_IMODE((self._folder / file).stat().st_mode) & 0o077:
            yield SecretProblem(
                name,
                f"secret {name} can be read by others than its owner",
                f"chmod 600 {self._folder / file}",
                grave=False,
            )

    def _read(self, name: str, source: SecretSource) -> str:
        if source.file is not None:
            return _from_file(name, self._folder / source.file)
        if source.env is not None:
            if source.env not in self._environment:
                raise _problem(
                    name, f"is not in the environment ({source.env})", f"export {source.env}=…"
                )
            return self._environment[source.env]
        if source.credential is not None:
            return self._from_credential(name, source.credential)
        return self._from_command(name, source.command or ())

    def _from_credential(self, name: str, credential: str) -> str:
        """See systemd.exec(5), "Credentials": files in a folder that only this service can read."""
        folder = self._environment.get(_CREDENTIALS)
        load = f"LoadCredential={credential}:PATH"
        if not folder:
            raise _problem(
                name,
                f"cannot be had: systemd gave us no credentials ({_CREDENTIALS} is not set)",
                f"start drorch as a service with {load}; by hand: systemd-run --pty -p {load} …",
            )
        path = Path(folder) / credential
        if not path.is_file():
            raise _problem(
                name,
                f"cannot be had: {credential} is not among the credentials that systemd gave us",
                f"write {load} into the unit, then systemctl daemon-reload, and restart it",
            )
        return _from_file(name, path)

    def _from_command(self, name: str, argv: tuple[str, ...]) -> str:
        with self._lock:
            if name in self._asked:
                return self._asked[name]
        done = self._commands.run(
            Command(argv, dict(self._environment), cwd=self._folder, timeout=_ASK)
        )
        if done.ended is not Ended.EXITED or done.exit_code != 0:
            # What the command printed may hold the secret: it is not repeated here.
            why = done.message or f"{done.ended}, exit code {done.exit_code}"
            raise _problem(
                name, f"cannot be had from {argv[0]}: {why}", f"try it by hand: {argv[0]} …"
            )
        with self._lock:
            return self._asked.setdefault(name, _without_line_end(done.stdout))

    def hide(self, value: str) -> None:
        """See ports.Secrets.hide."""
        if value in self._known or len(value) < SHORTEST_REDACTED:
            return
        with self._lock:
            self._known.add(value)
            every = {form for known in self._known for form in forms(known)}
            # Longer ones first, so that no value is cut by another that is a part of it.
            self._forms = tuple(sorted(every, key=lambda form: (-len(form), form)))


def forms(value: str) -> set[str]:
    """How a value may show in text: as it is, its lines, JSON, URL and base64 encoded."""
    parts = {line for line in value.splitlines() if len(line) >= _SHORTEST_PART}
    plain = {value} | {part for part in parts if not part.startswith("-----")}
    encoded = {quote(value, safe=""), quote(value), quote_plus(value)}
    encoded |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return plain | encoded | set(_base64_forms(value.encode()))


def _base64_forms(value: bytes) -> Iterator[str]:
    """The value in base64 wherever it lies in what is encoded (as in `user:value`).

    Base64 takes three bytes at a time, so there are three ways; the characters at the edges
    that depend on the neighbours are left out.
    """
    if len(value) < _SHORTEST_PART:
        return
    for before in range(3):
        whole = (before + len(value)) // 3 * 3 - before
        skip = -(-before * 4 // 3) if before else 0
        text = base64.b64encode(bytes(before) + value[:whole]).decode("ascii")[skip:]
        yield text
        yield text.replace("+", "-").replace("/", "_")


def describe(source: SecretSource) -> str:
    """Where a secret comes from, for people."""
    if source.file is not None:
        return f"file {source.file}"
    if source.env is not None:
        return f"environment variable {source.env}"
    if source.credential is not None:
        return f"systemd credential {source.credential}"
    return f"command {(source.command or ('',))[0]}"


def _from_file(name: str, path: Path) -> str:
    try:
        return _without_line_end(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = f"write it to {path} (mode 600)"
        raise _problem(name, f"has no file: {path} does not exist", hint) from None
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or 0)
        folder = isinstance(error, IsADirectoryError)
        hint = "name a file in it" if folder else f"let {_whoever()} read it"
        raise _problem(name, f"cannot be read from {path}: {why}", hint) from None
    except UnicodeDecodeError:
        hint = "store it as text, base64 for example"
        raise _problem(name, f"in {path} is not text in UTF-8", hint) from None


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _whoever() -> str:
    return f"the user with id {os.getuid()}"


def _problem(name: str, what: str, hint: str) -> ConfigurationError:
    return ConfigurationError([Problem(f"secret {name} {what}", hint, ("secrets", name))])
