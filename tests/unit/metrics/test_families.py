"""What is exported: parsed as Prometheus does, by its own library."""

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from drorch import __version__
from drorch.core.names import Outcome, RunKind
from drorch.core.vitals import STUCK, EndedRuns, Overview, added
from drorch.metrics.exposition import Exposition
from tests.fakes.vitals import DAWN, FakeVitals, alarm, copy_of, hospital, moment, posture

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(source, accept="") -> dict:
    page = Exposition(source).page(accept)
    parse = parse_openmetrics if "openmetrics" in page.kind else parse_plain
    found = {}
    for family in parse(page.text.decode()):
        for sample in family.samples:
            key = (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items())))
            assert key not in found, f"{key} stands twice"
            found[key] = sample.value
    return found


@pytest.mark.parametrize("accept", ["", OPENMETRICS, "text/plain; version=1.0.0"])
def test_what_stands_in_the_posture_is_told(accept):
    found = samples(FakeVitals(hospital()), accept)
    qc = ("dataset=ehr-db", "region=qc")
    assert found["drorch_copy_age_seconds", *qc] == 4000.5
    assert found["drorch_copy_rpo_met", *qc] == 0
    assert found["drorch_copy_owed", *qc] == 1
    assert found["drorch_copy_scrubbed_ratio", *qc] == 0.5
    assert found["drorch_copy_verified_timestamp_seconds", *qc] == 1795316400.0
    assert found["drorch_dataset_rpo_seconds", "dataset=ehr-db"] == 1800
    assert found["drorch_posture_timestamp_seconds",] == DAWN.timestamp()
    assert found["drorch_copy_info", *qc[:1], "jurisdiction=CA-QC", qc[1], "role=mirror"] == 1


def test_what_is_not_known_has_no_sample():
    found = samples(FakeVitals(hospital()))
    tor = ("dataset=ehr-documents", "region=tor")
    assert ("drorch_copy_age_seconds", *tor) not in found
    assert found["drorch_copy_rpo_met", *tor] == 0
    assert not any("restore_tested" in name for name, *_ in found)
    assert not any("runbook=never-practised" in key for key in found)


def test_drills_and_alarms():
    found = samples(FakeVitals(hospital()))
    assert found["drorch_drill_last_outcome", "outcome=failed", "runbook=ehr-failover"] == 1
    assert found["drorch_drill_last_outcome", "outcome=passed", "runbook=ehr-failover"] == 0
    assert found["drorch_drill_overdue", "runbook=ehr-failover"] == 0
    assert found["drorch_drill_needs_verification", "runbook=ehr-failover"] == 1
    assert found["drorch_alarms",] == 3
    assert found["drorch_alarm", "subject=ehr-db in qc", "what=copy.owed"] == 1
    since = "drorch_alarm_since_timestamp_seconds"
    assert (since, "subject=ehr-documents in tor", "what=copy.missing") not in found
    assert found[since, "subject=ehr-db in qc", "what=copy.owed"] == DAWN.timestamp() - 3600


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_runs_and_slots(accept):
    found = samples(FakeVitals(hospital()), accept)
    assert found["drorch_runs_total", "kind=backup", "outcome=passed"] == 51
    assert found["drorch_runs_total", "kind=backup", "outcome=failed"] == 2
    db = ("kind=backup", "name=ehr-db")
    assert found["drorch_run_last_duration_seconds", *db] == 60
    assert found["drorch_run_last_passed", *db] == 1
    assert found["drorch_run_last_finished_timestamp_seconds", *db] == DAWN.timestamp() - 540
    assert found["drorch_run_last_duration_seconds", "kind=drill", "name=ehr-failover"] == 0
    assert found["drorch_slots_total", "fate=late", "kind=backup"] == 3
    assert found["drorch_notify_consecutive_failures", "channel=notify-url"] == 7
    # What has not happened yet counts from nought, so that the first time is an increase.
    assert found["drorch_slots_total", "fate=missed", "kind=drill"] == 0
    assert found["drorch_runs_total", "kind=drill", "outcome=passed"] == 0


