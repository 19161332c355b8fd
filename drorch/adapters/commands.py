"""The one place that starts processes.

It knows subprocess, the marks on our children, and the watcher that ends them should drorch
itself be killed. What happens to a started process is supervision.py's business.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from drorch.adapters import reaper
from drorch.adapters.children import Children, forget, left_in_flight
from drorch.adapters.lines import Output
from drorch.adapters.priority import start_with
from drorch.adapters.supervision import Child, Supervision
from drorch.adapters.vanished import vanished
from drorch.adapters.wake import Wake
from drorch.ports import Cancellation, Command, Completed, Ended, LineSink, ServiceProcess

# The shell costs a millisecond where Python would cost twenty: it waits for the end of file that
# our death brings, and only then becomes Python. A word before that means: all is well, go.
_WATCH: Final = 'trap \'\' HUP INT TERM QUIT; read -r word; [ -n "$word" ] || exec "$@"'
_SURELY_GONE = 10.0


class SystemCommands:
    """Commands on this machine. `owner_token` marks every child; `folder` holds the small table
    of those in flight (default: one of this user's own in the temporary folder).

    `close` when done; otherwise it is done at interpreter exit.
    """

    def __init__(self, owner_token: str, folder: Path | None = None) -> None:
        self._token = owner_token
        self._folder = folder
        self._children = Children(owner_token, folder)
        self._lock = threading.Lock()
        self._watcher: subprocess.Popen[bytes] | None = None
        self._services: set[int] = set()

    def run(
        self,
        command: Command,
        *,
        on_stdout: LineSink | None = None,
        on_stderr: LineSink | None = None,
        cancel: Cancellation | None = None,
    ) -> Completed:
        """See ports.Commands.run."""
        if cancel is not None and cancel.cancelled:
            return Completed(Ended.CANCELLED, None, message="cancelled before it was started")
        self._be_watched()
        with ExitStack() as numbers:
            launch = _Launch(self._token, self._children, numbers)
            supervision = launch.start(command, on_stdout, on_stderr)
            if isinstance(supervision, Completed):
                return supervision
            try:
                return self._supervise(supervision, cancel)
            finally:
                supervision.close()

    def _supervise(self, supervision: Supervision, cancel: Cancellation | None) -> Completed:
        try:
            if cancel is None:
                supervision.watch(None)
            else:
                with Wake(cancel) as wake:
                    supervision.watch(wake.handle)
        except BaseException:
            supervision.kill()
            supervision.bury(self._token)
            raise
        return supervision.bury(self._token)

    def start_service(self, command: Command, log: Path) -> ServiceProcess | Completed:
        """See ports.Commands.start_service. The log is appended to and readable by its owner only."""
        env = {k: v for k, v in command.env.items() if k not in (reaper.OWNER, reaper.CHILD)}
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return _not_started(f"the log {log} cannot be written: {error.strerror}")
        try:
            process = _popen(replace(command, env=env), subprocess.DEVNULL, handle, handle)
        except (OSError, ValueError) as error:
            return _not_started(_why(command, error))
        finally:
            os.close(handle)
        # We reap it ourselves (below), so that there is something to read even if it died at
        # once; and it outlives us by design, of which Popen would warn.
        process.returncode = 0
        found = reaper.read_stat(process.pid)
        with self._lock:
            self._services.add(process.pid)
        return ServiceProcess(process.pid, found.started if found else 0, reaper.boot_id())

    def find_service(self, markers: Mapping[str, str]) -> ServiceProcess | None:
        """See ports.Commands.find_service."""
        found = reaper.leader_with([f"{k}={v}".encode() for k, v in markers.items()])
        if found is None:
            return None
        return ServiceProcess(found.pid, found.started, reaper.boot_id())

    def service_alive(self, service: ServiceProcess) -> bool:
        """See ports.Commands.service_alive."""
        self._reap_service(service.pid)
        if service.boot != reaper.boot_id():
            return False
        found = reaper.read_stat(service.pid)
        return found is not None and found.alive and found.started == service.started

    def stop_service(self, service: ServiceProcess, grace: timedelta) -> bool:
        """See ports.Commands.stop_service."""
        for number, patience in (
            (signal.SIGTERM, grace.total_seconds()),
            (signal.SIGKILL, _SURELY_GONE),
        ):
            if not self._group_of(service):
                return True
            with suppress(ProcessLookupError):
                os.killpg(service.pid, number)
            until = time.monotonic() + patience
            while self._group_of(service) and time.monotonic() < until:
                time.sleep(0.01)
        return not self._group_of(service)

    def vanished(self, host: str, pid: int, wrote_at: datetime, program: str) -> bool | None:
        """See ports.Commands.vanished."""
        return vanished(host, pid, wrote_at, program)

    def reap(self, owner: str) -> int:
        """See ports.Commands.reap. Only what that owner still had in flight when it died is ended.

        We are not dead: of a run that this process has left itself, nothing is in flight any more,
        and everything that is belongs to others.
        """
        if owner == self._token:
            return 0
        children = left_in_flight(owner, self._folder)
        if not children:
            forget(owner, self._folder)
            return 0
        count, left = reaper.end_marked(owner, children)
        if not left:
            forget(owner, self._folder)
        return count

    def close(self) -> None:
        """Tell the watcher that all is well, unless something still runs."""
        atexit.unregister(self.close)
        with self._lock:
            watcher, self._watcher = self._watcher, None
            idle = self._children.close()
        if watcher is None or watcher.stdin is None:
            return
        with suppress(OSError):
            if idle:
                os.write(watcher.stdin.fileno(), b"done\n")
            watcher.stdin.close()
        if idle:
            with suppress(subprocess.TimeoutExpired):
                watcher.wait(timeout=2)
        else:
            watcher.returncode = 0  # it outlives us by design: no warning about it

    def _group_of(self, service: ServiceProcess) -> list[reaper.Stat]:
        """The living processes of the service's group, none if the pid is somebody else's now."""
        self._reap_service(service.pid)
        if service.boot != reaper.boot_id():
            return []
        leader = reaper.read_stat(service.pid)
        if leader is not None and leader.started != service.started:
            return []
        # While one member lives, the kernel gives the group's number to no new process.
        return [s for s in reaper.group_members(service.pid) if s.started >= service.started]

    def _reap_service(self, pid: int) -> None:
        with self._lock:
            if pid not in self._services:
                return
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    return
            self._services.discard(pid)

    def _be_watched(self) -> None:
        with self._lock:
            if self._watcher is None:
                atexit.register(self.close)
            elif self._watcher.poll() is None:
                return
            elif self._watcher.stdin is not None:
                self._watcher.stdin.close()
            self._watcher = self._start_watcher()

    def _start_watcher(self) -> subprocess.Popen[bytes]:
        table = self._children.handle()
        script = [sys.executable, "-I", "-S", reaper.__file__]
        script += [self._token, str(table), str(self._children.path)]
        return subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "drorch-watcher", *script],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(table,),
            env={},
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )


class _Launch:
    """Starts a command and its feeder, each with a number of its own in the table."""

    def __init__(self, token: str, children: Children, stack: ExitStack) -> None:
        self._token = token
        self._children = children
        self._stack = stack

    def start(
        self, command: Command, on_stdout: LineSink | None, on_stderr: LineSink | None
    ) -> Supervision | Completed:
        """Both, the feeder first: without it the consumer is not started at all."""
        if command.stdin_from is None:
            sinks = (on_stdout, on_stderr)
            source = subprocess.PIPE if command.stdin else subprocess.DEVNULL
            consumer = self._child(command, sinks, source, subprocess.PIPE)
            return (
                consumer if isinstance(consumer, Completed) else Supervision(consumer, None, None)
            )
        return self._start_fed(command, command.stdin_from, (on_stdout, on_stderr))

    def _start_fed(
        self, command: Command, source: Command, sinks: tuple[LineSink | None, LineSink | None]
    ) -> Supervision | Completed:
        read_end, write_end = os.pipe()
        keep_write_end = False
        try:
            feeder = self._child(source, (None, None), subprocess.DEVNULL, write_end)
            if isinstance(feeder, Completed):
                return _not_started(f"its input could not be started: {feeder.message}", feeder)
            consumer = self._child(command, sinks, read_end, subprocess.PIPE)
            if isinstance(consumer, Completed):
                alone = Supervision(feeder, None, None)
                alone.kill()
                ended = alone.bury(self._token)
                alone.close()
                return replace(consumer, feeder=ended)
            keep_write_end = True
            return Supervision(consumer, feeder, write_end)
        finally:
            os.close(read_end)
            if not keep_write_end:
                os.close(write_end)

    def _child(
        self,
        command: Command,
        sinks: tuple[LineSink | None, LineSink | None],
        source: int,
        target: int,
    ) -> Child | Completed:
        number = self._children.begin()
        self._stack.callback(self._children.end, number)
        marks = {reaper.OWNER: self._token, reaper.CHILD: str(number)}
        marked = replace(command, env={**command.env, **marks})
        try:
            process = _popen(marked, source, target, subprocess.PIPE)
        except (OSError, ValueError) as error:
            return _not_started(_why(command, error))
        out, err = (Output(command.keep_output, sink) for sink in sinks)
        return Child(command, process, number, out, err)


def _popen(
    command: Command, source: int, target: int | IO[bytes], errors: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    if not command.argv:
        raise ValueError("there is no program to start")

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=source,
            stdout=target,
            stderr=errors,
            start_new_session=True,
            bufsize=0,
        )

    return start_with(command.priority, spawn)


def _why(command: Command, error: OSError | ValueError) -> str:
    program = command.argv[0] if command.argv else ""
    if isinstance(error, FileNotFoundError):
        if command.cwd is not None and not command.cwd.is_dir():
            return f"the working directory {command.cwd} does not exist"
        return f"{program}: there is no such program"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{program}: {reason}" if program else reason


def _not_started(message: str, feeder: Completed | None = None) -> Completed:
    return Completed(Ended.NOT_STARTED, None, message=message, feeder=feeder)
