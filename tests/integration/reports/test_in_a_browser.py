"""The HTML report in a real browser: nothing runs off the page, on a phone, a screen or paper.

Asks the browser itself, by a script that only the test adds. In CI a browser is a must.
"""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from drorch.core.names import Phase
from drorch.reports.language import LANGUAGES
from drorch.reports.run import ReportFormat, render_run
from tests.fakes.exercises import EXERCISES
from tests.fakes.runs import TALES, Tale, document_of, plan, step, wide_drill
from tests.programs import must_have

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


#: One browser measures all of them.
pytestmark = pytest.mark.xdist_group("report-pages")


@pytest.fixture(autouse=True)
def chromium():
    must_have(CHROMIUM, "chromium")


FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
]

#: The browser's own window has a least width, so each report stands in a frame of the wanted one.
FRAME = """<iframe name="%s" srcdoc="%s" style="width:%dpx;height:900px;border:0"></iframe>"""
MEASURE = """<script>window.onload = () => {
  const measured = {};
  for (const f of document.querySelectorAll("iframe")) {
    const d = f.contentDocument, w = f.contentWindow;
    const over = [...d.querySelectorAll("body *")].filter(e => !e.closest("svg") &&
      !e.closest("thead") && e.getBoundingClientRect().right > w.innerWidth + 0.5);
    const shown = [...d.querySelectorAll("svg.plot")].filter(s => s.clientWidth > 0);
    const small = shown.flatMap(s => [...s.querySelectorAll("text")])
      .filter(t => t.getBoundingClientRect().height < 8);
    const tall = [...d.querySelectorAll("td, li, dd")].filter(e => e.clientHeight > 0 &&
      e.scrollHeight > e.clientHeight + 2);
    measured[f.name] = {tall: tall.map(e => e.outerHTML.slice(0, 120)), scroll: d.documentElement.scrollWidth, inner: w.innerWidth,
      over: over.map(e => e.outerHTML.slice(0, 120)), gantts: shown.length, small: small.length};
  }
  document.title = JSON.stringify(measured);
};</script>"""


def browser(folder: Path, *arguments: str) -> str:
    assert CHROMIUM is not None, "CI needs a browser: install chromium"
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def crowded() -> Tale:
    """Names and messages as long as they come, without a place to break."""
    steps = [step(f"{'restore-the-whole-of-' * 5}{n}", title="t" * 300) for n in range(3)]
    steps.append(step("v" * 90, Phase.VERIFY, check=True))
    tale = Tale(plan(*steps, title="Recover" * 40, organization="O" * 200), by="b" * 200)
    for planned in steps:
        tale.do(0.1, 2.0, planned.id, message="m" * 400, outputs={"o" * 80: "p" * 400})
    return tale.finish(2.1)


REPORTS = {**TALES, **EXERCISES, "crowded": crowded, "wide": lambda: wide_drill(30)}
#: The longer words are French.
CASES = [(name, "fr") for name in REPORTS] + [(name, "en") for name in EXERCISES]


#: A small phone, and a screen.
WIDTHS = (320, 1280)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every report at every width, measured by one browser."""
    folder = tmp_path_factory.mktemp("browser")
    frames = [
        FRAME % (f"{name}-{code}-{width}", escape(report, quote=True), width)
        for name, code in CASES
        for report in [render_run(document_of(REPORTS[name]()), ReportFormat.HTML, code).decode()]
        for width in WIDTHS
    ]
    page = folder / "measure.html"
    page.write_text(f"<!doctype html><body>{''.join(frames)}{MEASURE}", encoding="utf-8")
    dumped = browser(folder, "--window-size=1500,1000", "--dump-dom", page.as_uri())
    title = re.search(r"<title>(\{.*?\})</title>", dumped)
    assert title is not None, dumped[:500]
    found: dict[str, Any] = json.loads(unescape(title[1]))
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "code"), CASES)
def test_nothing_runs_off_the_page(
    name: str, code: str, width: int, measured: dict[str, Any]
) -> None:
    page = measured[f"{name}-{code}-{width}"]
    assert page["inner"] == width
    assert page["over"] == []
    assert page["tall"] == []
    assert page["scroll"] <= width
    assert page["gantts"] >= 1
    assert page["small"] == 0


@pytest.mark.parametrize("code", LANGUAGES)
def test_it_prints(tmp_path: Path, code: str) -> None:
    page = tmp_path / "report.html"
    html = render_run(document_of(EXERCISES["whole-drill"]()), ReportFormat.HTML, code).decode()
    page.write_text(html, "utf-8")
    printed = tmp_path / "report.pdf"
    browser(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri())
    content = printed.read_bytes()
    assert content.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 4 <= pages <= 9
