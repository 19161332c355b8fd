"""`drorch doctor`: everything good, and everything that can be bad, by itself."""

import json

import pytest

from drorch.app.doctor import doctor
from tests.integration.app.disks import on_small_disk, read_only


def looked(premises):
    with premises.program() as program:
        return doctor(program)


def bad(document):
    return {(c["check"], c["subject"]): c for c in document["checks"] if c["result"] == "fail"}


def the_one(document):
    (found,) = bad(document).values()
    assert not document["ok"]
    assert found["message"]
    assert found["hint"]
    return found


def test_all_is_well(any_premises):
    before = any_premises.objects("mtl"), any_premises.objects("qc")
    said = any_premises.cli("doctor")
    assert (said.code, said.document["ok"]) == (0, True)
    results = {(c["check"], c["subject"]): c["result"] for c in said.document["checks"]}
    assert results["region", "mtl"] == results["region", "qc"] == "pass"
    assert results["repository", "docs in qc"] == results["repository", "db in mtl"] == "pass"
    assert results["command", "db: ./dump"] == results["secret", "repo-key"] == "pass"
    (restic,) = [c for c in said.document["checks"] if c["check"] == "restic"]
    assert any_premises.restic("version").split()[1] in restic["message"]
    assert (any_premises.objects("mtl"), any_premises.objects("qc")) == before


def without(premises, *path):
    here = premises.folder.joinpath(*path)
    here.unlink()


