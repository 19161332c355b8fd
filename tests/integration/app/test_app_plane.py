"""drorch's own records in the regions, and everything back from any one of them."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from drorch.app.plane import whole
from drorch.app.plane.copying import Copier
from drorch.app.plane.keeping import Keeper
from drorch.app.plane.standing import read_standing
from drorch.core.errors import ExitCode
from tests.fakes.clock import FakeClock
from tests.integration.app.premises import SOURCE

READER = SOURCE / "docs" / "read_control_plane.py"


class Plane:
    """Premises whose regions' keys come from the environment, as on a machine that was empty."""

    def __init__(self, premises):
        self.premises = premises
        secrets = premises.folder / "lab" / "secrets"
        self.keys = {
            f"{region}_{part}".upper(): (secrets / f"{region}-{part}").read_text().strip()
            for region in premises.regions
            for part in ("id", "secret")
        }
        for region in premises.regions:
            for part in ("id", "secret"):
                named = {"env": f"{region}_{part}".upper()}
                premises.configuration["secrets"][f"{region}-{part}"] = named
        premises.configuration["services"] = {
            "ehr": {"tier": 1, "datasets": ["docs"], "runbook": "bring-back"}
        }
        premises.save()
        (premises.folder / "runbooks" / "bring-back.yaml").write_text(
            "# by heart\nrunbook: bring-back\nsteps:\n"
            "  - {step: back, do: restore, with: {dataset: docs, to: back}}\n"
        )
        shutil.copy(secrets / "repo-key", premises.folder / "password")

    def cli(self, *words, **environment):
        return self.premises.cli(*words, **(self.keys | environment))

    def recover(self, region, to, *more, keys=(), password="password"):
        """Recover on a machine that knows this region's keys, and those of `keys`."""
        known = {k: v for k, v in self.keys.items() if k.split("_")[0].lower() in (region, *keys)}
        line = [
            *("recover", "--endpoint", self.premises.regions[region].endpoint),
            *("--bucket", "drorch", "--to", str(self.to(to))),
            *("--access-key-env", f"{region}_id".upper()),
            *("--secret-key-env", f"{region}_secret".upper()),
            *("--password-file", str(self.premises.folder / password)),
        ]
        return self.premises.cli(*line, *more, **known)

    def to(self, name):
        return self.premises.folder / "recovered" / name

    @contextmanager
    def program(self):
        """In this process, with the keys of every region."""
        with self.premises.program() as program:
            program.environment.update(self.keys)
            yield program

    def objects(self, region):
        top = self.premises.regions[region].bucket / "control-plane"
        return sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else []

    def segments(self, region):
        return [p for p in self.objects(region) if "segments" in p.parts]

    def runs(self, config=None):
        words = ("--config", str(config)) if config else ()
        return [r["run"] for r in self.cli("run", "list", *words).document]

    def forget_everything(self):
        """The site is gone: nothing but the regions and the safe is left."""
        for name in ("drorch.yaml", "runbooks", "var", "src"):
            path = self.premises.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def plane(premises):
    return Plane(premises)


@pytest.mark.every_restic
def test_from_each_region_alone_everything_comes_back(any_premises):
    plane = Plane(any_premises)
    assert plane.cli("replicate", "--control-plane").code == 0
    assert plane.cli("backup", "docs").code == 0
    text = (any_premises.folder / "drorch.yaml").read_text()
    runbook = (any_premises.folder / "runbooks" / "bring-back.yaml").read_bytes()
    runs = plane.runs()
    shutil.copytree(any_premises.folder / "src" / "docs", any_premises.folder / "before")
    plane.forget_everything()
    for region, other in (("mtl", "qc"), ("qc", "mtl")):
        any_premises.kill(other)

        found = plane.recover(region, region)

        assert found.code == 0, found.errors
        site = plane.to(region)
        assert plane.runs(site / "drorch.yaml")[1:] == runs  # before its own
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
        config = ("--config", str(site / "drorch.yaml"))
        back = plane.cli("restore", "docs", "--to", str(site / "back"), "--region", region, *config)
        assert back.code == 0, back.errors
        line = ["diff", "-r", site / "back", any_premises.folder / "before"]
        assert subprocess.run(line, check=False).returncode == 0
        any_premises.revive(other)
    assert sorted(p.name for p in plane.to("").iterdir()) == ["mtl", "qc"]


def test_the_newest_of_all_regions_is_taken_and_who_lags_is_said(plane):
    assert plane.cli("backup", "docs").code == 0
    plane.premises.kill("mtl")
    assert plane.cli("backup", "docs").code == 0
    plane.premises.revive("mtl")
    runs = plane.runs()

    found = plane.recover("mtl", "site", keys=["qc"])

    assert found.code == 0, found.errors
    assert found.document["region"] == "qc"
    regions = {r["region"]: r for r in found.document["regions"]}
    assert regions["qc"]["behind_s"] == 0
    assert regions["mtl"]["behind_s"] > 0
    assert plane.runs(plane.to("site") / "drorch.yaml")[1:] == runs


