"""Ctrl-C and its kin against a real process: aborted with cleanup first, left at once then."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

#: `hold` waits on a pipe that nobody writes; `tidy` shows that cleanup was carried out.
RUNBOOK = """
runbook: hold
steps:
  - step: begin
    do: command
    with: {argv: [touch, begun]}
  - step: hold
    do: command
    with: {argv: [cat, pipe]}
cleanup:
  - step: tidy
    do: command
    with: {argv: %s}
"""

QUICK = "[touch, tidied]"
ENDLESS = "[cat, pipe]"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "drorch.yaml").write_text("organization: Sainte-Rive\n")
    (tmp_path / "runbooks").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def start(place: Path, cleanup: str, *options: str) -> subprocess.Popen:
    (place / "runbooks" / "hold.yaml").write_text(RUNBOOK % cleanup)
    return subprocess.Popen(
        [sys.executable, "-m", "drorch", "drill", "hold", "--progress", "json", *options],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(process: subprocess.Popen, event: str, step: str | None = None) -> dict:
    """Read what the process tells until it tells of this."""
    for line in process.stderr:
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == event and told.get("step") == step:
            return told
    raise AssertionError(f"{event} of {step} was never told")


def drorch(place: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "drorch", *arguments],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def readers_of(pipe: Path) -> list[int]:
    """Processes that have the pipe among their arguments and this folder as their place."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            here = (entry / "cwd").readlink() == pipe.parent
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if here and b"pipe" in words:
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_aborts_and_cleans_up(place, number):
    process = start(place, QUICK, "--json")
    until(process, "attempt.started", "hold")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping: nothing new is started" in err
    document = json.loads(out)
    assert document["outcome"] == "aborted"
    assert document["abort"]["reason"] == f"interrupted by {signal.Signals(number).name}"
    assert (place / "tidied").exists()
    assert readers_of(place / "pipe") == []


def test_the_second_signal_leaves_at_once_and_the_run_can_be_ended_later(place):
    process = start(place, ENDLESS)
    run = until(process, "attempt.started", "hold")["run"]
    process.send_signal(signal.SIGINT)
    until(process, "attempt.started", "tidy")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"error: run {run} was interrupted" in err
    assert f"hint: drorch run resume {run} goes on" in err
    assert readers_of(place / "pipe") == []

    listed = json.loads(drorch(place, "run", "list", "--unfinished", "--json").stdout)
    assert [(r["run"], r["state"]) for r in listed] == [(run, "interrupted")]


def test_a_reader_who_goes_away_does_not_end_the_drill(place):
    (place / "runbooks" / "hold.yaml").write_text(
        RUNBOOK.replace("[cat, pipe]", "[cat, begun]") % QUICK
    )
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "drorch", "drill", "hold"],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    os.close(reader)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert (place / "tidied").exists()


def test_another_process_watches_a_run_and_ends_it(place):
    process = start(place, QUICK)
    run = until(process, "attempt.started", "hold")["run"]
    watching = subprocess.Popen(
        [sys.executable, "-m", "drorch", "run", "watch", run, "--json"],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(watching.stdout.readline())["event"] == "run.started"
    told = drorch(place, "run", "abort", run, "--reason", "enough")
    assert told.returncode == 0, told.stderr
    out, _ = watching.communicate(timeout=60)
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"] == "run.finished"
    assert events[-1]["outcome"] == "aborted"
    assert watching.returncode == 6
    process.communicate(timeout=60)
    assert process.returncode == 6
    assert (place / "tidied").exists()


def test_a_verb_that_carries_nothing_just_ends(place):
    process = start(place, QUICK)
    run = until(process, "attempt.started", "hold")["run"]
    watching = subprocess.Popen(
        [sys.executable, "-m", "drorch", "run", "watch", run],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout.readline()
    watching.send_signal(signal.SIGTERM)
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert err.strip() == "error: interrupted"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_ctrl_c_while_the_program_loads_ends_it_without_a_word(tmp_path):
    """click stands first among what is loaded; this one presses Ctrl-C."""
    (tmp_path / "click.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nraise AssertionError\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", "from drorch.cli.main import main; main()", "status"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
