"""How a dump that was brought back is loaded by hand: what the program that wrote it wants.

As root, on a machine whose new server is empty. What no program here knows is not guessed at.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from drorch.core.model import Dump
from drorch.core.typed import typed, value

_AS_POSTGRES = ("runuser", "-u", "postgres", "--")
#: As `postgres.load` loads: of the roles of old nothing is known to the new server.
_AS_LOADED = ("--no-owner", "--no-privileges", "--exit-on-error")
_ARCHIVES = ("c", "custom", "t", "tar")


def loading(dump: Dump, file: str, name: str) -> tuple[str, ...]:
    """Lines that load the dump in `file` as a database of that name; none if nobody knows how."""
    program = PurePosixPath(dump.command[0]).name
    load = _TABLE.get(program)
    return load(dump.command, value(file), value(name)) if load else ()


def _postgres(command: Sequence[str], file: str, name: str) -> tuple[str, ...]:
    if _format(command) in _ARCHIVES:
        reading = ("pg_restore", *_AS_LOADED, "-d", name, "<", file)
    else:
        reading = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", name, "<", file)
    return (
        *typed(*_AS_POSTGRES, "createdb", name),
        *typed(*_AS_POSTGRES, *reading),
    )


def _format(command: Sequence[str]) -> str:
    for word, following in zip(command, (*command[1:], ""), strict=True):
        if word in ("-F", "--format"):
            return following
        if word.startswith("--format="):
            return word.removeprefix("--format=")
        if word.startswith("-F"):
            return word.removeprefix("-F")
    return "plain"


def _whole_postgres(_command: Sequence[str], file: str, _name: str) -> tuple[str, ...]:
    return typed(*_AS_POSTGRES, "psql", "-X", "-d", "postgres", "<", file)


def _mariadb(client: str) -> Callable[[Sequence[str], str, str], tuple[str, ...]]:
    def load(command: Sequence[str], file: str, name: str) -> tuple[str, ...]:
        if {"--all-databases", "-A", "--databases", "-B"} & set(command):
            return typed(client, "<", file)
        return (
            *typed(client, "-e", value(f"CREATE DATABASE `{name.strip(chr(39))}`")),
            *typed(client, name, "<", file),
        )

    return load


def _sqlite(_command: Sequence[str], file: str, name: str) -> tuple[str, ...]:
    return typed("sqlite3", f"{name}.db", "<", file)


_TABLE: Mapping[str, Callable[[Sequence[str], str, str], tuple[str, ...]]] = MappingProxyType(
    {
        "pg_dump": _postgres,
        "pg_dumpall": _whole_postgres,
        "mariadb-dump": _mariadb("mariadb"),
        "mysqldump": _mariadb("mysql"),
        "sqlite3": _sqlite,
    }
)
