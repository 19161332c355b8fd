"""Restore tests as the daemon has them: restored, held against the snapshot, removed, on record."""

from datetime import UTC, datetime, timedelta

import pytest

from drorch.app.duties import duty_of
from drorch.app.runs import Control, Request
from drorch.core.jobs import Job, JobKind
from drorch.core.schedules import parse_schedule
from tests.integration.app.seeing import step

JOB = Job(JobKind.RESTORE_TEST, "docs", "weekly", parse_schedule("weekly"), timedelta())


def proof_run(premises):
    with premises.program() as program:
        duty = duty_of(program, JOB, datetime.now(UTC), None)
        return dict(duty.carry(program, Request("schedule"), Control(), ()).document)


def left(premises):
    return [p for p in (premises.folder / "var" / "restore-tests").rglob("*") if p.is_file()]


@pytest.mark.every_restic
def test_each_region_is_tested_in_turn_and_status_says_when(any_premises):
    any_premises.back_up()
    for region in ("mtl", "qc"):
        assert any_premises.status(region=region)["restore_tested_at"] is None
        run = proof_run(any_premises)
        assert (run["kind"], run["outcome"]) == ("restore-test", "passed"), run["findings"]
        assert step(run, "restore")["outputs"]["region"] == region
        assert any_premises.status(region=region)["restore_tested_at"] is not None
        assert left(any_premises) == []
    assert step(proof_run(any_premises), "restore")["outputs"]["region"] == "mtl"


def test_a_region_that_cannot_be_restored_from_fails_its_test_and_is_not_called_tested(premises):
    premises.back_up()
    premises.kill("mtl")
    run = proof_run(premises)
    assert run["outcome"] == "failed"
    premises.revive("mtl")
    assert premises.status(region="mtl")["restore_tested_at"] is None
    assert left(premises) == []