@pytest.mark.parametrize(
    ("what", "harm"),
    [
        ("segments", "flip"),
        ("repository/data", "remove"),
        ("repository/index", "flip"),
        ("key", "remove"),
    ],
    ids=["segments", "data", "index", "key"],
)
def test_with_one_region_damaged_the_other_serves(plane, what, harm):
    assert plane.cli("replicate", "--control-plane").code == 0
    assert plane.cli("backup", "docs").code == 0
    runs = plane.runs()
    hit = [p for p in plane.objects("mtl") if f"/{what}" in str(p)]
    assert hit
    for path in hit:
        if harm == "remove":
            path.unlink()
        else:
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
    plane.premises.down()  # servers remember what they have listed
    plane.premises._rise(list(plane.premises.regions))

    first = plane.recover("mtl", "mtl", keys=["qc"])
    found = plane.recover("qc", "qc", keys=["mtl"])

    assert found.code == 0, found.errors
    assert plane.runs(plane.to("qc") / "drorch.yaml")[1:] == runs
    if first.code == 0:  # what is left of it led to the other, or was enough
        assert plane.runs(plane.to("mtl") / "drorch.yaml")[1:] == runs
        assert first.document["journal"]["ok"]
    else:
        assert not plane.to("mtl").exists()
        assert "mtl" in first.error or "drorch" in first.error


def test_as_of_a_time(plane):
    assert plane.cli("backup", "docs").code == 0
    runs = plane.runs()
    assert plane.cli("replicate", "--control-plane").code == 0
    then = datetime.now(UTC)
    assert plane.cli("backup", "docs").code == 0

    found = plane.recover("mtl", "then", "--at", then.isoformat(), keys=["qc"])
    assert plane.runs(plane.to("then") / "drorch.yaml")[1:] == runs
    assert sum(a["snapshots"] for a in found.document["adopted"]) == 1

    early = plane.recover("mtl", "never", "--at", "2020-01-01T00:00")
    assert early.code == ExitCode.USAGE
    assert "no whole state is as old" in early.error
    assert not plane.to("never").exists()


def test_backups_that_are_newer_than_the_records_are_adopted(plane):
    assert plane.cli("backup", "docs").code == 0
    kept = plane.premises.folder / "kept"
    shutil.copytree(plane.premises.folder / "var", kept)
    segments = {p: p.read_bytes() for region in ("mtl", "qc") for p in plane.segments(region)}
    newest = plane.cli("backup", "docs").document["steps"][0]["outputs"]["snapshot"]
    for region in ("mtl", "qc"):
        for path in set(plane.segments(region)) - set(segments):
            path.unlink()
    plane.premises.down()
    plane.premises._rise(["mtl", "qc"])

    found = plane.recover("mtl", "site", keys=["qc"])

    assert [(a["dataset"], a["snapshots"]) for a in found.document["adopted"]] == [
        ("docs", 1), ("db", 0),
    ]  # fmt: skip
    status = plane.cli("status", "--config", str(plane.to("site") / "drorch.yaml")).document
    docs = next(d for d in status["datasets"] if d["dataset"] == "docs")
    assert {c["region"]: c["snapshot"] for c in docs["copies"]} == {"mtl": newest, "qc": newest}
    assert (
        plane.cli("journal", "verify", "--config", str(plane.to("site") / "drorch.yaml")).code == 0
    )


def test_what_is_wrong_is_one_clear_error_and_nothing_is_written(plane):
    assert plane.cli("backup", "docs").code == 0
    (plane.premises.folder / "wrong").write_text("another passphrase\n")
    (plane.premises.folder / "empty").write_text("")

    wrong = plane.recover("mtl", "a", password="wrong")
    assert (wrong.code, "does not open" in wrong.error) == (ExitCode.USAGE, True)
    empty = plane.recover("mtl", "a", password="empty")
    assert (empty.code, "is empty" in empty.error) == (ExitCode.USAGE, True)
    prefix = plane.recover("mtl", "a", "--prefix", "elsewhere")
    assert (prefix.code, "no control plane lies in" in prefix.error) == (ExitCode.USAGE, True)
    bucket = plane.recover("mtl", "a", "--bucket", "another")
    assert bucket.code == ExitCode.FAILED
    assert "another" in bucket.error
    assert plane.recover("mtl", "a", "--bucket", "x").code == ExitCode.USAGE
    plane.to("full").mkdir(parents=True)
    (plane.to("full") / "mine").write_text("mine")
    full = plane.recover("mtl", "full")
    assert (full.code, "is not empty" in full.error) == (ExitCode.USAGE, True)
    assert [p.name for p in plane.to("").rglob("*")] == ["full", "mine"]


