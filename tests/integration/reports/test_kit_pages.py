"""The recovery kit on paper: for the archive, for all, and every command on it stands as it is typed."""

import json
import shutil
import subprocess

import pytest

from drorch.reports.kit.forms import KitFormat, render_kit, render_share
from tests.fakes.kits import WORDS, source
from tests.integration.reports.test_paper_pages import PDFTOTEXT, info_of
from tests.programs import must_have


@pytest.mark.parametrize(("code", "size"), [("en", "a4"), ("fr", "letter")])
def test_the_pdf_is_for_the_archive_and_no_command_is_cut(tmp_path, code, size):
    must_have(PDFTOTEXT, "poppler-utils")
    made = source(shared=True)
    pdf = tmp_path / "kit.pdf"
    pdf.write_bytes(render_kit(made, KitFormat.PDF, code, size))
    assert pdf.read_bytes() == render_kit(made, KitFormat.PDF, code, size)
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf.read_bytes()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf.read_bytes()
    info = info_of(pdf)
    assert int(info["Pages"]) <= 5
    said = subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in said.stdout.splitlines()]
    document = json.loads(render_kit(made, KitFormat.JSON, code))
    blocks = [b["lines"] for s in document["sections"] for b in s["blocks"] if b["type"] == "Code"]
    assert len(blocks) > 8
    for block in blocks:
        wanted = [line.strip() for line in block]
        if len(wanted) > 24:  # only these, whose lines have numbers, go on on the next page
            assert set(wanted) <= set(lines)
            continue
        assert any(lines[n : n + len(wanted)] == wanted for n in range(len(lines))), block


def test_a_holders_sheet_is_one_page(tmp_path):
    must_have(shutil.which("pdfinfo"), "poppler-utils")
    pdf = tmp_path / "share.pdf"
    pdf.write_bytes(render_share(source(shared=True), 1, WORDS, KitFormat.PDF, "fr"))
    assert info_of(pdf)["Pages"] == "1"
