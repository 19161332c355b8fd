"""Where restored files come to rest: all of them or nothing, and never outside the target."""

import os
from pathlib import Path, PurePosixPath

import pytest

from drorch.core.errors import ResticError
from drorch.restic.landing import Needed, landing, look_at

SOURCE = PurePosixPath("/srv/ehr/documents")
EVERYTHING = 1 << 60
UNKNOWN = Needed()


def land(target, files, paths=(SOURCE,), wanted=(), needed=UNKNOWN):
    """Restore as restic would: files (snapshot path to text) into the tree, then settle."""
    with landing(target, needed) as place:
        for path, text in files.items():
            file = place.tree.joinpath(*PurePosixPath(path).parts[1:])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return place.settle(paths, wanted)


def content(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def refusal(target, **how):
    with pytest.raises(ResticError) as refused:
        land(target, {f"{SOURCE}/a": "1"}, **how)
    return refused.value


def test_one_folder_lands_as_its_contents(tmp_path):
    done = land(tmp_path / "to", {f"{SOURCE}/a": "1", f"{SOURCE}/wards/b": "22"})
    assert content(tmp_path / "to") == {"a": "1", "wards/b": "22"}
    assert (done.files, done.bytes, done.entries, done.missing) == (2, 3, 3, ())


def test_one_file_lands_under_its_name(tmp_path):
    done = land(tmp_path / "to", {"/etc/ehr.conf": "x"}, [PurePosixPath("/etc/ehr.conf")])
    assert content(tmp_path / "to") == {"ehr.conf": "x"}
    assert (done.files, done.bytes) == (1, 1)


def test_a_dump_lands_under_its_filename(tmp_path):
    land(tmp_path / "to", {"/ehr.dump": "x"}, [PurePosixPath("/ehr.dump")])
    assert content(tmp_path / "to") == {"ehr.dump": "x"}


def test_of_several_paths_the_longest_common_folder_is_left_out(tmp_path):
    paths = [PurePosixPath("/srv/ehr/documents"), PurePosixPath("/srv/ehr/db/dump")]
    land(tmp_path / "to", {"/srv/ehr/documents/a": "1", "/srv/ehr/db/dump": "2"}, paths)
    assert content(tmp_path / "to") == {"documents/a": "1", "db/dump": "2"}


def test_paths_with_nothing_in_common_keep_their_whole_names(tmp_path):
    paths = [PurePosixPath("/srv/a"), PurePosixPath("/etc/b")]
    land(tmp_path / "to", {"/srv/a": "1", "/etc/b": "2"}, paths)
    assert content(tmp_path / "to") == {"srv/a": "1", "etc/b": "2"}


def test_a_source_path_the_snapshot_lacks_is_named(tmp_path):
    paths = [PurePosixPath("/srv/a"), PurePosixPath("/srv/b")]
    done = land(tmp_path / "to", {"/srv/a/x": "1"}, paths)
    assert done.missing == (PurePosixPath("/srv/b"),)


def test_a_snapshot_of_something_else_is_an_error_and_leaves_nothing(tmp_path):
    error = refusal(tmp_path / "to", paths=[PurePosixPath("/elsewhere")])
    assert error.cause == "not-found"
    assert not (tmp_path / "to").exists()


def test_an_included_path_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path):
    error = refusal(tmp_path / "to", wanted=[SOURCE / "b"])
    assert error.cause == "not-found"
    assert f"{SOURCE}/b" in error.message
    assert not (tmp_path / "to").exists()


def test_a_target_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").write_text("precious")
    error = refusal(tmp_path)
    assert error.cause == "target-not-empty"
    assert "mine" in error.message
    assert content(tmp_path) == {"mine": "precious"}


def test_a_look_before_says_what_the_restore_would_and_touches_nothing(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("precious")
    for to in ("file", "file/in/it", "full"):
        with pytest.raises(ResticError) as caught:
            look_at(tmp_path / to)
        assert caught.value.cause == "target-not-empty"
    (tmp_path / "loop").symlink_to("loop")
    for to in ("loop", "x" * 300):
        with pytest.raises(ResticError) as caught:
            look_at(tmp_path / to)
        assert caught.value.cause == "target-unusable"
    left = tmp_path / "left"
    (left / ".drorch-restore-dead").mkdir(parents=True)
    for to in ("new/deep", "left"):
        look_at(tmp_path / to)
    assert not (tmp_path / "new").exists()
    assert (left / ".drorch-restore-dead").exists()


def test_a_target_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "to").write_text("precious")
    assert refusal(tmp_path / "to").cause == "target-not-empty"
    assert (tmp_path / "to").read_text() == "precious"


def test_an_empty_target_is_used_and_stays_when_the_restore_fails(tmp_path):
    target = tmp_path / "to"
    target.mkdir()
    refusal(target, paths=[PurePosixPath("/elsewhere")])
    assert list(target.iterdir()) == []
    land(target, {f"{SOURCE}/a": "1"})
    assert content(target) == {"a": "1"}


def test_folders_made_on_the_way_go_again_when_the_restore_fails(tmp_path):
    refusal(tmp_path / "far" / "away" / "to", paths=[PurePosixPath("/elsewhere")])
    assert list(tmp_path.iterdir()) == []


def test_a_failing_restic_leaves_the_target_as_it_was(tmp_path):
    def restore():
        with landing(tmp_path / "to", Needed()) as place:
            place.tree.mkdir()
            (place.tree / "half").write_text("a file")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        restore()
    assert not (tmp_path / "to").exists()


