"""What the figures were taken on, without naming the machine: cores, load, versions, file systems."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path


def load() -> list[float]:
    """The load averages of 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def memory_mb() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 20)


def file_system(path: Path) -> str:
    """The kind of file system a path lies on: tmpfs, ext4, …"""
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        inside = path.resolve().is_relative_to(place)
        if inside and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def version_of(argv: Sequence[str]) -> str:
    """The first version number a program prints, or why there is none."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "missing"
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found.group() if found else "unknown"


def packages(*names: str) -> dict[str, str]:
    """The versions of installed Python packages."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def python() -> str:
    """The interpreter's version."""
    return platform.python_version()
