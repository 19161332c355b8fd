"""The daemon with ten thousand datasets, and `drorch status`, on a journal of a million runs."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Bound, Broken, Figure, interleaved, series
from bench.history import History
from bench.processes import environment
from bench.yard import ROOT, Site, Yard, drorch_argv
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal
from drorch.loopback import free_port

#: What was promised: MB, a share of one processor, seconds to ready, seconds of `status`.
_MEMORY, _IDLE, _READY, _STATUS = 200, 1.0, 3, 0.5

_DATASETS, _FEW, _RUNS, _SAMPLE = 10_000, 100, 1_000_000, 10_000

#: How long the daemon has nothing to do, in seconds, and how long it may take to be ready.
_QUIET, _PATIENCE = 60, 300

#: Backups are due from eighteen to six hours ago, and in as many hours again: none is meanwhile.
_SPAN = timedelta(hours=12)

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Living:
    """A daemon that is ready: after how many seconds it was."""

    pid: int
    took: float

    def memory_mb(self, what: str) -> float:
        """Resident now (VmRSS), or the most ever (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(f"{what}:")]
        return int(line.split()[1]) / 1024

    def processor_time(self) -> float:
        """Its own so far, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def measure_daemon(yard: Yard) -> Iterator[Figure]:
    """Start-up, memory and idling of the daemon; `status` of many datasets and of few."""
    datasets = _DATASETS // 10 if yard.quick else _DATASETS
    runs = _SAMPLE if yard.quick else _RUNS
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=18)
    _sound(yard, begin)
    many = _configured(yard, "many", datasets, begin)
    _written(many, datasets, runs, begin)
    few = _configured(yard, "few", min(_FEW, datasets), begin)
    (few.folder / "var").symlink_to(many.folder / "var")
    yield from measured(many, few, f"{datasets:,}", runs, 1 if yard.quick else 3)


def measured(many: Site, few: Site, named: str, runs: int, repetitions: int) -> Iterator[Figure]:
    """The figures, on a journal that is there."""
    note = f"a journal of {runs:,} runs, regions that answer, metrics served"
    with _living(many) as cold:
        started = [cold.took]
    warm = []
    for _ in range(max(0, repetitions - 1)):
        with _living(many) as one:
            warm.append(one.took)
    with _living(many) as one:
        warm.append(one.took)
        yield from _idling(one, named, note)
    what = f"daemon of {named} datasets: from its start to ready"
    yield Figure(what, series(warm), "s", bound=Bound(_READY), note=note)
    cold_what = f"{what}, after a change of the configuration"
    yield Figure(cold_what, series(started), "s", note=note)
    yield from _standing(many, few, named, runs, repetitions)


def _idling(one: Living, named: str, note: str) -> Iterator[Figure]:
    time.sleep(_QUIET)  # what was put off at the start is done
    before = one.processor_time()
    time.sleep(_QUIET)
    share = 100 * (one.processor_time() - before) / _QUIET
    of = f"daemon of {named} datasets"
    idle = series([share])
    yield Figure(f"{of}: processor while nothing is due", idle, "%", bound=Bound(_IDLE), note=note)
    resident = series([one.memory_mb("VmRSS")])
    yield Figure(f"{of}: resident memory", resident, "MB", bound=Bound(_MEMORY), note=note)
    yield Figure(f"{of}: peak memory", series([one.memory_mb("VmHWM")]), "MB", note=note)


def _standing(many: Site, few: Site, named: str, runs: int, repetitions: int) -> Iterator[Figure]:
    contenders = {
        "few": lambda: few.drorch("status", "--json").wall,
        "many": lambda: many.drorch("status", "--json").wall,
    }
    taken = interleaved(contenders, 2 * repetitions + 1, warm_up=True)
    note = f"a journal of {runs:,} runs"
    what, bound = "drorch status --json", Bound(_STATUS)
    yield Figure(f"{what}: {_FEW} datasets", taken["few"], "s", bound=bound, note=note)
    yield Figure(f"{what}: {named} datasets", taken["many"], "s", note=note)


def _configured(yard: Yard, name: str, datasets: int, begin: datetime) -> Site:
    site = yard.site(name, copies=["two"])
    known: dict[str, Any] = json.loads((site.folder / "drorch.yaml").read_text())
    del known["datasets"]["documents"]
    away = begin + timedelta(hours=24 + 4)  # hours from now, like the backups
    known["daemon"] = {"listen": f"127.0.0.1:{free_port()}"}
    known["datasets"] = {
        f"d{n:05}": {
            "site": "here",
            "paths": ["documents"],
            "password": "repo-key",
            "primary": "one",
            "copies": {"two": "mirror"},
            "schedule": f"daily at {_due(n, datasets, begin):%H:%M}",
            "keep": {"daily": 7},
            "prune": f"weekly on {away:%a} at {away:%H:%M}".lower(),
            "objectives": {"rpo": "36h"},
        }
        for n in range(datasets)
    }
    (site.folder / "drorch.yaml").write_text(json.dumps(known))
    return site


def _due(n: int, datasets: int, begin: datetime) -> datetime:
    """When the dataset of that number is due on the first day: each in its minute of the span."""
    return begin + timedelta(minutes=int(n * (_SPAN / timedelta(minutes=1)) / datasets))


def _written(site: Site, datasets: int, runs: int, begin: datetime) -> None:
    (site.folder / "var").mkdir()
    days = runs // datasets
    first = begin - (days - 1) * timedelta(days=1)
    due = {f"d{n:05}": _due(n, datasets, first) for n in range(datasets)}
    History(site.folder, ("one", "two"), due, days).write()


def _sound(yard: Yard, begin: datetime) -> None:
    """What is made is a right journal: of a small one that is looked at whole; Broken if not."""
    site = yard.bare_site("sample")
    _written(site, _SAMPLE // 10, _SAMPLE, begin)
    with SqlJournal("sqlite:///var/drorch.db", folder=site.folder) as journal:
        report = verify_journal(journal)
    if report.flaws or report.runs != _SAMPLE:
        raise Broken(f"the journal that was made is not right: {report}")


@contextmanager
def _living(site: Site) -> Iterator[Living]:
    """A daemon from its start to its good end; Broken if either does not come."""
    address = str(site.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, site.log.open("wb") as errors:
        ear.bind(address)
        ear.settimeout(_PATIENCE)
        began = time.perf_counter()
        process = subprocess.Popen(
            [*drorch_argv(), "daemon"],
            env=environment(DRORCH_RESTIC=site.restic, PYTHONPATH=str(ROOT), NOTIFY_SOCKET=address),
            cwd=site.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            while b"READY=1" not in ear.recv(65_536):
                pass
            yield Living(process.pid, time.perf_counter() - began)
            process.send_signal(signal.SIGTERM)
            if process.wait(timeout=_PATIENCE) != 0:
                raise Broken(f"the daemon ended with {process.returncode}: {_last(site.log)}")
        except TimeoutError:
            raise Broken(f"the daemon was not ready in {_PATIENCE} s: {_last(site.log)}") from None
        finally:
            Path(address).unlink(missing_ok=True)
            if process.poll() is None:
                process.kill()
                process.wait()


def _last(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-600:]
