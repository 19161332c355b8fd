"""Repositories made, looked at and unlocked; and what real S3 servers say when something is off."""

import json
import subprocess

import pytest

from drorch.actions.places import address_of, restic_of
from drorch.app.repositories import initialise, standing
from drorch.core.errors import ResticError
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.seeing import findings, step, wait_for


def made(premises, **how):
    with premises.program() as program:
        wanted = list(program.configuration.datasets.values())
        return {(m.dataset, m.region): m for m in initialise(program, wanted, **how)}


def made_to_use(premises):
    """What is done with them is what is looked at."""
    with premises.program() as program:
        made_quick(program, list(program.configuration.datasets.values()))


def results(rows):
    return {f"{m.dataset}@{m.region}": m.result for m in rows.values()}


@pytest.fixture
def three(bare):
    """One dataset: made in mtl, mirrored to qc, copied to tor."""
    bare.configuration["datasets"] = {
        "docs": bare.dataset(
            paths=["src/docs"],
            copies={"qc": "mirror", "tor": {"mode": "copy", "password": "tor-key"}},
        )
    }
    bare.save()
    return bare


def test_init_makes_the_primary_its_mirror_and_its_copy_and_is_harmless_again(three):
    said = three.cli("repo", "init")
    assert said.code == 0
    assert [(m["region"], m["result"]) for m in said.document] == [
        ("mtl", "made"),
        ("qc", "made"),
        ("tor", "made"),
    ]
    config = {n: json.loads(three.restic("cat", "config", region=n)) for n in ("mtl", "qc", "tor")}
    assert config["mtl"] == config["qc"]
    assert config["tor"]["id"] != config["mtl"]["id"]
    assert config["tor"]["chunker_polynomial"] == config["mtl"]["chunker_polynomial"]

    before = {name: three.objects(name) for name in three.regions}
    three.forget_starts()
    assert set(results(made(three)).values()) == {"there"}
    assert {name: three.objects(name) for name in three.regions} == before
    assert three.verbs() == []


def test_a_copy_has_ids_of_its_own_and_can_be_restored_from(three):
    made_to_use(three)
    three.back_up()
    (three.folder / "src" / "docs" / "later.txt").write_text("later\n")
    run = three.back_up()
    assert (run["outcome"], run["findings"]) == ("passed", [])
    assert step(run, "replicate-tor")["outputs"] | {"region": 0} == {
        "dataset": "docs",
        "region": 0,
        "copied": 1,
        "snapshots": 2,
    }
    copy = three.listed("tor")[-1]
    status = three.status(region="tor")
    assert (status["snapshot"], status["role"], status["owed"]) == (copy["id"], "copy", False)
    assert copy["id"] != three.listed()[-1]["id"]
    outputs = step(three.restore(region="tor"), "restore")["outputs"]
    assert (outputs["snapshot"], outputs["files"]) == (copy["id"], 4)


def test_a_copy_of_what_a_failure_left_is_not_taken_for_a_good_one(three):
    made_to_use(three)
    three.back_up()
    with three.program() as program:
        (row,) = program.journal.rows()
    good = three.status(region="tor")["snapshot"]
    (three.folder / "src" / "docs" / "scan.bin").unlink()
    source = str(three.folder / "src" / "docs")
    three.restic("backup", source, "--host", "docs", "--tag", f"run={row.run}")
    assert three.replicate()["outcome"] == "passed"
    assert three.status(region="tor")["snapshot"] == good
    outputs = step(three.restore(region="tor"), "restore")["outputs"]
    assert (outputs["snapshot"], outputs["files"]) == (good, 3)


def test_a_copy_that_is_owed_is_owed_no_more_once_it_is_made(three):
    made_to_use(three)
    three.kill("tor")
    run = three.back_up()
    assert run["outcome"] == "passed"
    assert "copy.owed" in findings(run)
    assert three.status(region="tor")["owed"]
    three.revive("tor")
    assert three.replicate()["outcome"] == "passed"
    assert not three.status(region="tor")["owed"]
    assert three.alarms() == []


def test_a_copy_needs_no_key_that_is_valid_in_both_regions(three):
    three.configuration["datasets"]["docs"]["copies"] = {"qc": "copy"}
    three.save()
    assert results(made(three)) == {"docs@mtl": "made", "docs@qc": "made"}
    run = three.back_up()
    assert (run["outcome"], run["findings"]) == ("passed", [])
    (copied,) = three.listed("qc")
    assert copied["original"] == three.listed()[0]["id"]
    assert three.status(region="qc")["snapshot"] == copied["id"]


