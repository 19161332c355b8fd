"""A real PostgreSQL server on loopback for one test session, where its binaries are installed."""

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from drorch.loopback import free_port
from tests.programs import must_have


def postgres_url() -> str:
    """The URL of a fresh database; the test fails where PostgreSQL cannot be had."""
    server = _server()
    must_have(server, "postgresql")
    import psycopg

    name = f"journal_{uuid.uuid4().hex}"
    with psycopg.connect(f"postgresql://drorch@{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://drorch@{server}/{name}"


@functools.cache
def _server() -> str | None:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        return None
    folder = Path(tempfile.mkdtemp(prefix="drorch-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    user = _who()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    port = free_port()
    data, control = folder / "data", binaries[-1].parent / "pg_ctl"
    _as(user, [str(binaries[-1]), "-D", str(data), "-U", "drorch", "-A", "trust", "-N"])
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    _as(
        user,
        [str(control), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"],
    )
    atexit.register(_as, user, [str(control), "-D", str(data), "-m", "immediate", "stop"])
    return f"127.0.0.1:{port}"


def _who() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _as(user: pwd.struct_passwd | None, argv: list[str]) -> None:
    subprocess.run(
        argv,
        check=True,
        cwd="/tmp",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
    )