def test_the_daemon_itself():
    vitals = FakeVitals(
        jobs=12,
        queued=3,
        running=2,
        parallel=4,
        configuration="abc",
        configured_at=DAWN,
    )
    found = samples(vitals)
    assert found["drorch_daemon_ready",] == 1
    assert found["drorch_daemon_runs_queued",] == 3
    assert found["drorch_daemon_jobs",] == 12
    assert found["drorch_configuration_info", "digest=abc"] == 1
    assert found["drorch_configuration_last_reload_successful",] == 1
    assert any(f"version={__version__}" in key for key in found)
    assert found["process_resident_memory_bytes",] > 1e6
    vitals.become(refused_at=DAWN, missing=("the journal is being opened",))
    found = samples(vitals)
    assert found["drorch_configuration_last_reload_successful",] == 0
    assert (found["drorch_daemon_ready",], found["drorch_daemon_healthy",]) == (0, 1)


def test_a_loop_that_does_not_turn_is_not_healthy():
    vitals = FakeVitals()
    vitals.now = STUCK.total_seconds()
    assert vitals.state().unhealthy == ()
    vitals.now += 1
    assert vitals.state().unhealthy == ("the loop has not turned for 1m 1s",)
    vitals.become(turned=moment(vitals.now), troubles=("the journal cannot be opened",))
    assert vitals.state().unhealthy == ("the journal cannot be opened",)
    assert vitals.state().unready == ("the journal cannot be opened",)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@pytest.mark.parametrize("name", ['say "so"', "a\\b", "a\nb", "é", "{}", "x,y=z"])
def test_any_name_comes_through(name, accept):
    document = posture({"d": [copy_of("mtl")]}, [alarm(name, f"{name} in mtl")])
    found = samples(FakeVitals(Overview(DAWN, document)), accept)
    assert found["drorch_alarm", f"subject={name} in mtl", f"what={name}"] == 1


@pytest.mark.parametrize("document", [{}, {"datasets": "x", "drills": None, "alarms": [1]}])
def test_a_document_without_parts_tells_less(document):
    assert samples(FakeVitals(Overview(DAWN, document)))["drorch_alarms",] == 0


def test_before_there_is_an_overview_the_rest_is_told():
    found = samples(FakeVitals())
    assert found["drorch_daemon_healthy",] == 1
    assert not any(name.startswith("drorch_copy") for name, *_ in found)


def test_an_overview_is_written_once_until_there_is_a_newer_one():
    vitals = FakeVitals(hospital(), queued=1)
    exposition = Exposition(vitals)
    before = exposition.page("").text.decode()
    vitals.become(queued=2)
    changed = exposition.page("").text.decode()
    assert "drorch_daemon_runs_queued 1.0" in before
    assert "drorch_daemon_runs_queued 2.0" in changed
    vitals.become(replace(hospital(), at=DAWN + timedelta(seconds=15)))
    told = float(
        exposition.page("").text.split(b"drorch_posture_timestamp_seconds ")[-1].split()[0]
    )
    assert told == DAWN.timestamp() + 15


def test_strange_wishes_get_some_form():
    exposition = Exposition(FakeVitals(hospital()))
    for number in range(10):
        wish = f"application/openmetrics-text; version=1.0.{number}"
        assert exposition.page(wish).text.endswith(b"# EOF\n")
    for wish in ("application/openmetrics-text; version=x", "text/plain; version=", "*/*", ";;,"):
        assert b"drorch_copy_age_seconds" in exposition.page(wish).text


def test_counts_of_runs_add_up():
    def backups(count: int, minute: int) -> EndedRuns:
        at = DAWN + timedelta(minutes=minute)
        end = at + timedelta(seconds=5)
        return EndedRuns(RunKind.BACKUP, "d", Outcome.PASSED, count, at, end)

    other = replace(backups(1, 0), name="e")
    assert added([], [backups(1, 1), backups(1, 3), backups(1, 2)]) == (backups(3, 3),)
    assert added([backups(40, 9), other], [backups(1, 1)]) == (backups(41, 9), other)
