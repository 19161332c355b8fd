"""The quarter's pages in a real browser and as a PDF for the archive."""

import io
import json
import re
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from drorch.reports.language import LANGUAGES
from drorch.reports.quarter.forms import render_quarter
from tests.integration.reports.test_in_a_browser import CHROMIUM, FRAME, MEASURE, browser
from tests.integration.reports.test_paper_pages import PDFTOTEXT, info_of, text_of
from tests.programs import must_have
from tests.unit.reports.test_quarter_pages import SAMPLES, nasty, sample

#: A phone, a sheet of A4 without its margins, a screen.
WIDTHS = (360, 688, 1100)
PAGES = {
    "en": lambda: (sample("hospital"), "en"),
    "fr": lambda: (sample("hospital"), "fr"),
    "crowded": lambda: (crowded(), "fr"),
}

#: One browser measures all of them.
pytestmark = pytest.mark.xdist_group("quarter-pages")


@pytest.fixture(autouse=True)
def programs() -> None:
    must_have(CHROMIUM, "chromium")
    must_have(PDFTOTEXT, "poppler-utils")


def crowded() -> dict[str, Any]:
    """Names as long as they come, without a place to break."""
    text = json.dumps(sample("hospital"))
    for name in ("ehr-documents", "imaging", "mail-archive", "remove-restored", "lab-failover"):
        text = text.replace(name, name.replace("-", "") * 12)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every page at every width, measured by one browser."""
    folder = tmp_path_factory.mktemp("browser")
    frames = [
        FRAME % (f"{name}-{width}", escape(html, quote=True), width)
        for name, made in PAGES.items()
        for html in [render_quarter(made()[0], "html", made()[1]).decode()]
        for width in WIDTHS
    ]
    page = folder / "measure.html"
    measure = MEASURE.replace("svg.gantt", "svg.plot")
    page.write_text(f"<!doctype html><body>{''.join(frames)}{measure}", encoding="utf-8")
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
    assert page["gantts"] == 8
    assert page["small"] == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_html_prints_with_numbered_pages(tmp_path: Path, language: str) -> None:
    page, pdf = tmp_path / "quarter.html", tmp_path / "quarter.pdf"
    page.write_bytes(render_quarter(sample("hospital"), "html", language))
    browser(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    pages = text_of(pdf)
    of = {"en": "of", "fr": "sur"}[language]
    for number, text in enumerate(pages, 1):
        assert f"page {number} {of} {len(pages)}" in text
    assert 8 <= len(pages) <= 22
    assert "Louise Bélanger" in pages[-1]


def archived(document: dict[str, Any], language: str) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(render_quarter(document, "pdf", language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_pdf_is_for_the_archive(name: str, language: str) -> None:
    """No validator of PDF/A can be installed here (docs/reports.md): what one would look at first is
    looked at by itself.
    """
    with archived(sample(name), language) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "2A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"]
        root = pdf.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang).startswith(language)
        (intent,) = root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert len(bytes(intent.DestOutputProfile.read_bytes())) > 100
        assert root.ViewerPreferences.DisplayDocTitle
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root.keys())
        assert not {"/JavaScript", "/EmbeddedFiles"} & set(root.get("/Names", {}).keys())
        assert not pdf.is_encrypted
        for one in pdf.objects:
            holds_for_the_archive(one)
        assert pdf.check_pdf_syntax() == []


def holds_for_the_archive(one: pikepdf.Object) -> None:
    """What PDF/A-2 forbids in any object: scripts, launches, fonts that are not there."""
    if not isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
        return
    assert one.get("/S") not in ("/JavaScript", "/Launch", "/Sound", "/Movie", "/ResetForm")
    assert "/F" not in one or one.get("/Type") != "/Filespec"
    if one.get("/Filter") is not None:
        assert "/LZWDecode" not in str(one.get("/Filter"))
    if one.get("/Type") == "/FontDescriptor":
        assert {"/FontFile2", "/FontFile3"} & set(one.keys())
    if one.get("/Type") == "/Font" and one.get("/Subtype") == "/Type0":
        assert "/ToUnicode" in one


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_of_the_pdf_is_told_in_words_and_its_text_is_text(
    tmp_path: Path, language: str
) -> None:
    with archived(sample("hospital"), language) as pdf:
        figures = [
            one
            for one in pdf.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Figure"
        ]
        assert len(figures) == 8
        assert all(len(str(one.Alt)) > 40 for one in figures)
    path = tmp_path / "quarter.pdf"
    path.write_bytes(render_quarter(sample("hospital"), "pdf", language))
    whole = re.sub(r"\s+", " ", "\n".join(text_of(path)))
    for text in {
        "en": ("within its RPO", "measured, from best to worst", "November", "ehr · RTA"),
        "fr": ("dans son RPO", "mesuré, du meilleur au pire", "Novembre", "ehr · RTA"),
    }[language]:
        assert text in whole
    assert info_of(path)["Page size"].startswith("595")


def test_foreign_words_stay_within_the_margins_of_the_pdf(tmp_path: Path) -> None:
    for name, document in (("crowded", crowded()), ("nasty", nasty())):
        pdf = tmp_path / f"{name}.pdf"
        pdf.write_bytes(render_quarter(document, "pdf", "fr"))
        boxes = subprocess.run(
            ["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True
        )
        ends = [float(x) for x in re.findall(r'<word .*?xMax="([\d.]+)"', boxes.stdout)]
        assert max(ends) <= 595 - 15 / 25.4 * 72 + 2
