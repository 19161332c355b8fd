"""What real restic of every version wrote, authenticated and opened without it."""

import json
import os
import shutil
import subprocess
from functools import cache

import pytest

from drorch.restic.authentic import (
    NotGenuine,
    SealingKey,
    WrongPassword,
    open_key_file,
    read_key_file,
)
from tests.integration.app.quick_keys import quicken

#: What each repository is made for once, in one worker.
pytestmark = pytest.mark.xdist_group("authentic")


@pytest.fixture(scope="module", params=["1", "2"])
def repository(request, template, tmp_path_factory):
    """A repository of each format with a snapshot in it, and a second key; looked at alone.

    Both key files as restic wrote them lie beside it, in `keys`; in it the first is quick to try.
    """
    folder = tmp_path_factory.mktemp("authentic") / "repository"
    ward, password = template, template.address.password
    run(ward, folder, "init", "--repository-version", request.param, password=password)
    written = folder.with_name("keys")
    shutil.copytree(folder / "keys", written)
    quicken([folder / "keys"], password)
    run(ward, folder, "backup", str(ward.source), password=password)
    new = folder.with_name("new-password")
    new.write_text("another password\n")
    (first,) = (folder / "keys").iterdir()
    run(ward, folder, "key", "add", "--new-password-file", str(new), password=password)
    for key in (folder / "keys").iterdir():
        if key != first:
            shutil.copy(key, written)
    return folder


def run(ward, folder, *words, password):
    environment = {"PATH": os.environ["PATH"], "RESTIC_PASSWORD": password, "HOME": str(folder)}
    environment["RESTIC_REPOSITORY"] = str(folder)
    line = [str(ward.binary), "--no-cache", *words]
    done = subprocess.run(line, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def contents(folder, kind):
    return [p.read_bytes() for p in sorted((folder / kind).iterdir())]


@cache
def opened(folder, password):
    """The master keys that a password opens, of key files as restic wrote them."""
    found = []
    for content in contents(folder.parent, "keys"):
        try:
            found.append(open_key_file(content, password))
        except WrongPassword:
            continue
    return found


def test_every_key_opens_to_the_same_master_key_with_its_own_password_alone(template, repository):
    ours = opened(repository, template.address.password)
    theirs = opened(repository, "another password")
    assert len(ours) == len(theirs) == 1
    assert ours == theirs
    assert opened(repository, "a wrong password") == []


def test_what_restic_sealed_is_authentic_and_nothing_else_is(template, repository):
    (master,) = opened(repository, template.address.password)
    sealed = [(repository / "config").read_bytes()]
    sealed += [c for kind in ("index", "snapshots") for c in contents(repository, kind)]
    assert len(sealed) >= 3
    other = SealingKey(os.urandom(32), os.urandom(16), os.urandom(16))
    for content in sealed:
        assert master.authentic(content)
        assert not other.authentic(content)
        for place in (0, 15, 16, len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            assert not master.authentic(bytes(changed))
        assert not master.authentic(content[:-1])
        assert not master.authentic(content + b"x")
    for nothing in (b"", b"x" * 31, b"x" * 32):
        assert not master.authentic(nothing)
        with pytest.raises(NotGenuine):
            master.opened(nothing)


def test_documents_are_what_restic_says_they_are(template, repository):
    (master,) = opened(repository, template.address.password)
    password = template.address.password
    config = json.loads(run(template, repository, "cat", "config", password=password))
    assert master.document((repository / "config").read_bytes()) == config
    (snapshot,) = json.loads(run(template, repository, "snapshots", "--json", password=password))
    found = master.document(contents(repository, "snapshots")[0])
    assert found["tree"] == snapshot["tree"]
    assert found["time"] == snapshot["time"]
    packs = {p["id"] for c in contents(repository, "index") for p in master.document(c)["packs"]}
    assert packs == {p.name for p in (repository / "data").rglob("*") if p.is_file()}


def test_a_key_file_says_who_made_it(repository):
    for content in contents(repository.parent, "keys"):
        file = read_key_file(content)
        assert file.host
        assert file.created.startswith("20")


def test_neither_key_nor_its_parts_show_by_accident(template, repository):
    (master,) = opened(repository, template.address.password)
    for form in master.shown:
        assert form not in repr(master)
    assert len(master.shown) == 6
