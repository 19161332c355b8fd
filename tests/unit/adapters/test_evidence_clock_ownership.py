"""Evidence files, the machine's clock, and who lives."""

import hashlib
import os
import subprocess
import time
from dataclasses import replace

import pytest

from drorch.adapters.clock import SystemClock
from drorch.adapters.evidence import EvidenceFolder
from drorch.adapters.ownership import alive, this_owner
from drorch.adapters.reaper import read_stat
from drorch.core.errors import DrorchError


def test_evidence_is_kept_privately_and_named_by_hash(tmp_path):
    store = EvidenceFolder(tmp_path / "a" / "evidence")
    kept = store.keep("run-1", "log.txt", b"content")
    path = tmp_path / "a" / "evidence" / "run-1" / "log.txt"
    assert path == store.path("run-1", kept)
    assert path.read_bytes() == b"content"
    assert kept.sha256 == hashlib.sha256(b"content").hexdigest()
    assert kept.bytes == 7
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_evidence_never_overwrites(tmp_path):
    store = EvidenceFolder(tmp_path)
    names = [store.keep("r", "log.txt", text).name for text in (b"a", b"b", b"a", b"c")]
    assert names == ["log.txt", "log-2.txt", "log.txt", "log-3.txt"]
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [
        "log-2.txt",
        "log-3.txt",
        "log.txt",
    ]


@pytest.mark.parametrize(("run", "name"), [("r", "../x"), ("..", "x"), ("r", ""), ("a/b", "x")])
def test_evidence_stays_in_its_folder(tmp_path, run, name):
    with pytest.raises(ValueError, match="not a file name"):
        EvidenceFolder(tmp_path).keep(run, name, b"")


def test_evidence_is_read_back_only_as_it_was_kept(tmp_path):
    store = EvidenceFolder(tmp_path)
    kept = store.keep("r", "list.txt", b"data/4f/4f00\n")
    assert store.read("r", kept.name, kept.sha256) == b"data/4f/4f00\n"
    with pytest.raises(DrorchError, match="cannot be read: No such file"):
        store.read("r", "gone.txt", kept.sha256)
    store.path("r", kept).write_bytes(b"snapshots/4f00\n")
    with pytest.raises(DrorchError, match="is not what was kept"):
        store.read("r", kept.name, kept.sha256)
    with pytest.raises(ValueError, match="not a file name"):
        store.read("r", "../x", kept.sha256)


def test_evidence_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DrorchError, match="cannot be kept") as caught:
        EvidenceFolder(tmp_path / "file").keep("r", "x", b"")
    assert str(tmp_path) in caught.value.hint


def test_clock_reads_both_clocks():
    clock = SystemClock()
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    first, second = clock.now(), clock.now()
    assert before <= first.ticks <= second.ticks
    assert first.at.utcoffset().total_seconds() == 0
    assert first.boot == second.boot
    assert len(first.boot) == 36


class TestOwnership:
    def test_this_process_lives(self):
        owner = this_owner("token")
        assert owner.pid == os.getpid()
        assert owner.token == "token"
        assert alive(owner) is True

    def test_another_start_another_boot(self):
        owner = this_owner("token")
        assert alive(replace(owner, started=owner.started - 1)) is False
        assert alive(replace(owner, boot="another")) is False

    def test_another_host_or_namespace_is_unknown(self):
        owner = this_owner("token")
        assert alive(replace(owner, host="elsewhere")) is None
        assert alive(replace(owner, boot=f"{owner.boot.split('/')[0]}/12345")) is None

    def test_a_zombie_is_dead(self):
        child = subprocess.Popen(["sleep", "1000"])
        found = read_stat(child.pid)
        owner = replace(this_owner("t"), pid=child.pid, started=found.started)
        assert alive(owner) is True
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert alive(owner) is False
        child.wait()
        assert alive(owner) is False
