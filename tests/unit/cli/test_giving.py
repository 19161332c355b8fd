"""Where documents go: in which form, and what is refused before anything is rendered."""

from pathlib import Path

import pytest

from drorch.cli.giving import form_wanted, see_that_it_can_be_given
from drorch.cli.session import Session
from drorch.core.errors import UsageError

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
