"""What was recovered as an exercise reads one region, and no other; nothing is sent that could change it."""

from pathlib import Path

import pytest

from drorch.adapters.exercised import HANDED_OVER, HandedOver
from drorch.config.load import load_configuration
from drorch.core.errors import ConfigurationError, StorageError
from drorch.core.model import Reach, evidence_regions
from drorch.core.plane import plane_regions
from drorch.storage.client import Credentials, Patience, credentials_of, make_client
from tests.fakes.commands import FakeCommands

EXERCISE = """\
exercise: qc
secrets:
  key: {file: key}
  id: {env: ID}
  word: {command: [echo, word]}
regions:
  mtl: {endpoint: "http://127.0.0.1:8", bucket: drorch, jurisdiction: CA-QC}
  qc: {endpoint: "http://127.0.0.1:9", bucket: drorch, jurisdiction: CA-QC, access_key: id, secret_key: key}
datasets:
  docs: {paths: [/srv], password: key, primary: qc}
notify:
  - {command: [logger], when: [all]}
"""


@pytest.fixture
def configuration(tmp_path):
    (tmp_path / "drorch.yaml").write_text(EXERCISE)
    (tmp_path / "key").write_text("lies on this machine")
    return load_configuration(tmp_path / "drorch.yaml")


def test_it_is_copied_nowhere_and_tells_nobody(configuration):
    assert plane_regions(configuration) == ()
    assert evidence_regions(configuration) == ()
    assert configuration.channels == ()


def test_requests_that_could_change_anything_are_not_sent(configuration):
    region = configuration.regions["qc"]
    assert region.reach is Reach.READ
    client = make_client(region, Credentials("a", "b"), Patience())
    for change in (
        lambda: client.put_object(Bucket="b", Key="k", Body=b""),
        lambda: client.delete_object(Bucket="b", Key="k"),
        lambda: client.copy_object(Bucket="b", Key="k", CopySource="b/k"),
        lambda: client.put_object_retention(Bucket="b", Key="k"),
        lambda: client.create_bucket(Bucket="b"),
    ):
        with pytest.raises(StorageError, match="region qc is only read"):
            change()


def test_other_regions_and_this_machine_count_as_lost(configuration):
    environment = {"ID": "of this machine", HANDED_OVER: '{"key": "given"}'}
    secrets = HandedOver(configuration, FakeCommands(), environment)
    with pytest.raises(ConfigurationError, match="region mtl counts as lost"):
        credentials_of(configuration.regions["mtl"], secrets)
    assert secrets.get("key") == "given"
    for name, where in (("id", "environment variable ID"), ("word", "command echo")):
        assert secrets.look(name).there is False
        with pytest.raises(ConfigurationError, match=f"secret {name} counts as lost .*{where}"):
            secrets.get(name)


def test_what_is_not_an_exercise_is_as_it_was(tmp_path: Path):
    (tmp_path / "drorch.yaml").write_text(EXERCISE.removeprefix("exercise: qc\n"))
    real = load_configuration(tmp_path / "drorch.yaml")
    assert {region.reach for region in real.regions.values()} == {Reach.ALL}
    assert [region.name for region in plane_regions(real)] == ["mtl", "qc"]
    assert len(real.channels) == 1
