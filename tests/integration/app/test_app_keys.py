"""Keys added, removed and changed in all mirrors at once, also where a region is away."""

import json
import os
import stat
import subprocess

import pytest

from drorch.actions.revoking import apply_revocations
from drorch.app.keys import list_keys
from drorch.core.facts import KeyKnown, KeyRemoved, KeyRevoked
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.test_app_genuine import record
from tests.regions import bucket_of

ESCROW = "escrow-password-of-the-board"
NEXT = "next-password-of-the-dataset"
SAFE = ("--reason", "the safe of the board")


def secret(premises, name, value):
    """A further secret of the configuration."""
    file = premises.folder / "lab" / "secrets" / name
    file.write_text(value + "\n")
    file.chmod(0o600)
    premises.configuration["secrets"][name] = {"file": f"lab/secrets/{name}"}
    premises.save()


def add(premises, *more):
    secret(premises, "escrow", ESCROW)
    line = ("repo", "key", "add", "docs", "--label", "escrow", "--password-secret", "escrow")
    return premises.cli(*line, *SAFE, *more)


def keys(premises, region=None):
    with premises.program() as program:
        return list_keys(program, program.dataset("docs"), region)


def opens(premises, region, password):
    """Whether restic opens the repository of a region with a password."""
    secrets = premises.folder / "lab" / "secrets"
    environment = {
        "PATH": os.environ["PATH"],
        "RESTIC_REPOSITORY": f"s3:{premises.regions[region].endpoint}/drorch/datasets/docs",
        "RESTIC_PASSWORD": password,
        "AWS_ACCESS_KEY_ID": (secrets / f"{region}-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (secrets / f"{region}-secret").read_text().strip(),
    }
    line = [str(premises.binary), "--no-cache", "--no-lock", "cat", "config"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "wrong password" in done.stderr, done.stderr
    return done.returncode == 0


def refused(premises, error, hint, *words):
    """Before anything runs: no run of it is on record."""
    before = key_runs(premises)
    said = premises.cli("repo", *words)
    assert said.code == 2
    assert error in said.error
    assert hint in said.hint
    assert key_runs(premises) == before


def key_runs(premises):
    with premises.program() as program:
        return [row.run for row in program.journal.rows() if row.kind == "keys"]


def findings(said):
    return [(f["what"], f["subject"]) for f in said.document["findings"]]


def outputs(said, step):
    (found,) = [s["outputs"] for s in said.document["steps"] if s["step"] == step]
    return found


def old_password(premises):
    return (premises.folder / "lab" / "secrets" / "repo-key").read_text().strip()


def written_down(premises):
    """Everything on disk beside the secrets and the regions."""
    for path in (*(premises.folder / "var").rglob("*"), premises.folder / "restic.log"):
        if path.is_file():
            yield path.read_bytes()


def test_a_further_key_opens_every_mirror_and_says_whose_it_is(any_premises):
    premises = any_premises
    said = add(premises)
    assert said.code == 0, said.errors
    added = outputs(said, "key-add")
    assert added["made"] is True
    assert added["regions"] == ["mtl", "qc"]
    assert said.document["kind"] == "keys"
    assert said.document["reason"] == "the safe of the board"
    assert opens(premises, "qc", ESCROW)
    (old, new) = sorted(keys(premises), key=lambda k: k["label"])
    assert (new["id"], new["label"], new["user"]) == (added["key"], "escrow", "escrow")
    assert (new["standing"], new["current"], new["regions"]) == ("known", False, ["mtl", "qc"])
    assert (old["standing"], old["current"]) == ("known", True)
    with premises.program() as program:
        known = {k.fact.key: k.fact for k in program.journal.facts(KeyKnown, "docs")}
    assert known[new["id"]] == KeyKnown("docs", "mtl", new["id"], "escrow", "escrow")
    assert known[old["id"]].secret == "repo-key"
    assert not any(ESCROW.encode() in text for text in written_down(premises))
    again = outputs(add(premises), "key-add")
    assert (again["key"], again["made"]) == (new["id"], False)
    assert len(keys(premises)) == 2


def test_a_password_may_come_from_a_file_or_from_standard_input(premises, tmp_path):
    file = tmp_path / "password"
    file.write_text(ESCROW + "\n")
    line = ("repo", "key", "add", "docs", "--password-file")
    said = premises.cli(*line, str(file))
    assert said.code == 0, said.errors
    key = outputs(said, "key-add")["key"]
    done = subprocess.run(
        [*premises.line(*line, "-"), "--json"],
        env=premises.environment,
        input=ESCROW.encode(),
        capture_output=True,
        check=True,
    )
    (step,) = json.loads(done.stdout)["steps"]
    assert (step["outputs"]["key"], step["outputs"]["made"]) == (key, False)
    assert not any(ESCROW.encode() in text for text in written_down(premises))
    assert ESCROW.encode() not in done.stderr + done.stdout
    assert stat.S_ISREG(file.stat().st_mode)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ((), "error: no new password is named", "hint: name a secret of the configuration"),
        (("--password-secret", "nome"), "secret nome is not named", "hint: secrets"),
        (("--password-file", "/nowhere"), "/nowhere cannot be read: No such", "hint: name another"),
        (("--password-file", "/dev/null"), "no password in /dev/null", "hint: put it there"),
        (("--password-secret", "a", "--password-file", "b"), "named twice", "hint: name a secret"),
    ],
)
def test_bad_passwords_are_refused_before_anything_runs(premises, words, error, hint):
    refused(premises, error, hint, "key", "add", "docs", *words)


