"""The wrapper against real restic binaries: every trap that ate somebody's backup."""

import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from drorch.core.errors import ResticError
from drorch.ports import Cancellation
from drorch.restic.landing import Needed
from drorch.restic.process import Attempt, DumpCommand
from drorch.restic.repository import RepositoryAddress

PATH = {"PATH": os.environ["PATH"]}


def tree(folder):
    """Everything below a folder: kind, mode, content."""
    told = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            told[name] = ("link", str(path.readlink()))
        else:
            content = path.read_bytes() if path.is_file() else None
            told[name] = (oct(path.stat().st_mode), content)
    return told


def inside(ward):
    return [PurePosixPath(ward.source)]


def children_of(ward):
    """Processes that work on this very repository."""
    wanted = f"RESTIC_REPOSITORY={ward.address.url}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue
    return found


def failure(call, *args, **how):
    with pytest.raises(ResticError) as failed:
        call(*args, **how)
    return failed.value


@contextmanager
def somebody_working(ward):
    """A backup that holds its lock until the block ends."""
    cancel, at_work = Cancellation(), threading.Event()

    def told(_):
        if ward.repository_files("locks"):
            at_work.set()

    attempt = Attempt(cancel=cancel, progress=told)
    dump = DumpCommand(("sleep", "600"), "endless", PATH)

    def work():
        failure(ward.restic.backup, ward.address, host="other", dump=dump, attempt=attempt)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert at_work.wait(60)
        yield
    finally:
        cancel.cancel("enough")
        thread.join()


def test_what_was_backed_up_comes_back_whole_and_is_really_counted(ward):
    target = ward.folder / "to"
    needed = Needed(bytes=ward.first.total_bytes, files=ward.first.total_files)
    done = ward.restic.restore(
        ward.address, ward.first.snapshot_id, inside(ward), target, needed=needed, verify=True
    )
    assert tree(target) == tree(ward.source)
    assert (done.files, done.bytes) == (ward.first.total_files, ward.first.total_bytes)
    assert done.target == target
    assert target.stat().st_mtime_ns == ward.source.stat().st_mtime_ns


def test_included_paths_come_alone_and_their_names_are_meant_literally(ward):
    target = ward.folder / "to"
    include = [PurePosixPath("été [1]*.txt"), PurePosixPath(ward.source / "wards")]
    ward.restic.restore(ward.address, ward.first.snapshot_id, inside(ward), target, include=include)
    names = {"été [1]*.txt", "wards", "wards/north", "wards/north/a.txt"}
    assert set(tree(target)) == names


def test_the_snapshot_is_listed_with_its_whole_id(ward):
    (listed,) = ward.restic.snapshots(ward.address, tags=["drorch"])
    assert listed.id.startswith(ward.first.snapshot_id)
    assert len(listed.id) == 64
    assert listed.paths == tuple(inside(ward))
    assert ward.first.snapshot_at in (None, listed.time)


def test_a_file_that_cannot_be_read_makes_the_backup_partial_and_keeps_its_id(ward):
    unreadable = Path("/proc/self/mem")  # there for everybody, and fails on the first read
    done = ward.restic.backup(ward.address, host="ehr", paths=[ward.source, unreadable])
    assert done.partial
    assert [u.item for u in done.unreadable] == ["/proc/self/mem"]
    assert done.total_files == ward.first.total_files
    assert any(s.name.startswith(done.snapshot_id) for s in ward.repository_files("snapshots"))


def test_a_failing_dump_leaves_no_snapshot_no_lock_and_no_process(ward):
    # more than a pipe holds: restic is at work when the dump fails
    half = "head -c 3000000 /dev/urandom; echo no disk >&2; exit 4"
    dump = DumpCommand(("sh", "-c", half), "ehr.dump", PATH)
    error = failure(ward.restic.backup, ward.address, host="ehr", dump=dump)
    assert error.cause == "dump-failed"
    assert "no disk" in error.message
    assert len(ward.repository_files("snapshots")) == 1
    assert ward.repository_files("locks") == []
    assert children_of(ward) == []


