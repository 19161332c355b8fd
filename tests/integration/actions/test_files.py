"""`files.verify`, `files.write` and `files.remove` on a real file system."""

import hashlib
import os
import subprocess

import pytest

from drorch.actions.files import REMOVE, VERIFY, WRITE
from drorch.actions.signs import INSPECT
from drorch.core.names import Verdict
from drorch.ports import Cancellation


@pytest.fixture
def tree(place):
    root = place.folder / "tree"
    (root / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.bin", "sub/été\n.txt", "sub/back\\slash"):
        (root / name).write_text(f"content of {name}")
    (root / "link").symlink_to("a.txt")
    manifest = place.folder / "SHA256SUMS"
    found = subprocess.run(
        "find . -type f -exec sha256sum {} +", shell=True, cwd=root, capture_output=True, check=True
    )
    manifest.write_bytes(found.stdout)
    return root


class TestVerify:
    def test_whole(self, place, tree):
        result = place.do(VERIFY, path="tree", manifest="SHA256SUMS", exact=True)
        assert result.verdict is Verdict.PASS
        assert result.outputs["files"] == result.outputs["matched"] == 4
        assert result.outputs["bytes"] == sum(
            p.stat().st_size for p in tree.rglob("*") if p.is_file() and not p.is_symlink()
        )
        assert result.outputs["mismatched"] == result.outputs["missing"] == []

    def test_every_kind_of_difference(self, place, tree):
        (tree / "a.txt").write_text("changed")
        (tree / "sub" / "b.bin").unlink()
        (tree / "new").write_text("")
        result = place.do(VERIFY, path="tree", manifest="SHA256SUMS")
        assert (result.verdict, result.cause) == (Verdict.FAIL, "mismatch")
        out = result.outputs
        assert (out["mismatched"], out["missing"], out["extra"]) == (
            ["a.txt"],
            ["sub/b.bin"],
            ["new"],
        )
        assert out["matched"] == 2
        assert "1 differ (a.txt …); 1 are missing (sub/b.bin …)" in result.message

    def test_extra_files_count_only_when_exact(self, place, tree):
        (tree / "new").write_text("")
        assert place.do(VERIFY, path="tree", manifest="SHA256SUMS").verdict is Verdict.PASS
        assert (
            place.do(VERIFY, path="tree", manifest="SHA256SUMS", exact=True).verdict is Verdict.FAIL
        )

    def test_only_twenty_are_named(self, place, tree):
        for number in range(30):
            (tree / f"{number:02}").write_text("")
        out = place.do(VERIFY, path="tree", manifest="SHA256SUMS").outputs
        assert len(out["extra"]) == 20
        assert out["extra_count"] == 30

    def test_a_manifest_inside_is_not_an_extra_file(self, place, tree):
        (place.folder / "SHA256SUMS").rename(tree / "SHA256SUMS")
        result = place.do(VERIFY, path="tree", manifest="tree/SHA256SUMS", exact=True)
        assert result.verdict is Verdict.PASS

    def test_counts_and_digests(self, place, tree):
        out = place.do(VERIFY, path="tree").outputs
        told = {name: out[name] for name in ("files", "bytes", "digest")}
        assert place.do(VERIFY, path="tree", **told).verdict is Verdict.PASS
        for name, wrong in (("files", "5"), ("bytes", 1), ("digest", "0" * 64)):
            result = place.do(VERIFY, path="tree", **{**told, name: wrong})
            assert (result.verdict, result.cause) == (Verdict.FAIL, "mismatch")
        (tree / "a.txt").rename(tree / "z.txt")
        assert place.do(VERIFY, path="tree", digest=told["digest"]).verdict is Verdict.FAIL

    def test_one_file(self, place, tree):
        digest = hashlib.sha256(b"content of a.txt").hexdigest()
        result = place.do(VERIFY, path="tree/a.txt", digest=f"sha256:{digest.upper()}", files=1)
        assert result.verdict is Verdict.PASS
        assert result.outputs["digest"] == digest

    def test_missing(self, place):
        result = place.do(VERIFY, path="nowhere")
        assert (result.verdict, result.cause) == (Verdict.FAIL, "missing")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("d41d8cd98f00b204e9800998ecf8427e  md5", "is not a line of sha256sum"),
            (f"{'0' * 64}  ../outside", "which lies outside"),
            (f"{'0' * 64}  /etc/passwd", "which lies outside"),
        ],
    )
    def test_manifests_that_are_none(self, place, tree, line, said):
        (place.folder / "bad").write_text(line + "\n")
        result = place.do(VERIFY, path="tree", manifest="bad")
        assert (result.verdict, result.cause) == (Verdict.FAIL, "argument")
        assert said in result.message

    def test_an_unreadable_manifest_is_an_error_of_the_checker(self, place, tree):
        result = place.do(VERIFY, path="tree", manifest="none")
        assert (result.verdict, result.cause) == (Verdict.ERROR, "unreadable")

    def test_cancelled(self, place, tree):
        cancel = Cancellation()
        cancel.cancel("abort")
        result = place.do(VERIFY, path="tree", cancel=cancel)
        assert (result.verdict, result.cause) == (Verdict.ERROR, "cancelled")