def test_two_control_planes_under_one_prefix_are_told_apart(plane):
    assert plane.cli("backup", "docs").code == 0
    (mine,) = {
        p.relative_to(plane.premises.regions["mtl"].bucket).parts[1] for p in plane.objects("mtl")
    }
    shutil.rmtree(plane.premises.folder / "var")  # set up anew, in the same place
    assert plane.cli("backup", "docs").code == 0

    both = plane.recover("mtl", "a")
    assert both.code == ExitCode.USAGE
    assert "holds 2 control planes" in both.error
    assert mine in both.error
    assert not plane.to("a").exists()
    assert plane.recover("mtl", "a", "--plane", mine).code == 0


def test_a_state_of_a_newer_version_is_refused(plane, monkeypatch):
    with plane.program() as program:
        plane.cli("backup", "docs")
        monkeypatch.setattr("drorch.app.plane.segments.REVISION", "9999")
        monkeypatch.setattr("drorch.app.plane.segments.__version__", "77.0")
        (plane.premises.folder / "runbooks" / "more.yaml").write_text("runbook: more\nsteps: []\n")
        assert {b.result for b in Copier(program).copy()} == {"copied"}
    found = plane.recover("mtl", "a")
    assert "written by drorch 77.0" in found.error
    assert "newer" in found.hint
    assert not plane.to("a").exists()


def test_a_dead_region_costs_no_exit_code_and_is_caught_up(plane):
    assert plane.cli("backup", "docs").code == 0
    plane.premises.kill("qc")
    assert plane.cli("backup", "docs").code == 0
    lacking = len(plane.segments("qc"))
    assert len(plane.segments("mtl")) == lacking + 1
    found = plane.cli("replicate", "--control-plane")
    assert found.code == ExitCode.FAILED
    told = {one["region"]: one for one in found.document["control_plane"]}
    assert (told["mtl"]["segments"], told["mtl"]["whole"]) == ("current", "copied")
    assert (told["qc"]["segments"], told["qc"]["whole"]) == ("away", "away")
    assert told["qc"]["message"]

    plane.premises.revive("qc")
    assert plane.cli("replicate", "--control-plane").code == 0
    plane.premises.kill("mtl")
    runs = plane.runs()
    assert plane.recover("qc", "site").code == 0
    assert plane.runs(plane.to("site") / "drorch.yaml")[1:] == runs


def test_what_stands_and_what_is_behind_is_in_status(plane):
    assert plane.cli("backup", "docs").code == 0
    with plane.program() as program:
        folder = program.configuration.work / "control-plane"
        standing = read_standing(folder)
        assert set(standing.places) == {"mtl", "qc"}
        later = program.clock.now().at + timedelta(days=3)
    shown = plane.cli("status").document["control_plane"]["regions"]
    assert [(r["region"], r["behind_s"], r["whole_at"]) for r in shown] == [
        ("mtl", 0.0, None), ("qc", 0.0, None),
    ]  # fmt: skip
    with plane.program() as program:
        from drorch.app.plane.posture import alarms

        assert list(alarms(program, program.clock.now().at)) == []
        told = [(a["what"], a["subject"]) for a in alarms(program, later)]
        assert told == [
            ("control-plane.behind", "whole state in mtl"),
            ("control-plane.behind", "whole state in qc"),
        ]


def test_older_segments_go_when_a_whole_state_covers_them_twice(plane):
    assert plane.cli("backup", "docs").code == 0
    first = plane.segments("mtl")
    assert plane.cli("replicate", "--control-plane").code == 0
    assert plane.segments("mtl") == first
    assert plane.cli("backup", "docs").code == 0
    assert plane.cli("replicate", "--control-plane").code == 0
    left = plane.segments("mtl")
    assert not set(first) & set(left)
    assert left
    assert plane.recover("mtl", "site").code == 0


def test_a_state_that_was_put_back_begins_a_new_stream(plane):
    assert plane.cli("backup", "docs").code == 0
    kept = plane.premises.folder / "kept.db"
    shutil.copy(plane.premises.folder / "var" / "drorch.db", kept)
    assert plane.cli("backup", "docs").code == 0
    for name in ("drorch.db", "drorch.db-wal", "drorch.db-shm"):
        (plane.premises.folder / "var" / name).unlink(missing_ok=True)
    shutil.copy(kept, plane.premises.folder / "var" / "drorch.db")
    assert plane.cli("backup", "docs").code == 0
    streams = {p.parent.name for p in plane.segments("mtl")}
    assert len(streams) == 2
    runs = plane.runs()
    assert plane.recover("mtl", "site").code == 0
    assert plane.runs(plane.to("site") / "drorch.yaml")[1:] == runs


