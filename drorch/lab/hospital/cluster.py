"""The hospital's PostgreSQL: whether this machine has it, and its start and end.

The cluster itself is made and served by the hospital's own tool, ehr-database, so that there is
one way of doing it; here is only what remembers the process.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Final

from drorch.lab.hospital.database import PostgresqlRecords
from drorch.lab.hospital.tools import write_tools
from drorch.lab.regions import LabError
from drorch.ports import Command, Commands, Completed, ServiceProcess

_PROGRAMS: Final = ("initdb", "postgres", "psql", "pg_dump", "pg_restore")
_STARTING: Final = timedelta(seconds=30)
_ENDING: Final = timedelta(seconds=20)
_MAKING: Final = timedelta(minutes=2)
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def find_postgresql(root: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """The folder of the newest PostgreSQL's programs, where Debian puts them; None if there is none."""
    found = [p for p in root.glob("*/bin") if all((p / name).is_file() for name in _PROGRAMS)]
    return max(found, key=_version, default=None)


def make_cluster(folder: Path, commands: Commands) -> str:
    """Make a cluster in `folder`/database unless it is there; returns its database's address.

    Its data can be made again from the seed, so it does not wait for the disk. Raises LabError.
    """
    done = _tool(folder, commands, "init", "--careless")
    url: str = json.loads(done.stdout)["url"]
    return url


def start_cluster(folder: Path, url: str, programs: Path, commands: Commands) -> None:
    """Start the cluster of `folder` unless it runs, and wait until it answers. Raises LabError."""
    running = _remembered(folder)
    if running is not None and commands.service_alive(running):
        return
    tool = str(folder / "bin" / "ehr-database")
    command = Command((tool, "serve", str(folder / "database")), env=_ENVIRONMENT)
    begun = commands.start_service(command, _log(folder))
    if isinstance(begun, Completed):
        raise LabError(f"the hospital's PostgreSQL could not be started: {begun.message}", "")
    _process_file(folder).write_text(json.dumps(asdict(begun)), encoding="utf-8")
    try:
        _await(folder, PostgresqlRecords(url, programs, commands), begun, commands)
    except BaseException:
        stop_cluster(folder, commands)
        raise


def stop_cluster(folder: Path, commands: Commands) -> None:
    """Stop the cluster of `folder` if it runs. Raises LabError if it survives."""
    running = _remembered(folder)
    if running is None:
        return
    if not commands.stop_service(running, _ENDING):
        raise LabError(
            f"the hospital's PostgreSQL could not be stopped (pid {running.pid})",
            f"end it by hand: kill -9 {running.pid}",
        )
    _process_file(folder).unlink(missing_ok=True)


def remove_cluster(folder: Path, commands: Commands) -> None:
    """Stop the cluster of `folder` and take it away, wherever it lies. Raises LabError."""
    stop_cluster(folder, commands)
    if os.path.lexists(folder / "database" / "cluster"):
        # Written anew: the Python that wrote them may be gone by now.
        write_tools(folder / "bin")
        _tool(folder, commands, "remove")


def _tool(folder: Path, commands: Commands, verb: str, *options: str) -> Completed:
    argv = (str(folder / "bin" / "ehr-database"), verb, str(folder / "database"), *options)
    done = commands.run(Command(argv, env=_ENVIRONMENT, timeout=_MAKING))
    if done.exit_code != 0:
        raise LabError(
            f"the hospital's PostgreSQL: {done.message or done.stderr.strip()}",
            "a SQLite database does as well: choose that, or see to PostgreSQL's installation",
        )
    return done


def _await(
    folder: Path, records: PostgresqlRecords, process: ServiceProcess, commands: Commands
) -> None:
    """Until it answers. Polled: a server has no other way to tell a stranger that it is ready."""
    deadline = time.monotonic() + _STARTING.total_seconds()
    while not records.answers():
        if not commands.service_alive(process) or time.monotonic() > deadline:
            last = _log(folder).read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
            raise LabError(
                f"the hospital's PostgreSQL did not come up: {' '.join(last)}",
                f"see {_log(folder)}",
            )
        time.sleep(0.05)


def _remembered(folder: Path) -> ServiceProcess | None:
    with suppress(FileNotFoundError, ValueError):
        return ServiceProcess(**json.loads(_process_file(folder).read_text(encoding="utf-8")))
    return None


def _process_file(folder: Path) -> Path:
    return folder / "postgresql.json"


def _log(folder: Path) -> Path:
    return folder / "postgresql.log"


def _version(programs: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in programs.parent.name.split(".") if part.isdigit())
