"""The tables of a run as CSV: what stands in them is what stands in the document."""

import csv
import io
import zipfile

import pytest

from drorch.core.names import Verdict
from drorch.reports.run import ReportFormat, render_run
from drorch.reports.run_tables import run_tables
from tests.fakes.runs import Tale, document_of, plan, step
from tests.unit.reports.test_run_report import ALL

TABLES = {"steps", "attempts", "people", "restored", "findings", "goals"}


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("name", ALL)
def test_every_table_is_there_and_whole(name: str) -> None:
    document = document_of(ALL[name]())
    with zipfile.ZipFile(io.BytesIO(render_run(document, ReportFormat.CSV))) as archive:
        found = {one.removesuffix(".csv"): read(archive.read(one)) for one in archive.namelist()}
    assert set(found) == TABLES
    assert [row["step"] for row in found["steps"]] == [s["step"] for s in document["steps"]]
    assert [row["id"] for row in found["findings"]] == [f["id"] for f in document["findings"]]
    attempts = [(s["step"], a["attempt"]) for s in document["steps"] for a in s["attempt_log"]]
    assert [(row["step"], int(row["attempt"])) for row in found["attempts"]] == attempts
    for row, told in zip(found["steps"], document["steps"], strict=True):
        slack = told["slack_s"]
        assert row["slack_s"] == ("" if slack is None else str(slack))
        assert row["critical"] == str(told["critical"]).lower()


def test_people_with_their_roles_and_what_they_did() -> None:
    rows = read(run_tables(document_of(ALL["whole-drill"]()))["people.csv"])
    told = [(row["name"], row["role"], row["what"]) for row in rows]
    assert told[0] == ("Marie Tremblay", "incident lead", "took part")
    assert ("m.tremblay", "", "override-retry") in told
    assert ("l.gagnon", "", "paused") in told


def test_goals_with_what_came_of_them() -> None:
    rows = read(run_tables(document_of(ALL["whole-drill"]()))["goals.csv"])
    assert [row["result"] for row in rows if row["kind"] == "criterion"] == [
        *("passed", "passed", "passed", "failed", "not-judged", "not-judged")
    ]
    assert {row["kind"] for row in rows} >= {"area notification", "area performance", "objective"}


def test_no_text_is_a_formula_and_none_breaks_a_row() -> None:
    nasty = '=HYPERLINK("x")\n"quoted", and ; more'
    tale = Tale(plan(step("a", title="-1+1")), by="@by", reason="+reason")
    tale.do(0.1, 0.2, "a", verdict=Verdict.FAIL, message=nasty).finish(0.3)
    tables = run_tables(document_of(tale))
    (row,) = read(tables["steps.csv"])
    assert (row["title"], row["message"]) == ("'-1+1", f"'{nasty}")
    (started,) = read(tables["people.csv"])
    assert (started["name"], started["reason"]) == ("'@by", "'+reason")
