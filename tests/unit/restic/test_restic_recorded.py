"""What three versions of restic really said, and what is made of it."""

import json

import pytest

from drorch.core.errors import ResticError
from drorch.ports import Completed, Ended
from drorch.restic.failure import diagnose
from drorch.restic.lines import Listener
from drorch.restic.reading import (
    read_backed_up,
    read_check,
    read_config,
    read_copied,
    read_entry,
    read_forgotten,
    read_keys,
    read_lock,
    read_pruned,
    read_snapshot,
    read_stats,
)
from tests.unit.restic.replay import RECORDED, VERSIONS, recording

each_version = pytest.mark.parametrize("version", VERSIONS)


def document(version, scenario):
    return json.loads(recording(version, scenario).heard(whole=True).document)


@pytest.mark.parametrize(
    "path", sorted(RECORDED.glob("*/*.json")), ids=lambda p: "/".join(p.parts[-2:])
)
def test_no_recorded_output_upsets_the_listener_or_the_diagnosis(path):
    played = recording(path.parent.name, path.stem)
    heard = played.heard()
    error = diagnose(played.argv[0], played.completed(), heard)
    assert error.message
    assert error.hint
    assert error.cause
    assert "\x1b" not in error.message


@each_version
def test_a_backup_is_read(version):
    played = recording(version, "backup")
    done = read_backed_up(played.heard(), played.exit_code)
    assert (done.files_new, done.total_files, done.total_bytes) == (4, 4, 1049626)
    assert not done.partial
    assert done.short_id is (version == "0.14.0")
    assert (done.snapshot_at is None) is (version == "0.14.0")


@each_version
def test_the_time_of_a_backup_is_the_time_of_its_snapshot(version):
    played = recording(version, "backup")
    done = read_backed_up(played.heard(), played.exit_code)
    listed = [read_snapshot(s) for s in document(version, "snapshots")]
    same = next(s for s in listed if s.id.startswith(done.snapshot_id))
    assert done.snapshot_at in (None, same.time)


@each_version
def test_exit_3_keeps_the_snapshot_id_and_is_partial(version):
    played = recording(version, "backup-partial")
    assert played.exit_code == 3
    done = read_backed_up(played.heard(), played.exit_code)
    assert done.partial
    assert done.snapshot_id
    assert [u.item for u in done.unreadable] == ["/proc/self/mem"]
    assert "nput/output error" in done.unreadable[0].message


@each_version
def test_a_source_that_restic_skipped_fails_the_backup_whatever_the_exit_code(version):
    played = recording(version, "backup-source-gone")
    assert played.exit_code in (0, 3)
    with pytest.raises(Exception, match="source-gone vanished") as failed:
        read_backed_up(played.heard(), played.exit_code)
    assert failed.value.cause == "source-missing"


@each_version
def test_snapshots_are_read(version):
    listed = [read_snapshot(s) for s in document(version, "snapshots")]
    assert len(listed) == 4
    assert all(len(s.id) == 64 and s.time.tzinfo is not None for s in listed)
    assert {s.host for s in listed} == {"ehr"}
    assert {s.tags for s in listed} == {("drorch",)}
    assert (listed[0].total_files is None) is (version == "0.14.0")


@each_version
def test_a_copied_snapshot_names_its_original(version):
    originals = {s["original"] for s in document(version, "snapshots-copied")}
    assert originals == {s["id"] for s in document(version, "snapshots")}


@each_version
def test_copies_are_paired_with_their_sources(version):
    copied = read_copied(recording(version, "copy").heard().log)
    listed = [read_snapshot(s) for s in document(version, "snapshots-copied")]
    by_copy = {s.id[:8]: (s.original or "")[:8] for s in listed}
    assert {c.copy: c.source for c in copied} == by_copy
    assert not any(c.already for c in copied)


def test_0_14_says_what_was_copied_before():
    again = read_copied(recording("0.14.0", "copy-again").heard().log)
    assert len(again) == 4
    assert all(c.already for c in again)


@each_version
def test_a_forget_names_what_was_not_there(version):
    assert read_forgotten(recording(version, "forget").heard().log).ignored == ("00c0ffee",)


@each_version
def test_a_snapshot_that_cannot_be_removed_fails_the_forget_whatever_the_exit_code(version):
    played = recording(version, "forget-not-removed")
    assert played.exit_code == {"0.14.0": 1, "0.18.0": 0, "0.19.1": 3}[version]
    heard = played.heard()
    assert diagnose("forget", played.completed(), heard).cause == "not-removed"
    if version != "0.14.0":
        with pytest.raises(ResticError, match="could not remove snapshot/") as refused:
            read_forgotten(heard.log)
        assert refused.value.cause == "not-removed"


@each_version
def test_a_prune_says_what_it_freed_and_left(version):
    done = read_pruned(recording(version, "prune").heard().log)
    assert done.blobs_removed > 0
    assert done.bytes_removed > 190_000
    assert done.bytes_left > 95_000
    nothing = read_pruned(recording(version, "prune-nothing").heard().log)
    assert (nothing.blobs_removed, nothing.bytes_removed) == (0, 0)
    assert (nothing.blobs_left, nothing.bytes_left) == (done.blobs_left, done.bytes_left)


