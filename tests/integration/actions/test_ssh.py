"""`ssh.command` with OpenSSH's client on a real sshd: what arrives, what is refused, what ends."""

import os
import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.actions.ssh import COMMAND
from drorch.core.names import Verdict
from drorch.loopback import free_port
from drorch.ports import Cancellation
from tests.fakes.tools import Place
from tests.sshd import an_sshd

#: A run of this process alone: what another process tests over there at the same time is not ours.
RUN = f"run-{os.getpid()}"


@pytest.fixture(scope="module")
def sshd():
    with an_sshd() as server:
        yield server


@pytest.fixture
def place(tmp_path, commands, sshd):
    folder = tmp_path / "here"
    folder.mkdir()
    return Place(folder, commands, {"key": sshd.identity, "word": "s3cret-word"})


@pytest.fixture
def there(place, sshd):
    def do(*argv, **more):
        given = {
            "host": "127.0.0.1",
            "port": sshd.port,
            "user": sshd.user,
            "identity": {"secret": "key"},
            "known_hosts": str(sshd.known_hosts),
            "argv": list(argv),
        }
        return place.do(COMMAND, run=RUN, **{**given, **more})

    return do


def verdict(result):
    return result.verdict.value, result.cause


AWKWARD = ["a b", "$HOME", "`id`", "it's", 'say "x"', "*", "", "a\nb", "é", "; false", "--", "\\"]


def test_arguments_arrive_as_they_are(there):
    result = there("printf", "%s|", *AWKWARD)
    assert result.verdict is Verdict.PASS, result.message
    assert result.outputs["stdout"] == "|".join(AWKWARD) + "|"
    assert (result.outputs["exit"], result.outputs["stderr"]) == (0, "")


def test_input_output_folder_and_surroundings(there, tmp_path):
    result = there(
        "sh",
        "-c",
        'pwd >&2; cat; echo "$DRORCH_STEP $DRORCH_MODE" >&2',
        cwd=str(tmp_path),
        stdin={"a": [1]},
    )
    assert result.outputs["json"] == {"a": [1]}
    assert result.outputs["stderr"].splitlines() == [str(tmp_path), "a-step drill"]
    assert verdict(there("true", cwd="/no/such/folder")) == ("fail", "exit-code")


def test_a_relative_program_is_one_over_there(there, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mine").symlink_to("/bin/echo")
    assert there("bin/mine", "hello", cwd=str(tmp_path)).outputs["stdout"] == "hello\n"


def test_a_secret_goes_by_standard_input_alone(there):
    result = there("cat", stdin={"secret": "word"})
    assert result.outputs["stdout"] == "***"
    refused = there("echo", {"secret": "word"})
    assert verdict(refused) == ("fail", "argument")


@pytest.mark.parametrize("code", [1, 7, 255])
def test_its_exit_code_is_the_programs(there, code):
    result = there("sh", "-c", f"echo so >&2; exit {code}")
    if code != 255:  # ssh's own word for a broken connection, too: it is looked at over there
        assert verdict(result) == ("fail", "exit-code")
        assert result.message.endswith(f"exit code {code}: so")
        assert there("sh", "-c", f"exit {code}", expect={"exit": code}).verdict is Verdict.PASS
    else:
        assert verdict(result) == ("error", "connection-lost")


def test_a_host_that_is_not_who_it_should_be(there, sshd, tmp_path):
    sshd.stranger()
    wrong = tmp_path / "known"
    key = (sshd.folder / "stranger.pub").read_text()
    (sshd.folder / "stranger").unlink()
    wrong.write_text(f"[127.0.0.1]:{sshd.port} {key}")
    result = there("touch", str(tmp_path / "done"), known_hosts=str(wrong))
    assert verdict(result) == ("fail", "host-key")
    wrong.write_text("")
    assert verdict(there("true", known_hosts=str(wrong))) == ("fail", "host-key")
    assert wrong.read_text() == ""  # nothing was learnt
    assert not (tmp_path / "done").exists()


def test_a_key_that_opens_nothing(place, there, sshd):
    key = sshd.stranger()
    (sshd.folder / "stranger").unlink()
    place.tools.secrets._values["key"] = key
    assert verdict(there("true")) == ("fail", "denied")
    place.tools.secrets._values["key"] = "no key at all"
    assert verdict(there("true")) == ("fail", "denied")


def test_nobody_there_is_an_error_of_the_checker(there, sshd):
    port = free_port()
    known = sshd.known_hosts.read_text().replace(str(sshd.port), str(port))
    other = sshd.folder / "other"
    other.write_text(known)
    result = there("true", port=port, known_hosts=str(other))
    assert verdict(result) == ("error", "unreachable")


def keys_in_memory():
    return list(Path("/dev/shm").glob(f"drorch-key-{os.getpid()}-*"))


STUBBORN = "trap '' TERM HUP PIPE; echo $$; setsid sh -c 'trap \"\" TERM HUP; echo $$ >%s; while :; do sleep 1; done' & while :; do sleep 1; done"


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_cut_short_it_ends_over_there_and_so_does_what_left_its_session(there, tmp_path, place):
    """pains 5: a timeout fires but nothing dies."""
    cancel, child, seen = Cancellation(), tmp_path / "child", []

    def when_begun(progress):
        seen.append(progress.message)
        threading.Thread(target=lambda: (wait_for(child), cancel.cancel("abort"))).start()

    result = there("sh", "-c", STUBBORN % child, cancel=cancel, progress=when_begun)
    assert verdict(result) == ("error", "cancelled")
    assert result.message.endswith("on 127.0.0.1, where it is gone")
    assert not alive(int(seen[0]))
    assert not alive(int(child.read_text()))
    assert not keys_in_memory()


def wait_for(file):
    while not (file.exists() and file.read_text().strip()):
        pass


def test_its_time_is_up(there):
    result = there("sh", "-c", "echo $$; exec sleep 1000", step_timeout=timedelta(seconds=8))
    assert verdict(result) == ("error", "timeout")
    assert not alive(int(result.outputs["stdout"]))


def test_a_broken_connection_ends_it_too(there, sshd):
    def cut(progress):
        """The server's end of the connection dies; what it had started does not."""
        pid = int(progress.message)
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)

    script = "trap '' TERM HUP PIPE; echo $$; while :; do sleep 1; done"
    seen = []
    result = there("sh", "-c", script, progress=lambda p: (seen.append(p.message), cut(p)))
    assert verdict(result) == ("error", "connection-lost")
    assert not alive(int(seen[0]))


def test_what_a_lost_attempt_left_is_ended_before_the_next(place, there, sshd, tmp_path):
    import subprocess

    from drorch.actions.ssh import _Remote

    mark = _Remote(type("C", (), {"run": RUN, "step": "a-step"})(), None, None, None)._mark
    left = subprocess.Popen(["sleep", "1000"], env={"DRORCH_REMOTE": mark})
    assert there("true", attempt=2).verdict is Verdict.PASS
    assert left.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "-oProxyCommand=x"}, "is not one"),
        ({"user": "a b"}, "is not one"),
        ({"known_hosts": "none"}, "is not there"),
        ({"expect": {"exits": 1}}, "knows no 'exits'"),
    ],
)
def test_arguments_that_are_refused(there, given, said):
    result = there("true", **given)
    assert verdict(result) == ("fail", "argument")
    assert said in result.message
