"""The ready runbook ehr-failover, compiled against the lab's configuration."""

from pathlib import Path

import pytest

from drorch.actions.table import TABLE
from drorch.config.load import load_configuration, load_runbooks
from drorch.core.compile import compile_runbook
from drorch.core.errors import ConfigurationError
from drorch.core.names import Mode, Phase
from drorch.core.plan import Plan

ROOT = Path(__file__).parents[3]


def compiled(mode: Mode = Mode.DRILL, **inputs: str) -> Plan:
    configuration = load_configuration(ROOT / "configs" / "lab.yaml")
    runbooks = load_runbooks(configuration.runbooks)
    return compile_runbook(
        runbooks["ehr-failover"],
        configuration,
        lambda name: found.spec if (found := TABLE.find(name)) else None,
        mode,
        inputs,
        runbooks.get,
    )


def of(plan: Plan, name: str):
    [step] = [s for s in plan.steps if s.id == name]
    return step


def test_it_needs_no_input_and_takes_its_promise_from_the_service():
    plan = compiled()
    assert plan.objectives == compiled(Mode.LIVE).objectives
    assert plan.objectives.rto is not None
    assert set(plan.datasets) == {"ehr-documents", "ehr-db"}
    assert plan.inputs["workdir"] == "var/drill"


def test_documents_and_database_come_back_side_by_side():
    plan = compiled()
    assert of(plan, "restore-documents").needs == ()
    assert of(plan, "restore-database").needs == ()


def test_in_a_drill_nobody_is_asked_and_everything_is_taken_back_in_reverse():
    plan = compiled()
    assert of(plan, "go-ahead").skip
    cleanup = [s for s in plan.steps if s.phase is Phase.CLEANUP]
    assert [s.id for s in cleanup] == [
        "undo:start-ehr",
        "undo:load-database",
        "remove-database",
        "remove-restored",
    ]
    assert not any(s.skip for s in cleanup)


def test_in_a_failover_somebody_is_asked_and_everything_stays():
    plan = compiled(Mode.LIVE)
    assert not of(plan, "go-ahead").skip
    assert of(plan, "go-ahead").person
    assert all(s.skip for s in plan.steps if s.phase is Phase.CLEANUP)


def test_every_check_against_production_stands_on_the_value_it_needs():
    conditional = {
        s.id: s.when.value for s in compiled().steps if s.phase is Phase.VERIFY and s.when
    }
    assert conditional == {
        "patients-are-all-there": "{patients}",
        "visits-are-all-there": "{visits}",
        "canary-is-the-newest": "{canary}",
        "patients-by-sql": "{patients}",
        "canary-by-sql": "{canary}",
        "manifest-is-the-newest": "{manifest}",
    }


@pytest.mark.parametrize(
    "workdir", ["var/hospital/documents", "var/hospital", "var/drill/../hospital/documents/2026"]
)
def test_a_drill_into_production_is_refused(workdir):
    with pytest.raises(ConfigurationError, match="a drill must not touch it"):
        compiled(workdir=workdir)


def test_a_region_without_the_data_is_refused():
    with pytest.raises(ConfigurationError, match="there is no region 'toronto'"):
        compiled(region="toronto")
