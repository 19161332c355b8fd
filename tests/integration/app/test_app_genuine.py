"""Whose objects they are: what an attacker with a region's credentials plants is told from ours."""

import hashlib
import os
import subprocess

import pytest

from drorch.actions.genuine import first_contact, judge_of, quarantine
from drorch.core.errors import ResticError, StorageError
from drorch.core.facts import Forgotten, KeyKnown, KeyRevoked, Quarantined
from drorch.storage.layout import Kind, Named
from tests.fakes.facts import begun, ended, stamped, started
from tests.regions import bucket_of


def record(premises, *facts):
    """Let the journal know facts."""
    with premises.program() as program:
        told = stamped(started("rumour"), begun(), ended(facts=facts))
        program.journal.begin(f"rumour-{len(program.journal.rows())}", told, lambda _: None)


def plant(premises, region, kind, content):
    """Put an object with a true name into a region, as who has its credentials alone can."""
    named = Named(Kind(kind), hashlib.sha256(content).digest(), len(content))
    put(premises, region, named, content)
    return named


def put(premises, region, named, content):
    bucket_of(premises.regions[region]).put(f"datasets/docs/{named.name}", content)


def remove(premises, region, named):
    bucket_of(premises.regions[region]).delete(f"datasets/docs/{named.name}")


def strangers_key(premises):
    """A key file that opens with a password of the attacker's own."""
    folder = premises.folder / "attacker"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "RESTIC_PASSWORD": "attack!!"}
    line = [str(premises.binary), "--no-cache", "--repo", str(folder), "init"]
    subprocess.run(line, env=environment, check=True, capture_output=True)
    (file,) = (folder / "keys").iterdir()
    return file.read_bytes()


def verdicts(premises, *objects, region="mtl"):
    with premises.program() as program:
        judge = judge_of(program.tools, program.dataset("docs"), region)
        return [judge(named, content) for named, content in objects]


def lying(premises, kind, region="mtl"):
    """The true objects of one kind, with their contents."""
    found = premises.files(region, "docs", kind)
    return [
        (Named(Kind(kind), bytes.fromhex(p.name), p.stat().st_size), p.read_bytes()) for p in found
    ]


def test_ours_are_genuine_and_planted_ones_are_not(any_premises):
    premises = any_premises
    ours = [o for kind in ("keys", "index", "snapshots") for o in lying(premises, kind)]
    assert len(ours) == 3
    assert verdicts(premises, *ours) == ["", "", ""]
    assert verdicts(premises, *ours, region="qc") == ["", "", ""]

    key = strangers_key(premises)
    (_, index), (_, snapshot) = ours[1:]
    planted = [
        (plant(premises, "mtl", "keys", key), key),
        (plant(premises, "mtl", "index", index[:-1] + b"x"), index[:-1] + b"x"),
        (plant(premises, "mtl", "snapshots", snapshot + b"x"), snapshot + b"x"),
        (plant(premises, "mtl", "keys", b"{}"), b"{}"),
    ]
    assert verdicts(premises, *planted) == [
        "the journal does not know this key, and the dataset's password does not open it",
        "it was not made with the repository's key",
        "it was not made with the repository's key",
        "it is no key file of restic's",
    ]
    assert verdicts(premises, *ours) == ["", "", ""]


def test_what_was_forgotten_or_revoked_is_not_genuine_although_it_authenticates(premises):
    key, snapshot = lying(premises, "keys")[0], lying(premises, "snapshots")[0]
    premises.restic("key", "add", "--new-password-file", str(premises.folder / "restic"))
    (second,) = [k for k in lying(premises, "keys") if k != key]
    record(
        premises,
        Forgotten("docs", snapshot[0].id, "retention"),
        KeyRevoked("docs", second[0].id, "a thief"),
    )
    assert verdicts(premises, key, snapshot, second) == ["", "it was forgotten", "it was revoked"]


def test_what_the_journal_knows_needs_no_password(premises):
    key, snapshot, index = (lying(premises, k)[0] for k in ("keys", "snapshots", "index"))
    record(premises, KeyKnown("docs", "mtl", key[0].id))
    secret = premises.folder / "lab" / "secrets" / "repo-key"
    secret.write_text("another\n")
    assert verdicts(premises, key, snapshot) == ["", ""]
    with pytest.raises(ResticError) as caught:
        verdicts(premises, index)
    assert caught.value.cause == "wrong-password"


def trouble(premises):
    with pytest.raises((ResticError, StorageError)) as caught:
        verdicts(premises, lying(premises, "index")[0])
    return caught.value


