"""What Prometheus is told of a real installation: after real backups, and while more runs end."""

from prometheus_client.parser import text_string_to_metric_families as parse

from drorch.app.overview import Overlook
from drorch.metrics.textfile import write_textfile
from tests.fakes.vitals import alarm


def told(premises, overlook, path, *extra):
    """What is exported now, by name and the values of the labels."""
    with premises.program() as program:
        now = program.clock.now().at
        write_textfile(path, overlook.taken(program, now, extra))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parse(path.read_text())
        for sample in family.samples
    }


def test_what_is_exported_is_what_there_is(premises, tmp_path):
    overlook, path = Overlook(), tmp_path / "drorch.prom"
    found = told(premises, overlook, path)
    size = sum(p.stat().st_size for p in (premises.folder / "src/docs").rglob("*") if p.is_file())
    for region in ("mtl", "qc"):
        assert found["drorch_copy_snapshot_bytes", "docs", region] == size
        assert found["drorch_copy_snapshot_files", "docs", region] == 3
        assert 0 < found["drorch_copy_age_seconds", "docs", region] < 24 * 3600
        assert found["drorch_copy_owed", "docs", region] == 0
        assert ("drorch_copy_age_seconds", "db", region) not in found
    assert found["drorch_dataset_rpo_seconds", "docs"] == 1800
    assert found["drorch_alarm", "copy.missing", "db in mtl"] == 1
    assert found["drorch_runs_total", "backup", "passed"] == 1
    assert found["drorch_run_last_passed", "backup", "docs"] == 1
    premises.kill("qc")
    premises.back_up("db")
    found = told(premises, overlook, path, alarm("region.lost", "qc"))
    assert found["drorch_alarm", "region.lost", "qc"] == 1
    assert found["drorch_runs_total", "backup", "passed"] == 2
    assert found["drorch_copy_owed", "db", "qc"] == 1
    assert found["drorch_alarm", "copy.owed", "db in qc"] == 1
