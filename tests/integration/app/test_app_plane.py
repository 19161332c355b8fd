"""drorch's own records in the regions, and everything back from any one of them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.app.plane import now, whole
from drorch.app.plane.copying import Copier, copied
from drorch.app.plane.keeping import Keeper
from drorch.app.plane.posture import alarms, checks
from drorch.app.plane.recovered import RelativePath
from drorch.app.plane.standing import read_standing
from drorch.app.program import Program
from drorch.config.source import digest
from drorch.core.errors import DrorchError, ExitCode, UsageError
from drorch.core.model import Region
from drorch.journal.verify import verify_journal
from tests.fakes.clock import FakeClock
from tests.integration.app.planes import WAITING, Plane
from tests.integration.app.premises import PASSWORD, SOURCE

READER = SOURCE / "docs" / "read_control_plane.py"


@pytest.fixture
def plane(premises):
    return Plane(premises)


@pytest.mark.every_restic
def test_from_each_region_alone_everything_comes_back(any_premises):
    plane = Plane(any_premises, quick=False)
    assert all(one.good for one in plane.copy_now())
    plane.back_up()
    text = (any_premises.folder / "drorch.yaml").read_text()
    runbook = (any_premises.folder / "runbooks" / "bring-back.yaml").read_bytes()
    runs = plane.runs()
    shutil.copytree(any_premises.folder / "src" / "docs", any_premises.folder / "before")
    plane.forget_everything()
    for region, other in (("mtl", "qc"), ("qc", "mtl")):
        any_premises.kill(other)

        found = plane.recover_line(region, region)

        assert found.code == 0, found.errors
        site = plane.to(region)
        assert plane.runs(site) == runs
        assert json.loads((site / "drorch.yaml").read_text()) == json.loads(text) | {
            "state": "sqlite:///var/drorch.db",
            "runbooks": "runbooks",
        }
        assert (site / "runbooks" / "bring-back.yaml").read_bytes() == runbook
        assert found.document["journal"]["ok"]
        assert found.document["command"].endswith('failover bring-back --declare "WHY"')
        assert (site / "lab" / "secrets" / "repo-key").stat().st_mode & 0o777 == 0o600
        wanted = {s["secret"] for s in found.document["secrets"]}
        assert wanted == {"tor-key", f"{other}-id", f"{other}-secret"}
        source = {"dataset": "docs", "path": str(site / "src" / "docs"), "there": False}
        assert found.document["relative"] == [source]
        config = ("--config", str(site / "drorch.yaml"))
        back = plane.cli("restore", "docs", "--to", str(site / "back"), "--region", region, *config)
        assert back.code == 0, back.errors
        line = ["diff", "-r", site / "back", any_premises.folder / "before"]
        assert subprocess.run(line, check=False).returncode == 0
        any_premises.revive(other)
    assert sorted(p.name for p in plane.to("").iterdir()) == ["mtl", "qc"]


def test_what_is_relative_counts_from_the_recovered_folder(plane):
    """And never from the one beside it, which is gone when it is told of."""
    absolute = plane.premises.folder / "src" / "docs"
    configuration = plane.premises.configuration
    configuration["datasets"]["docs"]["paths"] = [str(absolute), "src/docs", "../beside"]
    configuration["secrets"]["repo-key"] = {"file": "../safe/repo-key"}
    safe = plane.premises.folder.parent / "safe"
    safe.mkdir()
    (safe / "repo-key").write_text(f"{PASSWORD}\n")
    plane.premises.save()
    with plane.program() as program:
        assert {one.result for one in Copier(program, WAITING).copy()} == {"copied"}
    (plane.to("") / "beside").mkdir(parents=True)

    found = plane.recover("mtl", "site", keys=["qc"])

    assert found.written == plane.to("safe") / "repo-key"
    assert found.written.read_text() == f"{PASSWORD}\n"
    assert "repo-key" not in {one.name for one in found.secrets}
    missing = found.to / "src" / "docs"
    assert found.relative == (
        RelativePath("docs", missing, there=False),
        RelativePath("docs", plane.to("beside"), there=True),
    )
    doctor = plane.cli("doctor", "--config", str(found.to / "drorch.yaml"))
    wrong = {one["subject"] for one in doctor.document["checks"] if one["result"] == "fail"}
    assert f"docs: {missing}" in wrong
    assert not {f"docs: {absolute}", f"docs: {plane.to('beside')}"} & wrong


def test_the_newest_of_all_regions_is_taken_and_who_lags_is_said(plane):
    plane.back_up()
    plane.premises.kill("mtl")
    plane.back_up()
    plane.premises.revive("mtl")

    found = plane.recover("mtl", "site", keys=["qc"])

    assert found.region == "qc"
    behind = {one.region: found.behind(one) for one in found.seen}
    assert behind["qc"] == timedelta()
    assert behind["mtl"] > timedelta()
    assert plane.runs(found.to) == plane.runs()


@pytest.mark.parametrize(
    ("what", "harm"),
    [("segments", "flip"), ("repository/data", "remove"), ("key", "remove")],
    ids=["segments", "data", "key"],
)  # fmt: skip
def test_with_one_region_damaged_the_other_serves(plane, what, harm):
    assert all(one.good for one in plane.copy_now())
    plane.back_up()
    hit = [p for p in plane.objects("mtl") if f"/{what}" in str(p)]
    assert hit
    for path in hit:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.unlink() if harm == "remove" else path.write_bytes(content)
    plane.seen_anew()

    found = plane.recover("qc", "qc", keys=["mtl"])

    assert plane.runs(found.to) == plane.runs()
    if what != "repository/data":  # the segments alone hold everything yet
        assert {one.region for one in found.seen if one.flaws or one.message} >= {"mtl"}
    try:
        led = plane.recover("mtl", "mtl", keys=["qc"])
    except DrorchError:
        assert not plane.to("mtl").exists()
        assert what in ("segments", "key")
    else:  # what is left of it led to the other
        assert plane.runs(led.to) == plane.runs()
        assert {one.region for one in led.seen} == {"mtl", "qc"}
        assert next(one.flaws for one in led.seen if one.region == "mtl")


def test_as_of_a_time(plane):
    plane.back_up()
    runs = plane.runs()
    assert all(one.good for one in plane.copy_now())
    with plane.program() as program:
        then = program.clock.now().at
    plane.back_up()

    found = plane.recover("mtl", "then", at=then, keys=["qc"])
    assert plane.runs(found.to) == runs
    assert sum(a.snapshots for a in found.adopted) == 1

    with pytest.raises(UsageError, match="no whole state is as old"):
        plane.recover("mtl", "never", at=then - timedelta(days=1))
    assert not plane.to("never").exists()


def test_backups_that_are_newer_than_the_records_are_adopted(plane):
    plane.back_up()
    newest = plane.back_up(copied=False)

    found = plane.recover("mtl", "site", keys=["qc"])

    assert [(a.dataset, a.snapshots) for a in found.adopted] == [("docs", 1), ("db", 0)]
    program = Program.open(found.to / "drorch.yaml", {"PATH": "/usr/bin:/bin"})
    copies = program.journal.copies("docs")
    assert {c.region for c in copies if c.snapshot == newest and not c.owed} == {"mtl", "qc"}
    assert verify_journal(program.journal).ok
    program.journal.close()


def test_what_is_wrong_is_one_clear_error_and_nothing_is_written(plane):
    plane.back_up()
    (plane.premises.folder / "wrong").write_text("another passphrase\n")
    wrong = plane.recover_line("mtl", "a", password="wrong")
    assert (wrong.code, "does not open" in wrong.error) == (ExitCode.USAGE, True)
    assert "not seen" not in wrong.hint
    (plane.premises.folder / "wrong").write_text(f"{PASSWORD} \n")
    assert "ends with what is not seen" in plane.recover_line("mtl", "a", password="wrong").hint
    assert plane.recover_line("mtl", "a", "--bucket", "x").code == ExitCode.USAGE
    elsewhere = Region("(given)", plane.premises.regions["mtl"].endpoint, "drorch", "ZZ", "else")
    with pytest.raises(UsageError, match="no control plane lies in"):
        plane.recover("mtl", "a", region=elsewhere)
    with pytest.raises(UsageError, match="there is no bucket another"):
        plane.recover("mtl", "a", region=replace(elsewhere, bucket="another", prefix=""))
    plane.to("full").mkdir(parents=True)
    (plane.to("full") / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        plane.recover("mtl", "full")
    assert sorted(p.name for p in plane.to("").rglob("*")) == ["full", "mine"]


def test_two_control_planes_under_one_prefix_are_told_apart(plane):
    plane.back_up()
    top = plane.premises.regions["mtl"].bucket / "control-plane"
    (mine,) = (p.name for p in top.iterdir())
    shutil.rmtree(plane.premises.folder / "var")  # set up anew, in the same place
    plane.back_up()

    with pytest.raises(UsageError, match="holds 2 control planes") as both:
        plane.recover("mtl", "a")
    assert mine in both.value.message
    assert not plane.to("a").exists()
    assert plane.recover("mtl", "a", plane=mine).report.ok


def test_a_state_of_a_newer_version_is_refused(plane, monkeypatch):
    with plane.program() as program, monkeypatch.context() as later:
        later.setattr("drorch.app.plane.segments.REVISION", "9999")
        later.setattr("drorch.app.plane.segments.__version__", "77.0")
        assert {b.result for b in Copier(program, WAITING).copy()} == {"copied"}
    with pytest.raises(DrorchError, match=r"written by drorch 77\.0"):
        plane.recover("mtl", "a")
    assert not plane.to("a").exists()


def test_a_configuration_that_does_not_load_any_more_is_one_clear_error(plane):
    """As of another version, which knows a key that this one does not."""
    plane.back_up()
    with plane.program() as program:
        then = program.clock.now().at
        file = plane.premises.folder / "drorch.yaml"
        known = file.read_text()
        text = json.dumps(json.loads(known) | {"of-another-version": True})
        file.write_text(text)
        other = Program(replace(program.configuration, digest=digest(text)), program.environment)
        assert {b.result for b in Copier(other, WAITING).copy()} == {"copied"}
        other.journal.close()
        file.write_text(known)

    with pytest.raises(
        UsageError, match=r"does not load with drorch .*: drorch\.yaml:1"
    ) as refused:
        plane.recover("mtl", "a")
    assert "of-another-version" in refused.value.message
    assert "recover-" not in refused.value.message  # where it was tried is gone
    assert "--at TIME" in refused.value.hint
    assert not plane.to("a").exists()
    assert plane.recover("mtl", "b", at=then).report.ok


def test_a_command_copies_what_it_recorded_and_a_dead_region_changes_no_exit_code(plane):
    assert plane.cli("backup", "docs").code == 0
    plane.premises.kill("qc")
    assert plane.cli("backup", "docs").code == 0
    with plane.program() as program:
        (shown,) = (r for r in program_regions(program) if r["region"] == "qc")
        assert shown["behind_s"] > 0
        assert shown["why"]
        assert shown["tried_at"]
        Copier(program, WAITING).copy()  # whatever the machine's pace was
    plane.premises.kill("mtl")
    plane.premises.revive("mtl")
    assert plane.runs(plane.recover("mtl", "site").to) == plane.runs()

    told = {one.region: one for one in plane.copy_now()}
    assert told["mtl"].good
    assert (told["qc"].segments, told["qc"].whole) == ("away", "away")
    assert told["qc"].message
    plane.premises.revive("qc")
    with plane.program() as program:  # which nobody has tried since
        (said,) = (one for one in checks(program) if one.subject == "qc")
        assert "it lacks what was recorded in the last" in said.message
        assert " ago: " in said.message
        assert said.hint.endswith("drorch replicate --control-plane")
    assert all(one.good for one in plane.copy_now())
    with plane.program() as program:
        assert [r["why"] for r in program_regions(program)] == [None, None]
    plane.premises.kill("mtl")
    assert plane.runs(plane.recover("qc", "late").to) == plane.runs()


def program_regions(program):
    from drorch.app.posture import status

    return status(program)["control_plane"]["regions"]


def test_what_is_behind_is_an_alarm(plane):
    plane.back_up()
    with plane.program() as program:
        now = program.clock.now().at
        assert list(alarms(program, now)) == []
        late = [(a["what"], a["subject"]) for a in alarms(program, now + timedelta(days=3))]
        assert late == [
            ("control-plane.behind", "whole state in mtl"),
            ("control-plane.behind", "whole state in qc"),
        ]
    plane.back_up(copied=False)
    with plane.program() as program:
        soon = [a["subject"] for a in alarms(program, now + timedelta(hours=1))]
        assert soon == ["mtl", "qc"]


def test_what_cannot_be_sealed_for_want_of_its_password_is_an_alarm(plane):
    plane.premises.configuration["control_plane"] = {"password": "sealed-with"}
    plane.premises.configuration["secrets"]["sealed-with"] = {"env": "SEALED_WITH"}
    plane.premises.save()
    plane.back_up(copied=False)
    with plane.program() as program:
        assert copied(program) == ()
        assert {one["why"] for one in program_regions(program)} == {NOT_GIVEN}
        mtl, qc = alarms(program, program.clock.now().at + timedelta(hours=1))
        assert (mtl["subject"], qc["subject"]) == ("mtl", "qc")
        assert NOT_GIVEN in mtl["message"]
        assert mtl["hint"].startswith("export SEALED_WITH=")
        program.environment["SEALED_WITH"] = "now it is given"
        assert {one.result for one in copied(program, WAITING)} == {"copied"}
        assert {one["why"] for one in program_regions(program)} == {None}


NOT_GIVEN = "secret sealed-with is not in the environment (SEALED_WITH)"


def test_older_segments_go_when_a_whole_state_covers_them_twice(plane):
    plane.back_up()
    first = plane.segments("mtl")
    plane.copy_now()
    assert plane.segments("mtl") == first
    plane.back_up()
    plane.copy_now()
    left = plane.segments("mtl")
    assert not set(first) & set(left)
    assert left
    assert plane.runs(plane.recover("mtl", "site").to) == plane.runs()


def test_a_state_that_was_put_back_begins_a_new_stream(plane):
    plane.back_up()
    kept = plane.premises.folder / "kept.db"
    state = plane.premises.folder / "var" / "drorch.db"
    shutil.copy(state, kept)
    plane.back_up()
    shutil.copy(kept, state)
    plane.back_up()
    assert len({p.parent.name for p in plane.segments("mtl")}) == 2
    assert plane.runs(plane.recover("mtl", "site").to) == plane.runs()


def test_another_passphrase_begins_another_vault(plane):
    plane.back_up()
    before = plane.runs()
    plane.premises.configuration["control_plane"] = {"password": "tor-key"}
    plane.premises.save()
    plane.back_up()
    old = plane.recover("mtl", "old")
    assert plane.runs(old.to) == before
    assert [one.shut_since is not None for one in old.seen if one.at] == [True]
    new = (plane.premises.folder / "lab" / "secrets" / "tor-key").read_text().strip()
    found = plane.recover("mtl", "new", password=new)
    assert [one.shut_since for one in found.seen if one.at] == [None]
    assert found.written == found.to / "lab" / "secrets" / "tor-key"
    assert plane.runs(found.to) == plane.runs()


def test_without_its_standing_the_regions_are_asked(plane):
    plane.back_up()
    shutil.rmtree(plane.premises.folder / "var" / "control-plane")
    plane.back_up()
    assert len({p.parents[2] for p in plane.segments("mtl")}) == 1
    assert plane.runs(plane.recover("mtl", "site").to) == plane.runs()


def test_a_configuration_that_is_being_written_is_not_copied(plane):
    plane.back_up()
    with plane.program() as program:
        good = (plane.premises.folder / "drorch.yaml").read_text()
        (plane.premises.folder / "drorch.yaml").write_text("half: [")
        assert {b.result for b in Copier(program, WAITING).copy()} == {"current"}
        assert not whole.due(program, read_standing(Copier(program).folder), program.clock.now().at)
        (plane.premises.folder / "drorch.yaml").write_text(good)
    assert plane.recover("mtl", "site").report.ok


def test_the_reader_reads_without_drorch_and_no_secret_is_in_it(plane, tmp_path):
    plane.back_up()
    folder = plane.premises.regions["qc"].bucket / "control-plane"
    line = [sys.executable, "-I", READER, folder, plane.premises.folder / "password", tmp_path]
    read = subprocess.run(line, capture_output=True, text=True, check=True)
    events = [json.loads(one) for one in read.stdout.splitlines()]
    assert {e["run"] for e in events} == set(plane.runs())
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    own = (plane.premises.folder / "drorch.yaml").read_bytes()
    assert (tmp_path / "drorch.yaml").read_bytes() == own
    assert (tmp_path / "runbooks" / "bring-back.yaml").is_file()
    for value in (*plane.keys.values(), PASSWORD):
        assert value not in read.stdout + own.decode()
        assert all(value.encode() not in p.read_bytes() for p in plane.objects("qc"))

    (first, *_) = plane.segments("qc")
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    damaged = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (damaged.returncode, "damaged" in damaged.stderr) == (1, True)


def test_the_daemon_keeps_it_copied_and_takes_a_whole_state_when_it_is_due(plane):
    told = []

    class Log:
        def __getattr__(self, level):
            return lambda event, message, **more: told.append((event, more.get("region")))

    plane.back_up()
    more = plane.premises.folder / "runbooks" / "more.yaml"
    with plane.program() as program:
        keeper = Keeper(program, Log())
        keeper.whole()
        assert told == [("control-plane.copied", "mtl"), ("control-plane.copied", "qc")]
        keeper.whole()
        assert len(told) == 2
        more.write_text("runbook: more\nsteps: []\n")
        keeper.whole()
        assert len(told) == 4
        plane.premises.kill("qc")
        more.write_text("runbook: more\nsteps: [ ]\n")
        keeper.segments()
        keeper.segments()
        assert told[4:] == [("control-plane.away", "qc")]
        plane.premises.revive("qc")
        clock = FakeClock(program.clock.now().at + timedelta(hours=2))
        program.__dict__["clock"] = clock
        Copier(program, WAITING).copy()
        keeper.segments()
        assert told[5:] == [("control-plane.back", "qc")]
        clock.advance(timedelta(days=1))
        assert whole.due(program, read_standing(Copier(program).folder), clock.now().at)


def test_nothing_is_copied_where_nothing_was_run(plane):
    shutil.rmtree(plane.premises.folder / "var")
    assert plane.copy_now() == []
    assert plane.objects("mtl") == []
    beside = plane.cli("replicate", "--control-plane", "--dataset", "docs")
    assert beside.code == ExitCode.USAGE


def test_of_a_long_history_segments_go_on_from_a_whole_state(plane, monkeypatch):
    monkeypatch.setattr(now, "_FAR", 0)
    before = plane.runs()
    monkeypatch.setenv("PATH", "/nowhere")
    with plane.program() as program:
        program.environment["DRORCH_RESTIC"] = "/nowhere/restic"
        told = now.copy_now(program)
    assert {(one.segments, one.whole, one.good) for one in told} == {("copied", "away", False)}
    monkeypatch.undo()
    for region in ("mtl", "qc"):
        shutil.rmtree(plane.premises.regions[region].bucket / "control-plane")
    shutil.rmtree(plane.premises.folder / "var" / "control-plane")
    plane.seen_anew()
    monkeypatch.setattr(now, "_FAR", 0)
    assert all(one.good for one in plane.copy_now())
    assert len(plane.segments("mtl")) == 1  # files, and no event
    plane.back_up()
    assert before != plane.runs() == plane.runs(plane.recover("mtl", "site").to)
