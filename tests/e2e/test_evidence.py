"""Evidence by the program as processes: a restore is sealed at its end, the daemon brings what is owed."""

import pytest

from drorch.app.keyring import new_pair
from drorch.app.verifying import verify_packed
from drorch.sealing.keys import public_key
from tests.e2e.watchman import on_watch
from tests.regions import bucket_of


@pytest.fixture
def sealing(premises):
    """Premises with a key of their own, and a backup of `docs`."""
    new_pair(premises.folder / "evidence-key")
    premises.configuration["secrets"]["evidence-key"] = {"file": "evidence-key"}
    premises.configuration["evidence"] = {"key": "evidence-key", "public_key": "evidence-key.pub"}
    premises.save()
    assert premises.cli("backup", "docs").code == 0
    return premises


def kept(premises, region):
    """What evidence lies in a region."""
    found = bucket_of(premises.regions[region]).list_objects("evidence/")
    return [entry.name.removeprefix("evidence/") for entry in found]


def owed(premises):
    return [one for one in premises.alarms() if one[0].startswith("evidence.")]


def test_a_restore_is_sealed_and_a_dead_region_gets_it_from_the_daemon(sealing):
    assert kept(sealing, "mtl") == []  # a backup is no evidence, and waits for nothing
    sealing.kill("qc")
    said = sealing.cli("restore", "docs", "--to", str(sealing.folder / "back"))
    assert said.code == 0
    assert "warning: evidence is owed to qc: " in said.errors
    assert owed(sealing) == [("evidence.owed", "qc")]
    sealing.revive("qc")
    with on_watch(sealing) as daemon:
        daemon.wait_for(lambda: kept(sealing, "qc"))
        daemon.wait_for(lambda: owed(sealing) == [])
        assert daemon.stop() == 0
    head, bundle = kept(sealing, "mtl")[:2]
    assert bundle.startswith(f"runs/{said.document['run']}.")
    assert {head, bundle} <= set(kept(sealing, "qc"))
    trusted = public_key((sealing.folder / "evidence-key.pub").read_text())
    packed = bucket_of(sealing.regions["qc"]).get(f"evidence/{bundle}")
    assert verify_packed(packed, bundle, [trusted]).signer == trusted
    assert sealing.cli("journal", "verify").code == 0


def test_once_brings_what_is_owed_too(sealing):
    sealing.kill("qc")
    assert sealing.cli("restore", "docs", "--to", str(sealing.folder / "back")).code == 0
    sealing.revive("qc")
    assert sealing.cli("daemon", "--once").code == 0
    assert (len(kept(sealing, "qc")) >= 2, owed(sealing)) == (True, [])