def test_too_little_space_is_told_before_anything_is_written(tmp_path):
    error = refusal(tmp_path / "to", needed=Needed(bytes=EVERYTHING))
    assert error.cause == "disk-full"
    assert "MiB free" in error.message
    assert not (tmp_path / "to").exists()


def test_too_few_inodes_are_told_before_anything_is_written(tmp_path):
    error = refusal(tmp_path / "to", needed=Needed(files=EVERYTHING))
    assert error.cause == "disk-full"
    assert not (tmp_path / "to").exists()


def test_a_link_on_the_way_to_the_target_is_resolved_and_said(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    done = land(tmp_path / "link" / "to", {f"{SOURCE}/a": "1"})
    assert done.target == (tmp_path / "real" / "to").resolve()
    assert content(tmp_path / "real" / "to") == {"a": "1"}


def test_links_that_go_round_in_circles_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert refusal(tmp_path / "a").cause == "target-unusable"


def test_a_restored_link_out_of_the_target_is_moved_and_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("stays")
    with landing(tmp_path / "to", Needed()) as place:
        folder = place.tree / "srv" / "ehr" / "documents"
        folder.mkdir(parents=True)
        (folder / "out").symlink_to(outside)
        (folder / "gone").symlink_to("/nowhere/at/all")
        done = place.settle([SOURCE], [])
    assert (tmp_path / "to" / "out").readlink() == outside
    assert content(outside) == {"precious": "stays"}
    assert (done.files, done.entries) == (0, 2)


def test_a_snapshot_whose_folder_is_a_link_is_not_followed(tmp_path):
    outside = tmp_path / "outside" / "documents"
    outside.mkdir(parents=True)
    (outside / "precious").write_text("stays")

    def restore():
        with landing(tmp_path / "to", Needed()) as place:
            (place.tree / "srv").mkdir(parents=True)
            (place.tree / "srv" / "ehr").symlink_to(outside.parent)
            place.settle([SOURCE], [])

    with pytest.raises(ResticError) as refused:
        restore()
    assert refused.value.cause == "not-found"
    assert content(outside) == {"precious": "stays"}


def test_a_source_that_was_a_link_lands_as_the_link(tmp_path):
    with landing(tmp_path / "to", Needed()) as place:
        (place.tree / "srv" / "ehr").mkdir(parents=True)
        (place.tree / "srv" / "ehr" / "documents").symlink_to("/etc")
        done = place.settle([SOURCE], [])
    assert (tmp_path / "to" / "documents").readlink() == Path("/etc")
    assert (done.files, done.entries) == (0, 1)


def test_two_restores_into_one_target_do_not_meet(tmp_path):
    with landing(tmp_path / "to", Needed()) as place:
        place.tree.mkdir()
        assert refusal(tmp_path / "to").cause == "target-busy"
        (place.tree / "a").write_text("1")
        place.settle([PurePosixPath("/a")], [])
    assert content(tmp_path / "to") == {"a": "1"}


def test_what_a_killed_restore_left_makes_way_for_the_next(tmp_path):
    target = tmp_path / "to"
    (target / ".drorch-restore-dead" / "tree" / "srv").mkdir(parents=True)
    (target / ".drorch-restore-dead" / "tree" / "srv" / "half").write_text("half")
    land(target, {f"{SOURCE}/a": "1"})
    assert content(target) == {"a": "1"}


def test_what_a_restore_killed_while_moving_left_makes_way_for_the_next(tmp_path):
    target = tmp_path / "to"
    (target / ".drorch-restore-dead").mkdir(parents=True)
    (target / ".drorch-restore-dead" / "moving.json").write_text('["a", "b"]')
    (target / "a").write_text("moved, and the power went")
    land(target, {f"{SOURCE}/a": "1", f"{SOURCE}/b": "2"})
    assert content(target) == {"a": "1", "b": "2"}


def test_a_foreign_file_beside_what_a_killed_restore_left_is_never_removed(tmp_path):
    target = tmp_path / "to"
    (target / ".drorch-restore-dead").mkdir(parents=True)
    (target / ".drorch-restore-dead" / "moving.json").write_text('["a"]')
    (target / "mine").write_text("precious")
    assert refusal(target).cause == "target-not-empty"
    assert (target / "mine").read_text() == "precious"


def test_a_new_target_takes_mode_and_times_of_the_folder_it_stands_for(tmp_path):
    with landing(tmp_path / "to", Needed()) as place:
        folder = place.tree / "srv" / "ehr" / "documents"
        folder.mkdir(parents=True)
        (folder / "a").write_text("1")
        folder.chmod(0o750)
        os.utime(folder, (1_000_000, 1_000_000))
        place.settle([SOURCE], [])
    found = (tmp_path / "to").stat()
    assert found.st_mode & 0o777 == 0o750
    assert found.st_mtime == 1_000_000


def test_read_only_folders_are_moved_and_stay_read_only(tmp_path):
    with landing(tmp_path / "to", Needed()) as place:
        folder = place.tree / "srv" / "ehr" / "documents" / "sealed"
        folder.mkdir(parents=True)
        (folder / "a").write_text("1")
        folder.chmod(0o555)
        place.settle([SOURCE], [])
    assert (tmp_path / "to" / "sealed").stat().st_mode & 0o777 == 0o555
    (tmp_path / "to" / "sealed").chmod(0o755)
