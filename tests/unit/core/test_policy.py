from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drorch.core.errors import UsageError
from drorch.core.model import (
    Configuration,
    CopyMode,
    CopyPolicy,
    Dataset,
    LockMode,
    Objectives,
    ObjectLock,
    Region,
    Service,
)
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.policy import (
    compile_backup,
    compile_check,
    compile_heal,
    compile_lock_extend,
    compile_lock_extend_records,
    compile_replicate,
    compile_restore,
    compile_rewind,
    compile_scrub,
)
from drorch.core.render import render

EHR = Dataset(
    "ehr",
    "key",
    "mtl",
    copies=(CopyPolicy("qc", CopyMode.MIRROR, "key"), CopyPolicy("tor", CopyMode.COPY, "other")),
    paths=(Path("/srv/ehr"),),
    before=(("sync",), ("echo", "{x}")),
    after=(("logger", "done"), ("logger", "all done")),
)
CONFIGURATION = Configuration(
    Path("/etc/drorch"),
    datasets={"ehr": EHR, "alone": Dataset("alone", "key", "mtl")},
    services={"clinic": Service("clinic", objectives=Objectives(), datasets=("ehr",))},
)


def shape(plan):
    return [(s.id, s.do, s.phase, s.needs, s.on_failure, s.repeatable) for s in plan.steps]


def test_a_backup_runs_its_commands_around_it_and_copies_follow():
    plan = compile_backup("ehr", CONFIGURATION)
    stop, go_on = OnFailure.STOP, OnFailure.CONTINUE
    assert shape(plan) == [
        ("before-1", "command", Phase.STEPS, (), stop, False),
        ("before-2", "command", Phase.STEPS, ("before-1",), stop, False),
        ("backup", "backup", Phase.STEPS, ("before-2",), stop, True),
        ("replicate", "replicate", Phase.STEPS, ("backup",), go_on, True),
        ("replicate-tor", "replicate", Phase.STEPS, ("backup",), go_on, True),
        ("after-1", "command", Phase.CLEANUP, (), go_on, False),
        ("after-2", "command", Phase.CLEANUP, ("after-1",), go_on, False),
    ]
    assert all(not step.skip for step in plan.steps)
    assert (plan.kind, plan.mode, plan.subject) == (RunKind.BACKUP, Mode.LIVE, "dataset:ehr")
    assert (plan.service, plan.datasets) == ("clinic", ("ehr",))
    assert plan.steps[3].arguments == {
        "dataset": "ehr",
        "regions": ["mtl", "qc"],
        "level": "{backup.level}",
    }
    assert plan.steps[4].arguments == {"dataset": "ehr", "region": "tor"}


def test_braces_in_configured_commands_are_no_references():
    step = compile_backup("ehr", CONFIGURATION).steps[1]
    assert render(step.arguments, {}, {}) == {"argv": ["echo", "{x}"]}


def test_a_restore_takes_what_was_asked_to_the_letter():
    plan = compile_restore(
        "ehr",
        CONFIGURATION,
        to=Path("/tmp/{a.b}"),
        region="qc",
        at=datetime(2026, 1, 2, tzinfo=UTC),
        include=["*.{x}"],
        purpose="why",
    )
    (step,) = plan.steps
    assert render(step.arguments, {}, {}) == {
        "dataset": "ehr",
        "to": "/tmp/{a.b}",
        "region": "qc",
        "at": "2026-01-02T00:00:00+00:00",
        "include": ["*.{x}"],
        "purpose": "why",
    }
    elsewhere = compile_restore("ehr", CONFIGURATION, to=Path("/tmp/other"))
    assert plan.subject != elsewhere.subject
    assert elsewhere.steps[0].arguments == {"dataset": "ehr", "to": "/tmp/other"}


def test_replication_and_check_go_to_every_region_or_those_named():
    assert [s.id for s in compile_replicate("ehr", [], CONFIGURATION).steps] == [
        "replicate",
        "replicate-tor",
    ]
    (back,) = compile_replicate("ehr", ["mtl"], CONFIGURATION).steps
    assert back.arguments == {"dataset": "ehr", "regions": ["mtl"]}
    assert [s.id for s in compile_replicate("ehr", ["tor", "tor"], CONFIGURATION).steps] == [
        "replicate-tor"
    ]
    checks = compile_check("ehr", [], CONFIGURATION, arguments={"read_data": True}).steps
    assert [s.id for s in checks] == ["check-mtl", "check-qc", "check-tor"]
    assert all(s.check and s.arguments["read_data"] for s in checks)
    assert [s.id for s in compile_check("ehr", ["qc"], CONFIGURATION).steps] == ["check-qc"]


def test_a_scrub_runs_in_every_region_side_by_side_and_beside_backups():
    plan = compile_scrub("ehr", [], CONFIGURATION, arguments={"budget": "1GiB"})
    assert [s.id for s in plan.steps] == ["scrub-mtl", "scrub-qc", "scrub-tor"]
    assert all(s.check and s.repeatable and s.arguments["budget"] == "1GiB" for s in plan.steps)
    assert (plan.kind, plan.subject, plan.parallel >= 3) == (RunKind.SCRUB, "scrub:ehr", True)
    assert [s.id for s in compile_scrub("ehr", ["qc"], CONFIGURATION).steps] == ["scrub-qc"]


