"""What a drill must never touch, and whether arguments point at it.

Looked at twice: when a runbook is compiled, on paths as written, and when a step starts, on
paths resolved through symbolic links. Scripts cannot be looked into.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from drorch.core.action import ActionSpec, Kind
from drorch.core.model import Configuration
from drorch.core.values import Value

#: How the message of an offence ends.
FORBIDDEN = ": a drill must not touch it"

Resolve = Callable[[Path], Path]

_PATHS = frozenset({Kind.READ_PATH, Kind.WRITE_PATH})
_WORDS = frozenset({Kind.ARGV, Kind.LIST, Kind.ANY, Kind.MAPPING, Kind.URL, Kind.HOST})
#: Text that is carried out, unlike a prompt or a message.
_CARRIED_OUT = frozenset({"script", "stdin", "command", "database", "url"})
#: What is compared or sent, or names places inside a snapshot: not pointed at.
_COMPARED = frozenset({"expect", "headers", "inputs", "json", "include", "exclude"})
_BREAKS = re.compile(r"[\s=:,;\"'`()<>|&\[\]{}@]+")


@dataclass(frozen=True, slots=True)
class Offence:
    """An argument that points at something protected."""

    argument: str
    message: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """Everything a drill must not touch: paths (absolute) and hosts; `folder` is the base of
    relative paths.
    """

    folder: Path
    paths: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, configuration: Configuration) -> "Guarded":
        """The declared paths and hosts, and every dataset's own paths."""
        own = [path for one in configuration.datasets.values() for path in one.paths]
        paths = dict.fromkeys((*configuration.protected.paths, *own))
        return cls(configuration.folder, tuple(paths), configuration.protected.hosts)


def lexically(folder: Path) -> Resolve:
    """Paths as written: relative to the folder, `.` and `..` taken out, links not followed."""
    return lambda path: Path(posixpath.normpath(folder / path))


def offences(
    arguments: Mapping[str, Value],
    spec: ActionSpec,
    guarded: Guarded,
    resolve: Resolve | None = None,
) -> list[Offence]:
    """Every argument that points at what is protected.

    `arguments` are rendered. `resolve` makes a path absolute, following links or not; the
    protected paths go through it too. Left out, it works on paths as written.
    """
    if not guarded.paths and not guarded.hosts:
        return []
    sight = _Sight(guarded, arguments, resolve or lexically(guarded.folder))
    kinds = {parameter.name: parameter.kind for parameter in spec.parameters}
    return [
        Offence(name, f"{name}: {what}{FORBIDDEN}")
        for name, value in arguments.items()
        for what in dict.fromkeys(sight.seen_in(name, kinds.get(name, Kind.ANY), value))
    ]


class _Sight:
    """Looks for protected paths and hosts in one step's arguments."""

    def __init__(self, guarded: Guarded, arguments: Mapping[str, Value], resolve: Resolve) -> None:
        self._resolve = resolve
        written = lexically(guarded.folder)
        both = [p for path in guarded.paths for p in (written(path), resolve(path))]
        self._paths = tuple(dict.fromkeys(both))
        self._hosts = tuple((host, _host_pattern(host)) for host in guarded.hosts)
        cwd = arguments.get("cwd")
        at_home = not isinstance(cwd, str) or any(self._of_path(cwd, Path(), holding=False))
        self._base = Path() if at_home or not isinstance(cwd, str) else Path(cwd)

    def seen_in(self, name: str, kind: Kind, value: Value) -> Iterator[str]:
        """What of the argument is protected, in words."""
        if name == "cwd" and isinstance(value, str):
            yield from self._of_path(value, Path(), holding=False)
        elif kind in _PATHS and isinstance(value, str):
            yield from self._of_path(value, self._base, holding=True)
        elif name not in _COMPARED and (kind in _WORDS or name in _CARRIED_OUT):
            for text in _texts(value):
                yield from self._of_text(text, scripted=name == "script")

    def _of_text(self, text: str, *, scripted: bool) -> Iterator[str]:
        for host, pattern in self._hosts:
            if pattern.search(text):
                yield f"{text!r} names {host}, which is protected"
        words = [text, *_words(text)] if not scripted else _words(text)
        for word in dict.fromkeys(words):
            yield from self._of_path(word, self._base, holding=not scripted and "/" in word)

    def _of_path(self, text: str, base: Path, *, holding: bool) -> Iterator[str]:
        """`holding`: a folder that holds something protected counts too."""
        if not text or "\0" in text:
            return
        if text.startswith("//"):  # POSIX lets two slashes mean something else; Linux does not
            text = "/" + text.lstrip("/")
        path = self._resolve(base / text)
        around = next((p for p in self._paths if p == path or p in path.parents), None)
        if path in self._paths:
            yield f"{text!r} is protected"
        elif around is not None:
            yield f"{text!r} lies in {around}, which is protected"
        elif holding:
            held = (p for p in self._paths if path in p.parents)
            yield from (f"{text!r} holds {p}, which is protected" for p in islice(held, 1))


def _words(text: str) -> list[str]:
    """Parts of a word of a command that may be paths: `--dir=/a`, `-I/a`, `host:/a`, `file:///a`."""
    parts = [part for part in _BREAKS.split(text) if part]
    glued = [part[part.index("/") :] for part in parts if part.startswith("-") and "/" in part]
    relative = [part.lstrip("/") for part in parts if part.startswith("///")]  # sqlite:///a
    return [*parts, *glued, *relative]


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _host_pattern(host: str) -> re.Pattern[str]:
    """The host as a whole name, in any case; `*.example.org` is any name below example.org."""
    below = r"(?:[\w-]+\.)+" if host.startswith("*.") else ""
    name = re.escape(host.removeprefix("*.").rstrip("."))
    return re.compile(rf"(?<![\w.-]){below}{name}(?![\w-]|\.\w)", re.IGNORECASE)
