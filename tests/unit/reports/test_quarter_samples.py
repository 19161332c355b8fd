"""The sample quarters: they lie beside as documents, fit the published schema, and give tables."""

import csv
import io
import json
import zipfile
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from drorch.core.documenting import document_of
from drorch.reports.tables import tables_of, zip_of
from tests.unit.docs.quarter_schema import FILE, text
from tests.unit.reports.quarters.sample import FOLDER, SAMPLES, text_of

SCHEMA = Draft202012Validator(
    json.loads(FILE.read_text(encoding="utf-8")), format_checker=Draft202012Validator.FORMAT_CHECKER
)


@pytest.fixture(params=SAMPLES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return document_of(SAMPLES[request.param]())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_file_is_what_the_values_give(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text_of(name), (
        "run: python -m tests.unit.reports.quarters.sample"
    )


def test_the_schema_is_what_the_values_give() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), (
        "run: python -m tests.unit.docs.quarter_schema"
    )
    Draft202012Validator.check_schema(SCHEMA.schema)


def test_a_document_fits_the_schema(document: dict[str, Any]) -> None:
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("quarter",), None),
        (("datasets", 0, "backups", "missed"), "2"),
        (("datasets", 0, "standing"), "asleep"),
        (("days", 0), "1 October"),
        (("headline",), {}),
        (("drills", 0, "rto", "actual_s"), "38m"),
    ],
)
def test_what_is_no_such_document_does_not_fit(path: tuple[Any, ...], value: Any) -> None:
    document = deepcopy(document_of(SAMPLES["hospital"]()))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert list(SCHEMA.iter_errors(document))


def rows(tables: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables[f"{name}.csv"].decode(), newline="")))


def test_every_table_holds_what_the_document_does(document: dict[str, Any]) -> None:
    tables = tables_of(document)
    for name in ("promises", "datasets", "services", "drills", "findings", "actions", "residency"):
        assert len(rows(tables, name)) == len(document[name])
    assert len(rows(tables, "restores")) == len(document["restores"])
    copies = [copy for dataset in document["datasets"] for copy in dataset["copies"]]
    assert len(rows(tables, "copies")) == len(copies)
    ages = [age for copy in copies for age in copy["days_s"] if age is not None]
    assert [float(row["worst_age_s"]) for row in rows(tables, "ages")] == ages
    work = {(r["subject"], r["work"]): r for r in rows(tables, "work")}
    for dataset in document["datasets"]:
        row = work[dataset["dataset"], "backups"]
        assert int(row["missed"]) == dataset["backups"]["missed"]
    (headline,) = rows(tables, "headline")
    assert headline["no_drill"] == str(document["headline"]["no_drill"]).lower()


def test_a_table_without_rows_has_its_columns() -> None:
    tables = tables_of(document_of(SAMPLES["no_drill"]()))
    assert tables["restores.csv"].startswith(b"run,step,kind,")
    assert rows(tables, "restores") == []


def test_no_text_is_a_formula_to_a_spreadsheet() -> None:
    document = document_of(SAMPLES["hospital"]())
    document["findings"][0]["message"] = '=HYPERLINK("http://evil.example")'
    document["findings"][0]["hint"] = 'a, "b"\nc'
    first = rows(tables_of(document), "findings")[0]
    assert first["message"] == '\'=HYPERLINK("http://evil.example")'
    assert first["hint"] == 'a, "b"\nc'


def test_the_same_tables_give_the_same_zip(document: dict[str, Any]) -> None:
    tables = tables_of(document)
    packed = zip_of(tables)
    assert packed == zip_of(dict(reversed(tables.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == tables