BAD = {
    "a secret without a file": (
        lambda p: without(p, "lab", "secrets", "tor-key"),
        ("secret", "tor-key"),
        "does not exist",
    ),
    "an empty secret": (
        lambda p: (p.folder / "lab/secrets/tor-key").write_text("\n"),
        ("secret", "tor-key"),
        "is empty",
    ),
    "a dead region": (lambda p: p.kill("qc"), ("region.reachable", "qc"), "connection refused"),
    "a key that is refused": (
        lambda p: (p.folder / "lab/secrets/qc-secret").write_text("not-the-secret\n"),
        ("region.credentials", "qc"),
        "refuses our key",
    ),
    "a missing bucket": (
        lambda p: p.configuration["regions"]["qc"].update(bucket="elsewhere"),
        ("region.bucket", "qc"),
        "there is no bucket 'elsewhere'",
    ),
    "a source that is missing": (
        lambda p: p.configuration["datasets"]["docs"]["paths"].append("src/gone"),
        ("source", "docs: {folder}/src/gone"),
        "does not exist",
    ),
    "a source that is a link": (
        lambda p: (
            p.configuration["datasets"]["docs"]["paths"].append("src/link"),
            (p.folder / "src" / "link").symlink_to("docs"),
        ),
        ("source", "docs: {folder}/src/link"),
        "symbolic link",
    ),
    "a source whose name nobody can look up": (
        lambda p: p.configuration["datasets"]["docs"]["paths"].append("/" + "x" * 300),
        ("source", "docs: /" + "x" * 300),
        "File name too long",
    ),
    "a dump that is missing": (
        lambda p: without(p, "dump"),
        ("command", "db: ./dump"),
        "there is no program ./dump",
    ),
    "a command that is missing": (
        lambda p: p.configuration["datasets"]["docs"].update(after=[["no-such-program"]]),
        ("command", "docs: no-such-program"),
        "there is no program",
    ),
    "a repository that was never made": (
        lambda p: p.configuration["datasets"].update(more=p.dataset(paths=["src"], copies={})),
        ("repository", "more in mtl"),
        "holds no repository of more",
    ),
    "a broken runbook": (
        lambda p: (p.folder / "runbooks/broken.yaml").write_text("runbook: broken\nsteps: 7\n"),
        ("runbook", "broken"),
        "steps",
    ),
    "a runbook with unknown datasets": (
        lambda p: (p.folder / "runbooks/wrong.yaml").write_text(
            "runbook: wrong\nsteps:\n  - {step: a, do: restore, with: {dataset: dcos, to: x}}\n"
        ),
        ("runbook", "wrong"),
        "dcos",
    ),
    "a runbook that is named and not there": (
        lambda p: p.configuration.update(
            drills={"quarterly": {"runbook": "gone", "schedule": "quarterly"}}
        ),
        ("runbook", "gone"),
        "there is no such runbook",
    ),
    "a damaged journal": (
        lambda p: (p.folder / "var/drorch.db").write_bytes(b"not a database" * 1000),
        ("journal", "sqlite:///var/drorch.db"),
        "not a database",
    ),
    "a journal in a folder that cannot be": (
        lambda p: p.configuration.update(state="sqlite:///src/rows/drorch.db"),
        ("journal", "sqlite:///src/rows/drorch.db"),
        "cannot be made",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_each_thing_that_is_bad_is_found_by_itself(premises, what):
    spoil, (check, subject), message = BAD[what]
    spoil(premises)
    premises.save()
    found = the_one(looked(premises))
    assert (found["check"], found["subject"]) == (check, subject.format(folder=premises.folder))
    assert message in found["message"]


def test_without_restic_the_rest_is_still_looked_at(premises):
    said = premises.cli("doctor", DRORCH_RESTIC="no-such-restic")
    assert said.code == 1
    found = the_one(said.document)
    assert (found["check"], found["subject"]) == ("restic", "no-such-restic")
    assert "Traceback" not in said.errors


def test_a_restic_that_is_too_old_is_named(premises):
    old = premises.program_file("old-restic", 'echo "restic 0.12.1 compiled with go1.18"')
    said = premises.cli("doctor", DRORCH_RESTIC=str(old))
    found = the_one(said.document)
    assert (found["check"], "0.12.1" in found["message"]) == ("restic", True)


def test_everything_that_is_bad_is_told_at_once(premises):
    for spoil in (BAD["a secret without a file"], BAD["a dead region"], BAD["a broken runbook"]):
        spoil[0](premises)
    said = premises.cli("doctor")
    assert said.code == 1
    words = {check for check, _ in bad(said.document)}
    assert words == {"secret", "region.reachable", "runbook"}


def test_a_secret_of_a_region_that_is_missing_leaves_the_other_region_looked_at(premises):
    without(premises, "lab", "secrets", "qc-id")
    document = looked(premises)
    assert set(bad(document)) == {("secret", "qc-id"), ("region", "qc")}
    assert ("repository", "docs in mtl") in {(c["check"], c["subject"]) for c in document["checks"]}


def test_a_state_that_cannot_be_written_is_found(premises, namespaces):
    said = premises.cli("doctor", wrap=read_only(premises.folder / "var"))
    assert said.code == 1
    assert the_one(said.document)["check"] == "journal"


def test_a_full_disk_is_found(premises, namespaces):
    wrap = on_small_disk(premises.folder / "var", "8m", full=True)
    said = premises.cli("doctor", wrap=wrap)
    assert said.code == 1
    assert "space" in {check for check, _ in bad(said.document)}


def test_a_copy_with_the_datasets_own_password_is_a_warning(premises):
    premises.configuration["datasets"]["docs"]["copies"] = {"qc": "copy"}
    premises.save()
    (warned,) = [c for c in looked(premises)["checks"] if c["check"] == "password"]
    assert (warned["result"], warned["subject"]) == ("warn", "docs in qc")


def test_data_outside_its_residency_is_refused_before_anything(premises):
    premises.configuration["regions"]["qc"]["jurisdiction"] = "US-NY"
    premises.configuration["datasets"]["docs"]["residency"] = ["CA"]
    premises.save()
    for words in (("doctor",), ("backup", "docs"), ("status",), ("repo", "init")):
        said = premises.cli(*words)
        assert said.code == 2
        assert "US-NY" in said.error
        assert "transfer" in said.hint
    assert premises.starts() == []
    premises.configuration["regions"]["qc"]["transfer"] = {"assessment": "E-1", "agreement": "C-1"}
    premises.save()
    copy = json.loads(json.dumps(premises.status(region="qc")))
    assert (copy["jurisdiction"], copy["inside_residency"]) == ("US-NY", False)
    assert premises.status(region="mtl")["inside_residency"] is True
