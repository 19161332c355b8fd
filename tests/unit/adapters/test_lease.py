"""One daemon for one state."""

import subprocess
import sys

import pytest

from drorch.adapters.lease import Lease, seen
from drorch.adapters.ownership import alive, buried, this_host
from drorch.adapters.reaper import boot_id
from drorch.core.errors import AlreadyRunning, DrorchError
from drorch.core.events import Owner

HOLD = """
import sys
from pathlib import Path
from drorch.adapters.lease import Lease
with Lease(Path(sys.argv[1])) as lease:
    lease.say({"pid": 4711})
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_there_never_was_one(tmp_path):
    assert seen(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_second_daemon_is_refused_and_told_who_the_first_is(tmp_path, holder):
    with pytest.raises(AlreadyRunning, match="process 4711"):
        Lease(tmp_path)


def test_it_is_seen_as_long_as_it_lives_and_what_it_said_stays(tmp_path, holder):
    assert seen(tmp_path).alive
    holder.kill()
    holder.wait()
    gone = seen(tmp_path)
    assert not gone.alive
    assert gone.said == {"pid": 4711}
    with Lease(tmp_path):
        assert seen(tmp_path).alive
    assert not seen(tmp_path).alive


def test_who_looks_on_keeps_no_daemon_from_its_start(tmp_path):
    with Lease(tmp_path):
        pass
    for _ in range(50):
        seen(tmp_path)
        with Lease(tmp_path):
            assert seen(tmp_path).alive


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b'{"pid": '])
def test_a_word_that_is_damaged_is_none(tmp_path, content):
    with Lease(tmp_path) as lease:
        lease.say({"pid": 1})
    (tmp_path / "daemon.json").write_bytes(content)
    assert seen(tmp_path).said is None


def test_only_its_user_reads_what_it_says(tmp_path):
    with Lease(tmp_path / "var" / "drorch") as lease:
        lease.say({"pid": 1})
    assert (tmp_path / "var" / "drorch" / "daemon.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DrorchError, match="cannot be written"):
        Lease(tmp_path / "file" / "var")


def test_those_who_held_it_before_are_dead_though_nobody_can_see_them(tmp_path):
    elsewhere = f"{boot_id()}/4026531999"  # another pid namespace of this boot
    owners = [Owner(this_host(), 1, 5, elsewhere, "", f"token-{n}-of-a-test") for n in range(3)]
    for number, owner in enumerate(owners):
        assert alive(owner) is None
        with Lease(tmp_path) as lease:
            before = lease.succeed(owner.token)
            assert before == tuple(one.token for one in owners[:number])
            # Asked twice it says the same, and never that it is dead itself.
            assert lease.succeed(owner.token) == before
    with Lease(tmp_path) as lease:
        buried(lease.succeed("token-of-now"))
    assert [alive(owner) for owner in owners] == [False] * 3
    assert alive(Owner("elsewhere", 1, 5, elsewhere, "", "somebody-else")) is None


def test_holders_are_forgotten_one_day_and_damage_is_no_trouble(tmp_path):
    with Lease(tmp_path) as lease:
        for number in range(150):
            before = lease.succeed(f"t{number}")
        assert before == tuple(f"t{n}" for n in range(49, 149))
        (tmp_path / "daemon.holders").write_bytes(b"\xff\x00")
        assert lease.succeed("now") == ()
        assert lease.succeed("now") == ()