LOCKED = replace(
    CONFIGURATION,
    regions={
        name: Region(name, "http://x", "b", "CA", object_lock=lock)
        for name, lock in {
            "mtl": None,
            "qc": ObjectLock(LockMode.COMPLIANCE, timedelta(days=30)),
            "tor": ObjectLock(LockMode.GOVERNANCE, timedelta(days=30)),
        }.items()
    },
)


def test_locks_are_extended_where_there_are_any_side_by_side_and_beside_backups():
    plan = compile_lock_extend("ehr", [], LOCKED)
    assert [s.id for s in plan.steps] == ["extend-qc", "extend-tor"]
    assert (plan.kind, plan.subject) == (RunKind.LOCK_EXTEND, "lock:ehr")
    assert all(s.repeatable and s.arguments["dataset"] == "ehr" for s in plan.steps)
    assert [s.id for s in compile_lock_extend("ehr", ["tor"], LOCKED).steps] == ["extend-tor"]
    records = compile_lock_extend_records(["mtl", "qc"], LOCKED)
    assert [s.arguments for s in records.steps] == [{"region": "qc"}]
    assert (records.name, records.subject) == ("records", "lock:records")


def test_a_rewind_is_locked_anew_and_checked_and_no_backup_runs_beside_it():
    then = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    plan = compile_rewind("ehr", "qc", LOCKED, to=then, read_data=True)
    assert [(s.id, s.do, s.phase) for s in plan.steps] == [
        ("rewind-qc", "rewind", Phase.STEPS),
        ("extend-qc", "lock.extend", Phase.STEPS),
        ("check-qc", "repository.check", Phase.VERIFY),
    ]
    assert plan.steps[0].arguments["to"] == "2026-01-02T03:04:05+00:00"
    assert plan.steps[2].arguments["read_data"] is True
    assert (plan.kind, plan.subject, plan.notices) == (RunKind.REWIND, "dataset:ehr", ())
    assert plan.title == "Rewind ehr in qc to 2026-01-02 03:04:05 UTC"
    bare = compile_rewind("ehr", "mtl", LOCKED, to=then, unopened="no password")
    assert [s.id for s in bare.steps] == ["rewind-mtl"]
    assert bare.notices == ("no password",)


@pytest.mark.parametrize(
    ("compiling", "message"),
    [
        (lambda: compile_backup("her", CONFIGURATION), "there is no dataset 'her'"),
        (lambda: compile_replicate("ehr", ["cal"], CONFIGURATION), "has no copy in 'cal'"),
        (lambda: compile_replicate("alone", [], CONFIGURATION), "has no copies"),
        (lambda: compile_check("alone", ["qc"], CONFIGURATION), "has no copy in 'qc'"),
        (lambda: compile_scrub("alone", ["qc"], CONFIGURATION), "has no copy in 'qc'"),
        (lambda: compile_lock_extend("alone", [], LOCKED), "no object_lock is configured for mtl"),
        (lambda: compile_lock_extend("alone", ["qc"], LOCKED), "has no copy in 'qc'"),
        (lambda: compile_lock_extend_records(["mtl"], LOCKED), "no object_lock is configured"),
        (
            lambda: compile_rewind("alone", "qc", LOCKED, to=datetime(2026, 1, 2, tzinfo=UTC)),
            "has no copy in 'qc'",
        ),
        (
            lambda: compile_restore("alone", CONFIGURATION, to=Path("x"), region="qc"),
            "has no copy in 'qc'",
        ),
    ],
)
def test_what_is_not_there_is_refused_with_a_hint(compiling, message):
    with pytest.raises(UsageError, match=message) as caught:
        compiling()
    assert caught.value.hint


def test_a_heal_makes_each_repository_whole_and_then_looks_whether_it_is():
    plan = compile_heal("ehr", [], CONFIGURATION, read_data=True)
    assert [(s.id, s.do, s.needs) for s in plan.steps] == [
        ("heal-mtl-qc", "heal", ()),
        ("check-mtl", "repository.check", ("heal-mtl-qc",)),
        ("check-qc", "repository.check", ("heal-mtl-qc",)),
        ("heal-tor", "heal", ()),
        ("check-tor", "repository.check", ("heal-tor",)),
    ]
    assert (plan.kind, plan.subject) == (RunKind.HEAL, "dataset:ehr")
    assert plan.steps[0].arguments == {
        "dataset": "ehr",
        "regions": ["mtl", "qc"],
        "read_data": True,
    }
    only = compile_heal("ehr", ["qc"], CONFIGURATION)
    assert [s.id for s in only.steps] == ["heal-qc", "check-qc"]
    with pytest.raises(UsageError, match="has no copy in 'qc'"):
        compile_heal("alone", ["qc"], CONFIGURATION)