def test_a_password_that_restic_would_read_otherwise_is_refused(premises):
    secret(premises, "padded", " padded password ")
    for words in (
        ("key", "add", "docs", "--password-secret", "padded"),
        ("rotate-key", "docs", "--new-password-secret", "padded"),
    ):
        refused(premises, "begins or ends with white space", "choose another", *words)
    assert len(keys(premises)) == 1


def test_a_region_that_is_away_is_owed_the_key_and_gets_it(premises):
    premises.kill("qc")
    said = add(premises)
    assert said.code == 0, said.errors
    assert outputs(said, "key-add")["regions"] == ["mtl"]
    assert ("key.owed", "docs in qc") in findings(said)
    premises.revive("qc")
    assert premises.replicate()["outcome"] == "passed"
    assert opens(premises, "qc", ESCROW)


def test_a_key_that_a_killed_run_left_in_one_region_is_taken_up(premises):
    file = premises.folder / "escrow-password"
    file.write_text(ESCROW + "\n")
    premises.restic("key", "add", "--new-password-file", str(file))
    said = add(premises)
    added = outputs(said, "key-add")
    assert (added["made"], added["regions"]) == (False, ["mtl", "qc"])
    assert opens(premises, "qc", ESCROW)


def remove(premises, key, *more):
    return premises.cli("repo", "key", "remove", "docs", key, "--reason", "she left", *more)


def test_a_removed_key_opens_nothing_any_more_and_does_not_come_back(any_premises):
    premises = any_premises
    key = outputs(add(premises), "key-add")["key"]
    content = bucket_of(premises.regions["mtl"]).get(f"datasets/docs/keys/{key}")
    premises.kill("qc")
    said = remove(premises, key[:8])
    assert said.code == 0, said.errors
    assert outputs(said, "key-delete")["deleted"] == [f"{key[:8]} in mtl"]
    assert ("key.owed", "docs in qc") in findings(said)
    assert not opens(premises, "mtl", ESCROW)
    assert ("key.owed", "docs in qc") in premises.alarms()
    with premises.program() as program:
        (revoked,) = program.journal.facts(KeyRevoked, "docs")
    assert revoked.fact == KeyRevoked("docs", key, "she left", "mtl")

    premises.revive("qc")
    with premises.program() as program:
        told, facts = apply_revocations(program.tools, program.dataset("docs"), "qc")
        again, none = apply_revocations(program.tools, program.dataset("docs"), "mtl")
    assert (told, facts) == ((), (KeyRemoved("docs", "qc", key),))
    assert (again, none) == ((), facts)  # recorded nowhere yet
    record(premises, *facts)
    assert "key.owed" not in dict(premises.alarms())
    assert not opens(premises, "qc", ESCROW)
    assert opens(premises, "qc", old_password(premises))

    bucket_of(premises.regions["qc"]).put(f"datasets/docs/keys/{key}", content)
    with premises.program() as program:
        (finding,), none = apply_revocations(program.tools, program.dataset("docs"), "qc")
    assert finding.what == "object.quarantined"
    assert finding.message == (
        f"somebody had put back keys/{key}, which was revoked; it was deleted again"
    )
    assert none == ()
    assert not opens(premises, "qc", ESCROW)


