"""The published schema of a run's report fits every report, and says everything that one holds."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drorch.reports.run import ReportFormat, render_run
from drorch.reports.schema import run_schema
from tests.fakes.runs import document_of
from tests.unit.reports.test_run_report import ALL

PUBLISHED = Path(__file__).parents[3] / "docs" / "schema" / "run-report.json"
SCHEMA = json.loads(run_schema())
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list}
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
}


def unfit(value: Any, schema: Mapping[str, Any], place: str = "$") -> Iterator[str]:
    """What does not fit, as far as the schema uses the language; a key that it does not name does not."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from unfit(value, SCHEMA["$defs"][name], place)
        return
    if "anyOf" in schema:
        if all(list(unfit(value, one, place)) for one in schema["anyOf"]):
            yield from unfit(value, schema["anyOf"][0], place)
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    yield from _of_type(value, schema, place)


def _of_type(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    wanted = schema.get("type")
    if wanted == "null" and value is not None:
        yield f"{place}: {value!r} is not null"
    if wanted in TYPES and (not isinstance(value, TYPES[wanted]) or _is_odd(value, wanted)):
        yield f"{place}: {value!r} is no {wanted}"
    elif wanted == "array":
        for number, item in enumerate(value):
            yield from unfit(item, schema["items"], f"{place}[{number}]")
    elif wanted == "object":
        yield from _of_object(value, schema, place)


def _is_odd(value: Any, wanted: str) -> bool:
    return isinstance(value, bool) is not (wanted == "boolean")


def _of_object(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{place}: {value!r} is no object"
        return
    if "properties" not in schema:
        for key, item in value.items():
            yield from unfit(item, schema["additionalProperties"], f"{place}.{key}")
        return
    yield from (f"{place}: lacks {key}" for key in schema["required"] if key not in value)
    for key, item in value.items():
        if key not in schema["properties"]:
            yield f"{place}: {key} is not in the schema"
        else:
            yield from unfit(item, schema["properties"][key], f"{place}.{key}")


def test_what_is_published_is_what_the_program_says() -> None:
    """After a change: drorch report schema > docs/schema/run-report.json"""
    assert PUBLISHED.read_bytes() == run_schema()


@pytest.mark.parametrize("name", ALL)
def test_every_report_fits(name: str) -> None:
    document = {**document_of(ALL[name]()), "report": BESIDE}
    found = json.loads(render_run(document, ReportFormat.JSON))
    assert list(unfit(found, SCHEMA)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("outcome", "good"), ("machine_s", "1"), ("dirty", 0), ("format", 2), ("unheard-of", 1)],
)
def test_what_does_not_fit_is_found(key: str, value: object) -> None:
    document = {**document_of(ALL["tabletop"]()), key: value}
    assert list(unfit(document, SCHEMA)) != []


def test_what_is_missing_is_found() -> None:
    document = document_of(ALL["tabletop"]())
    del document["steps"][0]["status"]
    assert list(unfit(document, SCHEMA)) == ["$.steps[0]: lacks status"]
