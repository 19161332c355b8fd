"""One restic process: its argv, environment and streams.

Knows the flags every command shares, and that restic ends cleanly (no lock, no half snapshot)
on SIGINT alone.
"""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from drorch.core.priority import USUAL, Priority
from drorch.ports import Cancellation, Command, Commands, Completed, Ended
from drorch.restic.failure import Cause, diagnose, problem
from drorch.restic.lines import Listener, MessageSink, ProgressSink
from drorch.restic.repository import INHERITED, RepositoryAddress, child_environment
from drorch.restic.version import Capabilities, Versions, find_binary

#: How long after SIGINT restic may take. It removes its lock first of all, then since 0.17 waits
#: for uploads in flight, which a limit on the rate can make very long.
_GRACE = timedelta(seconds=10)
#: restic since 0.17 removes its lock on SIGINT but then waits for its input for ever: it is
#: killed soon, and leaves nothing behind.
_GRACE_WITH_INPUT = timedelta(seconds=5)

#: In bytes. With less room where its cache lies restic goes without: what it has no room for there it
#: fetches again and again, for a quarter of an hour each (0.14 to 0.19).
_CACHE_ROOM = 1 << 28

#: What leaves a repository as it is, without a lock.
_READING = frozenset({"cat", "check", "find", "list", "ls", "restore", "snapshots", "stats"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """On whose behalf restic runs: how it is stopped, how long it may take, who is shown progress,
    and how much it stands back for others. A restore never does: somebody waits for it.
    """

    cancel: Cancellation | None = None
    timeout: timedelta | None = None
    progress: ProgressSink | None = None
    priority: Priority = USUAL


@dataclass(frozen=True, slots=True)
class DumpCommand:
    """A command whose output is backed up as `/filename`. `env` is its whole environment."""

    argv: tuple[str, ...]
    filename: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A restic process that has ended, and what it said."""

    done: Completed
    said: Listener

    @property
    def code(self) -> int:
        """The exit code; 1 where there is none."""
        return 1 if self.done.exit_code is None else self.done.exit_code


class Processes:
    """Starts restic processes. `environment` is the caller's own, of which little is passed on."""

    def __init__(
        self,
        commands: Commands,
        environment: Mapping[str, str],
        *,
        binary: str,
        cache: Path | None,
        wait_for_lock: timedelta,
        only_reads: bool = False,
    ) -> None:
        self._commands = commands
        self._environment = dict(environment)
        self._name = binary
        self._cache = None if cache is None else cache / "restic"
        self._wait_for_lock = wait_for_lock
        self._only_reads = only_reads
        self._versions = Versions(commands, cache, self._base())

    def capabilities(self, attempt: Attempt) -> Capabilities:
        """What the restic at hand can do; asked of it once."""
        return self._versions.capabilities(self._binary(), attempt.cancel)

    def run(
        self,
        argv: Sequence[str],
        address: RepositoryAddress,
        attempt: Attempt,
        *,
        source: RepositoryAddress | None = None,
        dump: DumpCommand | None = None,
        stdin: bytes = b"",
        cached: bool = True,
        locks: bool = True,
        whole: bool = False,
        on_node: MessageSink | None = None,
        good: Sequence[int] = (0,),
        tolerate: Cause | None = None,
    ) -> Heard:
        """Run restic to its end; raises ResticError unless its exit code is one of `good`, or
        the cause is the one to `tolerate`.

        An exit of 0 stands even if a cancellation came while it was ending: it is done. It is
        ended when it goes on asking for an object that is gone: cause `damaged`.
        """
        if self._only_reads and argv[0] not in _READING:
            raise problem(
                Cause.ONLY_READ, f"restic {argv[0]} is refused: this is the copy of an exercise"
            )
        cancel = Cancellation()
        listener = Listener(
            attempt.progress, on_node, whole=whole, on_gone=lambda: cancel.cancel("gone")
        )
        command = Command(
            argv=(str(self._binary()), *self._shared(attempt, cached=cached, locks=locks), *argv),
            env=child_environment(self._environment, address, source, cache=self._cache),
            stdin=stdin,
            stdin_from=_feeder(dump, attempt),
            timeout=attempt.timeout,
            grace=_GRACE if dump is None else _GRACE_WITH_INPUT,
            polite=signal.SIGINT,
            priority=attempt.priority,
        )
        outer = attempt.cancel or Cancellation()
        forget = outer.on_cancel(lambda: cancel.cancel(outer.reason or "cancelled"))
        try:
            done = self._commands.run(
                command, on_stdout=listener.stdout, on_stderr=listener.stderr, cancel=cancel
            )
        finally:
            forget()
        fed = done.feeder is None or done.feeder.exit_code == 0
        exited = done.ended is Ended.EXITED or done.exit_code == 0
        if not (fed and exited and done.exit_code in good):
            error = diagnose(argv[0], done, listener, redact=address.redact)
            if error.cause != tolerate:
                raise error
        return Heard(done, listener)

    def _shared(self, attempt: Attempt, *, cached: bool, locks: bool) -> list[str]:
        flags = [] if cached and _takes_a_cache(self._cache) else ["--no-cache"]
        if self._only_reads or not locks:
            flags.append("--no-lock")
        elif self._wait_for_lock and self.capabilities(attempt).retry_lock:
            flags += ["--retry-lock", f"{self._wait_for_lock.total_seconds():.0f}s"]
        return flags

    def _binary(self) -> Path:
        return find_binary(self._name, self._environment)

    def _base(self) -> dict[str, str]:
        return {k: v for k, v in self._environment.items() if k in INHERITED}


def _takes_a_cache(folder: Path | None) -> bool:
    """Whether restic can keep a cache there; where it cannot write at all, 0.19 fails. None: its own."""
    if folder is None:
        return True
    there = next(p for p in (folder, *folder.parents) if os.path.exists(p))  # noqa: PTH110
    return os.access(there, os.W_OK) and shutil.disk_usage(there).free >= _CACHE_ROOM


def _feeder(dump: DumpCommand | None, attempt: Attempt) -> Command | None:
    if dump is None:
        return None
    return Command(
        dump.argv, dump.env, dump.cwd, timeout=attempt.timeout, priority=attempt.priority
    )
