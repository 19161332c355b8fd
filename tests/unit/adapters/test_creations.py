"""What runs have made, written down first."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drorch.adapters.creations import CreationsFolder
from drorch.core.errors import DrorchError


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """As on a full disk: a write takes what has room, and the next one is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_topmost_folder_that_is_made_is_the_runs(tmp_path):
    creations = CreationsFolder(tmp_path / "notes")
    creations.note("run", tmp_path / "a" / "b" / "c")
    assert creations.made("run", tmp_path / "a" / "b") == (tmp_path / "a" / "b",)
    assert creations.made("run", tmp_path) == (tmp_path / "a",)
    assert creations.made("other", tmp_path) == ()


def test_what_is_there_already_is_not_the_runs(tmp_path):
    creations = CreationsFolder(tmp_path / "notes")
    creations.note("run", tmp_path)
    assert creations.made("run", tmp_path) == ()


def test_a_line_that_a_full_disk_cut_spoils_no_other(tmp_path):
    creations = CreationsFolder(tmp_path / "notes")
    creations.note("run", tmp_path / "first")
    size = (tmp_path / "notes" / "run.jsonl").stat().st_size
    with files_at_most(size + 10), pytest.raises(DrorchError) as cut:
        creations.note("run", tmp_path / "cut")
    assert "cannot be written down first: File too large" in cut.value.message
    assert str(tmp_path / "notes") in cut.value.hint
    creations.note("run", tmp_path / "second")
    assert creations.made("run", tmp_path) == (tmp_path / "first", tmp_path / "second")


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "notes").write_text("a file")
    with pytest.raises(DrorchError, match="cannot be written down first"):
        CreationsFolder(tmp_path / "notes").note("run", tmp_path / "new")


def test_a_path_that_cannot_even_be_looked_at_is_for_its_maker_to_tell(tmp_path):
    creations = CreationsFolder(tmp_path / "notes")
    nowhere = Path(tmp_path / ("x" * 300))
    creations.note("run", nowhere)
    assert creations.made("run", nowhere) == (nowhere,)
