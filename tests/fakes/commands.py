"""A machine whose programs are Python functions."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from drorch.ports import (
    Cancellation,
    Command,
    Completed,
    Ended,
    LineSink,
    ServiceProcess,
)


@dataclass
class Process:
    """What a fake program sees and does: it prints, sleeps until told to stop, and exits."""

    command: Command
    stdin: bytes
    stopped: threading.Event = field(default_factory=threading.Event)
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    on_out: LineSink = lambda line: None
    on_err: LineSink = lambda line: None

    def print(self, *lines: str) -> None:
        """Say lines on standard output."""
        for line in lines:
            self.out.append(line + "\n")
            self.on_out(line)

    def complain(self, *lines: str) -> None:
        """Say lines on standard error."""
        for line in lines:
            self.err.append(line + "\n")
            self.on_err(line)

    def hang(self) -> int:
        """Go on until the deadline or a cancellation ends it, as if by SIGTERM."""
        limit = self.command.timeout
        if not self.stopped.wait(limit.total_seconds() if limit else 60):
            self.stopped.set()
        return 143


#: A program takes its process and gives its exit code.
Program = Callable[[Process], int]


class FakeCommands:
    """Runs the programs it was given, by the name in argv[0] (its last path component too).

    An unknown program cannot be started. A feeder that fails keeps its consumer from starting
    its work, and the consumer ends with 130. Services live until stopped or `crash`ed.
    """

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        self.programs: dict[str, Program] = dict(programs or {})
        self._services: dict[int, ServiceProcess] = {}
        self._environments: dict[int, dict[str, str]] = {}
        self._next_pid = 1000
        self._left: dict[str, int] = {}

    def run(
        self,
        command: Command,
        *,
        on_stdout: LineSink | None = None,
        on_stderr: LineSink | None = None,
        cancel: Cancellation | None = None,
    ) -> Completed:
        """Run to the end in this thread."""
        if cancel is not None and cancel.cancelled:
            return Completed(Ended.CANCELLED, None, message="cancelled before it was started")
        feeder = None
        stdin = command.stdin
        if command.stdin_from is not None:
            feeder = self.run(command.stdin_from)
            if feeder.ended is Ended.NOT_STARTED:
                return Completed(
                    Ended.NOT_STARTED, None, message="its input could not be started", feeder=feeder
                )
            if feeder.exit_code != 0:
                return Completed(Ended.EXITED, 130, message="its input failed", feeder=feeder)
            stdin = feeder.stdout.encode()
        program = self._find(command)
        if program is None:
            name = command.argv[0] if command.argv else ""
            return Completed(
                Ended.NOT_STARTED, None, message=f"{name}: there is no such program", feeder=feeder
            )
        return self._carry(program, command, stdin, on_stdout, on_stderr, cancel, feeder)

    def _carry(self, program, command, stdin, on_stdout, on_stderr, cancel, feeder) -> Completed:
        process = Process(command, stdin)
        process.on_out = on_stdout or process.on_out
        process.on_err = on_stderr or process.on_err
        forget = cancel.on_cancel(process.stopped.set) if cancel is not None else lambda: None
        try:
            code = program(process)
        finally:
            forget()
        ended = Ended.EXITED
        if process.stopped.is_set():
            cancelled = cancel is not None and cancel.cancelled
            ended = Ended.CANCELLED if cancelled else Ended.TIMED_OUT
        keep = command.keep_output
        return Completed(
            ended,
            code,
            "".join(process.out)[-keep:],
            "".join(process.err)[-keep:],
            timedelta(milliseconds=1),
            feeder=feeder,
        )

    def start_service(self, command: Command, log: Path) -> ServiceProcess | Completed:
        """Start a service; its program is not run, it just lives."""
        if self._find(command) is None:
            return Completed(Ended.NOT_STARTED, None, message="there is no such program")
        self._next_pid += 1
        service = ServiceProcess(self._next_pid, self._next_pid * 10, "boot-1")
        self._services[service.pid] = service
        self._environments[service.pid] = dict(command.env)
        return service

    def find_service(self, markers: Mapping[str, str]) -> ServiceProcess | None:
        """The living one started with these in its environment."""
        for pid, service in self._services.items():
            if markers.items() <= self._environments[pid].items():
                return service
        return None

    def service_alive(self, service: ServiceProcess) -> bool:
        """Whether it was started here and neither stopped nor crashed."""
        return self._services.get(service.pid) == service

    def stop_service(self, service: ServiceProcess, grace: timedelta) -> bool:
        """End it."""
        if self.service_alive(service):
            del self._services[service.pid]
        return True

    def crash(self, service: ServiceProcess) -> None:
        """Let a service die by itself."""
        self._services.pop(service.pid, None)

    def leave_behind(self, owner: str, processes: int) -> None:
        """Pretend that a dead owner left so many processes."""
        self._left[owner] = processes

    def vanished(self, host: str, pid: int, wrote_at: datetime, program: str) -> bool | None:
        """Nothing is known of other processes."""
        return None

    def reap(self, owner: str) -> int:
        """End what a dead owner left."""
        return self._left.pop(owner, 0)

    def close(self) -> None:
        """Nothing to close."""

    def _find(self, command: Command) -> Program | None:
        if not command.argv:
            return None
        name = command.argv[0]
        return self.programs.get(name) or self.programs.get(Path(name).name)