def test_a_dump_is_backed_up_and_lands_under_its_filename(ward):
    secretive = 'env > /dev/stderr; printf data; test -z "$RESTIC_PASSWORD"'
    dump = DumpCommand(("sh", "-c", secretive), "ehr.dump", PATH)
    done = ward.restic.backup(ward.address, host="ehr", dump=dump)
    assert (done.total_files, done.total_bytes) == (1, 4)
    target = ward.folder / "to"
    paths = [PurePosixPath("/ehr.dump")]
    ward.restic.restore(ward.address, done.snapshot_id, paths, target)
    assert (target / "ehr.dump").read_text() == "data"


def test_a_restore_of_a_damaged_repository_fails_although_the_cache_is_warm(ward):
    for pack in ward.repository_files("data"):
        pack.write_bytes(bytes(pack.stat().st_size))
    target = ward.folder / "to"
    error = failure(ward.restic.restore, ward.address, ward.first.snapshot_id, inside(ward), target)
    assert error.cause == "damaged"
    assert not target.exists()


def test_a_restore_with_missing_packs_is_a_failure(ward):
    for pack in ward.repository_files("data"):
        pack.unlink()
    target = ward.folder / "to"
    wanted = (ward.address, ward.first.snapshot_id, inside(ward), target)
    # Before 0.17 restic would try for a quarter of an hour.
    error = failure(ward.restic.restore, *wanted)
    assert error.cause == "damaged"
    assert not target.exists()


def test_a_check_finds_flipped_bits_when_it_reads_the_data(ward):
    big = max(ward.repository_files("data"), key=lambda p: p.stat().st_size)
    content = bytearray(big.read_bytes())
    content[1000] ^= 1
    big.write_bytes(content)
    assert ward.restic.check(ward.address).clean
    done = ward.restic.check(ward.address, read_data=True)
    assert not done.clean
    assert done.broken_packs == (big.name,)


def test_a_check_with_progress_is_told_in_text_by_every_version(ward):
    seen = []
    done = ward.restic.check(ward.address, read_data=True, attempt=Attempt(progress=seen.append))
    assert done.clean
    assert any("packs" in p.message for p in seen)


def test_a_wrong_password_is_said_to_be_one(ward):
    wrong = RepositoryAddress(ward.address.url, "guess")
    error = failure(ward.restic.snapshots, wrong)
    assert error.cause == "wrong-password"
    assert "guess" not in error.message


def test_no_repository_is_said_and_none_is_made(ward):
    nowhere = RepositoryAddress(str(ward.folder / "nowhere"), "pw")
    error = failure(ward.restic.backup, nowhere, host="ehr", paths=[ward.source])
    assert error.cause == "no-repository"
    assert not (ward.folder / "nowhere").exists()


def test_an_existing_repository_is_never_made_again(ward):
    assert failure(ward.restic.init, ward.address).cause == "exists"


def test_an_unknown_snapshot_is_said_to_be_one(ward):
    target = ward.folder / "to"
    error = failure(ward.restic.restore, ward.address, "00c0ffee", inside(ward), target)
    assert error.cause == "not-found"
    assert not target.exists()


def test_a_cancelled_backup_leaves_no_lock_no_snapshot_and_no_process(ward, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(40_000_000))
    cancel = Cancellation()

    def told(_):
        if ward.repository_files("locks"):
            cancel.cancel("Ctrl-C")

    # It does not end before it is cancelled, however fast this machine is.
    dump = DumpCommand(("sh", "-c", f"cat {big}; exec sleep 600"), "big", PATH)
    attempt = Attempt(cancel=cancel, progress=told)
    error = failure(ward.restic.backup, ward.address, host="ehr", dump=dump, attempt=attempt)
    assert error.cause == "interrupted"
    assert ward.repository_files("locks") == []
    assert len(ward.repository_files("snapshots")) == 1
    assert children_of(ward) == []


