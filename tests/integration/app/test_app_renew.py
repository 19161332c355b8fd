"""A dataset encrypted anew: the same snapshots under another master key, the old ones untouched."""

import filecmp

import pytest

from drorch.actions.genuine import Keyring
from drorch.core.facts import Forgotten, Held
from tests.integration.app.test_app_genuine import record
from tests.integration.app.test_app_keys import NEXT, secret
from tests.integration.app.test_app_keys import outputs as outputs_of


def renewed(premises, **settings):
    """A dataset of the same sources and another password."""
    secret(premises, "repo-key-2", NEXT)
    premises.configuration["control_plane"] = {
        "password": "repo-key"
    }  # of two, one has to be named
    premises.configuration["datasets"]["docs-2"] = premises.dataset(
        paths=["src/docs"], **({"password": "repo-key-2"} | settings)
    )
    premises.save()


def rotate(premises, *more):
    line = ("repo", "rotate-key", "docs", "--new-repository", "docs-2", "--reason", "a leak")
    return premises.cli(*line, *more)


def held(premises, dataset):
    with premises.program() as program:
        copies = program.journal.copies(dataset)
    return {(c.region, c.snapshot) for c in copies if not c.owed}


def master(premises, dataset):
    with premises.program() as program:
        return Keyring(program.tools, program.dataset(dataset), "mtl").master


def test_everything_is_carried_over_under_another_key_and_the_old_stays_as_it_is(any_premises):
    premises = any_premises
    renewed(premises)
    (premises.folder / "src" / "docs" / "new.txt").write_text("new\n")
    assert premises.back_up()["outcome"] == "passed"
    before = premises.objects("mtl", "drorch/datasets/docs")
    (first, second) = [s["id"] for s in premises.listed("mtl")]
    record(premises, Held("docs", first, "litigation", "m.tremblay"))

    said = rotate(premises)
    assert said.code == 0, said.errors
    done = outputs_of(said, "repository-renew")
    assert (done["copied"], done["snapshots"]) == (2, 2)
    assert premises.objects("mtl", "drorch/datasets/docs") == before
    assert master(premises, "docs") != master(premises, "docs-2")
    there = held(premises, "docs-2")
    assert {region for region, _ in there} == {"mtl", "qc"}
    assert len(there) == 4
    with premises.program() as program:
        (hold,) = [k.fact for k in program.journal.facts(Held, "docs-2")]
    assert (hold.reason, hold.by) == ("litigation", "m.tremblay")
    assert hold.snapshot in {snapshot for _, snapshot in there}
    assert second not in {snapshot for _, snapshot in there}

    assert outputs_of(rotate(premises), "repository-renew")["copied"] == 0
    premises.kill("mtl")
    premises.restore("docs-2", region="qc")
    assert filecmp.cmp(premises.folder / "back" / "new.txt", premises.folder / "src/docs/new.txt")
    premises.revive("mtl")

    run = premises.back_up("docs-2")
    assert run["outcome"] == "passed"
    assert run["steps"][0]["outputs"]["bytes_added"] < 100_000  # the 300 KB are not stored twice
    assert run["findings"] == []


def test_what_was_forgotten_and_what_a_failed_backup_left_is_not_carried_over(premises):
    renewed(premises)
    assert premises.back_up()["outcome"] == "passed"
    first = premises.listed("mtl")[0]["id"]
    record(premises, Forgotten("docs", first, "retention"))
    said = rotate(premises)
    assert outputs_of(said, "repository-renew")["snapshots"] == 1
    assert len(held(premises, "docs-2")) == 2


def test_a_repository_that_cuts_data_in_other_places_is_refused(premises):
    renewed(premises)
    assert premises.cli("repo", "init", "docs-2").code == 0
    said = rotate(premises)
    assert said.code == 1
    assert "cuts data in other places" in said.document["steps"][0]["message"]


@pytest.mark.parametrize(
    ("settings", "words", "error"),
    [
        ({"paths": ["src/rows"]}, (), "it has other sources"),
        ({}, ("--new-password-secret", "tor-key"), "--new-repository stands alone"),
        ({}, ("--region", "qc"), "--new-repository stands alone"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(premises, settings, words, error):
    renewed(premises)
    premises.configuration["datasets"]["docs-2"] |= settings
    premises.save()
    said = rotate(premises, *words)
    assert said.code == 2
    assert error in said.error
    assert premises.objects("mtl", "drorch/datasets/docs-2") == []


def test_the_same_password_again_is_refused(premises):
    renewed(premises, password="repo-key")
    said = rotate(premises)
    assert said.code == 1
    assert said.document["steps"][0]["cause"] == "unfit"
    assert "have the same password" in said.document["steps"][0]["message"]


def test_a_mirror_that_is_away_is_owed_the_copy_and_gets_it(premises):
    renewed(premises)
    premises.kill("qc")
    said = rotate(premises)
    assert said.code == 0, said.errors
    assert ("copy.owed", "docs-2 in qc") in [
        (f["what"], f["subject"]) for f in said.document["findings"]
    ]
    assert {region for region, _ in held(premises, "docs-2")} == {"mtl"}
    premises.revive("qc")
    assert premises.replicate("docs-2")["outcome"] == "passed"
    assert {region for region, _ in held(premises, "docs-2")} == {"mtl", "qc"}


def test_the_old_primary_may_be_away(premises):
    renewed(premises, primary="qc", copies={"mtl": "mirror"})
    premises.kill("mtl")
    said = rotate(premises)
    assert said.code == 0, said.errors
    assert {region for region, _ in held(premises, "docs-2")} == {"qc"}


def test_only_what_came_meanwhile_is_copied_the_second_time(premises):
    renewed(premises)
    assert rotate(premises).code == 0
    assert premises.back_up()["outcome"] == "passed"
    assert outputs_of(rotate(premises), "repository-renew")["copied"] == 1
