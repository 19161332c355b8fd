"""What a plan rested on when it was proven, and what of it has changed since (pain 23: runbooks rot)."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drorch.core.due import is_due, next_due
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.verification import changes, targets_of

REGIONS = {n: Region(n, f"http://{n}.example", "drorch", "CA-QC") for n in ("mtl", "qc", "tor")}
EHR = Dataset("ehr", "key", "mtl", paths=(Path("/srv/ehr"),))
OTHER = Dataset("other", "key", "tor", paths=(Path("/srv/other"),))
BEFORE = Configuration(Path("/etc"), regions=REGIONS, datasets={"ehr": EHR, "other": OTHER})
TEXTS = {"move": "d1", "inner": "d2"}
THEN = targets_of(BEFORE, TEXTS, ["ehr", "ehr"], ["qc"])


def changed(configuration=BEFORE, texts=TEXTS):
    return [doubt.said for doubt in changes(THEN, configuration, texts)]


def test_what_a_plan_rests_on():
    assert list(THEN) == ["runbook move", "runbook inner", "dataset ehr", "region qc", "region mtl"]
    assert changed() == []


def test_texts_datasets_and_regions_that_changed_are_named():
    assert changed(texts={**TEXTS, "inner": "d3"}) == ["runbook inner has changed"]
    other = replace(BEFORE, datasets={"ehr": replace(EHR, exclude=("*.tmp",)), "other": OTHER})
    assert changed(other) == ["dataset ehr has changed"]
    moved = {**REGIONS, "mtl": replace(REGIONS["mtl"], bucket="elsewhere")}
    assert changed(replace(BEFORE, regions=moved)) == ["region mtl has changed"]


def test_what_is_gone_is_named_too():
    gone = replace(BEFORE, datasets={"other": OTHER}, regions={})
    assert changed(gone, {"move": "d1"}) == [
        "runbook inner is there no more",
        "dataset ehr is there no more",
        "region qc is there no more",
        "region mtl is there no more",
    ]


def test_what_the_plan_does_not_rest_on_may_change():
    other = replace(BEFORE, datasets={"ehr": EHR}, organization="another")
    assert changed(other, {**TEXTS, "third": "d9"}) == []


TORONTO = ZoneInfo("America/Toronto")


@pytest.mark.parametrize(
    ("schedule", "last", "due"),
    [
        ("quarterly", "2026-02-10T12:00", "2026-04-01T08:00"),
        ("quarterly", "2026-04-01T08:00", "2026-07-01T08:00"),
        ("daily at 02:00", "2026-03-01T06:59", "2026-03-01T07:00"),
        ("0 3 29 2 *", "2026-01-01T00:00", "2028-02-29T08:00"),
        ("90d", "2026-01-01T00:00", "2026-04-01T00:00"),
        ("every 1h", "2026-01-01T00:00", "2026-01-01T01:00"),
    ],
)
def test_the_next_drill_is_due_at_the_first_moment_of_its_schedule(schedule, last, due):
    begun = datetime.fromisoformat(last).replace(tzinfo=UTC)
    found = next_due(schedule, begun, TORONTO)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert is_due(schedule, begun, found, TORONTO)
