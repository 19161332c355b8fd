"""One process, measured: wall time, processor time of it and its descendants, its own peak memory."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Broken

#: How often memory is looked at, in seconds. The kernel keeps the peak itself (VmHWM), so only
#: what is added in the last moments of a process can be missed.
_LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended well. Seconds, `began` by the wall clock; `peak_mb` is its own, without
    its children's.
    """

    began: float
    wall: float
    cpu: float
    peak_mb: float
    stdout: str


def run(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Ran:
    """Run to the end, its output read by a pipe. Raises Broken when it fails.

    The processor time is that of everything this process has waited for meanwhile: one at a time.
    """
    before = _processor_time()
    began, at = time.perf_counter(), time.time()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            argv,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        watch = _Watch(process.pid)
        try:
            stdout, _ = process.communicate()
            wall = time.perf_counter() - began
        finally:
            watch.end()
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise Broken(_why(argv, process.returncode, log, stdout))
    return Ran(at, wall, _processor_time() - before, watch.peak_mb, stdout)


def _why(argv: Sequence[str], code: int, log: Path, stdout: str) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").strip() or stdout.strip()
    shown = " ".join(argv[:6]) + (" …" if len(argv) > 6 else "")
    return f"`{shown}` ended with {code}: {said[-600:]}"


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch:
    """Looks at a process's peak memory until it is told to end."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._over = threading.Event()
        self.peak_mb = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            peak = next((line for line in lines if line.startswith("VmHWM:")), None)
            if peak is not None:
                self.peak_mb = max(self.peak_mb, int(peak.split()[1]) / 1024)


def environment(**more: str) -> dict[str, str]:
    """What every measured process gets: no locale, proxy or credential of the caller's."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "TMPDIR") if k in os.environ}
    return {**kept, "LANG": "C.UTF-8", **more}
