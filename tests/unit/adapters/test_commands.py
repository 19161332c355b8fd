"""SystemCommands against real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.adapters import reaper
from drorch.adapters.commands import SystemCommands
from drorch.core.priority import DiskShare, Priority
from drorch.ports import Cancellation, Command, Completed, Ended, ServiceProcess

ENV = {"PATH": "/usr/bin:/bin"}
SECOND = timedelta(seconds=1)
SOON = timedelta(milliseconds=100)


@pytest.fixture
def commands(tmp_path):
    made = SystemCommands(f"test-{os.getpid()}-{tmp_path.name}", tmp_path / "table")
    (tmp_path / "table").mkdir()
    yield made
    made.close()


def sh(script, **given):
    return Command(("sh", "-c", script), env=ENV, **given)


def until(condition, patience=20.0):
    """Wait for something another process does; fails loudly when it never comes."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


def alive(pid):
    found = reaper.read_stat(pid)
    return found is not None and found.alive


def read_pid(path):
    return until(lambda: path.exists() and path.read_text().strip() and int(path.read_text()))


def test_output_exit_code_and_lines(commands):
    out, err = [], []
    done = commands.run(
        sh("echo one; printf 'tw\\303\\251\\r\\nthree'; echo bad >&2; exit 3"),
        on_stdout=out.append,
        on_stderr=err.append,
    )
    assert (done.ended, done.exit_code) == (Ended.EXITED, 3)
    assert done.stdout == "one\ntwé\r\nthree"
    assert done.stderr == "bad\n"
    assert out == ["one", "twé", "three"]
    assert err == ["bad"]


def test_nothing_is_inherited_but_the_marks(commands):
    done = commands.run(Command(("env",), env={"PATH": ENV["PATH"], "A": "1"}))
    names = {line.split("=")[0] for line in done.stdout.splitlines()}
    assert names == {"PATH", "A", "DRORCH_OWNER", "DRORCH_CHILD"}


def test_working_directory_and_program_relative_to_it(commands, tmp_path):
    script = tmp_path / "say"
    script.write_text("#!/bin/sh\npwd\n")
    script.chmod(0o755)
    done = commands.run(Command(("./say",), env=ENV, cwd=tmp_path))
    assert done.stdout.strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (Command(("/no/such/program",)), "there is no such program"),
        (Command(()), "there is no program to start"),
        (Command(("true",), env=ENV, cwd=Path("/no/such/folder")), "working directory /no/such"),
        (Command(("/etc/passwd",)), "Permission denied"),
        (Command(("true", "a\0b"), env=ENV), "null byte"),
    ],
)
def test_what_cannot_be_started_is_told(commands, command, said):
    done = commands.run(command)
    assert (done.ended, done.exit_code) == (Ended.NOT_STARTED, None)
    assert said in done.message


def test_arguments_are_not_in_the_message(commands):
    done = commands.run(Command(("/no/such", "hunter2")))
    assert "hunter2" not in done.message


def test_killed_by_a_signal_is_128_and_it(commands):
    assert commands.run(sh("kill -9 $$")).exit_code == 137


def test_large_input_is_passed_whole(commands):
    done = commands.run(Command(("wc", "-c"), env=ENV, stdin=b"x" * 1_000_000))
    assert done.stdout.strip() == "1000000"


def test_input_that_is_not_read_does_no_harm(commands):
    done = commands.run(Command(("true",), env=ENV, stdin=b"x" * 1_000_000))
    assert (done.ended, done.exit_code) == (Ended.EXITED, 0)


def test_only_the_last_of_the_output_is_kept(commands):
    lines = []
    done = commands.run(sh("seq 1 100000", keep_output=10), on_stdout=lines.append)
    assert done.stdout == "99\n100000\n"
    assert len(lines) == 100_000


def test_a_line_without_end_is_bounded(commands):
    lines = []
    commands.run(
        sh("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end"), on_stdout=lines.append
    )
    assert "".join(lines[:-1]) == "x" * 3_000_000
    assert max(map(len, lines)) == 1 << 20
    assert lines[-1] == "end"


def test_deadline_is_kept_by_a_polite_signal(commands):
    done = commands.run(
        sh(
            "trap 'echo bye; exit 7' INT; while :; do sleep 0.05; done",
            timeout=SOON,
            polite=signal.SIGINT,
        )
    )
    assert (done.ended, done.exit_code, done.stdout) == (Ended.TIMED_OUT, 7, "bye\n")


