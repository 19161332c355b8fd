"""Starts a process that stands back for others from its first moment.

On Linux nice values and I/O priorities belong to a thread and are inherited by what it starts; so a
thread of its own takes them, starts the process and ends. There is no moment without them, and no
other program that would have to be there.
"""

import ctypes
import os
import platform
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from drorch.core.priority import NICEST, DiskShare, Priority

#: The number of ioprio_set(2), which no C library wraps (the kernel's syscall tables).
_IOPRIO_SET = {
    "x86_64": 251,
    "aarch64": 30,
    "riscv64": 30,
    "armv7l": 315,
    "i686": 290,
    "ppc64le": 274,
    "s390x": 283,
}
#: Class and level, as linux/ioprio.h puts them together. Neither takes any right.
_IO = {DiskShare.LOW: (2 << 13) | 7, DiskShare.IDLE: 3 << 13}
_THREAD = 1  # IOPRIO_WHO_PROCESS: a thread, after its kernel name; 0 is the one that asks


@dataclass
class _Starting:
    process: Popen[bytes] | None = None
    error: OSError | ValueError | None = None


def start_with(priority: Priority, spawn: Callable[[], Popen[bytes]]) -> Popen[bytes]:
    """What `spawn` starts, standing back as much as that; raises what `spawn` does.

    With autogroups (sched(7)) the nice value of a new session's group counts as well.
    """
    if priority.usual:
        return spawn()
    starting = _Starting()
    # Never below our own: only root may, and nobody meant it.
    nice = min(NICEST, os.getpriority(os.PRIO_PROCESS, 0) + priority.nice)

    def start() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
            _stand_back(priority.io)
            starting.process = spawn()
        except (OSError, ValueError) as error:
            starting.error = error

    thread = threading.Thread(target=start, name="nice-start")
    thread.start()
    thread.join()
    if starting.process is None:
        raise starting.error or ValueError("it could not be started")
    if priority.nice:
        with suppress(OSError):
            Path(f"/proc/{starting.process.pid}/autogroup").write_text(str(nice))
    return starting.process


def _stand_back(share: DiskShare | None) -> None:
    """Of this thread. Where the kernel has no such thing, or a container forbids it, nothing is
    lost but manners: a backup is worth more.
    """
    number = _IOPRIO_SET.get(platform.machine())
    if share is not None and number is not None:
        ctypes.CDLL(None).syscall(number, _THREAD, 0, _IO[share])
