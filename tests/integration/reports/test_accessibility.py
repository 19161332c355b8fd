"""Nothing that axe-core knows of keeps a reader from the run report, the quarter's, or the paper.

Looked at in light and in dark. In CI a browser is a must, and axe is a development dependency.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from drorch.reports.kit.forms import KitFormat, render_kit
from drorch.reports.paper.forms import PageSize, PaperFormat, render_paper
from drorch.reports.quarter.forms import render_quarter
from drorch.reports.run import ReportFormat, render_run
from tests.fakes.exercises import EXERCISES
from tests.fakes.kits import source as kit_source
from tests.fakes.papers import source
from tests.fakes.runs import TALES, document_of
from tests.integration.reports.accessibility import looked_at
from tests.integration.reports.test_in_a_browser import CHROMIUM
from tests.programs import must_have
from tests.unit.reports.test_quarter_pages import sample

PALE = '<p style="color:#999;background:#aaa">pale</p><img src="data:,"><h1>'


@pytest.fixture(autouse=True)
def chromium() -> None:
    must_have(CHROMIUM, "chromium")


def in_short(document: dict[str, Any]) -> dict[str, Any]:
    """A few rows of every table: the others are written by the same lines."""
    long = {name for name, value in document.items() if isinstance(value, list)}
    kept = long - {"days", "sign_off"}
    return {name: value[:4] if name in kept else value for name, value in document.items()}


@cache
def pages() -> dict[str, str]:
    failed = render_run(document_of(TALES["failed-drill"]()), ReportFormat.HTML, "fr").decode()
    return {
        "run, whole": render_run(
            document_of(EXERCISES["whole-drill"]()), ReportFormat.HTML
        ).decode(),
        "run, failed": failed,
        "paper": render_paper(source(), PaperFormat.HTML, "fr", PageSize.A4).decode(),
        "kit": render_kit(kit_source(shared=True), KitFormat.HTML, "fr").decode(),
        "quarter": render_quarter(sample("no_drill"), "html", "fr").decode(),
        "quarter, with everything": render_quarter(
            in_short(sample("hospital")), "html", "en"
        ).decode(),
        "damaged": failed.replace("<h1>", PALE, 1),
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(tmp_path: Path, dark: bool) -> None:
    wanted = dict(pages())
    if dark:  # its colours are those of the other quarter
        del wanted["quarter, with everything"]
    found = looked_at(tmp_path, wanted, dark=dark)
    damaged = found.pop("damaged")
    assert {name: page["violations"] for name, page in found.items()} == {n: [] for n in found}
    for page in found.values():
        judged = dict(rule.rsplit(" ", 1) for rule in page["judged"])
        assert int(judged["color-contrast"]) > 50
        assert len(judged) > 30
    kinds = {one.split(":")[0] for one in damaged["violations"]}
    assert {"color-contrast", "image-alt"} <= kinds, "axe looks at nothing"
