import stat
from pathlib import Path

import pytest

from drorch.lab import regions
from drorch.lab.regions import DEFAULT_REGIONS, LabError, LabRegion
from drorch.ports import ServiceProcess

MTL = LabRegion("mtl", 9101, "CA-QC", Path("/lab"), ServiceProcess(12, 345, "boot"))


def test_the_state_comes_back_as_it_was_saved(tmp_path):
    saved = (
        LabRegion("mtl", 9101, "CA-QC", tmp_path, ServiceProcess(12, 345, "boot")),
        LabRegion("qc", 9102, "CA-ON", tmp_path),
    )
    regions.save(tmp_path, saved)
    assert regions.load(tmp_path) == saved
    assert [p.name for p in tmp_path.iterdir()] == ["lab.json"]


def test_no_state_means_no_regions(tmp_path):
    assert regions.load(tmp_path) == ()


@pytest.mark.parametrize("text", ["", "{}", '{"regions": [{"name": "mtl"}]}', "[1]"])
def test_a_broken_state_is_an_error_with_a_way_out(tmp_path, text):
    (tmp_path / "lab.json").write_text(text)
    with pytest.raises(LabError, match="not a lab's state") as caught:
        regions.load(tmp_path)
    assert caught.value.hint


def test_secrets_are_made_once_for_their_owner_only(tmp_path):
    region = LabRegion("mtl", 9101, "CA-QC", tmp_path)
    regions.make_secrets(tmp_path, [region])
    made = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    assert set(made) == {"mtl-id", "mtl-secret", "repo-key"}
    assert all(len(v.strip()) >= 20 for v in made.values())
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "secrets").iterdir()} == {0o600}
    regions.make_secrets(tmp_path, [region, LabRegion("qc", 9102, "CA-QC", tmp_path)])
    again = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    assert made.items() <= again.items()
    assert {"qc-id", "qc-secret"} <= set(again)


def test_an_empty_secret_file_is_filled(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "repo-key").touch()
    regions.make_secrets(tmp_path, [])
    assert (tmp_path / "secrets" / "repo-key").read_text().strip()


def test_the_default_regions_are_those_of_the_sample_configuration():
    assert [(r.name, r.port, r.jurisdiction) for r in DEFAULT_REGIONS] == [
        ("mtl", 9101, "CA-QC"),
        ("qc", 9102, "CA-QC"),
    ]


def test_a_region_as_the_configuration_describes_it():
    region = MTL.as_region()
    assert (region.endpoint, region.bucket) == ("http://127.0.0.1:9101", "drorch")
    assert (region.access_key, region.secret_key) == ("mtl-id", "mtl-secret")
    assert MTL.id_file == Path("/lab/secrets/mtl-id")