def test_a_missing_bucket_is_refused_and_nobody_makes_it(bare):
    bare.configuration["regions"]["mtl"]["bucket"] = "elsewhere"
    bare.save()
    said = bare.cli("repo", "init")
    assert said.code == 1
    first = said.document[0]
    assert (first["region"], first["result"]) == ("mtl", "failed")
    assert "there is no bucket 'elsewhere'" in first["message"]
    assert "--create-bucket" in first["hint"]
    assert "error: docs in mtl: " in said.errors
    assert bare.objects("mtl") == bare.objects("qc") == []
    assert not (bare.regions["mtl"].data / "elsewhere").exists()
    assert "init" not in bare.verbs()


def test_a_bucket_is_made_when_it_is_asked_for(bare):
    for name in ("mtl", "qc"):
        bare.configuration["regions"][name]["bucket"] = "elsewhere"
    bare.save()
    assert set(results(made(bare, create_bucket=True)).values()) == {"made"}
    assert bare.objects("mtl", "drorch") == []
    assert bare.objects("mtl", "elsewhere/datasets/docs/keys") != []
    assert bare.back_up()["outcome"] == "passed"


def test_a_region_that_is_down_does_not_keep_the_others_from_being_made(bare):
    bare.configuration["datasets"]["papers"] = bare.dataset(
        paths=["src/docs"], primary="qc", copies={"mtl": "mirror"}
    )
    bare.save()
    bare.kill("mtl")
    rows = made(bare, create_bucket=True)
    assert results(rows) == {
        "docs@mtl": "failed",
        "docs@qc": "failed",
        "db@mtl": "failed",
        "db@qc": "failed",
        "papers@qc": "made",
        "papers@mtl": "failed",
    }
    assert "which failed" in rows["docs", "qc"].message
    bare.revive("mtl")
    assert results(made(bare))["papers@mtl"] == "made"


def test_a_mirror_that_is_another_repository_is_not_taken_for_ours(bare):
    made(bare)
    ours, theirs = (bare.regions["qc"].bucket / "datasets" / d / "config" for d in ("docs", "db"))
    ours.write_bytes(theirs.read_bytes())
    rows = made(bare)
    assert results(rows)["docs@qc"] == "failed"
    assert "different repositories" in rows["docs", "qc"].message


def test_a_repository_whose_config_is_gone_is_not_made_anew_over_its_remains(any_premises):
    (any_premises.regions["mtl"].bucket / "datasets" / "docs" / "config").unlink()
    any_premises.kill("mtl")
    any_premises.revive("mtl")  # its server remembers what it has listed
    before = any_premises.objects("mtl")
    rows = made(any_premises)
    assert results(rows)["docs@mtl"] == "failed"
    assert "but no config" in rows["docs", "mtl"].message
    assert "versions" in rows["docs", "mtl"].hint
    assert any_premises.objects("mtl") == before
    assert "init" not in any_premises.verbs()


# --- what real servers say


def broken(premises, how):
    """Premises with one thing wrong, and the cause by which a backup should name it."""
    region = premises.configuration["regions"]["mtl"]
    secrets = premises.folder / "lab" / "secrets"
    match how:
        case "wrong key":
            (secrets / "mtl-id").write_text("nobody-knows-me\n")
        case "wrong secret key":
            (secrets / "mtl-secret").write_text("not-the-secret\n")
        case "wrong password":
            (secrets / "repo-key").write_text("not-the-password\n")
        case "missing bucket":
            region["bucket"] = "elsewhere"
        case "missing repository":
            region["prefix"] = "elsewhere"
        case "dead endpoint":
            premises.kill("mtl")
    premises.save()


def repositories(premises):
    """What lies in the regions, but for drorch's own records."""
    found = [(region, name) for region in ("mtl", "qc") for name in premises.objects(region)]
    return [(region, name) for region, name in found if "/control-plane/" not in name]