class TestWrite:
    def test_text_and_values(self, place):
        result = place.do(WRITE, path="new/dir/app.conf", content="port=1\n", mode="0640")
        path = place.folder / "new" / "dir" / "app.conf"
        assert path.read_text() == "port=1\n"
        assert path.stat().st_mode & 0o777 == 0o640
        assert result.outputs == {"path": str(path), "bytes": 7, "created": [str(path)]}
        place.do(WRITE, path="v.json", content={"a": [1, True]})
        assert (place.folder / "v.json").read_text() == '{"a": [1, true]}'
        assert sorted(p.name for p in path.parent.iterdir()) == ["app.conf"]

    def test_what_is_there_stays_unless_told(self, place):
        path = place.folder / "mine"
        path.write_text("old")
        result = place.do(WRITE, path="mine", content="new")
        assert (result.verdict, result.cause) == (Verdict.FAIL, "exists")
        assert path.read_text() == "old"
        result = place.do(WRITE, path="mine", content="new", overwrite=True)
        assert (result.verdict, result.outputs["created"]) == (Verdict.PASS, [])
        assert path.read_text() == "new"
        assert place.do(REMOVE, path="mine").cause == "not-ours"

    def test_the_runs_own_file_may_be_written_again(self, place):
        for content in ("one", "two"):
            assert place.do(WRITE, path="f", content=content).verdict is Verdict.PASS
        assert (place.folder / "f").read_text() == "two"
        assert place.do(WRITE, run="run-2", path="f", content="x").cause == "exists"
        assert place.do(REMOVE, path="f").verdict is Verdict.PASS

    def test_a_link_is_replaced_not_followed(self, place):
        (place.folder / "target").write_text("safe")
        (place.folder / "link").symlink_to("target")
        place.do(WRITE, path="link", content="new", overwrite=True)
        assert (place.folder / "target").read_text() == "safe"
        assert not (place.folder / "link").is_symlink()

    @pytest.mark.parametrize("mode", ["rw", "0888", "77777", "4755"])
    def test_modes(self, place, mode):
        assert place.do(WRITE, path="f", mode=mode).cause == "argument"

    def test_unwritable(self, place):
        (place.folder / "file").write_text("")
        assert place.do(WRITE, path="file/below", content="x").cause == "unwritable"


