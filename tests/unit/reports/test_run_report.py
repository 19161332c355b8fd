"""The run report: every sentence under golden files, and the rules that hold for any run.

For pain 19 (evidence is copied and pasted): the report is written by the run itself, in three forms.

With DRORCH_WRITE_GOLDEN=1 the golden files are written anew; look at the difference before keeping it.
"""

import json
import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drorch.core.errors import UsageError
from drorch.core.names import Phase, RunKind, Verdict
from drorch.core.values import Finding
from drorch.reports.language import LANGUAGES
from drorch.reports.run import ReportFormat, render_run
from drorch.reports.words import KINDS
from tests.fakes.exercises import EXERCISES
from tests.fakes.runs import (
    TALES,
    Tale,
    backup_with_owed_copy,
    document_of,
    passed_drill,
    plan,
    step,
    wide_drill,
)

GOLDEN = Path(__file__).parent / "golden"
NASTY = "<script>alert('x')</script> | `rm` **bold** & [link](javascript:x)\nsecond line"


ALL = {**TALES, **EXERCISES}
#: Their pages are kept whole, too; the others differ in nothing that Markdown does not show.
PAGES = ("whole-drill", "forced-failover")
_PLOT = re.compile(r'<svg class="plot".*?</svg>', re.DOTALL)


