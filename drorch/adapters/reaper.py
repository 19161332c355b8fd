"""Ends the processes that a dead owner left running.

It knows /proc and the two environment variables that mark our children, and nothing else of
drorch: the watcher runs this very file as a script once the program it watches has died.

A process is ours to end if its environment holds the owner's token and the number of a child
that was still in flight. Children that had ended well may have left a daemon behind on purpose
(`pg_ctl start`, say); their numbers are no longer in the table, so it is left alone.
"""

import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OWNER = "DRORCH_OWNER"
CHILD = "DRORCH_CHILD"
SLOT = 8
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Stat:
    """What /proc/<pid>/stat says: `started` in clock ticks since boot."""

    pid: int
    state: str
    group: int
    session: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return self.state not in "ZX"


def boot_id() -> str:
    """The random id the kernel gave this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def read_stat(pid: int) -> Stat | None:
    """The process as it is now, None if there is none (see proc(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The second field is the command in parentheses and may itself hold spaces and parentheses.
    rest = text[text.rindex(b")") + 2 :].split()
    return Stat(pid, rest[0].decode("ascii"), int(rest[2]), int(rest[3]), int(rest[19]))


def pids() -> list[int]:
    """Every process there is."""
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def group_members(group: int) -> list[Stat]:
    """The living processes of a process group."""
    found = (read_stat(pid) for pid in pids())
    return [s for s in found if s is not None and s.alive and s.group == group]


def leader_with(entries: Collection[bytes]) -> Stat | None:
    """A living session leader whose environment has all of these `NAME=value` entries."""
    for pid in pids():
        try:
            block = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if set(entries) <= set(block.split(b"\0")):
            found = read_stat(pid)
            if found is not None and found.alive and found.session == pid:
                return found
    return None


def is_marked(pid: int, token: str, children: Collection[int]) -> bool:
    """Whether the process carries the token and one of these numbers."""
    try:
        block = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    if token.encode() not in block:
        return False
    entries = set(block.split(b"\0"))
    if f"{OWNER}={token}".encode() not in entries:
        return False
    return any(f"{CHILD}={child}".encode() in entries for child in children)


def kill_marked(token: str, children: Collection[int]) -> set[int]:
    """Kill every marked process that can be seen now; returns their pids."""
    return {
        pid
        for pid in pids()
        if pid != os.getpid() and is_marked(pid, token, children) and _kill(pid, token, children)
    }


def _kill(pid: int, token: str, children: Collection[int]) -> bool:
    # The handle is taken before the second look, so that a pid given anew is never hit.
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if is_marked(pid, token, children):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return True
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def end_marked(
    token: str, children: Collection[int], *, looks: int = 2, patience: float = 30.0
) -> tuple[int, set[int]]:
    """Kill marked processes until `looks` looks in a row find none, at most `patience` seconds.

    One look is not enough: a process may be between fork and exec, or fork behind our back.
    Returns how many there were, and the pids that could not be ended.
    """
    seen: set[int] = set()
    empty = 0
    until = time.monotonic() + patience
    while True:
        found = kill_marked(token, children)
        seen |= found
        empty = 0 if found else empty + 1
        if empty >= looks:
            return len(seen), set()
        if time.monotonic() > until:
            return len(seen), found
        time.sleep(_PAUSE)


def in_flight(table: bytes) -> set[int]:
    """The child numbers in a table of eight-byte slots; zero is a free slot."""
    slots = (table[i : i + SLOT] for i in range(0, len(table), SLOT))
    return {number for number in (int.from_bytes(s, "little") for s in slots) if number}


def after_death(token: str, handle: int, path: str) -> None:
    """What the watcher does when its program has died: end all it had in flight.

    A second's worth of looks, since a child may have been on its way from vfork to exec.
    """
    children = in_flight(os.pread(handle, 1 << 20, 0))
    if children:
        _, left = end_marked(token, children, looks=50, patience=600.0)
        if left:
            return
    with suppress(OSError):
        Path(path).unlink()


if __name__ == "__main__":
    after_death(sys.argv[1], int(sys.argv[2]), sys.argv[3])