def test_the_key_in_use_and_keys_that_are_not_there_are_not_removed(premises):
    (only,) = keys(premises)
    words = ("key", "remove", "docs", only["id"], "--reason", "left us")
    why = (f"key {only['id'][:8]} is the only one that", "change the password first: drorch repo")
    refused(premises, *why, *words)
    add(premises)
    refused(premises, *why, *words)
    said = remove(premises, "no-such")
    assert (said.code, said.error) == (2, "error: no key of docs begins with no-such")
    said = remove(premises, "")
    assert (said.code, said.error) == (2, "error: 2 keys of docs begin with ")
    assert len(keys(premises)) == 2


def test_a_region_is_never_left_without_a_key(premises):
    """The journal says that a key was revoked, and qc has no other."""
    (only,) = keys(premises)
    key = outputs(add(premises), "key-add")["key"]
    bucket_of(premises.regions["qc"]).delete(f"datasets/docs/keys/{only['id']}")
    premises.kill("mtl")
    record(premises, KeyRevoked("docs", key, "a mistake", "mtl"))
    with premises.program() as program:
        (finding,), facts = apply_revocations(program.tools, program.dataset("docs"), "qc")
    assert finding.what == "key.owed"
    assert facts == ()
    assert opens(premises, "qc", ESCROW)
    premises.revive("mtl")
    with premises.program() as program:
        told, facts = apply_revocations(program.tools, program.dataset("docs"), "qc")
    assert told == ()
    assert {f.region for f in facts} == {"mtl", "qc"}
    assert not opens(premises, "qc", ESCROW)
    assert opens(premises, "qc", old_password(premises))


def rotate(premises, *more):
    return premises.cli("repo", "rotate-key", "docs", *more)


@pytest.mark.parametrize("way", ["another secret", "the same secret"])
def test_the_password_is_changed_in_two_halves_and_never_locks_anybody_out(any_premises, way):
    premises = any_premises
    # Without it the datasets' only password would seal drorch's records, and soon there are two.
    premises.configuration["control_plane"] = {"password": "repo-key"}
    premises.save()
    old = old_password(premises)
    secret(premises, "repo-key-2", NEXT)
    said = rotate(premises, "--new-password-secret", "repo-key-2", "--reason", "yearly")
    assert said.code == 0, said.errors
    assert outputs(said, "key-rotate")["phase"] == "added"
    open_, unchanged = said.document["findings"]
    assert open_["what"] == "key.rotation-open"
    assert open_["hint"].startswith(
        "let `password:` of docs name the secret repo-key-2 in drorch.yaml"
    )
    assert unchanged["what"] == "key.master-unchanged"
    assert ("key.rotation-open", "docs in mtl") in premises.alarms()
    assert opens(premises, "qc", old)
    assert opens(premises, "qc", NEXT)

    refused(premises, "docs still uses its old password", "; then again: ", "rotate-key", "docs")
    if way == "another secret":
        premises.configuration["datasets"]["docs"]["password"] = "repo-key-2"
        premises.save()
    else:
        secret(premises, "repo-key", NEXT)
    said = rotate(premises)
    assert said.code == 0, said.errors
    finished = outputs(said, "key-rotate")
    assert finished["phase"] == "finished"
    assert len(finished["revoked"]) == 1
    assert not opens(premises, "mtl", old)
    assert not opens(premises, "qc", old)
    assert premises.back_up()["outcome"] == "passed"
    assert not dict(premises.alarms()).keys() & {"key.rotation-open", "key.owed"}
    (row,) = keys(premises)
    assert (row["current"], row["standing"]) == (True, "known")