def test_deadline_kills_the_deaf_and_who_fled_the_group(commands, tmp_path):
    script = (
        f"trap '' TERM; setsid sh -c 'echo $$ > {tmp_path}/fled; trap \"\" TERM; sleep 1000' & "
        f"sleep 1000 & echo $! > {tmp_path}/near; sleep 1000"
    )
    cancel = Cancellation()
    results = []
    thread = threading.Thread(
        target=lambda: results.append(commands.run(sh(script, grace=SOON), cancel=cancel))
    )
    thread.start()
    pids = [read_pid(tmp_path / "fled"), read_pid(tmp_path / "near")]
    cancel.cancel("test")
    thread.join()
    assert results[0].ended is Ended.CANCELLED
    assert results[0].exit_code == 137
    assert not any(alive(pid) for pid in pids)


def test_cancelled_before_the_start_starts_nothing(commands, tmp_path):
    cancel = Cancellation()
    cancel.cancel("early")
    done = commands.run(sh(f"touch {tmp_path}/mark"), cancel=cancel)
    assert done.ended is Ended.CANCELLED
    assert not (tmp_path / "mark").exists()


def test_what_a_leader_leaves_in_its_group_ends_with_it(commands, tmp_path):
    done = commands.run(sh(f"sleep 1000 & echo $! > {tmp_path}/left; echo done"))
    assert (done.ended, done.exit_code, done.stdout) == (Ended.EXITED, 0, "done\n")
    assert not alive(read_pid(tmp_path / "left"))


def test_a_sink_that_raises_leaves_no_process(commands, tmp_path):
    def refuse(line):
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="boom"):
        commands.run(sh(f"echo $$ > {tmp_path}/pid; echo boom; sleep 1000"), on_stdout=refuse)
    assert not alive(read_pid(tmp_path / "pid"))


def test_nice_is_there_from_the_start(commands):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    for more in (7, 19):
        done = commands.run(Command(("nice",), env=ENV, priority=Priority(more)))
        assert int(done.stdout) == min(19, before + more)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@pytest.mark.parametrize(
    ("share", "told"), [(DiskShare.IDLE, "idle"), (DiskShare.LOW, "best-effort: prio 7")]
)
def test_a_share_of_disks_is_there_from_the_start_and_for_all_it_starts(commands, share, told):
    ours = commands.run(sh("ionice -p $$")).stdout
    done = commands.run(
        replace(sh("ionice -p $$; sh -c 'ionice -p $$'"), priority=Priority(io=share))
    )
    assert done.stdout.splitlines() == [told, told]
    assert commands.run(sh("ionice -p $$")).stdout == ours


def test_what_feeds_it_stands_back_as_well(commands):
    idle = Priority(5, DiskShare.IDLE)
    feeder = replace(sh("nice; ionice -p $$"), priority=idle)
    done = commands.run(Command(("cat",), env=ENV, stdin_from=feeder, priority=idle))
    assert done.stdout.splitlines() == [str(os.getpriority(os.PRIO_PROCESS, 0) + 5), "idle"]


def test_what_lives_of_our_own_is_nobodys_to_reap(tmp_path):
    commands, stop = SystemCommands(f"ours-{tmp_path.name}", tmp_path), Cancellation()
    up, found = threading.Event(), []
    command = sh("echo up; exec sleep 1000")
    living = threading.Thread(
        target=lambda: found.append(
            commands.run(command, on_stdout=lambda _: up.set(), cancel=stop)
        )
    )
    living.start()
    assert up.wait(60)
    # A run that this process has left open is taken up again by it, while others go on.
    assert commands.reap(f"ours-{tmp_path.name}") == 0
    assert living.is_alive()
    stop.cancel("the test is over")
    living.join()
    assert found[0].ended is Ended.CANCELLED
    commands.close()


