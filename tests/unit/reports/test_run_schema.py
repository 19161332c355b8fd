"""The published schema of a run's report fits every report, and says everything that one holds."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from drorch.reports.run import ReportFormat, render_run
from drorch.reports.schema import run_schema
from tests.fakes.runs import document_of
from tests.unit.reports.test_run_report import ALL

PUBLISHED = Path(__file__).parents[3] / "docs" / "schema" / "run-report.json"
SCHEMA = json.loads(run_schema())
BESIDE = {
    "corrective_actions": [
        {
            "id": "A1",
            "title": "Give the replica more room",
            "owner": "J. Roy",
            "due": "2026-12-31",
            "finding": "",
            "status": "open",
            "closed_by_run": "",
        }
    ],
    "previous": None,
    "retention_until": "2032-11-23T03:00:18Z",
    "sealed": False,
    "sign_off": [{"name": "Dr. Luc Gagnon", "role": "medical director"}],
}


def closed(schema: Any) -> Any:
    """The same schema for a document that holds nothing that the schema does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if "required" in schema else inner


CHECK = Draft202012Validator(closed(SCHEMA))


def unfit(document: Any) -> list[str]:
    return [f"{one.json_path}: {one.message}" for one in CHECK.iter_errors(document)]


def test_what_is_published_is_what_the_program_says() -> None:
    """After a change: drorch report schema > docs/schema/run-report.json"""
    assert PUBLISHED.read_bytes() == run_schema()


@pytest.mark.parametrize("name", ALL)
def test_every_report_fits(name: str) -> None:
    document = {**document_of(ALL[name]()), "report": BESIDE}
    found = json.loads(render_run(document, ReportFormat.JSON))
    assert unfit(found) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("outcome", "good"), ("machine_s", "1"), ("dirty", 0), ("format", 2), ("unheard-of", 1)],
)
def test_what_does_not_fit_is_found(key: str, value: object) -> None:
    document = {**document_of(ALL["tabletop"]()), key: value}
    assert unfit(document) != []


def test_what_is_missing_is_found() -> None:
    document = document_of(ALL["tabletop"]())
    del document["steps"][0]["status"]
    assert unfit(document) == ["$.steps[0]: 'status' is a required property"]
