"""The paper version as pages: what the PDF says, and how the HTML stands on a phone, a screen and paper."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from drorch.core.errors import DrorchError
from drorch.reports.paper.forms import PageSize, PaperFormat, render_paper
from drorch.reports.paper.source import Source
from tests.fakes.papers import source
from tests.integration.reports.test_in_a_browser import CHROMIUM, FRAME, MEASURE, browser
from tests.programs import must_have

PDFTOTEXT = shutil.which("pdftotext")
LANGUAGES = ("en", "fr")
#: A phone, a sheet of A4 without its margins, a screen.
WIDTHS = (360, 688, 1100)


@pytest.fixture(autouse=True)
def programs() -> None:
    must_have(CHROMIUM, "chromium")
    must_have(PDFTOTEXT, "poppler-utils")


def text_of(pdf: Path) -> list[str]:
    """The text of each page, columns kept."""
    done = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\f")[:-1]


def info_of(pdf: Path) -> dict[str, str]:
    done = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True)
    return dict(re.findall(r"^(.*?):\s+(.*)$", done.stdout, re.MULTILINE))


def printed(folder: Path, language: str, size: PageSize = PageSize.A4) -> Path:
    pdf = folder / f"paper-{language}-{size}.pdf"
    pdf.write_bytes(render_paper(source(), PaperFormat.PDF, language, size))
    return pdf


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_what_it_must(tmp_path: Path, language: str) -> None:
    """Pain 20: a PDF needs no plugin and no image of another program; a wheel writes it."""
    pages = text_of(printed(tmp_path, language))
    whole = "\n".join(pages)
    flat = re.sub(r"\s+", " ", whole)
    runbook = source().runbook
    for number, page in enumerate(pages, 1):
        said = f"page {number} {'of' if language == 'en' else 'sur'} {len(pages)}"
        assert said in page
        assert runbook.digest[:12] in page.splitlines()[-1]
    for text in (
        "Bring the EHR to Québec from qc",
        "Équipe de relève, poste 4444",
        "restic restore latest --target /srv/ehr-new/documents.part",
        "read -rs RESTIC_PASSWORD # secret repo-key",
        "curl -sv -m 5 'telnet://{primary}' </dev/null",
        "{documents.files}",
        "https://s3.qc.example:9000",
    ):
        assert text in flat
    assert "hunter2" not in flat
    for text in {
        "en": ("Needs verification", "RTO: back within", "Two managers agree", "For real only"),
        "fr": ("À vérifier", "rétabli en moins de", "Sinistre réel seulement", "Où se trouvent"),
    }[language]:
        assert text in flat


@pytest.mark.parametrize(("size", "points"), [("a4", "595"), ("letter", "612 x 792")])
def test_the_pdf_is_for_the_archive_for_all_and_always_the_same(
    tmp_path: Path, size: str, points: str
) -> None:
    pdf = printed(tmp_path, "fr", PageSize(size))
    info = info_of(pdf)
    assert info["Page size"].startswith(points)
    assert info["Tagged"] == "yes"
    assert info["Title"].startswith("Bring the EHR to Québec from qc")
    content = pdf.read_bytes()
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert render_paper(source(), PaperFormat.PDF, "fr", PageSize(size)) == content
    fonts = subprocess.run(["pdffonts", str(pdf)], capture_output=True, text=True, check=True)
    rows = fonts.stdout.splitlines()[2:]
    assert rows
    assert all(re.search(r"(LibertinusSerif|DejaVuSansMono)", row) for row in rows)
    assert all(re.search(r"\syes yes yes\s", row) for row in rows)  # embedded, subset, Unicode


def test_letters_that_no_font_has_are_an_error_with_a_hint() -> None:
    whole = source()
    strange = replace(whole, plan=replace(whole.plan, title="Reprise \U000f1234"))
    with pytest.raises(DrorchError, match="no font on this machine can print") as caught:
        render_paper(strange, PaperFormat.PDF, "fr", PageSize.A4)
    assert "--format html" in caught.value.hint


def crowded() -> Source:
    """Words as long as they come, without a place to break."""
    whole = source({"workdir": "/srv/" + "d" * 200, "primary": "h" * 120 + ".example:443"})
    steps = tuple(replace(step, title="t" * 200) for step in whole.plan.steps)
    plan = replace(whole.plan, title="Recover" * 30, organization="O" * 150, steps=steps)
    return replace(whole, plan=plan, runbook=replace(whole.runbook, owner="o" * 150))


@pytest.mark.parametrize("odd", ["\a", "\ufeff", "\ufffe", "#let x = *1* $y$ @ref <l> \\", "\x00"])
def test_no_odd_letter_keeps_the_pages_from_being_made(odd: str) -> None:
    whole = source()
    steps = tuple(replace(step, title=f"{odd}x") for step in whole.plan.steps)
    plan = replace(whole.plan, title=f"{odd} y", organization=odd, steps=steps)
    pdf = render_paper(replace(whole, plan=plan), PaperFormat.PDF, "en", PageSize.A4)
    assert pdf.startswith(b"%PDF")


PAGES = {
    **{language: (source, language) for language in LANGUAGES},
    "crowded": (crowded, "fr"),
}


def test_long_words_are_whole_in_a_pdf_and_stay_within_its_margins(tmp_path: Path) -> None:
    pdf = tmp_path / "crowded.pdf"
    pdf.write_bytes(render_paper(crowded(), PaperFormat.PDF, "fr", PageSize.LETTER))
    flat = re.sub(r"\s+", "", "".join(text_of(pdf)))
    assert f"/srv/{'d' * 200}/documents.part" in flat
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True
    )
    ends = [float(x) for x in re.findall(r'<word .*?xMax="([\d.]+)"', boxes.stdout)]
    assert max(ends) <= 612 - 16 / 25.4 * 72 + 1


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every page at every width, measured by one browser."""
    folder = tmp_path_factory.mktemp("browser")
    frames = [
        FRAME % (f"{name}-{width}", escape(html, quote=True), width)
        for name, (made, language) in PAGES.items()
        for html in [render_paper(made(), PaperFormat.HTML, language, PageSize.A4).decode()]
        for width in WIDTHS
    ]
    page = folder / "measure.html"
    page.write_text(f"<!doctype html><body>{''.join(frames)}{MEASURE}", encoding="utf-8")
    dumped = browser(folder, "--window-size=1300,1000", "--dump-dom", page.as_uri())
    title = re.search(r"<title>(\{.*?\})</title>", dumped)
    assert title is not None, dumped[:500]
    found: dict[str, Any] = json.loads(unescape(title[1]))
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_off_the_page(name: str, width: int, measured: dict[str, Any]) -> None:
    page = measured[f"{name}-{width}"]
    assert page["inner"] == width
    assert page["over"] == []
    assert page["tall"] == []
    assert page["scroll"] <= width


@pytest.mark.parametrize("size", ["A4", "letter"])
def test_the_html_prints_with_numbered_pages(tmp_path: Path, size: str) -> None:
    html = render_paper(source(), PaperFormat.HTML, "fr", PageSize.A4).decode()
    page = tmp_path / "paper.html"
    page.write_text(html.replace("</style>", f"@page {{ size: {size}; }}</style>"), "utf-8")
    pdf = tmp_path / "paper.pdf"
    browser(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    pages = text_of(pdf)
    assert info_of(pdf)["Page size"].startswith("594.96" if size == "A4" else "612 x 792")
    for number, text in enumerate(pages, 1):
        assert f"page {number} sur {len(pages)}" in text
        assert f"empreinte {source().runbook.digest[:12]}" in text
