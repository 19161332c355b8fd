"""Where documents go: in which form, and what is refused before anything is rendered."""

import io
import os
import resource
import signal
import sys
import zipfile
from pathlib import Path

import pytest

from drorch.cli.giving import form_wanted, give, see_that_it_can_be_given
from drorch.cli.session import Session
from drorch.core.errors import DrorchError, UsageError

KNOWN = ("html", "pdf", "csv")


@pytest.mark.parametrize(
    ("name", "form"), [("a.HTM", "html"), ("a.pdf", "pdf"), ("a.b.csv", "csv"), ("a.zip", "csv")]
)
def test_a_name_says_the_form(name, form):
    assert form_wanted(Session(), None, Path(name), KNOWN) == form


def test_on_stdout_it_is_what_is_asked_for_or_json():
    assert form_wanted(Session(), None, None, KNOWN) == "html"
    assert form_wanted(Session(["--json"]), None, None, KNOWN) == "json"
    assert form_wanted(Session(["--json"]), "pdf", None, KNOWN) == "pdf"


@pytest.mark.parametrize("name", ["a.docx", "a", "a.md", "x" * 300])
def test_a_name_that_says_no_form_is_refused(name):
    with pytest.raises(UsageError, match="it ends in none of html, pdf, csv"):
        form_wanted(Session(), None, Path(name), KNOWN)


def refused(output: Path, form: str = "html") -> str:
    with pytest.raises(UsageError) as caught:
        see_that_it_can_be_given(Session(), form, output)
    return caught.value.message


def test_what_could_not_be_written_is_refused_before(tmp_path):
    (tmp_path / "file").write_text("")
    assert "there is no folder" in refused(tmp_path / "no" / "a.html")
    assert "is no folder" in refused(tmp_path / "file" / "a.html")
    assert "File name too long" in refused(tmp_path / ("x" * 300 + ".html"))
    assert refused(tmp_path) == f"{tmp_path} is a folder"
    assert "tables go into a folder" in refused(tmp_path / "file", "csv")
    for good, form in (("a.html", "html"), ("file", "html"), ("tables", "csv"), (".", "csv")):
        see_that_it_can_be_given(Session(), form, tmp_path / good)


def tables(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return target.getvalue()


@pytest.fixture
def no_room(monkeypatch):
    """A disk that takes files up to 8 KiB, as a full one does: the rest is refused."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # half a module would stay for ever
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_document_without_room_leaves_what_was_there(tmp_path, no_room):
    report, folder = tmp_path / "report.html", tmp_path / "tables"
    give(Session(), b"old", "html", report)
    report.chmod(0o640)
    for what, form, to in (
        (b"new" * 9999, "html", report),
        (b"new" * 9999, "html", tmp_path / "other.html"),
        (tables(a=b"a", b=b"b" * 9999), "csv", folder),
    ):
        with pytest.raises(DrorchError, match="cannot be written: File too large") as caught:
            give(Session(), what, form, to)
        assert caught.value.exit_code == 1
        assert caught.value.hint
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {"report.html": b"old"}
    give(Session(), b"newer", "html", report)
    assert (report.read_bytes(), report.stat().st_mode & 0o777) == (b"newer", 0o640)


def test_tables_are_all_there_or_those_of_before(tmp_path, no_room):
    give(Session(), tables(a=b"1", b=b"1"), "csv", tmp_path / "tables")
    with pytest.raises(DrorchError, match="cannot be written"):
        give(Session(), tables(a=b"2", b=b"2" * 9999), "csv", tmp_path / "tables")
    there = {f.name: f.read_bytes() for f in (tmp_path / "tables").iterdir()}
    assert there == {"a.csv": b"1", "b.csv": b"1"}


def test_a_link_is_followed_and_a_pipe_stays_one(tmp_path):
    real, link, pipe = tmp_path / "real.html", tmp_path / "link.html", tmp_path / "pipe"
    link.symlink_to(real)
    give(Session(), b"<html>", "html", link)
    assert (link.is_symlink(), real.read_bytes()) == (True, b"<html>")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    give(Session(), b"<html>", "html", pipe)
    assert os.read(reader, 99) == b"<html>"
    os.close(reader)
    assert pipe.is_fifo()
