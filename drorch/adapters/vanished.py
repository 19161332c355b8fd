"""Is a process that was known by host name and pid gone for certain?

"No such pid" proves little: the process may live in a container of the same host name, where its
pid is another one from here (restic#4922), or on another machine of the same name. So nothing is
said unless every process of this kernel can be seen, by the pids it has in each of its namespaces.
"""

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drorch.adapters.reaper import pids, read_stat

#: The inode of the first pid namespace, fixed in the kernel (PROC_PID_INIT_INO in proc_ns.h).
FIRST_NAMESPACE = 0xEFFFFFFC

#: Names that many machines bear.
_COMMON = frozenset({"", "localhost", "localhost.localdomain", "(none)"})

#: A process that began so long after something was written did not write it. Wall clocks step.
_MARGIN = timedelta(minutes=10)


def vanished(host: str, pid: int, wrote_at: datetime, program: str) -> bool | None:
    """Whether the process is gone that had this pid on this host and wrote something then.

    None if that cannot be known from here. A pid that another process has now counts as gone
    only if that one began long after, and is not called `program`.
    """
    if host != socket.gethostname() or host in _COMMON or pid <= 0 or not _sees_all():
        return None
    bearers = [found for found in pids() if pid in _pids_of(found)]
    return not any(_may_be(bearer, wrote_at, program) for bearer in bearers)


def _sees_all() -> bool:
    """Whether we are in the first pid namespace, and /proc hides nobody (hidepid)."""
    try:
        first = Path("/proc/self/ns/pid").stat().st_ino == FIRST_NAMESPACE
        return first and Path("/proc/1/status").read_bytes() != b""
    except OSError:
        return False


def _pids_of(process: int) -> list[int]:
    """The pids a process has, in every namespace that knows it; see proc_pid_status(5)."""
    try:
        status = Path(f"/proc/{process}/status").read_text(errors="replace")
    except OSError:
        return []
    line = next((x for x in status.splitlines() if x.startswith("NSpid:")), "")
    return [int(word) for word in line.split()[1:]]


def _may_be(process: int, wrote_at: datetime, program: str) -> bool:
    found = read_stat(process)
    if found is None or not found.alive:
        return False
    began = _booted_at() + timedelta(seconds=found.started / os.sysconf("SC_CLK_TCK"))
    return program in _name_of(process) or began < wrote_at + _MARGIN


def _name_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0", 1)[0]
    except OSError:
        return ""


def _booted_at() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
