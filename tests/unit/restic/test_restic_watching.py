"""A restore's progress as seen from outside."""

import threading

from drorch.ports import Progress
from drorch.restic.watching import watched


def test_what_lies_in_the_folder_is_told_until_the_restore_is_over(tmp_path):
    told: list[Progress] = []
    seen = threading.Event()

    def sink(progress: Progress) -> None:
        told.append(progress)
        if progress.files_done == 3:
            seen.set()

    with watched(tmp_path / "tree", sink, files=4, size=1_000_000):
        (tmp_path / "tree" / "a").mkdir(parents=True)
        for name in ("x", "a/y", "a/z"):
            (tmp_path / "tree" / name).write_bytes(b"1" * 8192)
        assert seen.wait(30)
    last = told[-1]
    assert (last.files_done, last.files_total, last.bytes_total) == (3, 4, 1_000_000)
    assert last.bytes_done is not None
    assert 3 * 8192 <= last.bytes_done <= 1_000_000
    count = len(told)
    (tmp_path / "tree" / "late").write_bytes(b"1")
    assert len(told) == count


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path):
    told: list[Progress] = []
    seen = threading.Event()

    def sink(progress: Progress) -> None:
        told.append(progress)
        seen.set()

    with watched(tmp_path / "tree", sink, files=None, size=None):
        assert seen.wait(30)
    assert told[0] == Progress(0, None, 0, None)