@pytest.mark.parametrize(
    ("how", "cause", "hint"),
    [
        ("wrong key", "credentials", "access_key and secret_key"),
        ("wrong secret key", "credentials", "access_key and secret_key"),
        ("wrong password", "wrong-password", "password secret"),
        ("missing bucket", "no-bucket", "repo init --create-bucket"),
        ("missing repository", "no-repository", "drorch repo init"),
        ("dead endpoint", "unreachable", "port and firewall"),
    ],
)
def test_a_backup_names_what_is_wrong_with_its_only_region(any_premises, how, cause, hint):
    any_premises.configuration["datasets"]["docs"]["copies"] = {}
    broken(any_premises, how)
    before = repositories(any_premises)
    said = any_premises.cli("backup", "docs")
    assert said.code == 1
    failed = step(said.document, "backup")
    assert (failed["status"], failed["cause"]) == ("failed", cause)
    assert hint in failed["hint"]
    assert repositories(any_premises) == before
    assert not (any_premises.regions["mtl"].data / "elsewhere").exists()


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("wrong key", "access-denied"),
        ("wrong secret key", "access-denied"),
        ("wrong password", "wrong-password"),
        ("missing repository", "no-repository"),
    ],
)
def test_restics_own_words_on_a_real_server_are_understood(any_premises, how, cause):
    broken(any_premises, how)
    with any_premises.program() as program:
        dataset, region = program.dataset("docs"), program.region("mtl")
        address = address_of(program.tools, dataset, region)
        with pytest.raises(ResticError) as failed:
            restic_of(program.tools).snapshots(address)
    assert failed.value.cause == cause


@pytest.mark.parametrize("verb", ["restore", "check", "snapshots"])
def test_other_verbs_name_a_wrong_password_too(premises, verb):
    broken(premises, "wrong password")
    more = {"restore": ("docs", "--to", "back"), "check": (), "snapshots": ("ls", "docs")}
    said = premises.cli(verb, *more[verb])
    assert said.code == 1
    assert "wrong password" in json.dumps(said.document)


# --- repo status, repo unlock


def test_status_counts_what_each_region_holds_and_says_what_is_wrong_with_it(premises):
    with premises.program() as program:
        rows = standing(program, [program.dataset("docs")])
    assert [(r["region"], r["mode"], r["result"], r["snapshots"]) for r in rows] == [
        ("mtl", "primary", "there", 1),
        ("qc", "mirror", "there", 1),
    ]
    assert rows[0]["objects"] == len(premises.objects("mtl", "drorch/datasets/docs"))

    premises.configuration["regions"]["mtl"]["prefix"] = "elsewhere"
    premises.save()
    premises.kill("qc")
    said = premises.cli("repo", "status", "docs")
    assert said.code == 1
    assert [r["result"] for r in said.document] == ["missing", "failed"]
    assert "error: docs in mtl: there is no repository" in said.errors
    assert "hint: make it with: drorch repo init" in said.errors
    assert "cannot look at the bucket: connection refused" in said.errors


def locked(request, premises, by="docs"):
    """A backup by restic itself that holds its lock until the test ends; returns its process."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "RESTIC_REPOSITORY": f"s3:{premises.regions['mtl'].endpoint}/drorch/datasets/{by}",
        "RESTIC_PASSWORD": (premises.folder / "lab/secrets/repo-key").read_text().strip(),
        "AWS_ACCESS_KEY_ID": (premises.folder / "lab/secrets/mtl-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (premises.folder / "lab/secrets/mtl-secret").read_text().strip(),
    }
    line = [str(premises.binary), "--no-cache", "backup", "--stdin"]
    process = subprocess.Popen(
        line,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    request.addfinalizer(process.communicate)
    request.addfinalizer(process.kill)
    wait_for(lambda: premises.files("mtl", by, "locks"))
    return process


def test_a_backup_goes_on_beside_a_stale_lock_and_a_check_removes_it(request, premises):
    dead = locked(request, premises)
    dead.kill()
    dead.wait()
    assert premises.back_up()["outcome"] == "passed"
    run = premises.check(region="mtl")
    assert run["outcome"] == "passed", run
    assert [f["what"] for f in run["findings"]] == ["lock.removed"]
    assert premises.files("mtl", "docs", "locks") == []


def test_unlock_has_nothing_to_do_where_there_is_no_lock(premises):
    premises.kill("qc")
    said = premises.cli("repo", "unlock", "docs")
    assert said.code == 1
    assert [(r["region"], r["result"]) for r in said.document] == [
        ("mtl", "none"),
        ("qc", "failed"),
    ]
    assert premises.verbs() == []