def test_a_wrong_password_is_told_from_keys_that_are_gone_and_from_planted_ones(premises):
    ((key, whole),) = lying(premises, "keys")
    stranger = strangers_key(premises)
    secret = premises.folder / "lab" / "secrets" / "repo-key"
    right = secret.read_text()

    secret.write_text("incorrect password\n")
    assert trouble(premises).cause == "wrong-password"
    record(premises, KeyKnown("docs", "mtl", key.id, secret="repo-key"))
    told = trouble(premises)
    assert told.cause == "wrong-password"
    assert told.message == (
        "the password opens no key of the repository of docs, of 1 that the journal knows"
    )

    secret.write_text(right)
    for region in ("mtl", "qc"):
        remove(premises, region, key)
    told = trouble(premises)
    assert told.cause == "keys-gone"
    assert told.message == "the keys of the repository of docs are gone"
    assert told.hint.startswith("do not make the repository anew: bring the keys back")

    plant(premises, "mtl", "keys", stranger)
    told = trouble(premises)
    assert told.cause == "keys-gone"
    assert told.message.endswith("are gone; 1 key file(s) that do not open lie there")

    put(premises, "qc", key, whole)
    assert verdicts(premises, lying(premises, "index")[0]) == [""]
    put(premises, "qc", key, whole[:-9] + b"x" * 9)
    assert trouble(premises).cause == "keys-gone"
    put(premises, "mtl", key, whole)
    premises.kill("qc")
    assert verdicts(premises, lying(premises, "index")[0]) == [""]
    assert verdicts(premises, lying(premises, "index")[0], region="qc") == [""]


def test_many_planted_keys_and_absurd_ones_do_not_keep_ours_from_being_found(premises):
    (key,) = lying(premises, "keys")
    record(premises, KeyKnown("docs", "mtl", key[0].id))
    stranger = strangers_key(premises)
    absurd = stranger.replace(b'"r":8', b'"r":800000')
    assert absurd != stranger
    for n in range(30):
        plant(premises, "mtl", "keys", absurd + b" " * n)
    for n in range(3):
        plant(premises, "mtl", "keys", stranger + b" " * n)
    assert verdicts(premises, lying(premises, "index")[0]) == [""]


def test_at_first_contact_the_keys_that_open_are_taken_down(premises):
    """Nothing was backed up of `db` yet; somebody has been there before us."""
    (key,) = premises.files("qc", "db", "keys")
    stranger = strangers_key(premises)
    name = hashlib.sha256(stranger).hexdigest()
    bucket_of(premises.regions["qc"]).put(f"datasets/db/keys/{name}", stranger)
    with premises.program() as program:
        found = first_contact(program.tools, program.dataset("db"), "qc")
    assert found == (KeyKnown("db", "mtl", key.name, secret="repo-key"),)
    record(premises, *found)
    bucket_of(premises.regions["mtl"]).delete(f"datasets/db/keys/{key.name}")
    with premises.program() as program:
        assert first_contact(program.tools, program.dataset("db"), "mtl") == ()


def test_quarantine_is_told_once_and_ends_when_the_object_is_gone(premises):
    content = b"not an index"
    named = plant(premises, "qc", "index", content)
    strange = {named.name: "it was not made with the repository's key"}

    def reported(strange):
        with premises.program() as program:
            dataset = program.dataset("docs")
            judge = judge_of(program.tools, dataset, "qc")
            findings, facts = quarantine(program.tools, dataset, "qc", strange, judge)
        record(premises, *facts)
        return findings, facts

    (finding,), facts = reported(strange)
    assert finding.what == "object.quarantined"
    assert finding.subject == "docs in qc"
    assert finding.message == (
        f"1 object(s) are not ours and were copied nowhere: {named.name}: "
        "it was not made with the repository's key"
    )
    assert facts == (Quarantined("docs", "qc", named.name, strange[named.name]),)
    assert reported(strange) == ((finding,), ())
    assert ("object.quarantined", "docs in qc") in premises.alarms()
    assert reported({}) == ((), ())  # it lies there still: in another region, too, perhaps
    remove(premises, "qc", named)
    assert reported({}) == (
        (),
        (Quarantined("docs", "qc", named.name, strange[named.name], gone=True),),
    )
    assert reported({}) == ((), ())
    assert "object.quarantined" not in dict(premises.alarms())


def test_the_master_key_is_kept_out_of_what_is_written(premises):
    with premises.program() as program:
        judge = judge_of(program.tools, program.dataset("docs"), "mtl")
        shown = judge.keyring.master.shown
        text = program.secrets.redact(f"{shown[0]} {shown[2]} {shown[5]}")
    assert text == "*** *** ***"