def test_many_at_once(commands):
    results = []
    threads = [
        threading.Thread(target=lambda n=n: results.append((n, commands.run(sh(f"echo {n}")))))
        for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((n, r.stdout) for n, r in results) == [(n, f"{n}\n") for n in range(24)]


def test_no_handle_is_lost(commands):
    commands.run(sh("true"))
    before = sorted(p.name for p in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        commands.run(sh("cat", stdin_from=sh("echo x")), cancel=Cancellation())
        commands.run(Command(("/no/such",), stdin_from=sh("sleep 1000")))
    assert sorted(p.name for p in Path("/proc/self/fd").iterdir()) == before


class TestFed:
    def test_end_of_file_follows_success(self, commands):
        done = commands.run(Command(("cat",), env=ENV, stdin_from=sh("echo fed; echo note >&2")))
        assert (done.ended, done.exit_code, done.stdout) == (Ended.EXITED, 0, "fed\n")
        assert isinstance(done.feeder, Completed)
        assert (done.feeder.exit_code, done.feeder.stderr) == (0, "note\n")

    def test_a_failing_feeder_ends_the_consumer_before_it_sees_the_end(self, commands, tmp_path):
        consumer = sh(f"cat > /dev/null && touch {tmp_path}/committed", polite=signal.SIGINT)
        consumer = Command(
            consumer.argv, ENV, stdin_from=sh("echo half; exit 4"), polite=signal.SIGINT
        )
        done = commands.run(consumer)
        assert done.feeder.exit_code == 4
        assert done.exit_code != 0
        assert "ended with exit code 4" in done.message
        assert not (tmp_path / "committed").exists()

    def test_so_does_one_that_was_killed(self, commands, tmp_path):
        reading = ("sh", "-c", f"cat > /dev/null && touch {tmp_path}/committed")
        done = commands.run(Command(reading, ENV, stdin_from=sh("echo half; kill -9 $$")))
        assert done.feeder.exit_code == 137
        assert not (tmp_path / "committed").exists()

    def test_a_consumer_that_leaves_early_ends_the_feeder(self, commands):
        done = commands.run(Command(("head", "-c", "1"), ENV, stdin_from=sh("echo x; sleep 1000")))
        assert (done.exit_code, done.stdout) == (0, "x")
        assert done.feeder.exit_code == 143
        assert done.message == ""

    def test_a_background_writer_is_heard_to_the_end(self, commands):
        done = commands.run(
            Command(("cat",), ENV, stdin_from=sh("(sleep 0.4; echo late) & echo early"))
        )
        assert done.stdout == "early\nlate\n"

    def test_a_missing_feeder_starts_no_consumer(self, commands, tmp_path):
        done = commands.run(
            Command(("touch", f"{tmp_path}/mark"), ENV, stdin_from=Command(("/no/such",)))
        )
        assert done.ended is Ended.NOT_STARTED
        assert done.feeder.ended is Ended.NOT_STARTED
        assert not (tmp_path / "mark").exists()

    def test_a_missing_consumer_ends_the_feeder(self, commands, tmp_path):
        feeder = sh(f"echo $$ > {tmp_path}/pid; sleep 1000")
        done = commands.run(Command(("/no/such",), stdin_from=feeder))
        assert done.ended is Ended.NOT_STARTED
        assert done.feeder.exit_code == 137

    def test_a_deadline_ends_both(self, commands):
        feeder = sh("sleep 1000")
        done = commands.run(Command(("cat",), ENV, stdin_from=feeder, timeout=SOON))
        assert (done.ended, done.feeder.ended) == (Ended.TIMED_OUT, Ended.TIMED_OUT)


class TestServices:
    def test_life_and_death(self, commands, tmp_path):
        log = tmp_path / "logs" / "service.log"
        env = {**ENV, "DRORCH_OWNER": "somebody", "DRORCH_RUN": "r1"}
        script = "trap '' TERM; env; sleep 1000 & echo $! > near; wait; sleep 1000"
        service = commands.start_service(Command(("sh", "-c", script), env, cwd=tmp_path), log)
        assert isinstance(service, ServiceProcess)
        near = read_pid(tmp_path / "near")
        assert commands.service_alive(service)
        assert commands.stop_service(service, SOON)
        assert not commands.service_alive(service)
        assert not alive(near)
        assert "DRORCH_RUN=r1" in log.read_text()
        assert "DRORCH_OWNER" not in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600

    def test_one_that_dies_is_noticed(self, commands, tmp_path):
        service = commands.start_service(sh("exit 3"), tmp_path / "log")
        until(lambda: not commands.service_alive(service))
        assert commands.stop_service(service, SOON)

    def test_the_group_is_ended_though_its_leader_is_gone(self, commands, tmp_path):
        service = commands.start_service(
            sh(f"sleep 1000 & echo $! > {tmp_path}/near"), tmp_path / "log"
        )
        near = read_pid(tmp_path / "near")
        until(lambda: not commands.service_alive(service))
        assert alive(near)
        assert commands.stop_service(service, SECOND)
        assert not alive(near)

    def test_another_process_with_its_pid_is_left_alone(self, commands, tmp_path):
        service = commands.start_service(sh("sleep 1000"), tmp_path / "log")
        earlier = ServiceProcess(service.pid, service.started - 1, service.boot)
        other_boot = ServiceProcess(service.pid, service.started, "another")
        for stranger in (earlier, other_boot):
            assert not commands.service_alive(stranger)
            assert commands.stop_service(stranger, SOON)
        assert commands.service_alive(service)
        assert commands.stop_service(service, SECOND)

    def test_what_cannot_be_started_is_told(self, commands, tmp_path):
        done = commands.start_service(Command(("/no/such",)), tmp_path / "log")
        assert isinstance(done, Completed)
        assert "there is no such program" in done.message
        (tmp_path / "file").write_text("")
        done = commands.start_service(sh("true"), tmp_path / "file" / "log")
        assert "cannot be written" in done.message


OWNER_PROGRAM = """
import sys, threading
from pathlib import Path
from drorch.adapters.commands import SystemCommands
from drorch.ports import Command
token, folder, script = sys.argv[1:4]
commands = SystemCommands(token, Path(folder))
env = {"PATH": "/usr/bin:/bin"}
commands.run(Command(("sh", "-c", f"setsid sh -c 'echo $$ > {folder}/daemon; exec sleep 1000' "
    f"</dev/null >/dev/null 2>&1 & until [ -s {folder}/daemon ]; do sleep 0.01; done"), env=env))
commands.run(Command(("sh", "-c", script), env=env))
"""


class TestOurOwnDeath:
    def watcher_of(self, token):
        for pid in reaper.pids():
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended between the two looks
            if b"drorch-watcher" in line and token.encode() in line:
                return pid
        raise AssertionError("there is no watcher")

    def start(self, tmp_path, *, kill_watcher=False):
        folder = tmp_path / "table"
        script = (
            f"trap '' TERM HUP; setsid sh -c 'echo $$ > {folder}/fled; trap \"\" TERM; sleep 1000' & "
            f"sleep 1000 & echo $! > {folder}/near; wait"
        )
        token = f"dying-{os.getpid()}-{tmp_path.name}"
        owner = subprocess.Popen([sys.executable, "-c", OWNER_PROGRAM, token, str(folder), script])
        pids = [read_pid(folder / name) for name in ("fled", "near")]
        daemon = read_pid(folder / "daemon")
        if kill_watcher:
            os.kill(self.watcher_of(token), signal.SIGKILL)
        owner.kill()
        owner.wait()
        return token, pids, daemon

    def test_the_watcher_ends_what_was_in_flight_and_nothing_else(self, commands, tmp_path):
        token, pids, daemon = self.start(tmp_path)
        until(lambda: not any(alive(pid) for pid in pids))
        until(lambda: not (tmp_path / "table" / f"{token}.children").exists())
        assert alive(daemon), "a finished command's daemon was killed"
        assert commands.reap(token) == 0
        os.kill(daemon, signal.SIGKILL)

    def test_reap_does_it_when_the_watcher_is_gone_too(self, commands, tmp_path):
        token, pids, daemon = self.start(tmp_path, kill_watcher=True)
        assert all(alive(pid) for pid in pids)
        assert commands.reap(token) >= 3
        assert not any(alive(pid) for pid in pids)
        assert alive(daemon)
        assert commands.reap(token) == 0
        os.kill(daemon, signal.SIGKILL)

    def test_the_watcher_goes_when_all_is_well(self, tmp_path):
        commands = SystemCommands(f"well-{tmp_path.name}", tmp_path)
        commands.run(sh("true"))
        watcher = commands._watcher
        environ = Path(f"/proc/{watcher.pid}/environ").read_bytes()
        assert b"DRORCH" not in environ
        commands.close()
        assert watcher.returncode == 0
        assert not list(tmp_path.iterdir())

    def test_a_watcher_that_died_is_replaced(self, commands):
        commands.run(sh("true"))
        first = commands._watcher
        first.kill()
        first.wait()
        commands.run(sh("true"))
        assert commands._watcher is not first
        assert commands._watcher.poll() is None
