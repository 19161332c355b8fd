"""Plans of retention: nothing is deleted before the step in which it was written down has ended."""

from pathlib import Path

import pytest

from drorch.core.errors import UsageError
from drorch.core.model import Configuration, CopyMode, CopyPolicy, Dataset
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.render import render
from drorch.core.retaining import compile_hold, compile_retention

EHR = Dataset(
    "ehr",
    "key",
    "mtl",
    copies=(CopyPolicy("tor", CopyMode.COPY, "other"), CopyPolicy("qc", CopyMode.MIRROR, "key")),
    paths=(Path("/srv/ehr"),),
)
CONFIGURATION = Configuration(Path("/etc/drorch"), datasets={"ehr": EHR})


def shape(plan):
    return [(s.id, s.do, s.needs) for s in plan.steps]


def test_mirrors_are_freed_first_and_then_each_copy():
    plan = compile_retention("ehr", CONFIGURATION)
    assert shape(plan) == [
        ("decide", "retention.decide", ()),
        ("prepare", "retention.prepare", ("decide",)),
        ("delete-mtl", "retention.delete", ("prepare",)),
        ("delete-qc", "retention.delete", ("prepare",)),
        ("prepare-2", "retention.prepare", ("decide", "delete-mtl", "delete-qc")),
        ("delete-tor", "retention.delete", ("prepare-2",)),
        ("release", "retention.release", ()),
    ]
    assert (plan.kind, plan.mode, plan.subject) == (RunKind.RETENTION, Mode.LIVE, "dataset:ehr")
    assert plan.steps[-1].phase is Phase.CLEANUP
    assert plan.steps[-1].arguments["regions"] == ["mtl", "tor", "qc"]
    assert all(s.repeatable and not s.check for s in plan.steps)
    assert plan.parallel >= len(plan.steps)


@pytest.mark.parametrize(
    ("region", "steps"),
    [
        ("qc", ["decide", "prepare", "delete-qc", "release"]),
        ("tor", ["decide", "prepare-2", "delete-tor", "release"]),
    ],
)
def test_one_region_alone(region, steps):
    plan = compile_retention("ehr", CONFIGURATION, region=region)
    assert [s.id for s in plan.steps] == steps


def test_a_reason_is_taken_to_the_letter():
    plan = compile_retention("ehr", CONFIGURATION, prune="yes", force="so {said} she")
    for step in plan.steps[:1]:
        arguments = render(step.arguments, {}, {})
        assert (arguments["force"], arguments["prune"]) == ("so {said} she", "yes")


def test_a_hold_runs_beside_everything_but_itself():
    plan = compile_hold("ehr", "a" * 64, CONFIGURATION, by="root", reason="{why}", release=True)
    assert (plan.kind, plan.subject) == (RunKind.HOLD, f"hold:ehr:{'a' * 64}")
    assert render(plan.steps[0].arguments, {}, {})["reason"] == "{why}"
    assert plan.title == "Release snapshot aaaaaaaa of ehr"


def test_what_is_not_there_is_refused():
    with pytest.raises(UsageError, match="no dataset 'her'"):
        compile_retention("her", CONFIGURATION)
    with pytest.raises(UsageError, match="no copy in 'cal'"):
        compile_retention("ehr", CONFIGURATION, region="cal")