def test_a_backup_past_its_deadline_leaves_no_lock_no_snapshot_and_no_process(ward):
    dump = DumpCommand(("sleep", "600"), "endless", PATH)
    attempt = Attempt(timeout=timedelta(seconds=3))
    error = failure(ward.restic.backup, ward.address, host="ehr", dump=dump, attempt=attempt)
    assert error.cause == "timeout"
    assert ward.repository_files("locks") == []
    assert len(ward.repository_files("snapshots")) == 1
    assert children_of(ward) == []


def test_a_locked_repository_is_said_to_be_and_a_living_lock_is_not_removed(ward):
    with somebody_working(ward):
        assert failure(ward.restic.check, ward.address).cause == "locked"
        ward.restic.unlock(ward.address)
        (lock,) = ward.restic.locks(ward.address)
        assert not lock.exclusive
        assert lock.id == ward.repository_files("locks")[0].name
    assert ward.repository_files("locks") == []


def test_the_lock_of_a_killed_restic_is_removed_as_stale(ward):
    with subprocess.Popen(
        [ward.binary, "backup", "--json", "--stdin"],
        env={
            **PATH,
            "HOME": str(ward.folder),
            "RESTIC_REPOSITORY": ward.address.url,
            "RESTIC_PASSWORD": ward.address.password,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as killed:
        while killed.stdout.readline() and not ward.repository_files("locks"):
            pass
        killed.send_signal(signal.SIGKILL)
    assert len(ward.repository_files("locks")) == 1
    ward.restic.unlock(ward.address)
    assert ward.repository_files("locks") == []


def test_a_copy_into_a_second_repository_shares_its_chunks_and_names_its_source(ward):
    second = RepositoryAddress(str(ward.folder / "second"), "another password")
    ward.restic.init(second, chunker_from=ward.address)
    (copied,) = ward.restic.copy(ward.address, second)
    (there,) = ward.restic.snapshots(second)
    assert there.id.startswith(copied.copy)
    assert (there.original or "").startswith(copied.source or "nothing")
    here = ward.restic.config(ward.address)
    assert ward.restic.config(second).chunker_polynomial == here.chunker_polynomial
    assert not any(not c.already for c in ward.restic.copy(ward.address, second))


def test_what_is_forgotten_is_gone_and_its_space_is_freed_by_a_prune(ward):
    more = ward.folder / "more.bin"
    more.write_bytes(os.urandom(400_000))
    ward.restic.backup(ward.address, host="ehr", paths=[more])
    listed = ward.restic.snapshots(ward.address)
    newest = listed[-1].id
    assert ward.restic.forget(ward.address, [newest]).ignored == ()
    assert ward.restic.forget(ward.address, [newest]).ignored == (newest,)
    assert [s.id for s in ward.restic.snapshots(ward.address)] == [listed[0].id]
    before = sum(p.stat().st_size for p in ward.repository_files("data"))
    done = ward.restic.prune(ward.address, max_unused="0")
    after = sum(p.stat().st_size for p in ward.repository_files("data"))
    assert before - after > 400_000
    assert done.bytes_removed > 400_000
    assert done.bytes_left > 700_000
    assert ward.restic.check(ward.address, read_data=True).clean


def test_a_repository_tells_of_itself(ward):
    entries = []
    snapshot = ward.restic.ls(ward.address, ward.first.snapshot_id, entries.append)
    assert snapshot.host == "ehr"
    assert PurePosixPath(ward.source / "wards" / "north" / "a.txt") in {e.path for e in entries}
    stats = ward.restic.stats(ward.address, snapshot=snapshot.id)
    assert stats.total_size == ward.first.total_bytes
    (key,) = ward.restic.keys(ward.address)
    assert key.current
