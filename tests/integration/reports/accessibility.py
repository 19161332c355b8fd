"""axe-core in a real browser: what keeps people from reading a page.

axe comes with a Python package whose Playwright is not used; the page under test is the frame of
another one, as where widths are measured, so that one browser looks at many.
"""

import json
import re
from collections.abc import Mapping
from html import escape, unescape
from importlib.resources import files
from pathlib import Path

from tests.integration.reports.test_in_a_browser import browser

#: WCAG 2.2 as far as a program can look at it, and what axe calls best practice.
_RUN = """<script>window.onload = async () => {
  const found = {};
  for (const f of document.querySelectorAll("iframe")) {
    const script = f.contentDocument.createElement("script");
    script.textContent = document.getElementById("axe").textContent;
    f.contentDocument.head.appendChild(script);
    const done = await f.contentWindow.axe.run(f.contentDocument, {selectors: false});
    found[f.name] = {passes: done.passes.length, incomplete: done.incomplete.flatMap(r => r.nodes.map(n => r.id + ": " + n.html.slice(0, 100) + " " + n.any.map(a => a.message).join(" "))),
      judged: done.passes.map(r => r.id + " " + r.nodes.length),
      violations: done.violations.flatMap(r => r.nodes.map(n =>
        r.id + ": " + n.html.slice(0, 160) + " " + n.any.map(a => a.message).join(" ")))};
  }
  document.title = JSON.stringify(found);
};</script>"""
_FRAME = '<iframe name="%s" title="%s" srcdoc="%s" style="width:1000px;height:800px"></iframe>'


def looked_at(
    folder: Path, pages: Mapping[str, str], *, dark: bool
) -> dict[str, dict[str, list[str]]]:
    """What axe says of each page, in light or dark: `violations` in words; of how many places each rule
    was `judged`; and what it could not judge (`incomplete`).
    """
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    frames = "".join(_FRAME % (n, n, escape(html, quote=True)) for n, html in pages.items())
    outer = folder / f"axe-{dark}.html"
    shield = axe.replace("</script", "<\\/script")
    outer.write_text(
        f'<!doctype html><html lang="en"><title>axe</title><body>{frames}'
        f'<script id="axe" type="text/plain">{shield}</script>{_RUN}',
        encoding="utf-8",
    )
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    dumped = browser(folder, scheme, "--virtual-time-budget=600000", "--dump-dom", outer.as_uri())
    title = re.search(r"<title>(\{.*?\})</title>", dumped, re.DOTALL)
    assert title is not None, dumped[:300]
    found: dict[str, dict[str, list[str]]] = json.loads(unescape(title[1]))
    return found
