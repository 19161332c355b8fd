"""What is in the way of a recovery or of a copy: said in a sentence, and nothing is left half done."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from drorch.app.plane import recovering
from drorch.core.errors import ExitCode, ResticError, UsageError
from drorch.core.model import Region
from tests.faulty import in_front_of
from tests.harms import Harm
from tests.integration.app.disks import on_small_disk, read_only
from tests.integration.app.planes import Plane, quicken_plane
from tests.integration.app.premises import PASSWORD, SOURCE

READER = SOURCE / "docs" / "read_control_plane.py"


@pytest.fixture
def plane(premises):
    return Plane(premises)


def planted(plane, region, change):
    """Another vault's key beside the good one, as somebody who may write there puts it."""
    (good,) = (p for p in plane.objects(region) if p.name == "key")
    folder = good.parent.parent / "0000000000000000"
    folder.mkdir()
    (folder / "key").write_text(json.dumps(json.loads(good.read_text()) | change))
    plane.seen_anew()
    return folder / "key"


@pytest.mark.parametrize(
    ("change", "why"),
    [({"format": 2}, "newer version"), ({"n": 1 << 40}, "cost more"), ({"salt": 7}, "no key file")],
    ids=["newer", "costly", "odd"],
)
def test_a_planted_key_keeps_nobody_from_the_good_one(plane, change, why, tmp_path):
    plane.back_up()
    planted(plane, "mtl", change)
    found = plane.recover("mtl", "site")
    assert plane.runs(found.to) == plane.runs()
    (seen,) = (one for one in found.seen if one.region == "mtl")
    assert [why in flaw for flaw in seen.flaws] == [True]

    folder = plane.premises.regions["mtl"].bucket / "control-plane"
    line = [sys.executable, "-I", READER, folder, plane.premises.folder / "password"]
    read = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (read.returncode, "Traceback" in read.stderr) == (1, False)
    assert {json.loads(one)["run"] for one in read.stdout.splitlines()} == set(plane.runs())


@pytest.mark.parametrize(("kind", "missing"), [("present", False), ("segments", True)])
def test_a_vault_whose_key_is_still_to_come_is_no_damage(plane, kind, missing):
    """A claim tells of itself at once, its first copy may have to wait; records without a key are lost."""
    plane.back_up()
    (key,) = (p for p in plane.objects("mtl") if p.name == "key")
    first = key.parent.parent / "0000000000000000" / kind / "7457645c39a85210"
    first.parent.mkdir(parents=True)
    first.write_bytes(b"sealed")
    plane.seen_anew()
    (seen,) = (one for one in plane.recover("mtl", "site").seen if one.region == "mtl")
    assert [flaw.endswith("/key is missing") for flaw in seen.flaws] == [True] * missing


def test_planted_folders_beget_no_other_vault(plane):
    """As anybody puts them there, also a store's own tool: without a key, or with far too large a one."""
    plane.back_up()
    for region in plane.premises.regions:
        (key,) = (p for p in plane.objects(region) if p.name == "key")
        for name in ("0" * 16, "1" * 16):
            (key.parent.parent / name).mkdir()
            (key.parent.parent / name / "other").write_bytes(b"")
        (key.parent.parent / ("1" * 16) / "key").write_bytes(b"{" * 5000)
    shutil.rmtree(plane.premises.folder / "var" / "control-plane")
    plane.seen_anew()
    plane.back_up()
    assert len({p.parents[2] for p in plane.segments("mtl")}) == 1


def test_one_object_that_is_not_given_costs_no_more_than_itself(plane):
    plane.back_up()
    key = planted(plane, "mtl", {})
    (stream,) = {p.parent for p in plane.segments("mtl")}
    (stream / "0000000000-00000000").write_bytes(b"drorchS1 and nothing that opens")
    (stream.parents[1] / "present").mkdir()
    (stream.parents[1] / "present" / "ffff").write_bytes(b"drorchS1 and nothing that opens")
    plane.seen_anew()

    def archived(asked):
        names = f"{key.parent.name}/key", "0000000000-00000000", "present/ffff"
        planted = asked.target.endswith(names)
        return Harm.ARCHIVED if asked.method == "GET" and planted else None

    with in_front_of(plane.premises.regions["mtl"], archived) as proxy:
        found = plane.recover("mtl", "site", region=Region("x", proxy.endpoint, "drorch", "ZZ"))
    assert plane.runs(found.to) == plane.runs()
    flaws = [flaw for one in found.seen for flaw in one.flaws]
    named = [name in " ".join(flaws) for name in (key.parent.name, "0000000000-0", "present/ffff")]
    assert named == [True, True, True]


@pytest.mark.parametrize("content", [None, b"{" * 5000], ids=["archived", "far too large"])
def test_a_key_that_is_not_given_any_more_is_put_back_with_the_next_whole_state(plane, content):
    plane.back_up()
    (key,) = (p for p in plane.objects("mtl") if p.name == "key")
    good = key.read_bytes()
    key.write_bytes(content or b"{}")
    plane.seen_anew()

    def archived(asked):
        planted = asked.method == "GET" and asked.target.endswith("/key") and content is None
        return Harm.ARCHIVED if planted else None

    with in_front_of(plane.premises.regions["mtl"], archived) as proxy:
        plane.premises.configuration["regions"]["mtl"]["endpoint"] = proxy.endpoint
        plane.premises.save()
        assert all(one.good for one in plane.copy_now())
    assert key.read_bytes() == good


