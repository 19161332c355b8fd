"""What `postgres.load` is asked to make: where, as whom, by which installed PostgreSQL."""

import hashlib
import os
import pwd
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from drorch.actions.arguments import Arguments, WrongArgument, reveal
from drorch.loopback import free_port
from drorch.ports import Call, Tools

#: The superuser of the new cluster.
ROLE = "postgres"
#: Where Debian and the PostgreSQL project's RPMs put each major version's server programs.
_PLACES = (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"))
_ACCOUNT = "postgres"
_SOCKET_PORT = 5432
#: sun_path of a Unix socket holds 107 bytes (unix(7)); `/.s.PGSQL.65535` is added.
_LONGEST_FOLDER = 107 - len("/.s.PGSQL.65535")
_MAGIC = b"PGDMP"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as when drorch is root, which PostgreSQL refuses to be."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is to be made."""

    dump: Path
    data: Path
    programs: Path
    account: Account | None
    database: str
    port: int | None
    password: str | None
    jobs: int

    @property
    def url(self) -> str:
        """How to reach the database; without the password."""
        name = quote(self.database, safe="")
        if self.port is not None:
            return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{name}"
        where = urlencode({"host": str(self.data), "port": _SOCKET_PORT}, quote_via=quote)
        return f"postgresql://{ROLE}@/{name}?{where}"

    @property
    def socket_port(self) -> int:
        """The number in the socket's name."""
        return self.port or _SOCKET_PORT


def read_cluster(call: Call, tools: Tools) -> Cluster:
    """The cluster an attempt is to make; raises WrongArgument."""
    arguments = Arguments.of(call, tools)
    dump = arguments.path("dump")
    _see_that_it_is_a_dump(dump)
    account = _account()
    data = arguments.path("data", _default_data(call))
    data = data.parent.resolve() / data.name
    if len(os.fsencode(data)) > _LONGEST_FOLDER:
        raise WrongArgument(
            f"data {data} is too long for a socket in it",
            f"choose a path of at most {_LONGEST_FOLDER} bytes, or leave it out",
        )
    password = None
    if arguments.has("password"):
        password = reveal("password", arguments.mapping("password"), tools.secrets)
    elif arguments.has("port"):
        raise WrongArgument(
            "a port needs a password: every user of this machine could read the data",
            "add password: {secret: NAME}, or leave the port out and use the socket",
        )
    return Cluster(
        dump=dump,
        data=data,
        programs=arguments.path("programs", _programs(tools)),
        account=account,
        database=arguments.text("database", "restored"),
        port=None if password is None else arguments.integer("port", free_port()),
        password=password,
        jobs=max(1, arguments.integer("jobs", min(4, os.cpu_count() or 1))),
    )


def _see_that_it_is_a_dump(dump: Path) -> None:
    hint = "make it with: pg_dump --format=custom"
    try:
        with dump.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise WrongArgument(f"dump {dump} cannot be read: {error.strerror}", hint) from None
    if start != _MAGIC:
        raise WrongArgument(f"{dump} is no dump in the custom format", hint)


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise WrongArgument(
            f"PostgreSQL does not run as root, and there is no user {_ACCOUNT}",
            "install PostgreSQL by the system's package, or run drorch as another user",
        ) from None
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _default_data(call: Call) -> Path:
    """Where the server's user can surely enter; named for the run and step, or short if too long."""
    whole = re.sub(r"[^\w.-]", ".", f"{call.run}-{call.step}")
    short = hashlib.sha256(whole.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir())
    named = folder / f"drorch-{whole}"
    return named if len(os.fsencode(named)) <= _LONGEST_FOLDER else folder / f"drorch-{short}"


def _programs(tools: Tools) -> Path:
    """The newest installed version's folder; raises WrongArgument if there is none."""
    found = {
        _version(folder): folder
        for root, pattern in _PLACES
        for folder in Path(root).glob(pattern)
        if (folder / "initdb").exists() and (folder / "postgres").exists()
    }
    if found:
        return found[max(found)]
    on_path = shutil.which("initdb", path=tools.environment.get("PATH"))
    if on_path is not None:
        return Path(on_path).resolve().parent
    raise WrongArgument(
        "PostgreSQL's server programs are not installed on this machine",
        "install them (Debian: apt-get install postgresql), or name their folder as `programs`",
    )


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", folder.parent.name))