def test_a_change_of_password_survives_a_region_that_is_away_for_both_halves(premises):
    secret(premises, "repo-key-2", NEXT)
    premises.kill("qc")
    assert rotate(premises, "--new-password-secret", "repo-key-2").code == 0
    secret(premises, "repo-key", NEXT)
    said = rotate(premises)
    assert said.code == 0
    assert ("key.owed", "docs in qc") in findings(said)
    premises.revive("qc")
    with premises.program() as program:
        told, facts = apply_revocations(program.tools, program.dataset("docs"), "mtl")
    assert told == ()
    assert [f.region for f in facts] == ["qc"]
    assert opens(premises, "qc", NEXT)


def test_a_change_that_has_begun_is_begun_once_and_can_be_given_up(premises):
    old = old_password(premises)
    secret(premises, "repo-key-2", NEXT)
    first = outputs(rotate(premises, "--new-password-secret", "repo-key-2"), "key-rotate")
    again = outputs(rotate(premises, "--new-password-secret", "repo-key-2"), "key-rotate")
    assert again["key"] == first["key"]
    secret(premises, "escrow", ESCROW)
    begun = "a change to another password has begun: key "
    other = ("rotate-key", "docs", "--new-password-secret")
    refused(premises, begun, "finish that one, or give it up", *other, "escrow")
    assert remove(premises, first["key"]).code == 0
    assert "key.rotation-open" not in dict(premises.alarms())
    assert not opens(premises, "mtl", NEXT)
    assert opens(premises, "mtl", old)
    hint = "name the new password: drorch repo rotate-key docs --new-password-secret NAME"
    refused(premises, "no change of the password of docs has begun", hint, "rotate-key", "docs")
    refused(premises, "opens the repository already", "never used", *other, "repo-key")


def test_a_strangers_key_can_be_removed_by_its_id(premises):
    from tests.integration.app.test_app_genuine import plant, strangers_key

    named = plant(premises, "qc", "keys", strangers_key(premises))
    (row,) = [k for k in keys(premises) if k["id"] == named.id]
    assert (row["standing"], row["current"], row["regions"]) == ("unknown", False, ["qc"])
    assert row["missing"] == ["mtl"]
    said = remove(premises, named.id)
    assert said.code == 0, said.errors
    assert len(keys(premises)) == 1


def test_a_copy_with_a_key_of_its_own_has_keys_of_its_own(bare):
    bare.configuration["datasets"]["docs"]["copies"] = {
        "tor": {"mode": "copy", "password": "tor-key"}
    }
    del bare.configuration["datasets"]["db"]
    bare.save()
    with bare.program() as program:
        made_quick(program, [program.dataset("docs")])
    secret(bare, "escrow", ESCROW)
    line = ("repo", "key", "add", "docs", "--password-secret", "escrow", "--region", "tor")
    said = bare.cli(*line)
    assert said.code == 0, said.errors
    assert outputs(said, "key-add")["regions"] == ["tor"]
    assert opens(bare, "tor", ESCROW)
    assert not opens(bare, "mtl", ESCROW)
    assert len(keys(bare, "tor")) == 2
    assert len(keys(bare)) == 1
    secret(bare, "tor-key-2", NEXT)
    said = bare.cli("repo", "rotate-key", "docs", "--region", "tor", "--new-password-secret",
                    "tor-key-2")  # fmt: skip
    assert said.code == 0, said.errors
    bare.configuration["datasets"]["docs"]["copies"]["tor"]["password"] = "tor-key-2"
    bare.save()
    said = bare.cli("repo", "rotate-key", "docs", "--region", "tor")
    assert outputs(said, "key-rotate")["phase"] == "finished"
    assert opens(bare, "tor", NEXT)


def test_a_list_in_words(premises):
    add(premises)
    done = subprocess.run(
        premises.line("repo", "key", "list", "docs"),
        env=premises.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].split() == (
        [
            "key",
            "label",
            "standing",
            "in",
            "use",
            "user",
            "host",
            "created",
            "regions",
            "missing",
            "in",
        ]
    )
    assert any(" escrow " in line and " known " in line for line in lines)
