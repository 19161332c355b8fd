"""The report of a run as pages: what the PDF says in both languages, for the archive and for all."""

import re
import subprocess
from pathlib import Path

import pikepdf
import pytest

from drorch.reports.language import LANGUAGES
from drorch.reports.run import ReportFormat, render_run
from tests.fakes.exercises import EXERCISES
from tests.fakes.runs import document_of, wide_drill
from tests.integration.reports.test_in_a_browser import crowded
from tests.integration.reports.test_paper_pages import PDFTOTEXT, info_of, text_of
from tests.integration.reports.test_quarter_in_a_browser import holds_for_the_archive
from tests.programs import must_have


@pytest.fixture(autouse=True)
def programs() -> None:
    must_have(PDFTOTEXT, "poppler-utils")


def printed(folder: Path, name: str, code: str) -> Path:
    tale = {**EXERCISES, "crowded": crowded, "wide": lambda: wide_drill(40)}[name]
    pdf = folder / f"{name}-{code}.pdf"
    pdf.write_bytes(render_run(document_of(tale()), ReportFormat.PDF, code))
    return pdf


SAID = {
    "en": ("After-action report: Drill", "Timeline and critical path", "not judged", "Sign-off"),
    "fr": ("Rapport après action : Exercice", "Chronologie et chemin critique", "non jugé"),
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_pdf_says_what_the_page_says(tmp_path: Path, code: str) -> None:
    pdf = printed(tmp_path, "whole-drill", code)
    pages = text_of(pdf)
    flat = re.sub(r"\s+", " ", "\n".join(pages))
    for text in (
        *SAID[code],
        "Marie Tremblay",
        "the key was set right",
        "restore-database",
        "drorch journal verify",
    ):
        assert re.sub(r"\s+", " ", text) in flat
    for number, page in enumerate(pages, 1):
        assert f"page {number} {'of' if code == 'en' else 'sur'} {len(pages)}" in page


def test_the_pdf_is_for_the_archive_and_for_all(tmp_path: Path) -> None:
    pdf = printed(tmp_path, "forced-failover", "fr")
    content, info = pdf.read_bytes(), info_of(pdf)
    assert info["Tagged"] == "yes"
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    with pikepdf.open(pdf) as opened:
        for one in opened.objects:
            holds_for_the_archive(one)
        assert opened.check_pdf_syntax() == []
    fonts = subprocess.run(["pdffonts", str(pdf)], capture_output=True, text=True, check=True)
    rows = fonts.stdout.splitlines()[2:]
    assert rows
    assert all(re.search(r"\syes (yes|no) (yes|no)\s", row) for row in rows)  # embedded


@pytest.mark.parametrize("name", ["crowded", "wide"])
def test_nothing_leaves_the_margins(tmp_path: Path, name: str) -> None:
    pdf = printed(tmp_path, name, "fr")
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True
    )
    ends = [float(x) for x in re.findall(r'<word .*?xMax="([\d.]+)"', boxes.stdout)]
    assert max(ends) <= 595 - 16 / 25.4 * 72 + 1
