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

#: What empties the screen.
WIPED = "\x1b[2J\x1b[H"

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
        self.raw = ""
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
        self.raw += found.decode(errors="replace")
        self.seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw)

    def resize(self, lines: int, columns: int) -> None:
        """As a person who pulls the window's corner; what was seen before is forgotten."""
        self.raw = ""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        while WIPED not in self.raw:
            self._read()
        self.raw = self.raw.rpartition(WIPED)[2]
        self.seen = ""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "drorch.yaml").write_text("organization: Sainte-Rive\n")
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "ask.yaml").write_text(RUNBOOK)
    return tmp_path


def environment(place: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT), **more}


@contextmanager
def at_terminal(
    place: Path, *arguments: str, term: str = "xterm-256color", **more: str
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "drorch", *arguments],
        cwd=place,
        env=environment(place, TERM=term, **more),
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
        terminal.until("asks anybody: Switch the clinics?")
        run = re.search(r"run (\S+-ask-\S+)", terminal.seen)[1]
        told = drorch(place, "run", "approve", run, "--reason", "the night manager agrees")
        assert f"recorded for run {run}" in told.stdout
        assert terminal.end() == 0
    assert "RTA" in terminal.seen
    assert "drill ask: passed" in terminal.seen
    assert (place / "tidied").exists()


def test_a_watch_ends_when_nobody_reads_it(place):
    with at_terminal(place, "drill", "ask") as own:
        own.until("asks anybody: Switch the clinics?")
        run = re.search(r"run (\S+-ask-\S+)", own.seen)[1]
        reading, writing = os.pipe()
        os.close(reading)
        watch = [sys.executable, "-m", "drorch", "run", "watch", run]
        done = subprocess.run(
            watch, cwd=place, env=environment(place), stdout=writing, check=False, timeout=120
        )
        os.close(writing)
        assert done.returncode == 0
        assert own.process.poll() is None


def test_without_waiting_it_leaves_though_somebody_is_there(place):
    with at_terminal(place, "drill", "ask", "--no-wait") as terminal:
        assert terminal.end() == 7
    assert "answer: drorch run approve" in terminal.seen


def test_ctrl_c_aborts_and_the_screen_says_so(place):
    with at_terminal(place, "drill", "ask") as terminal:
        terminal.until("asks anybody: Switch the clinics?")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "stopping: nothing new is started" in terminal.seen
    assert "drill ask: aborted" in terminal.seen
    assert (place / "tidied").exists()


def test_a_pause_shows_wherever_the_run_is_looked_at_with_who_and_why(place):
    """pains 17: it is always said what is waited for, since when, and by whose word."""
    with at_terminal(place, "drill", "ask") as own:
        own.until("asks anybody: Switch the clinics?")
        run = re.search(r"run (\S+-ask-\S+)", own.seen)[1]
        with at_terminal(place, "run", "watch", run) as other:
            other.until("asks anybody: Switch the clinics?")
            drorch(place, "run", "pause", run, "--reason", "the network people look first")
            for terminal in (own, other):
                terminal.until("PAUSED for ")
                terminal.until(": the network people look first")
            other.resize(24, 50)
            other.until("run approve " + run[-4:])
            assert max(map(len, re.split(r"[\r\n]+", other.seen))) <= 50
            drorch(place, "run", "resume", run)
            drorch(place, "run", "approve", run, "--reason", "agreed")
            assert other.end() == 0
            assert own.end() == 0


@pytest.mark.parametrize(
    "line",
    ["report run any --format pdf", "report quarter --format csv", "runbook show ask --format pdf"],
)
def test_what_people_cannot_read_is_not_printed_at_a_terminal(place, line):
    with at_terminal(place, *line.split()) as terminal:
        assert terminal.end() == 2
    assert f"error: {line.split()[-1]} on a terminal shows nothing" in terminal.seen


def test_no_color_is_heeded(place):
    with at_terminal(place, "drill", "ask", "--no-wait", NO_COLOR="1") as terminal:
        assert terminal.end() == 7
    with at_terminal(place, "run", "list") as coloured:
        coloured.end()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.raw)
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", coloured.raw)


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