class TestRemove:
    def test_a_folder_made_by_the_run_goes_whole(self, place):
        place.do(WRITE, path="work/a/f", content="x")
        (place.folder / "work" / "by-a-service").write_text("12")
        outside = place.folder / "outside"
        outside.mkdir()
        (outside / "kept").write_text("")
        (place.folder / "work" / "way-out").symlink_to(outside)
        result = place.do(REMOVE, path="work")
        assert result.verdict is Verdict.PASS
        assert result.outputs["removed"] == [str(place.folder / "work")]
        assert result.outputs["files"] == 2
        assert not (place.folder / "work").exists()
        assert (outside / "kept").exists()

    def test_what_was_there_before_stays(self, place):
        work = place.folder / "work"
        work.mkdir()
        (work / "theirs").write_text("")
        place.do(WRITE, path="work/mine", content="x")
        place.do(WRITE, path="work/deep/mine", content="x")
        result = place.do(REMOVE, path="work")
        assert result.verdict is Verdict.PASS
        assert sorted(result.outputs["removed"]) == [str(work / "deep"), str(work / "mine")]
        assert "was there before and stays" in result.message
        assert [p.name for p in work.iterdir()] == ["theirs"]

    def test_what_the_run_did_not_make_is_not_removed(self, place):
        (place.folder / "theirs").mkdir()
        result = place.do(REMOVE, path="theirs")
        assert (result.verdict, result.cause) == (Verdict.FAIL, "not-ours")
        assert (place.folder / "theirs").exists()

    def test_another_runs_work_is_not_removed(self, place):
        place.do(WRITE, path="work/f", content="x")
        assert place.do(REMOVE, run="run-2", path="work").cause == "not-ours"

    def test_nor_by_way_of_a_link(self, place):
        place.do(WRITE, path="work/f", content="x")
        theirs = place.folder / "theirs"
        theirs.mkdir()
        (theirs / "f").write_text("")
        (place.folder / "work" / "link").symlink_to(theirs)
        assert place.do(REMOVE, path="work/link/f").cause == "not-ours"
        assert place.do(REMOVE, path="work/../theirs").cause == "not-ours"
        assert (theirs / "f").exists()

    def test_what_the_run_made_elsewhere_and_is_still_there_is_told(self, place):
        place.do(WRITE, path="one/f", content="x")
        place.do(WRITE, path="two/f", content="x")
        assert place.do(REMOVE, path="one").outputs["left"] == [str(place.folder / "two")]
        assert place.do(REMOVE, path="one").outputs["left"] == [str(place.folder / "two")]
        assert place.do(REMOVE, path="two").outputs["left"] == []

    def test_nothing_there_is_fine(self, place):
        result = place.do(REMOVE, path="never")
        assert (result.verdict, result.outputs["removed"]) == (Verdict.PASS, [])

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
    def test_a_mount_below_is_refused(self, place):
        place.do(WRITE, path="work/f", content="x")
        point = place.folder / "work" / "mnt"
        point.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "none", point], check=False).returncode:
            pytest.skip("this machine lets nobody mount")
        try:
            result = place.do(REMOVE, path="work")
            assert (result.verdict, result.cause) == (Verdict.FAIL, "not-removed")
            assert "another file system" in result.message
            assert (place.folder / "work" / "f").exists()
        finally:
            subprocess.run(["umount", point], check=True)


def test_files_that_somebody_has_encrypted_are_seen(place):
    folder = place.folder / "docs"
    folder.mkdir()
    for n in range(60):
        (folder / f"{n}.txt").write_text(f"patient {n}\n" * 200)
    done = place.do(INSPECT, path="docs")
    assert (done.verdict, done.outputs["files"], done.findings) == (Verdict.PASS, 60, ())
    (folder / "7.txt").write_bytes(os.urandom(4000))
    (found,) = place.do(INSPECT, path="docs").findings
    assert found.message.startswith("1 of 60 files look encrypted, such as 7.txt")
    for n in range(20):
        (folder / f"{n}.txt").write_bytes(os.urandom(4000))
    done = place.do(INSPECT, path="docs")
    assert (done.verdict, done.cause) == (Verdict.FAIL, "encrypted")
    assert done.outputs["suspicious_count"] == 20
    assert place.do(INSPECT, path="docs", max_share="40%").verdict is Verdict.PASS
    assert place.do(INSPECT, path="docs/1.txt").cause == "encrypted"


def test_what_cannot_be_inspected_says_why(place):
    (place.folder / "none").mkdir()
    assert place.do(INSPECT, path="none").cause == "empty"
    assert place.do(INSPECT, path="nowhere").cause == "missing"
    for wrong in ("lots", "120%", -1):
        assert place.do(INSPECT, path="none", max_share=wrong).cause == "argument"
    stopped = Cancellation()
    stopped.cancel("enough")
    (place.folder / "none" / "a").touch()
    assert place.do(INSPECT, path="none", cancel=stopped).cause == "cancelled"
