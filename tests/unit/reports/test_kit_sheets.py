"""The recovery kit as a page: whole, in both languages, and nothing in it is markup but ours."""

import json
import re
from dataclasses import replace

import pytest

from drorch.app.kit import _after
from drorch.core.model import Service, by_tier
from drorch.reports.kit.forms import KitFormat, render_kit, render_share
from drorch.reports.language import LANGUAGES
from tests.fakes.kits import WORDS, source
from tests.unit.reports.test_run_report import Page


def page(code="en", **settings):
    return render_kit(source(**settings), KitFormat.HTML, code).decode()


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("shared", [False, True], ids=["bare", "shared"])
def test_the_page_is_whole_and_fetches_nothing(code, shared):
    text = page(code, shared=shared)
    read = Page(text)
    assert dict(read.tags)["html"] == {"lang": code}
    assert "script" not in dict(read.tags)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not re.search(r"(src|href)=", text)
    assert "<Sainte-Rive>" not in text
    assert "&lt;Sainte-Rive&gt; &amp; fils" in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_commands_are_the_same_in_every_language(code):
    found = re.findall(r"<pre>(.*?)</pre>", page(code), re.DOTALL)
    assert found == re.findall(r"<pre>(.*?)</pre>", page("en"), re.DOTALL)
    assert all(len(line) <= 86 for block in found for line in block.splitlines() if "&" not in line)


def test_what_the_paper_is_worth_is_said_first():
    for settings, said in (
        ({}, "This paper holds no secrets."),
        ({"values": {"repo-key": "x"}}, "This paper opens everything."),
        ({"shared": True, "values": {"repo-key": "x"}}, "3 people together open this kit."),
    ):
        assert f'<h2 id="banner">{said}</h2>' in page(**settings)
    assert "Absents de cette trousse" in page("fr", values={"a": "b"}, left_out={"k": "gone"})


def test_what_is_brought_back_first_is_what_there_is():
    known = source().configuration
    services = {n: Service(n, tier=t, runbook=f"{n}-back") for n, t in (("lab", None), ("ehr", 1))}
    serving = replace(known, services=services)
    assert "restore what is needed first" in page()
    assert "start the failover of what" in page(configuration=serving)
    datasets = [line for command in _after(known) for line in command if " restore " in line]
    assert [one.rsplit("/", 1)[1] for one in datasets] == [
        one.name for one in by_tier(known.datasets.values())
    ]
    assert [one for command in _after(serving) for one in command if " failover " in one] == [
        f'drorch --config drorch/drorch.yaml failover {name}-back --declare "WHY"'
        for name in ("ehr", "lab")
    ]
    assert "restaurer ce dont on a besoin en premier" in page("fr")


def test_the_json_has_the_same_texts():
    document = json.loads(render_kit(source(), KitFormat.JSON, "fr"))
    assert [section["heading"][:2] for section in document["sections"]] == [
        f"{n}." for n in range(1, 9)
    ]
    blocks = [b for s in document["sections"] for b in s["blocks"] if b["type"] == "Code"]
    assert blocks[0]["lines"][-2:] == ["ask repo-key", "ask mtl-id"]


def test_a_holders_sheet_tells_nothing_of_where_anything_lies():
    text = render_share(source(shared=True), 2, WORDS, KitFormat.HTML, "fr").decode()
    assert "Part 2 sur 5" in text
    assert " 1 academic" in text
    assert "33 academic" in text
    for secret in ("qc", "s3.", "repo-key", "drorch recover", "datasets"):
        assert secret not in text.split("</style>")[1]
    with pytest.raises(ValueError, match="no sheets"):
        render_share(source(), 1, WORDS, KitFormat.HTML, "fr")
