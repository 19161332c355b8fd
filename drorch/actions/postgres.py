"""`postgres.load`: a PostgreSQL cluster of its own from a dump, to look at or to serve from.

It listens on a socket inside its data folder, which only its user can enter; on a loopback port
too if a password is given. To undo: `service.stop` with its `service`, then `files.remove` with
its `data`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drorch.actions.arguments import make_action
from drorch.actions.patience import pause
from drorch.actions.postgres_cluster import ROLE, Account, Cluster, read_cluster
from drorch.actions.surroundings import child_environment, last_words
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import DrorchError
from drorch.core.names import Mode
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Command, Completed, Ended, Progress, ServiceProcess, Tools

if TYPE_CHECKING:
    import psycopg

_READY = timedelta(seconds=60)
_LOOK = timedelta(milliseconds=50)
_GRACE = timedelta(seconds=10)


class _Failed(DrorchError):
    """A stage did not succeed."""

    def __init__(self, cause: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.cause = cause


class _Stopped(Exception):
    """The attempt was cancelled."""


def _load(call: Call, tools: Tools) -> Result:
    cluster = read_cluster(call, tools)
    work = _Work(call, tools, cluster)
    try:
        return passed(work.carry())
    except _Failed as error:
        work.undo()
        return failed(error.cause, error.message, error.hint)
    except OSError as error:
        work.undo()
        return failed("unwritable", f"{error.filename}: {error.strerror}", "look at the disk")
    except _Stopped:
        work.undo()
        return errored("cancelled", "the load was stopped; what it had made is removed")
    except BaseException:
        work.undo()
        raise


class _Work:
    """One attempt, stage by stage."""

    def __init__(self, call: Call, tools: Tools, cluster: Cluster) -> None:
        self._call = call
        self._tools = tools
        self._cluster = cluster
        self._made = False
        self._service: ServiceProcess | None = None
        step = call.step.replace("/", ".")
        folder = tools.configuration.work / "logs" / call.run
        self._log = folder / f"{step}-{call.attempt}.log"

    def carry(self) -> dict[str, Value]:
        """Everything; the outputs. Raises _Failed, _Stopped, OSError."""
        cluster = self._cluster
        self._take_over()
        self._make_folder()
        self._tell("making a new cluster")
        self._run("initdb-failed", self._as_server(self._initdb()))
        self._tell("starting the server")
        service = self._start()
        self._prepare(service)
        self._tell("loading the dump")
        self._run("restore-failed", self._pg_restore())
        return {
            "url": cluster.url,
            "database": cluster.database,
            "data": str(cluster.data),
            "service": {"pid": service.pid, "started": service.started, "boot": service.boot},
            "pid": service.pid,
            "log": str(self._log),
            "created": [str(cluster.data)],
        }

    def undo(self) -> None:
        """Stop the server and remove what this attempt made."""
        if self._service is not None:
            self._tools.commands.stop_service(self._service, _GRACE)
        if self._made:
            with suppress(OSError):
                shutil.rmtree(self._cluster.data)

    def _take_over(self) -> None:
        """Remove what a lost attempt of this run left, its server too."""
        data = self._cluster.data
        if not os.path.lexists(data):
            return
        if not self._tools.creations.made(self._call.run, data):
            raise _Failed("exists", f"{data} is there already", "name one that is not there yet")
        stop = self._program("pg_ctl", "stop", "--pgdata", str(data), "--mode", "immediate")
        # It fails when there is no server any more, which is as good.
        self._tools.commands.run(self._as_server(stop), cancel=self._call.cancel)
        shutil.rmtree(data)

    def _make_folder(self) -> None:
        data, account = self._cluster.data, self._cluster.account
        self._tools.creations.note(self._call.run, data)
        try:
            data.mkdir(parents=True, mode=0o700)
            self._made = True
            if account is not None:
                os.chown(data, account.uid, account.gid)
        except OSError as error:
            said = f"{data} cannot be made: {error.strerror}"
            raise _Failed("unwritable", said, "look at permissions") from None
        if account is not None:
            self._see_that_it_can_be_entered(account)

    def _see_that_it_can_be_entered(self, account: Account) -> None:
        """PostgreSQL would only say `could not access directory`."""
        look = Command(("test", "-w", str(self._cluster.data)), self._environment(), Path("/"))
        if self._tools.commands.run(self._as_server(look)).exit_code != 0:
            raise _Failed(
                "unreachable",
                f"user {account.name} may not enter {self._cluster.data}",
                "leave `data` out, or give a folder whose parents everybody may enter (chmod o+x)",
            )

    def _initdb(self) -> Command:
        quick = ("--no-sync",) if self._call.mode is Mode.DRILL else ()
        return self._program(
            "initdb",
            f"--pgdata={self._cluster.data}",
            f"--username={ROLE}",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            *quick,
        )

    def _start(self) -> ServiceProcess:
        cluster = self._cluster
        command = self._program(
            "postgres",
            "-D",
            str(cluster.data),
            "-c",
            f"unix_socket_directories={cluster.data}",
            "-c",
            f"listen_addresses={'127.0.0.1' if cluster.port else ''}",
            "-c",
            f"port={cluster.socket_port}",
        )
        service = self._tools.commands.start_service(self._as_server(command), self._log)
        if isinstance(service, Completed):
            raise _Failed("not-started", service.message, "see that PostgreSQL is installed whole")
        self._service = service
        return service

    def _prepare(self, service: ServiceProcess) -> None:
        """Wait until it answers; make the database, and set the password before anybody needs it."""
        import psycopg
        from psycopg import sql

        with self._connect(service) as connection, _told(psycopg.Error):
            password = self._cluster.password
            if password is not None:
                # Hashed here, so that it cannot show in the server's log.
                hashed = connection.pgconn.encrypt_password(
                    password.encode(), ROLE.encode(), b"scram-sha-256"
                ).decode("ascii")
                role = sql.Identifier(ROLE)
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(hashed))
                )
            if self._cluster.database != "postgres":
                name = sql.Identifier(self._cluster.database)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(name))

    def _connect(self, service: ServiceProcess) -> "psycopg.Connection[Any]":
        import psycopg

        for _ in range(int(_READY / _LOOK)):
            with suppress(psycopg.OperationalError):
                return psycopg.connect(
                    host=str(self._cluster.data),
                    port=self._cluster.socket_port,
                    user=ROLE,
                    dbname="postgres",
                    autocommit=True,
                )
            if not self._tools.commands.service_alive(service):
                break
            if not pause(self._call.cancel, _LOOK):
                raise _Stopped
        raise _Failed("died", "the new server does not answer", f"read {self._log}")

    def _pg_restore(self) -> Command:
        cluster = self._cluster
        return self._program(
            "pg_restore",
            f"--host={cluster.data}",
            f"--port={cluster.socket_port}",
            f"--username={ROLE}",
            "--no-password",
            f"--dbname={cluster.database}",
            f"--jobs={cluster.jobs}",
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--verbose",
            str(cluster.dump),
        )

    def _program(self, name: str, *words: str) -> Command:
        # The working folder has to be one the server's user may enter.
        program = str(self._cluster.programs / name)
        return Command(
            (program, *words), self._environment(), Path("/"), timeout=self._call.timeout
        )

    def _as_server(self, command: Command) -> Command:
        account = self._cluster.account
        if account is None:
            return command
        # setpriv replaces itself by the program: the process we know stays the same.
        whom = ("setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--init-groups")
        return replace(command, argv=(*whom, "--", *command.argv))

    def _environment(self) -> dict[str, str]:
        return child_environment(self._call, self._tools, {})

    def _run(self, cause: str, command: Command) -> None:
        done = self._tools.commands.run(command, on_stderr=self._tell, cancel=self._call.cancel)
        if done.ended is Ended.CANCELLED:
            raise _Stopped
        if done.ended is not Ended.EXITED or done.exit_code != 0:
            words = self._tools.secrets.redact(done.message or last_words(done))
            program = cause.removesuffix("-failed")
            hint = f"the server's log is {self._log}; a newer dump needs a newer PostgreSQL"
            raise _Failed(cause, f"{program} ended with {done.exit_code}: {words}", hint)

    def _tell(self, line: str) -> None:
        self._call.progress(Progress(message=self._tools.secrets.redact(line)))


@contextmanager
def _told(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        said = f"the new server refuses: {str(error).strip()}"
        raise _Failed("sql", said, "choose another name for the database") from None


LOAD = make_action(
    ActionSpec(
        "postgres.load",
        "Load a dump into a PostgreSQL cluster of its own",
        (
            Parameter("dump", Kind.READ_PATH, doc="made by pg_dump --format=custom"),
            Parameter("data", Kind.WRITE_PATH, required=False, doc="the new cluster's folder"),
            Parameter("database", Kind.TEXT, required=False, doc="default restored"),
            Parameter("password", Kind.MAPPING, required=False, doc="{secret: NAME}; opens a port"),
            Parameter("port", Kind.INTEGER, required=False, doc="on loopback, default a free one"),
            Parameter("jobs", Kind.INTEGER, required=False, doc="loads so many tables at once"),
            Parameter("programs", Kind.READ_PATH, required=False, doc="the folder of initdb"),
        ),
        ("url", "database", "data", "service", "pid", "log", "created"),
        repeatable=True,
    ),
    _load,
)