def kept(name: str, report: str) -> str:
    """What was kept under that name, or, if it is to be written anew, the report."""
    path = GOLDEN / name
    if os.environ.get("DRORCH_WRITE_GOLDEN") == "1":
        path.write_text(report, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def written(document: dict[str, Any], form: ReportFormat, code: str = "en") -> str:
    return render_run(document, form, code).decode()


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", ALL)
def test_golden(name: str, code: str) -> None:
    report = written(document_of(ALL[name]()), ReportFormat.MARKDOWN, code)
    assert report == kept(f"{name}.{code}.md", report)


@pytest.mark.parametrize("name", ALL)
def test_golden_document(name: str) -> None:
    report = written(document_of(ALL[name]()), ReportFormat.JSON)
    assert report == kept(f"{name}.json", report)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_golden_page(name: str, code: str) -> None:
    """Pictures have tests of their own."""
    report = _PLOT.sub("(plot)", written(document_of(ALL[name]()), ReportFormat.HTML, code))
    assert report == kept(f"{name}.{code}.html", report)


@pytest.mark.parametrize("form", ReportFormat)
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_same_document_gives_the_same_bytes(form: ReportFormat, code: str) -> None:
    one, other = (document_of(ALL["tabletop"]()) for _ in range(2))
    assert render_run(one, form, code) == render_run(json.loads(json.dumps(other)), form, code)


def nasty_run() -> dict[str, Any]:
    """Foreign text wherever foreign text can stand."""
    steps = (
        step("a", title=NASTY),
        step("go", do="approve", person=True, title=NASTY),
        step("v", Phase.VERIFY, check=True),
        step("c", Phase.CLEANUP),
        step("s", skip=NASTY),
    )
    tale = Tale(
        plan(*steps, title=NASTY, organization=NASTY, service=NASTY, inputs={"in": NASTY}),
        by=NASTY,
        reason=NASTY,
    )
    tale.skip(0.05, "s", NASTY)
    tale.do(0.1, 0.5, "a", outputs={"out": NASTY}, message=NASTY, hint=NASTY)
    tale.ask(0.5, "go", "approve", NASTY).answer(0.6, "go", NASTY, NASTY)
    finding = Finding(NASTY, NASTY, NASTY, NASTY)
    tale.do(0.7, 0.9, "v", verdict=Verdict.FAIL, message=NASTY, hint=NASTY, findings=(finding,))
    tale.do(0.9, 1.0, "c", verdict=Verdict.FAIL, message=NASTY, hint=NASTY).finish(1.1)
    return document_of(tale)


@pytest.mark.parametrize("form", list(ReportFormat))
def test_names_that_are_not_utf8_stop_no_report(form: ReportFormat) -> None:
    """They come from folders and command lines, and a report that cannot be made is never sealed."""
    document = document_of(passed_drill())
    document = {**document, "reason": "caf\udce9", "title": "caf\udce9"}
    written = render_run(document, form)
    if form in (ReportFormat.HTML, ReportFormat.MARKDOWN, ReportFormat.JSON):
        assert rb"caf\udce9" in written or rb"caf\\udce9" in written


class Page(HTMLParser):
    """Reads a page: its tags, its text, and whether every element is closed in order."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "col"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(document: dict[str, Any]) -> Page:
    return Page(render_run(document, ReportFormat.HTML).decode())


def test_html_escapes_everything_foreign() -> None:
    read = page(nasty_run())
    assert "script" not in {tag for tag, _ in read.tags}
    assert "javascript:x" not in {a.get("href") for _, a in read.tags}
    assert read.text.count("<script>alert('x')</script>") >= 12


def test_markdown_escapes_everything_foreign() -> None:
    whole = written(nasty_run(), ReportFormat.MARKDOWN)
    report = re.sub(r"(?<=\n\n)(    .*\n)+", "", whole)  # a block of code gives nothing a meaning
    assert "<script" not in report.replace("\\<script", "").replace("`<script>", "")
    assert "**bold**" not in report.replace("`<script>alert('x')</script> \\| 'rm' **bold**", "")
    assert "\nsecond line" not in report
    rows = [line for line in report.splitlines() if line.startswith("|")]
    for row in rows:
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        assert cells in (2, 3, 4, 5, 6), row


@pytest.mark.parametrize("name", ALL)
def test_html_stands_alone(name: str) -> None:
    report = render_run(document_of(ALL[name]()), ReportFormat.HTML).decode()
    for _, attributes in Page(report).tags:
        assert not {"src", "srcset", "action", "onload", "onclick"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?://|@import|url\((?!#)", report)


@pytest.mark.parametrize("name", ALL)
def test_html_is_made_for_everybody(name: str) -> None:
    read = page(document_of(ALL[name]()))
    assert ("html", {"lang": "en"}) in read.tags
    tags = [tag for tag, _ in read.tags]
    assert {"header", "main", "nav"} <= set(tags)
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in a for tag, a in read.tags if tag == "th")
    for tag, attributes in read.tags:
        if tag == "svg" and attributes.get("role") == "img":
            assert attributes.get("aria-labelledby") or attributes.get("aria-label")
    ids = [str(a["id"]) for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    pointed = [a.get("aria-labelledby") for _, a in read.tags if a.get("aria-labelledby")]
    assert {i for p in pointed for i in str(p).split()} <= set(ids)
    links = {str(a["href"]).removeprefix("#") for _, a in read.tags if "href" in a}
    assert links <= set(ids)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", ALL)
def test_no_report_claims_more_than_was_shown(name: str, code: str) -> None:
    report = written(document_of(ALL[name]()), ReportFormat.MARKDOWN, code).lower()
    for word in ("complian", "conform", "certif"):
        assert word not in report


@pytest.mark.parametrize("form", [ReportFormat.HTML, ReportFormat.MARKDOWN])
def test_every_figure_of_the_objectives_is_printed(form: ReportFormat) -> None:
    report = render_run(document_of(passed_drill()), form).decode()
    for figure in ("16.6 sec", "1 hr", "59 min 43 sec", "3 min 32 sec", "30 min", "26 min 28 sec"):
        assert figure in report


def test_a_report_of_a_backup_has_no_objectives_but_says_what_it_does_not_prove() -> None:
    text = page(document_of(backup_with_owed_copy())).text
    assert "Recovery time" not in text
    assert "only a restore shows" in text


def test_two_hundred_steps_are_all_told() -> None:
    text = page(document_of(wide_drill(200))).text
    assert all(f"restore-clinic-{n:04d}" in text for n in range(1, 201))
    assert "further steps" not in text


def test_two_thousand_steps_are_condensed_but_the_critical_path_is_told() -> None:
    document = document_of(wide_drill(2000))
    html = render_run(document, ReportFormat.HTML).decode()
    assert len(html) < 1_000_000
    text = Page(html).text
    told = {s["step"] for s in document["steps"] if s["step"] in text}
    assert set(document["critical_path"][:240]) <= told
    assert "1,760 further steps" in text


def test_the_same_document_read_back_gives_the_same_report() -> None:
    document = document_of(passed_drill())
    again = json.loads(render_run(document, ReportFormat.JSON).decode())
    assert render_run(again, ReportFormat.HTML) == render_run(document, ReportFormat.HTML)


def test_a_run_in_short_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        render_run({"run": "r"}, ReportFormat.HTML).decode()
    assert "run show" in refused.value.hint


@pytest.mark.parametrize("kind", RunKind)
def test_every_kind_of_run_has_a_report(kind: RunKind) -> None:
    document = document_of(passed_drill())
    report = render_run({**document, "kind": kind.value}, ReportFormat.MARKDOWN).decode()
    assert KINDS[kind.value] in report.splitlines()[0]
