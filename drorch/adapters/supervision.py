"""Watches one command, and the one that feeds it, from start to proven death.

It knows pipes, process groups and signals, and is handed started processes; starting them is
commands.py's alone. One thread, one selector: the leader's exit comes in by a pidfd, a
cancellation by an eventfd, time by the selector's timeout.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import IO, Protocol

from drorch.adapters.lines import Output
from drorch.adapters.reaper import end_marked, group_members
from drorch.ports import Command, Completed, Ended

#: How long what a dead leader left in its pipes, or a descendant still says, is listened to.
_DRAIN = 0.25
#: How long a killed process may take to go; one stuck in the kernel (a dead NFS mount) never does.
_UNKILLABLE = 30.0
_CHUNK = 65_536


class Started(Protocol):
    """What is needed of a subprocess.Popen whose pid is also its process group."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self, timeout: float | None = None) -> int:
        """Reap it; the exit status, negative for a signal."""
        ...


class Child:
    """One started process, its streams, and how it is being ended."""

    def __init__(
        self, command: Command, process: Started, number: int, out: Output, err: Output
    ) -> None:
        self.command = command
        self.number = number
        self.process = process
        self.out = out
        self.err = err
        self.pidfd = os.pidfd_open(process.pid)
        self.ended = Ended.EXITED
        self.exited = False
        self.kill_at: float | None = None
        self.killed_at: float | None = None
        self.open_streams = 0
        self.since = time.monotonic()
        self.message = ""

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group. The leader is not reaped yet, so the group is still ours."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def end(self, why: Ended) -> None:
        """Begin to end it: politely now, surely after its grace."""
        if self.exited or self.kill_at is not None:
            return
        self.ended = why
        self.kill_at = time.monotonic() + self.command.grace.total_seconds()
        self.signal(self.command.polite)
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it surely."""
        if self.killed_at is None:
            self.killed_at = time.monotonic()
            self.signal(signal.SIGKILL)

    def succeeded(self) -> bool:
        """Whether the leader, dead but not reaped, exited with 0."""
        found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        return found is not None and found.si_code == os.CLD_EXITED and found.si_status == 0

    def bury(self) -> Completed:
        """Reap the leader, kill what is left of its group and see it gone."""
        self.signal(signal.SIGKILL)
        code = self.process.wait() if self.exited else None
        left = _see_gone(self.process.pid) if self.exited else [self.process.pid]
        if left:
            self.message = f"{_name(self.command)} could not be ended (process {left[0]})"
        self.out.finish()
        self.err.finish()
        return Completed(
            ended=self.ended,
            exit_code=code if code is None or code >= 0 else 128 - code,
            stdout=self.out.text(),
            stderr=self.err.text(),
            elapsed=timedelta(seconds=time.monotonic() - self.since),
            message=self.message,
        )

    def close(self) -> None:
        """Give back every handle."""
        os.close(self.pidfd)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


class Supervision:
    """The loop over a command and perhaps its feeder.

    `feed_end` is our own copy of the write end of the pipe between the two: while we hold it,
    the consumer cannot see an end of file, whatever becomes of the feeder.
    """

    def __init__(self, consumer: Child, feeder: Child | None, feed_end: int | None) -> None:
        self._consumer = consumer
        self._feeder = feeder
        self._feed_end = feed_end
        self._children = (consumer,) if feeder is None else (feeder, consumer)
        self._selector = selectors.PollSelector()
        self._drain_until: float | None = None
        self._unsent = memoryview(consumer.command.stdin)
        limits = [c.command.timeout for c in self._children if c.command.timeout is not None]
        self._deadline = time.monotonic() + min(limits).total_seconds() if limits else None

    def watch(self, cancel_handle: int | None) -> None:
        """Go on until every leader has exited and what it said is read."""
        self._listen(cancel_handle)
        while not self._done():
            for key, _ in self._selector.select(self._patience()):
                act: Callable[[], None] = key.data
                act()
            self._on_time(time.monotonic())

    def bury(self, token: str) -> Completed:
        """Prove everything dead that had to be ended; what came of it all."""
        forced = {c.number for c in self._children if c.kill_at is not None}
        if forced:
            end_marked(token, forced, patience=_UNKILLABLE)
        feeder = self._feeder.bury() if self._feeder is not None else None
        completed = self._consumer.bury()
        if feeder is None:
            return completed
        message = completed.message or self._said_of_feeder(feeder)
        return Completed(
            completed.ended,
            completed.exit_code,
            completed.stdout,
            completed.stderr,
            completed.elapsed,
            message,
            feeder,
        )

    def end(self, why: Ended) -> None:
        """Begin to end everything."""
        for child in self._children:
            child.end(why)

    def kill(self) -> None:
        """End everything at once; used when this thread itself is interrupted."""
        for child in self._children:
            child.kill_at = child.kill_at or time.monotonic()
            child.kill()
        until = time.monotonic() + _UNKILLABLE
        while time.monotonic() < until and not all(c.exited for c in self._children):
            for child in self._children:
                child.exited = child.exited or _has_exited(child.pidfd)
            time.sleep(0.005)

    def close(self) -> None:
        """Give back every handle."""
        self._end_of_feed()
        self._selector.close()
        for child in self._children:
            child.close()

    def _said_of_feeder(self, feeder: Completed) -> str:
        if self._feeder is None or self._feeder.kill_at is not None or feeder.exit_code == 0:
            return ""
        return f"its input, {_name(self._feeder.command)}, ended with exit code {feeder.exit_code}"

    def _listen(self, cancel_handle: int | None) -> None:
        for child in self._children:
            self._on(child.pidfd, partial(self._exited, child))
            for stream, output in (
                (child.process.stdout, child.out),
                (child.process.stderr, child.err),
            ):
                if stream is not None:
                    child.open_streams += 1
                    self._on(stream.fileno(), partial(self._read, child, stream, output))
        if cancel_handle is not None:
            self._on(cancel_handle, partial(self._cancelled, cancel_handle))
        stdin = self._consumer.process.stdin
        if stdin is not None:
            os.set_blocking(stdin.fileno(), False)
            self._selector.register(stdin, selectors.EVENT_WRITE, partial(self._write, stdin))

    def _on(self, handle: int, act: Callable[[], None]) -> None:
        self._selector.register(handle, selectors.EVENT_READ, act)

    def _read(self, child: Child, stream: IO[bytes], output: Output) -> None:
        data = os.read(stream.fileno(), _CHUNK)
        if data:
            output.feed(data)
        else:
            self._selector.unregister(stream.fileno())
            child.open_streams -= 1

    def _write(self, stdin: IO[bytes]) -> None:
        try:
            self._unsent = self._unsent[os.write(stdin.fileno(), self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            # It closed its input early: its own business, its exit code will tell.
            self._unsent = memoryview(b"")
        if not self._unsent:
            self._selector.unregister(stdin)
            stdin.close()

    def _cancelled(self, handle: int) -> None:
        self._selector.unregister(handle)
        self.end(Ended.CANCELLED)

    def _exited(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        child.exited = True
        if child is self._feeder:
            if child.succeeded():
                self._end_of_feed()
            else:
                self._consumer.end(self._consumer.ended)
        elif self._feeder is not None:
            self._feeder.end(self._feeder.ended)
        if all(c.exited for c in self._children):
            self._drain_until = time.monotonic() + _DRAIN

    def _end_of_feed(self) -> None:
        if self._feed_end is not None:
            os.close(self._feed_end)
            self._feed_end = None

    def _done(self) -> bool:
        now = time.monotonic()
        if any(c.killed_at is not None and now > c.killed_at + _UNKILLABLE for c in self._children):
            return True
        if self._drain_until is None:
            return False
        return now >= self._drain_until or not any(c.open_streams for c in self._children)

    def _times(self) -> Iterator[float]:
        if self._deadline is not None:
            yield self._deadline
        if self._drain_until is not None:
            yield self._drain_until
        for child in self._children:
            if child.killed_at is not None:
                yield child.killed_at + _UNKILLABLE
            elif child.kill_at is not None and not child.exited:
                yield child.kill_at

    def _patience(self) -> float | None:
        first = min(self._times(), default=None)
        return None if first is None else max(0.0, first - time.monotonic())

    def _on_time(self, now: float) -> None:
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self.end(Ended.TIMED_OUT)
        for child in self._children:
            if child.kill_at is not None and now >= child.kill_at and not child.exited:
                child.kill()


def _name(command: Command) -> str:
    return command.argv[0] if command.argv else "nothing"


def _has_exited(pidfd: int) -> bool:
    return os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _see_gone(group: int) -> list[int]:
    """Wait until nothing of a killed group lives; the pids that do not go."""
    until = time.monotonic() + _UNKILLABLE
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return []
        except PermissionError:
            pass
        living = group_members(group)
        if not living or time.monotonic() > until:
            return [s.pid for s in living]
        time.sleep(0.005)
