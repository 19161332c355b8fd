"""Whether a process is gone for certain: by real processes, also in pid namespaces of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from drorch.adapters.vanished import vanished

HERE = socket.gethostname()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def now():
    return datetime.now(UTC)


def ended_pid():
    """The pid of a process that has ended, and that nobody has taken since."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_a_process_that_has_ended_is_gone():
    assert vanished(HERE, ended_pid(), now(), "restic") is True


def test_a_living_process_is_not():
    assert vanished(HERE, os.getpid(), now(), "restic") is False


def test_of_another_host_or_one_of_many_names_nothing_is_known():
    assert vanished("another-host", ended_pid(), now(), "restic") is None
    assert vanished("localhost", ended_pid(), now(), "restic") is None
    assert vanished(HERE, 0, now(), "restic") is None


def test_a_pid_that_somebody_else_has_now_is_gone_unless_it_could_be_the_same_program():
    assert vanished(HERE, os.getpid(), LONG_AGO, "restic") is True
    assert vanished(HERE, os.getpid(), LONG_AGO, "python") is False
    assert vanished(HERE, os.getpid(), now() - timedelta(minutes=9), "restic") is False


def inside(*line):
    """A process in a pid namespace of its own; its first line of output is its pid there."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    return subprocess.Popen(
        [unshare, "--pid", "--fork", "--mount-proc", *line],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


SLEEPER = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
ASKER = (
    "import datetime; from drorch.adapters.vanished import vanished;"
    "print(vanished({host!r}, 999999, datetime.datetime.now(datetime.UTC), 'restic'))"
)


def test_a_process_that_lives_in_another_pid_namespace_is_seen(namespaces):
    """restic#4922: its pid there is 1 or 2, and some other process has that pid here."""
    child = inside(sys.executable, "-c", SLEEPER)
    try:
        pid = int(child.stdout.readline())
        assert pid < 10
        assert vanished(HERE, pid, LONG_AGO, "python") is False
        # Not even if nobody had that pid here: it is looked for in every namespace.
        assert vanished(HERE, pid, now(), "restic") is False
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def test_inside_a_pid_namespace_nothing_is_known_of_anybody(namespaces):
    child = inside(sys.executable, "-c", ASKER.format(host=HERE))
    assert child.communicate()[0] == "None\n"


@pytest.fixture
def namespaces():
    done = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        assert not os.environ.get("CI"), "CI must be able to make pid namespaces"
        pytest.skip("this machine lets us have no pid namespaces of our own")
