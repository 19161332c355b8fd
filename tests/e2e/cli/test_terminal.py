"""What people see and can do at a terminal: a real one, by a pseudo-terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

RUNBOOK = """
runbook: ask
objectives: {rto: 1h}
steps:
  - step: begin
    do: command
    with: {argv: [touch, begun]}
  - step: go-ahead
    do: approve
    with: {prompt: "Switch the clinics?"}
cleanup:
  - step: tidy
    do: command
    with: {argv: [touch, tidied]}
"""


class Terminal:
    """A drorch at a terminal of 24 lines."""

    def __init__(self, process: subprocess.Popen, master: int) -> None:
        self.process = process
        self.seen = ""
        self._master = master

    def until(self, words: str) -> None:
        """Read the screen until it shows the words."""
        while words not in self.seen:
            self._read()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        try:
            while True:
                self._read()
        except EOFError:
            return self.process.wait(timeout=60)

    def _read(self) -> None:
        try:
            found = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the last writer of a terminal has closed it
            found = b""
        if not found:
            raise EOFError(self.seen)
        self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", found.decode(errors="replace"))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "drorch.yaml").write_text("organization: Sainte-Rive\n")
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "ask.yaml").write_text(RUNBOOK)
    return tmp_path


def environment(place: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT), **more}


@contextmanager
def at_terminal(place: Path, *arguments: str, term: str = "xterm-256color") -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "drorch", *arguments],
        cwd=place,
        env=environment(place, TERM=term),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        # Its controlling terminal, so that typed keys become signals.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def drorch(place: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "drorch", *arguments],
        cwd=place,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_drill_waits_at_the_terminal_until_somebody_answers_elsewhere(place):
    with at_terminal(place, "drill", "ask") as terminal:
        terminal.until("a person: Switch the clinics?")
        run = re.search(r"run (\S+-ask-\S+)", terminal.seen)[1]
        told = drorch(place, "run", "approve", run, "--reason", "the night manager agrees")
        assert f"recorded for run {run}" in told.stdout
        assert terminal.end() == 0
    assert "RTA" in terminal.seen
    assert "drill ask: passed" in terminal.seen
    assert (place / "tidied").exists()


def test_without_waiting_it_leaves_though_somebody_is_there(place):
    with at_terminal(place, "drill", "ask", "--no-wait") as terminal:
        assert terminal.end() == 7
    assert "answer: drorch run approve" in terminal.seen


def test_ctrl_c_aborts_and_the_screen_says_so(place):
    with at_terminal(place, "drill", "ask") as terminal:
        terminal.until("a person: Switch the clinics?")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "stopping: nothing new is started" in terminal.seen
    assert "drill ask: aborted" in terminal.seen
    assert (place / "tidied").exists()


def test_a_terminal_that_cannot_move_gets_lines(place):
    with at_terminal(place, "drill", "ask", "--no-wait", term="dumb") as terminal:
        assert terminal.end() == 7
    assert "go-ahead: waits for a person (approve): Switch the clinics?" in terminal.seen


def test_a_missing_reason_is_asked_for(place):
    with at_terminal(place, "drill", "ask", "--no-wait") as terminal:
        terminal.end()
    run = re.search(r"run (\S+-ask-\S+)", terminal.seen)[1]
    with at_terminal(place, "run", "approve", run) as terminal:
        terminal.until("Reason: ")
        terminal.type("because\r")
        assert terminal.end() == 0
    shown = drorch(place, "run", "show", run, "--json").stdout
    assert '"reason": "because"' in shown


def test_tables_are_drawn_for_people(place):
    with at_terminal(place, "run", "list") as terminal:
        terminal.end()
    assert terminal.seen.strip() == "no runs"
    with at_terminal(place, "runbook", "list") as terminal:
        terminal.end()
    assert "────" in terminal.seen
    assert "────" not in drorch(place, "runbook", "list").stdout
