"""`restore.verify`: a restored folder held against its snapshot's own hashes, and every difference."""

import os
import shutil

import pytest

from drorch.actions.comparing import VERIFY
from drorch.actions.places import bucket_of
from drorch.core.names import Mode, Verdict
from drorch.core.posture import CopyFactKind
from drorch.ports import Call, Cancellation
from tests.integration.app.seeing import step


def strange(folder):
    """Whatever names, links and sizes a folder can hold."""
    deep = folder / "deep" / "er"
    deep.mkdir(parents=True)
    (folder / 'quo"te\\back\nline\ttab').write_text("odd name\n")
    (folder / os.fsdecode(b"latin-\xe9")).write_text("no text\n")
    (folder / "empty").touch()
    (folder / "none").mkdir()
    (deep / "many-chunks").write_bytes(os.urandom(9_000_000))
    (folder / "zeros").write_bytes(bytes(5_000_000))
    (folder / "link").symlink_to("./deep//er/many-chunks")
    (folder / "nowhere").symlink_to("/no/such/é")
    os.mkfifo(folder / "pipe")


def restored(premises, name="docs", **how):
    return step(premises.restore(name, **how), "restore")["outputs"]


def verified(premises, came, cancel=None, **arguments):
    given = {k: came[k] for k in ("dataset", "region", "snapshot", "path")} | arguments
    with premises.program() as program:
        call = Call("r", "s", 1, Mode.DRILL, given, cancel or Cancellation(), lambda _: None)
        return VERIFY.run(call, program.tools)


@pytest.mark.every_restic
def test_what_came_back_is_what_the_snapshot_holds(any_premises):
    strange(any_premises.folder / "src" / "docs")
    any_premises.back_up()
    came = restored(any_premises)
    any_premises.forget_starts()
    done = verified(any_premises, came)
    assert done.verdict is Verdict.PASS, done
    assert (done.outputs["files"], done.outputs["bytes"]) == (came["files"], came["bytes"])
    assert any_premises.starts() == []  # by the repository's own hashes, without restic
    (fact,) = done.copies
    assert (fact.fact, fact.region, fact.snapshot) == (
        CopyFactKind.RESTORE_TESTED,
        came["region"],
        came["snapshot"],
    )
    assert verified(any_premises, came, include=["/"]).copies == ()


@pytest.mark.every_restic
def test_a_dump_is_one_file(any_premises):
    any_premises.back_up("db")
    came = restored(any_premises, "db")
    assert verified(any_premises, came).outputs["files"] == 1
    (any_premises.folder / "back" / "ehr.dump").write_text("two patients\n")
    assert verified(any_premises, came).outputs["different"] == ["ehr.dump"]


@pytest.fixture
def came(premises):
    """A folder that was restored, and what there is to say of it."""
    strange(premises.folder / "src" / "docs")
    premises.back_up()
    return restored(premises)


def flipped(path):
    with path.open("r+b") as file:
        file.seek(4_000_000)
        byte = file.read(1)
        file.seek(4_000_000)
        file.write(bytes([byte[0] ^ 1]))


HARMS = {
    "one bit": (lambda f: flipped(f / "deep/er/many-chunks"), "different", "deep/er/many-chunks"),
    "a byte more": (lambda f: (f / "empty").write_text("x"), "different", "empty"),
    "cut off": (lambda f: os.truncate(f / "zeros", 4_999_999), "different", "zeros"),
    "gone": (lambda f: (f / "wards/a.txt").unlink(), "missing", "wards/a.txt"),
    "a folder gone": (lambda f: (f / "none").rmdir(), "missing", "none"),
    "too many": (lambda f: (f / "wards/README.txt").touch(), "extra", "wards/README.txt"),
    "another link": (
        lambda f: (f / "link").unlink() or (f / "link").symlink_to("x"),
        "different",
        "link",
    ),
    "a link instead": (
        lambda f: (f / "wards/a.txt").unlink() or (f / "wards/a.txt").symlink_to("/etc/passwd"),
        "different",
        "wards/a.txt",
    ),
    "a folder instead": (
        lambda f: (f / "empty").unlink() or (f / "empty").mkdir(),
        "different",
        "empty",
    ),
    "a file instead": (
        lambda f: (f / "pipe").unlink() or (f / "pipe").touch(),
        "different",
        "pipe",
    ),
}


def test_every_difference_is_found_and_named(premises, came):
    folder = premises.folder / "back"
    shutil.copytree(folder, premises.folder / "kept", symlinks=True, copy_function=os.link)
    for harm, (do, word, path) in HARMS.items():
        shutil.rmtree(folder)
        premises_copy(premises.folder / "kept", folder)
        do(folder)
        done = verified(premises, came)
        assert (done.verdict, done.cause) == (Verdict.FAIL, "mismatch"), harm
        told = {k: done.outputs[k] for k in ("missing", "different", "extra") if done.outputs[k]}
        assert told == {word: [path]}, harm
        assert path in done.message
    (kept,) = done.evidence
    with premises.program() as program:
        content = program.evidence.read("r", kept.name, kept.sha256)
    assert content == b"different\tpipe\n"


def premises_copy(kept, folder):
    """A copy whose files may be changed; pipes too."""

    def copied(source, target):
        shutil.copy2(source, target)

    shutil.copytree(
        kept, folder, symlinks=True, copy_function=copied, ignore=shutil.ignore_patterns("pipe")
    )
    os.mkfifo(folder / "pipe")


def test_only_what_was_asked_for(premises, came):
    part = restored(premises, to="part", include=["wards", "deep/er"])
    done = verified(premises, part, include=["wards", "deep/er"])
    assert (done.verdict, done.outputs["files"]) == (Verdict.PASS, 2)
    assert verified(premises, part).outputs["missing_count"] > 0
    done = verified(premises, part, include=["/etc/passwd"])
    assert (done.cause, "lies" in done.message) == ("argument", True)


def test_what_cannot_be_looked_at_is_an_error_and_says_why(premises, came):
    gone = verified(premises, came, path="no/such/folder")
    assert (gone.verdict, gone.cause) == (Verdict.FAIL, "missing")
    short = verified(premises, came, snapshot=came["snapshot"][:8])
    assert (short.verdict, short.cause) == (Verdict.FAIL, "argument")
    strange_one = verified(premises, came, snapshot="0" * 64)
    assert (strange_one.verdict, strange_one.cause) == (Verdict.ERROR, "damaged")
    stopped = Cancellation()
    stopped.cancel("enough")
    assert verified(premises, came, stopped).cause == "cancelled"
    with premises.program() as program:
        bucket = bucket_of(program.tools, program.region("mtl"))
        for index in list(bucket.list_objects("datasets/docs/index/")):
            bucket.delete(index.name)
    blind = verified(premises, came)
    assert (blind.verdict, blind.cause) == (Verdict.ERROR, "damaged")
    assert "no index names" in blind.message
    assert verified(premises, came, region="qc").verdict is Verdict.PASS
    premises.kill("mtl")
    dead = verified(premises, came)
    assert (dead.verdict, dead.cause) == (Verdict.ERROR, "unreachable")


def test_a_wrong_password_is_told(premises, came):
    (premises.folder / "lab" / "secrets" / "repo-key").write_text("not the password\n")
    with pytest.raises(Exception, match="password opens no key"):
        verified(premises, came)
