"""What the engine leans on, held by the real adapter and by the fake alike."""

import os
from datetime import timedelta

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.ports import Cancellation, Command, Completed, Ended
from tests.fakes.commands import FakeCommands

SCRIPTS = {
    "say": ("echo one; echo two; echo bad >&2; exit 3", ["one", "two"], ["bad"], 3),
    "good": ("echo data", ["data"], [], 0),
    "bad": ("echo half; exit 4", ["half"], [], 4),
}


def program(out, err, code):
    def run(process):
        process.print(*out)
        process.complain(*err)
        return code

    return run


def count(process):
    process.print(str(process.stdin.count(b"\n")))
    return 0


@pytest.fixture(params=["real", "fake"])
def commands(request, tmp_path):
    if request.param == "fake":
        programs = {name: program(*rest) for name, (_, *rest) in SCRIPTS.items()}
        yield FakeCommands({**programs, "count": count, "hang": lambda process: process.hang()})
        return
    made = SystemCommands(f"both-{os.getpid()}-{tmp_path.name}", tmp_path)
    yield made
    made.close()


@pytest.fixture
def make(tmp_path):
    """Makes commands that find the scripts by name."""
    scripts = {name: script for name, (script, *_) in SCRIPTS.items()}
    for name, script in {**scripts, "count": "wc -l", "hang": "exec sleep 1000"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    return lambda name, **given: Command((name,), env=env, **given)


def test_output_and_exit_code(commands, make):
    out, err = [], []
    done = commands.run(make("say"), on_stdout=out.append, on_stderr=err.append)
    assert (done.ended, done.exit_code) == (Ended.EXITED, 3)
    assert (done.stdout, done.stderr) == ("one\ntwo\n", "bad\n")
    assert (out, err) == (["one", "two"], ["bad"])


def test_input(commands, make):
    assert commands.run(make("count", stdin=b"a\nb\n")).stdout.strip() == "2"


def test_not_startable(commands, make):
    done = commands.run(make("no-such-program"))
    assert (done.ended, done.exit_code) == (Ended.NOT_STARTED, None)
    assert "there is no such program" in done.message


def test_feeders(commands, make):
    done = commands.run(make("count", stdin_from=make("good")))
    assert (done.exit_code, done.stdout.strip(), done.feeder.exit_code) == (0, "1", 0)
    done = commands.run(make("count", stdin_from=make("bad")))
    assert done.exit_code != 0
    assert done.feeder.exit_code == 4
    done = commands.run(make("count", stdin_from=make("no-such-program")))
    assert (done.ended, done.feeder.ended) == (Ended.NOT_STARTED, Ended.NOT_STARTED)


def test_deadline_and_cancellation(commands, make):
    done = commands.run(make("hang", timeout=timedelta(milliseconds=50)))
    assert (done.ended, done.exit_code) == (Ended.TIMED_OUT, 143)
    cancel = Cancellation()
    cancel.cancel("abort")
    assert commands.run(make("hang"), cancel=cancel).ended is Ended.CANCELLED


def test_services(commands, make, tmp_path):
    service = commands.start_service(make("hang"), tmp_path / "log")
    assert commands.service_alive(service)
    assert commands.stop_service(service, timedelta(seconds=5))
    assert not commands.service_alive(service)
    assert commands.stop_service(service, timedelta(seconds=5))
    assert isinstance(commands.start_service(make("no-such-program"), tmp_path / "log"), Completed)


def test_nothing_to_reap(commands):
    assert commands.reap("nobody") == 0
