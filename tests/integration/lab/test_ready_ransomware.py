"""The ready runbook ransomware: the way back in a real store that keeps versions and locks them, what
an exercise does there, and what is left to do where nothing keeps versions.
"""

import hashlib
import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drorch.app.drills import drill
from drorch.app.runs import Control
from drorch.core.names import Outcome, StepStatus
from drorch.lab.hospital.production import Database
from drorch.storage.versions import listed_versions
from tests.integration.app.locked import LockedPremises
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import made_quick
from tests.integration.lab.sites import ROOT, assert_nothing_left, carried_live

CANARY = "canari-1"


def now() -> str:
    return datetime.now(UTC).isoformat()


def failed(view) -> set[str]:
    return {s.plan.id for s in view.state.steps.values() if s.status is StepStatus.FAILED}


# --- in a store that keeps versions


@pytest.fixture
def locked(ceph, tmp_path) -> LockedPremises:
    """The EHR, backed up to two locked regions of Ceph."""
    premises = LockedPremises.in_ceph(tmp_path / "here", restics()[-1], ceph)
    documents = premises.folder / "src" / "docs"
    for n in range(80):
        (documents / f"{n}.txt").write_text(f"patient {n}\n" * 200)
    sums = "find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS"
    subprocess.run(sums, shell=True, check=True, cwd=documents)
    with closing(sqlite3.connect(premises.folder / "src" / "ehr.db")) as database:
        database.execute("CREATE TABLE patients (id INTEGER)")
        database.execute("INSERT INTO patients VALUES (1)")
        database.execute("CREATE TABLE canary (id INTEGER, value TEXT)")
        database.execute("INSERT INTO canary VALUES (1, ?)", (CANARY,))
        database.commit()
    dump = {"command": ["cat", "src/ehr.db"], "filename": "ehr.dump"}
    premises.configuration["runbooks"] = str(ROOT / "runbooks")
    premises.configuration["datasets"] = {
        "ehr-documents": premises.dataset(paths=["src/docs"]),
        "ehr-db": premises.dataset(dump=dump),
    }
    premises.configuration["services"] = {"ehr": {"datasets": ["ehr-documents", "ehr-db"]}}
    premises.save()
    with premises.program() as program:
        made_quick(program, list(program.configuration.datasets.values()))
    for name in ("ehr-documents", "ehr-db"):
        assert premises.back_up(name)["outcome"] == "passed"
    return premises


def test_both_regions_attacked_one_comes_back_and_is_proven(locked):
    well = now()
    for region in ("mtl", "qc"):
        for dataset in ("ehr-documents", "ehr-db"):
            locked.attack(region, dataset)
    document = hashlib.sha256(b"patient 7\n" * 200).hexdigest()
    given = {"before": well, "canary": CANARY, "document": "7.txt", "document-sha256": document}
    with locked.program() as program:
        view, asked = carried_live(program, "ransomware", given)
    assert view.state.finished.outcome is Outcome.PASSED, failed(view)
    assert list(asked) == ["attacker-is-out", "may-rewind"]
    brought = view.state.outputs["rewind-documents"]["brought_back"]
    assert f"Documents: {brought} objects come back, 3 are hidden" in asked["may-rewind"]
    assert brought > 3
    assert view.state.outputs["lock-documents"]["horizon"]
    assert view.state.outputs["canary-is-there"]["value"] == CANARY
    assert view.state.outputs["documents-as-backed-up"]["files"] == 84
    assert view.state.finished.left_behind == ()
    clean = locked.folder / "var" / "clean"  # a live run leaves what it restored
    assert (clean / "documents" / "7.txt").read_text() == "patient 7\n" * 200
    assert "no errors" in locked.restic("check", region="qc", dataset="ehr-documents")


def test_an_exercise_changes_nothing_in_the_region(locked):
    there = list(listed_versions(locked.bucket("qc")))
    with locked.program() as program:
        given = {"before": now(), "canary": CANARY}
        view = drill(program, "ransomware", given, control=Control()).view
        assert view.state.finished.outcome is Outcome.PASSED, failed(view)
        assert view.state.outputs["look-documents"]["brought_back"] == 0
        assert_nothing_left_of(locked, view)
    after = list(listed_versions(locked.bucket("qc")))
    assert [v for v in after if "/locks/" not in v.name] == [
        v for v in there if "/locks/" not in v.name
    ]


def test_an_exercise_after_an_attack_shows_what_a_rewind_would_do_and_fails(locked):
    well = now()
    locked.attack("qc", "ehr-documents")
    with locked.program() as program:
        view = drill(program, "ransomware", {"before": well}, control=Control()).view
        assert view.state.outputs["look-documents"]["brought_back"] > 3
        assert view.state.outputs["look-documents"]["hidden"] == 3
        assert view.state.finished.outcome is Outcome.FAILED
        assert_nothing_left_of(locked, view)


def test_a_time_that_has_not_come_is_refused(locked):
    with locked.program() as program:
        given = {"before": "2199-01-01T00:00:00Z"}
        view = drill(program, "ransomware", given, control=Control()).view
    assert "is still to come" in view.state.steps["look-documents"].message
    assert view.state.finished.outcome is Outcome.FAILED


def assert_nothing_left_of(premises, view):
    assert not (premises.folder / "var" / "clean").exists()
    assert view.state.finished.left_behind == ()


# --- in the lab, whose regions keep no versions


def test_without_versions_it_says_so_and_restores_what_was_there_before(site):
    facts = site.make(Database.SQLITE)
    site.back_up()
    well = now()
    for file in list((site.hospital / "documents").rglob("*.*"))[:40]:
        file.write_bytes(os.urandom(4000))  # encrypted in the source, and backed up in good faith
    site.back_up()

    refused = drill(site.program, "ransomware", {"before": well}, control=Control()).view
    assert refused.state.finished.outcome is Outcome.ABORTED
    assert "keeps no versions" in refused.state.steps["region-keeps-versions"].message

    late = {"before": now(), "rewind": "no"}
    found_out = drill(site.program, "ransomware", late, control=Control()).view
    assert failed(found_out) == {"documents-are-readable", "documents-agree"}
    assert "look encrypted" in found_out.state.steps["documents-are-readable"].message

    given = {"before": well, "rewind": "no", "canary": facts.canary}
    passed = drill(site.program, "ransomware", given, control=Control()).view
    assert passed.state.finished.outcome is Outcome.PASSED, failed(passed)
    assert passed.state.outputs["documents-are-readable"]["suspicious_count"] == 0
    assert not Path(site.program.configuration.folder, "var", "clean").exists()
    assert_nothing_left(site, passed)


def test_a_postgresql_dump_is_loaded_and_looked_at(site):
    facts = site.make(Database.POSTGRESQL)
    site.back_up()
    given = {"before": now(), "rewind": "no", "canary": facts.canary}
    view = drill(site.program, "ransomware", given, control=Control()).view
    assert view.state.finished.outcome is Outcome.PASSED, failed(view)
    assert view.state.outputs["canary-is-there"]["value"] == facts.canary
    assert_nothing_left(site, view)
