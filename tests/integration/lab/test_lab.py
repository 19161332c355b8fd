import json
import os
import socket
import stat
from pathlib import Path

import pytest

from drorch import loopback
from drorch.adapters.commands import SystemCommands
from drorch.lab import rclone
from drorch.lab.lab import Lab
from drorch.lab.regions import LabError, PortTaken, RegionSpec
from drorch.storage.probe import probe
from tests.regions import bucket_of, running_regions

TWO = (RegionSpec("mtl", 0), RegionSpec("qc", 0, "CA-ON"))


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path / "lab", SystemCommands("lab-tests"))
    yield made
    assert made.down() == ()


def again(lab: Lab) -> Lab:
    """The same lab as another process finds it."""
    return Lab(lab.folder, SystemCommands("another-process"))


def pids(lab: Lab) -> list[int | None]:
    return [s.region.process.pid if s.region.process else None for s in lab.status()]


def test_up_gives_regions_that_answer_to_their_own_keys_only(lab):
    mtl, qc = lab.up(TWO)
    assert (mtl.name, qc.name, qc.jurisdiction) == ("mtl", "qc", "CA-ON")
    assert [(s.alive, s.answers) for s in lab.status()] == [(True, True)] * 2
    for region in (mtl, qc):
        bucket = bucket_of(region)
        assert probe(bucket).ok
        bucket.put("a", region.name.encode())
        bucket.close()
    assert (mtl.bucket / "a").read_bytes() == b"mtl"
    assert mtl.secret_file.read_text() != qc.secret_file.read_text()


def test_up_is_harmless_again_and_from_another_process(lab):
    first = lab.up(TWO)
    secrets = first[0].secret_file.read_text()
    assert again(lab).up(TWO) == first
    assert first[0].secret_file.read_text() == secrets


def test_secrets_are_for_their_owner_and_nowhere_else(lab):
    mtl, _ = lab.up(TWO)
    for path in (lab.folder / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {p.name for p in (lab.folder / "secrets").iterdir()} == {
        "mtl-id",
        "mtl-secret",
        "qc-id",
        "qc-secret",
        "repo-key",
    }
    secret = mtl.secret_file.read_text().strip()
    assert len(secret) >= 20
    for pid in pids(lab):
        assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
    assert secret not in (lab.folder / "lab.json").read_text()
    assert secret not in mtl.log.read_text()


def test_down_ends_its_own_processes_and_proves_it(lab, tmp_path):
    regions = lab.up(TWO)
    other = Lab(tmp_path / "other", SystemCommands("lab-tests"))
    try:
        other.up(TWO[:1])
        assert again(lab).down() == ()
        assert all(loopback.is_free(r.port) for r in regions)
        assert [s.alive for s in lab.status()] == [False, False]
        assert [s.alive for s in other.status()] == [True]
    finally:
        assert other.down() == ()


def test_a_foreign_process_with_the_remembered_pid_is_left_alone(lab):
    lab.up(TWO[:1])
    lab.down()
    state = json.loads((lab.folder / "lab.json").read_text())
    state["regions"][0]["process"] = {"pid": os.getpid(), "started": 1, "boot": "another"}
    (lab.folder / "lab.json").write_text(json.dumps(state))
    assert [s.alive for s in lab.status()] == [False]
    assert lab.down() == ()


def test_a_killed_region_comes_back_with_its_data_on_its_port(lab):
    mtl, _ = lab.up(TWO)
    bucket = bucket_of(mtl)
    bucket.put("kept", b"yes")
    lab.kill("mtl")
    assert [s.alive for s in lab.status()] == [False, True]
    assert not probe(bucket).ok
    back = lab.start("mtl")
    assert back.port == mtl.port
    assert bucket.get("kept") == b"yes"
    bucket.close()


def test_up_brings_back_only_what_is_down(lab):
    lab.up(TWO)
    before = pids(lab)
    lab.kill("qc")
    lab.up(TWO)
    after = pids(lab)
    assert after[0] == before[0]
    assert after[1] not in {None, before[1]}


def test_a_taken_port_is_said_and_nothing_stays_up(lab):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(LabError, match=f"port {port}.*taken") as caught:
            lab.up((TWO[0], RegionSpec("qc", port)))
    assert str(port) in caught.value.hint
    assert pids(lab) == [None, None]


@pytest.mark.parametrize("gone_again", [False, True])
def test_who_takes_the_port_at_the_last_moment_is_not_taken_for_the_region(
    lab, monkeypatch, gone_again
):
    """A server of somebody else's answers there, too, or is gone before anybody looks."""
    (theirs,) = lab.up(TWO[:1])
    other = Lab(lab.folder.parent / "other", SystemCommands("lab-tests"))
    looked = iter([True])
    real = loopback.is_free
    monkeypatch.setattr(loopback, "is_free", lambda port: next(looked, gone_again) or real(port))
    with pytest.raises(PortTaken) as caught:
        other.up([RegionSpec("mtl", theirs.port)])
    assert caught.value.port == theirs.port
    assert pids(other) == [None]
    assert [s.answers for s in lab.status()] == [True]


def test_a_new_region_that_may_listen_anywhere_takes_another_port_then(lab, monkeypatch):
    (theirs,) = lab.up(TWO[:1])
    other = Lab(lab.folder.parent / "other", SystemCommands("lab-tests"))
    ports = iter([theirs.port, theirs.port])
    real = loopback.free_port
    monkeypatch.setattr(loopback, "free_port", lambda: next(ports, None) or real())
    ours = other.up(TWO)
    try:
        assert theirs.port not in {region.port for region in ours}
        assert all(status.answers for status in other.status())
    finally:
        other.down()


def test_a_living_region_does_not_move_to_another_port(lab):
    lab.up(TWO)
    with pytest.raises(LabError, match="is up on port"):
        lab.up((RegionSpec("mtl", loopback.free_port()),))


def test_an_unknown_region_is_named_with_those_there_are(lab):
    lab.up(TWO)
    with pytest.raises(LabError, match="no region tor") as caught:
        lab.kill("tor")
    assert "mtl, qc" in caught.value.hint


def test_rclone_reads_nothing_of_the_users(lab):
    mtl, _ = lab.up(TWO)
    command = rclone.serve(mtl, rclone.binary())
    assert "--config=" in command.argv
    assert set(command.env) == {"RCLONE_AUTH_KEY", "HOME"}
    assert command.env["HOME"] == str(lab.folder)


def test_the_shared_fixture_gives_as_many_as_asked():
    with running_regions(3) as regions:
        assert [r.name for r in regions] == ["mtl", "qc", "tor"]
        assert all(probe(bucket_of(r)).ok for r in regions)