def test_a_vault_whose_key_was_changed_gives_its_whole_states(plane):
    """Their repository has the passphrase itself for its password; the key looks as if that were wrong."""
    plane.back_up()
    assert all(one.good for one in plane.copy_now())
    with plane.program() as program:
        quicken_plane(program)
    (key,) = (p for p in plane.objects("mtl") if p.name == "key")
    key.write_text(json.dumps(json.loads(key.read_text()) | {"sealed": "00" * 48}))
    plane.seen_anew()
    found = plane.recover("mtl", "site")
    assert plane.runs(found.to) == plane.runs()
    told = "key does not open the segments beside it: whole states do without"
    assert [flaw.endswith(told) for one in found.seen for flaw in one.flaws] == [True]
    with pytest.raises(UsageError, match="the passphrase does not open"):
        plane.recover("mtl", "wrong", password="another")


def test_an_object_that_its_store_cannot_read_any_more_costs_no_more_than_itself(
    plane, monkeypatch
):
    plane.back_up()
    before = plane.runs()
    plane.back_up()
    *_, last = sorted(p.name for p in plane.segments("mtl"))
    monkeypatch.setattr(recovering, "_GIVE_UP_AFTER", timedelta())

    def bad_disk(asked):
        return Harm.SERVER_ERROR if asked.target.endswith(last) else None

    with in_front_of(plane.premises.regions["mtl"], bad_disk) as proxy:
        found = plane.recover("mtl", "site", region=Region("x", proxy.endpoint, "drorch", "ZZ"))
    assert plane.runs(found.to) == before
    assert ["answered 500" in flaw for one in found.seen for flaw in one.flaws] == [True]


def test_without_restic_nothing_is_called_damaged(plane):
    plane.back_up()
    with pytest.raises(ResticError, match="there is no program"):
        plane.recover("mtl", "site", restic="no-such-restic")
    assert not plane.to("site").exists()


def test_planted_keys_alone_are_one_clear_error(plane):
    plane.back_up()
    key = planted(plane, "mtl", {"n": 1 << 40})
    for path in (p for p in plane.objects("mtl") if p.name == "key" and p != key):
        path.write_text("{}")
    plane.seen_anew()
    said = plane.recover_line("mtl", "site")
    assert said.code == ExitCode.FAILED
    assert "cannot be opened" in said.error
    assert "cost more" in said.error
    assert not plane.to("").exists() or not list(plane.to("").iterdir())


def test_the_same_state_in_two_regions_is_brought_back_once(plane):
    assert all(one.good for one in plane.copy_now())
    plane.back_up()
    plane.premises.forget_starts()
    found = plane.recover("mtl", "site", keys=["qc"], restic=plane.premises.folder / "restic")
    assert [(one.region, one.flaws) for one in found.seen] == [("mtl", ()), ("qc", ())]
    assert plane.premises.verbs().count("restore") == 1


def test_where_it_cannot_be_put_nothing_is_left(namespaces, plane):
    plane.back_up()
    outer = plane.to("")
    (outer / "mount").mkdir(parents=True)

    def said(wrap, to):
        return plane.recover_line("mtl", to, wrap=wrap)

    full = said(on_small_disk(outer, "16k", full=True), "site")
    assert full.code == ExitCode.FAILED, full.errors
    assert "No space left on device" in full.error
    assert "--to DIR" in full.hint
    small = said(on_small_disk(outer, "200k", full=False), "site")
    assert small.code == ExitCode.FAILED, small.errors
    assert "No space left on device" in small.error
    shut = said(read_only(outer), "site")
    assert (shut.code, "cannot be written" in shut.error) == (ExitCode.USAGE, True)
    mount = said(on_small_disk(outer / "mount", "1m", full=False), "mount")
    assert (mount.code, "is a mount point" in mount.error) == (ExitCode.USAGE, True)
    assert f"--to {outer / 'mount' / 'drorch'}" in mount.hint
    assert not [p for p in outer.iterdir() if p.name.startswith((".", "site"))]


def test_a_link_is_followed(plane):
    plane.back_up()
    real = plane.to("real")
    real.mkdir(parents=True)
    plane.to("link").symlink_to(real)
    assert plane.recover("mtl", "link").to == real
    assert plane.runs(real) == plane.runs()


def test_a_command_whose_copy_cannot_be_noted_is_as_good(namespaces, plane):
    plane.back_up()
    folder = plane.premises.folder / "var" / "control-plane"
    done = plane.cli("backup", "docs", wrap=read_only(folder))
    assert (done.code, done.errors.count("Traceback")) == (0, 0), done.errors
    said = plane.cli("replicate", "--control-plane", wrap=read_only(folder))
    assert said.code == ExitCode.FAILED
    assert f"{folder} cannot be written: Read-only file system" in said.error


def test_a_password_that_is_there_already_is_not_said_to_be_put(plane, tmp_path):
    outside = tmp_path / "safe" / "repo-key"
    outside.parent.mkdir()
    outside.write_text(f"{PASSWORD}\n")
    plane.premises.configuration["secrets"]["repo-key"] = {"file": str(outside)}
    plane.premises.save()
    plane.back_up()
    there = plane.recover("mtl", "there")
    assert there.written is None
    assert "repo-key" not in {one.name for one in there.secrets}
    outside.unlink()
    put = plane.recover("mtl", "put")
    assert put.written == outside
    assert outside.read_text() == f"{PASSWORD}\n"
    assert "repo-key" not in {one.name for one in put.secrets}
