"""A daemon as a process: started as a service manager does, and what can be seen of it from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drorch.app.records import record
from drorch.core.events import JobsSeen
from drorch.core.names import SlotFate
from drorch.core.posture import RunRow, SlotRow
from drorch.journal.store import SqlJournal
from drorch.loopback import free_port
from tests.integration.app.premises import Premises
from tests.integration.app.seeing import PATIENCE, marked, wait_for

#: Where the journal of premises lies.
STATE = "var/drorch.db"


class Ear:
    """The socket that a service manager listens at."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._socket.bind(self.address)

    def hear(self, word: str) -> str:
        """The next datagram that has this line; all before it are kept in `heard`."""
        while True:
            told = self._socket.recv(65_536).decode()
            self.heard.append(told)
            if word in told.split("\n"):
                return told

    def close(self) -> None:
        self._socket.close()


@dataclass
class Watchman:
    """One life of a daemon, on premises."""

    premises: Premises
    process: "subprocess.Popen[bytes]"
    ear: Ear
    log: Path
    address: str
    tokens: set[str] = field(default_factory=set)

    # --- what is done to it

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """As `systemctl stop` does; its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        """As a power cut would; until nothing of it is left."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.alone()

    def alone(self) -> None:
        """Nothing that it had started lives."""
        self.tokens |= {row.owner_token for row in rows(self.premises)}
        wait_for(lambda: not any(marked(token) for token in self.tokens))

    # --- what is seen of it

    def told(self, event: str, **facts: Any) -> list[dict[str, Any]]:
        """The lines of its log about this event."""
        with suppress(FileNotFoundError):
            lines = [
                json.loads(line)
                for line in self.log.read_text().splitlines(keepends=True)
                if line.endswith("\n") and line.startswith("{")
            ]
            return [
                line for line in lines if line["event"] == event and facts.items() <= line.items()
            ]
        return []

    def wait_for(self, condition: Any) -> None:
        """Until it holds; fails at once if the daemon has ended."""

        def holds() -> bool:
            if condition():
                return True
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return False

        wait_for(holds)

    def asked(self, path: str) -> tuple[int, str]:
        """What it answers whoever watches: the status and the text."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()
        except OSError as error:
            return 0, str(error)


@contextmanager
def on_watch(
    premises: Premises, *, wrap: Sequence[str] = (), ready: bool = True, **environment: str
) -> Iterator[Watchman]:
    """A daemon that has begun (and is ready); killed at the end if it is still there."""
    if "daemon" not in premises.configuration:
        address = f"127.0.0.1:{free_port()}"
        told = {"listen": address, "log": "json", "stop_within": "60s"}
        premises.configuration["daemon"] = told
        premises.save()
    address = premises.configuration["daemon"]["listen"]
    number = len(list(premises.folder.glob("daemon-*.log")))
    log = premises.folder / f"daemon-{number}.log"
    with ExitStack() as stack:
        ear = Ear(premises.folder / f"notify-{number}")
        stack.callback(ear.close)
        errors = stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            [*wrap, *premises.line("daemon")],
            env=premises.environment | {"NOTIFY_SOCKET": ear.address} | environment,
            cwd=premises.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        watchman = Watchman(premises, process, ear, log, address)
        stack.callback(_ended, process)
        if ready:
            watchman.wait_for(lambda: watchman.told("daemon.ready"))
        yield watchman


def _ended(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        # Its session dies with it: what it had started notices, and must not outlive a test.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def journal_of(premises: Premises, state: str = STATE) -> Iterator[SqlJournal]:
    """The journal, or a copy of it."""
    with SqlJournal(f"sqlite:///{state}", folder=premises.folder) as journal:
        yield journal


def copied(premises: Premises, inside: Sequence[str]) -> str:
    """A copy of the journal, by words that lead to where it can be seen; its name."""
    state, copy = str(premises.folder / STATE), str(premises.folder / "copied.db")
    script = f"import sqlite3 as s; s.connect({state!r}).backup(s.connect({copy!r}))"
    subprocess.run([*inside, sys.executable, "-c", script], check=True, timeout=PATIENCE)
    return copy


def rows(premises: Premises, state: str = STATE, **which: Any) -> list[RunRow]:
    """The journal's runs, newest first."""
    with journal_of(premises, state) as journal:
        return list(journal.rows(**which))


def slots(premises: Premises, job: str, state: str = STATE) -> list[SlotRow]:
    """What became of a job's slots, oldest first."""
    with journal_of(premises, state) as journal:
        return sorted(journal.slots(job=job), key=lambda row: row.first_at)


def known_since(premises: Premises, since: datetime, *jobs: str) -> None:
    """Let the journal have seen these jobs at that time."""
    with premises.program() as program:
        record(program, JobsSeen(jobs, since))


def recorded(premises: Premises, kind: type[Any], state: str = STATE) -> list[Any]:
    """The events of that kind in all runs of the daemon's own, oldest first."""
    with journal_of(premises, state) as journal:
        runs = [row.run for row in journal.rows(name="schedule")]
        return [
            one.event
            for run in reversed(runs)
            for one in journal.read(run)
            if isinstance(one.event, kind)
        ]


def seen_since(premises: Premises, job: str, state: str = STATE) -> datetime:
    """From when on the slots of a job count."""
    (since,) = [one.since for one in recorded(premises, JobsSeen, state) if job in one.jobs]
    return since


def every_slot_once(
    premises: Premises, job: str, interval: timedelta, state: str = STATE
) -> list[SlotRow]:
    """Each slot of a job `every SECONDS` (of which a day has a whole number; in UTC), from when it was
    seen first to the last that is accounted for, is there exactly once, and says why if it is not fired.
    """
    found = slots(premises, job, state)
    with journal_of(premises, state) as journal:
        accounted = journal.accounted()[job]
    step = interval.total_seconds()
    first, last = (at.timestamp() // step for at in (seen_since(premises, job, state), accounted))
    expected = [datetime.fromtimestamp(n * step, UTC) for n in range(int(first) + 1, int(last) + 1)]
    assert [row.first_at + interval * n for row in found for n in range(row.count)] == expected
    for row in found:
        assert row.first_at + interval * (row.count - 1) == row.last_at
        assert row.why or row.fate is SlotFate.FIRED
        assert row.run
    return found