def test_a_prune_that_says_nothing_is_not_believed():
    with pytest.raises(ResticError, match="without saying"):
        read_pruned(["done"])


@each_version
def test_small_documents_are_read(version):
    stats = read_stats(document(version, "stats-restore-size"))
    assert (stats.total_size, stats.snapshots) == (1049626, 1)
    config = read_config(document(version, "cat-config"))
    assert (len(config.id), config.version) == (64, 2)
    (key,) = read_keys(document(version, "key-list"))
    assert key.current
    lock = read_lock("a", document(version, "cat-lock"))
    assert not lock.exclusive
    assert lock.pid > 0
    assert document(version, "snapshots-none") == []


@each_version
def test_a_listing_is_streamed(version):
    nodes = []
    heard = recording(version, "ls").heard(on_node=nodes.append)
    entries = [read_entry(n) for n in nodes]
    assert [e.kind for e in entries].count("file") == 4
    assert sum(e.size for e in entries) == 1049626
    assert read_snapshot(heard.messages[0]).id


@each_version
@pytest.mark.parametrize("scenario", ["check", "check-text"])
def test_a_clean_check_is_clean(version, scenario):
    played = recording(version, scenario)
    done = read_check(played.heard(), played.exit_code)
    assert done.clean
    assert (done.errors, done.broken_packs) == ((), ())


@each_version
@pytest.mark.parametrize(
    "scenario", ["check-flipped-text", "check-missing-pack", "check-missing-pack-text"]
)
def test_damage_is_found_and_the_pack_is_named(version, scenario):
    played = recording(version, scenario)
    error = diagnose("check", played.completed(), played.heard())
    assert error.cause == "damaged"
    done = read_check(played.heard(), played.exit_code)
    assert not done.clean
    assert done.errors
    assert len(done.broken_packs) == 1


@each_version
@pytest.mark.parametrize("scenario", ["restore-missing-pack", "restore-missing-tree"])
def test_a_restore_with_missing_packs_is_damage_although_a_summary_is_printed(version, scenario):
    played = recording(version, scenario)
    heard = played.heard()
    assert played.exit_code != 0
    assert (heard.of_type("summary") is not None) is (version != "0.14.0")
    error = diagnose("restore", played.completed(), heard)
    assert error.cause == "damaged"
    assert "another region" in error.hint


@each_version
@pytest.mark.parametrize(
    ("scenario", "cause", "hint"),
    [
        ("wrong-password", "wrong-password", "keys/ may have been deleted"),
        ("no-repository", "no-repository", "repo init"),
        ("locked", "locked", "drorch repo unlock"),
        ("init-again", "exists", "nothing needs to be done"),
        ("restore-unknown-snapshot", "not-found", "snapshots list"),
        ("restore-disk-full", "disk-full", "free space"),
        ("backup-disk-full", "disk-full", "TMPDIR"),
        ("backup-all-sources-gone", "source-missing", "mounted"),
        ("interrupted", "interrupted", "not sent twice"),
        ("unknown-flag", "failed", "restic's own words"),
    ],
)
def test_each_failure_has_its_cause_and_says_what_to_do(version, scenario, cause, hint):
    played = recording(version, scenario)
    error = diagnose(played.argv[0], played.completed(), played.heard())
    assert error.cause == cause
    assert hint in error.hint
    assert "Fatal" not in error.message


def test_a_missing_bucket_is_not_taken_for_a_missing_repository():
    said = recording("0.18.0", "no-repository").heard()
    said.log.append("client.BucketExists: The specified bucket does not exist")
    error = diagnose("snapshots", Completed(Ended.EXITED, 10), said)
    assert error.cause == "no-bucket"
    assert "yourself" in error.hint


def test_a_lost_connection_is_not_taken_for_damage():
    said = recording("0.18.0", "restore-missing-pack").heard()
    said.log.append("Load(<data/b941e69dab>, 260, 1226) failed: dial tcp: connection refused")
    error = diagnose("restore", Completed(Ended.EXITED, 1), said)
    assert error.cause == "unreachable"


def test_who_goes_on_asking_for_what_is_gone_is_told_so_once():
    """0.14 would ask for a quarter of an hour."""
    told = []
    heard = recording("0.14.0", "restore-missing-pack").heard(on_gone=lambda: told.append(1))
    assert (heard.gone, told) == (["data/3e1b436a60"], [1])


def test_what_may_pass_by_itself_is_not_taken_for_gone():
    heard = Listener()
    for wait in ("552.330144ms", "1.080381816s", "1.31013006s", "1.582392691s"):
        for why in ("connection refused", "503 Service Unavailable", "unexpected EOF"):
            heard.stderr(
                f"Load(<data/3e1b436a60>, 1, 2) returned error, retrying after {wait}: {why}"
            )
    assert heard.gone == []