def test_another_passphrase_begins_another_vault(plane):
    assert plane.cli("backup", "docs").code == 0
    plane.premises.configuration["control_plane"] = {"password": "tor-key"}
    plane.premises.save()
    assert plane.cli("replicate", "--control-plane").code == 0
    assert plane.recover("mtl", "old").code == 0
    shutil.copy(
        plane.premises.folder / "lab" / "secrets" / "tor-key", plane.premises.folder / "new"
    )
    found = plane.recover("mtl", "new", password="new")
    assert found.code == 0
    assert found.document["password_file"].endswith("lab/secrets/tor-key")
    assert plane.runs(plane.to("new") / "drorch.yaml")[1:] == plane.runs()


def test_without_its_standing_the_regions_are_asked(plane):
    assert plane.cli("backup", "docs").code == 0
    shutil.rmtree(plane.premises.folder / "var" / "control-plane")
    assert plane.cli("backup", "docs").code == 0
    vaults = {p.parents[1] for p in plane.segments("mtl")}
    assert len(vaults) == 1
    assert plane.recover("mtl", "site").code == 0
    assert plane.runs(plane.to("site") / "drorch.yaml")[1:] == plane.runs()


def test_the_reader_reads_without_drorch(plane, tmp_path):
    assert plane.cli("backup", "docs").code == 0
    folder = plane.premises.regions["qc"].bucket / "control-plane"
    line = [sys.executable, "-I", READER, folder, plane.premises.folder / "password", tmp_path]
    read = subprocess.run(line, capture_output=True, text=True, check=True)
    events = [json.loads(one) for one in read.stdout.splitlines()]
    assert {e["run"] for e in events} == set(plane.runs())
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    own = (plane.premises.folder / "drorch.yaml").read_bytes()
    assert (tmp_path / "drorch.yaml").read_bytes() == own
    assert (tmp_path / "runbooks" / "bring-back.yaml").is_file()

    (first, *_) = plane.segments("qc")
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    damaged = subprocess.run(line, capture_output=True, text=True, check=False)
    assert damaged.returncode == 1
    assert "damaged" in damaged.stderr


def test_the_daemon_keeps_it_copied_and_takes_a_whole_state_when_it_is_due(plane):
    assert plane.cli("backup", "docs").code == 0
    told = []

    class Log:
        def __getattr__(self, level):
            return lambda event, message, **more: told.append((event, more.get("region")))

    with plane.program() as program:
        keeper = Keeper(program, Log())
        keeper.segments()
        assert told == []
        keeper.whole()
        assert told == [("control-plane.copied", "mtl"), ("control-plane.copied", "qc")]
        keeper.whole()
        assert len(told) == 2
        (plane.premises.folder / "runbooks" / "more.yaml").write_text("runbook: more\nsteps: []\n")
        keeper.segments()
        keeper.whole()
        assert len(told) == 4
        plane.premises.kill("qc")
        (plane.premises.folder / "runbooks" / "more.yaml").write_text("runbook: more\nsteps: [ ]\n")
        keeper.segments()
        keeper.segments()
        assert told[4:] == [("control-plane.away", "qc")]
        plane.premises.revive("qc")
        folder = program.configuration.work / "control-plane"
        later = FakeClock(program.clock.now().at + timedelta(hours=2))
        program.__dict__["clock"] = later
        keeper.segments()
        assert told[5:] == [("control-plane.back", "qc")]
        later.advance(timedelta(days=1))
        assert whole.due(program, read_standing(folder), later.now().at)


def test_nothing_is_copied_where_nothing_was_run(plane):
    shutil.rmtree(plane.premises.folder / "var")
    assert plane.cli("replicate", "--control-plane").document == {"control_plane": []}
    assert plane.objects("mtl") == []


def test_datasets_cannot_be_named_beside_it(plane):
    found = plane.cli("replicate", "--control-plane", "--dataset", "docs")
    assert found.code == ExitCode.USAGE


def test_no_secret_stands_in_what_is_copied(plane, tmp_path):
    assert plane.cli("backup", "docs").code == 0
    folder = plane.premises.regions["mtl"].bucket / "control-plane"
    line = [sys.executable, READER, folder, plane.premises.folder / "password", tmp_path]
    read = subprocess.run(line, capture_output=True, check=True).stdout
    said = read + b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for value in (*plane.keys.values(), (plane.premises.folder / "password").read_text().strip()):
        assert value.encode() not in said
        for path in plane.objects("mtl"):
            assert value.encode() not in path.read_bytes()
