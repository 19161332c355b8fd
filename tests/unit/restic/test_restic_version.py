"""The version of restic: read, judged, remembered."""

import os
import shutil

import pytest

from drorch.core.errors import ResticError
from drorch.restic.version import Version, capabilities, parse_version
from tests.unit.restic.replay import VERSIONS, PlayedRestic, recording


@pytest.mark.parametrize("version", VERSIONS)
def test_both_forms_of_the_answer_are_read(version):
    answer = "\n".join(recording(version, "version").stdout)
    assert str(parse_version(answer)) == version


def test_a_program_that_is_not_restic_is_refused():
    with pytest.raises(ResticError) as refused:
        parse_version("Python 3.11.7")
    assert refused.value.cause == "not-restic"
    assert "Python 3.11.7" in refused.value.message


def test_a_restic_older_than_0_14_0_is_refused_with_a_hint():
    with pytest.raises(ResticError) as refused:
        capabilities(Version(0, 13, 1))
    assert refused.value.cause == "unsupported-version"
    assert "0.14.0" in refused.value.message
    assert "install restic" in refused.value.hint


def test_0_19_0_is_refused_because_it_leaks_a_progress_bar_into_json():
    with pytest.raises(ResticError) as refused:
        capabilities(Version(0, 19, 0))
    assert "progress bar" in refused.value.message
    assert capabilities(Version(0, 19, 1)).json_check


def test_the_table_says_what_each_recorded_version_can_do():
    old, newer, newest = (capabilities(parse_version(f"restic {v} compiled")) for v in VERSIONS)
    assert not any((old.json_init, old.full_snapshot_id, old.no_scan, old.retry_lock))
    assert not any((old.json_restore, old.snapshot_summary, old.json_check))
    assert all((newer.json_init, newer.full_snapshot_id, newer.no_scan, newer.retry_lock))
    assert all((newer.json_restore, newer.snapshot_summary, newer.json_check))
    assert newest.version > newer.version > old.version


def test_the_version_is_asked_once_and_remembered_by_the_next_process(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    first = played.restic()
    assert str(first.capabilities().version) == "0.18.0"
    assert str(first.capabilities().version) == "0.18.0"
    assert str(played.restic().capabilities().version) == "0.18.0"
    assert played.verbs == ["version"]


def test_a_replaced_binary_is_asked_again(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    restic = played.restic()
    restic.capabilities()
    played.version = "0.19.1"
    binary = tmp_path / "bin" / "restic"
    os.utime(binary, ns=(1, 1))
    assert str(restic.capabilities().version) == "0.19.1"
    assert played.verbs == ["version", "version"]


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"a": 3}', '{"a": "b.c"}'])
def test_a_damaged_memory_costs_a_start_and_no_more(tmp_path, memory):
    played = PlayedRestic("0.14.0", tmp_path)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "restic-versions.json").write_text(memory)
    assert str(played.restic().capabilities().version) == "0.14.0"


def test_a_missing_restic_is_named_with_a_hint(tmp_path):
    played = PlayedRestic("0.14.0", tmp_path)
    shutil.rmtree(tmp_path / "bin")
    with pytest.raises(ResticError) as missing:
        played.restic(environment={"PATH": str(tmp_path)}).capabilities()
    assert missing.value.cause == "restic-not-found"
    assert "apt-get install restic" in missing.value.hint
