"""The quarterly report as pages: golden in both languages, and the rules that hold for any quarter.

With DRORCH_WRITE_GOLDEN=1 the golden files are written anew; look at the difference before keeping it.
"""

import json
import os
import re
from copy import deepcopy
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from drorch.core.errors import UsageError
from drorch.reports.language import LANGUAGES
from drorch.reports.quarter.forms import render_quarter

FOLDER = Path(__file__).parent / "quarters"
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = ("hospital", "no_drill")
NASTY = "<script>alert('x')</script> | `rm` **bold** & [link](javascript:x)\nsecond line"
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
SVG = re.compile(r"<svg class=\"plot\".*?</svg>", re.DOTALL)


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


@cache
def page(name: str, form: str, language: str) -> str:
    return render_quarter(sample(name), form, language).decode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["html", "md"])
@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name: str, form: str, language: str) -> None:
    """Pictures and style are looked at elsewhere; here stands only where they are."""
    report = STYLE.sub("<style/>", SVG.sub("<svg/>", page(name, form, language)))
    path = GOLDEN / f"quarter-{name}.{language}.{form}"
    if os.environ.get("DRORCH_WRITE_GOLDEN") == "1":
        path.write_text(report, encoding="utf-8")
    assert report == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_quarter_without_a_drill_says_so_in_its_first_line(language: str) -> None:
    first = {"en": "No drill has been carried out", "fr": "Aucun exercice n’a encore eu lieu"}
    html, text = page("no_drill", "html", language), page("no_drill", "md", language)
    assert first[language] in html[html.index("<main>") :][:900]
    assert first[language] in text.splitlines()[2]


def test_records_that_did_not_come_back_came_from_nowhere() -> None:
    document = sample("hospital")
    document["own_records"]["last"] = document["own_records"]["drills"][0]
    assert document["own_records"]["last"]["records_at"] is None
    assert "- Came back from: –" in render_quarter(document, "md", "en").decode()


def test_a_drill_whose_data_lies_there_still_says_so_in_its_row() -> None:
    document = sample("hospital")
    drill = next(one for one in document["drills"] if one["outcome"] == "passed")
    for restore in document["restores"]:
        if restore["run"] == drill["run"]:
            restore["state"] = "left"
    text = render_quarter(document, "md", "en").decode()
    row = next(line for line in text.splitlines() if line.startswith(f"| {drill['run']}<br>"))
    assert "left something behind" in row


def over_and_without_a_drill() -> dict[str, Any]:
    document = sample("no_drill")
    document.update(over=True, until=document["to"])
    return document


def test_a_quarter_that_is_over_says_it_as_past() -> None:
    text = render_quarter(over_and_without_a_drill(), "md", "en").decode()
    assert text.splitlines()[2] == "**No drill was carried out in this quarter.**"


@pytest.mark.parametrize("form", ["html", "md"])
@pytest.mark.parametrize("name", SAMPLES)
def test_it_never_says_compliant(name: str, form: str) -> None:
    """“Compliance” is a mode of object lock, and stands for that alone."""
    assert not re.search(r"compliant|comply|complies|in compliance", page(name, form, "en").lower())
    assert "conform" not in page(name, form, "fr").lower()


@pytest.mark.parametrize("name", SAMPLES)
def test_both_languages_have_the_same_figures_in_the_same_places(name: str) -> None:
    def rows(language: str) -> list[int]:
        return [line.count("|") for line in page(name, "md", language).splitlines()]

    assert rows("en") == rows("fr")


def texts_of(document: Any) -> Any:
    """The document with foreign text wherever foreign text can stand."""
    free = {
        "organization", "service", "dataset", "region", "runbook", "title", "message", "hint", "owner",
        "why", "purpose", "by", "to", "host", "name", "role", "drill", "subject", "failed_step",
    }  # fmt: skip
    match document:
        case dict():
            return {
                k: NASTY if k in free and isinstance(v, str) and v else texts_of(v)
                for k, v in document.items()
            }
        case list():
            return [texts_of(one) for one in document]
        case _:
            return document


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        given = dict(attrs)
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href")]
        self.ids += [given["id"] or ""] if "id" in given else []


def nasty() -> dict[str, Any]:
    document = texts_of(deepcopy(sample("hospital")))
    document["to"] = sample("hospital")["to"]
    return dict(document)


def test_foreign_text_is_never_markup() -> None:
    tags = Tags()
    tags.feed(render_quarter(nasty(), "html", "en").decode())
    assert not tags.seen & {"script", "iframe", "link", "img", "object", "form"}
    assert all(link.startswith("#") for link in tags.links)
    text = render_quarter(nasty(), "md", "en").decode()
    assert "<script>" not in text
    assert "**bold**" not in text
    assert render_quarter(nasty(), "pdf", "fr").startswith(b"%PDF")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_fetches_nothing_and_its_ids_are_its_own(name: str) -> None:
    tags = Tags()
    tags.feed(page(name, "html", "fr"))
    assert len(tags.ids) == len(set(tags.ids))
    assert {link[1:] for link in tags.links} <= set(tags.ids)
    assert "url(http" not in page(name, "html", "fr")


def test_the_same_document_gives_the_same_bytes() -> None:
    first, second = (render_quarter(sample("no_drill"), "pdf", "fr") for _ in range(2))
    assert first == second
    assert render_quarter(sample("no_drill"), "html", "en").decode() == page(
        "no_drill", "html", "en"
    )


def test_other_documents_are_refused() -> None:
    with pytest.raises(UsageError, match="not the document of a quarter"):
        render_quarter({"steps": []}, "html", "en")


def larger(times: int) -> dict[str, Any]:
    """The hospital so many times over: names differ, everything else repeats."""
    document = sample("hospital")
    for key in ("datasets", "residency", "services", "drills", "restores", "findings", "targets"):
        document[key] = [
            {**one, **{k: f"{one[k]}-{n}" for k in ("dataset", "service", "run") if one.get(k)}}
            for n in range(times)
            for one in document[key]
        ]
    return document


def test_four_hundred_datasets_are_told_with_what_is_wrong_first() -> None:
    document = larger(34)
    assert len(document["datasets"]) > 400
    text = render_quarter(document, "md", "en").decode()
    assert len(text) < 600_000
    assert "further datasets had everything done on schedule" in text
    assert "that were over their RPO the longest stand alone" in text
    for dataset in document["datasets"]:
        if dataset["backups"]["missed"]:
            assert f"| {dataset['dataset']}<br>" in text
