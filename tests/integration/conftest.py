"""Which restic a test runs against.

A test that asks for `any_restic` runs against one version, always the same by its name, so that all
tests together run against every version; one marked `every_restic` runs against each. With
DRORCH_CAMPAIGN every test does (`make campaign`).
"""

import os
import zlib

import pytest

from tests.integration.app.premises import restics


@pytest.fixture(autouse=True)
def quick_vaults(monkeypatch):
    """Vaults of the control plane that cost nothing to open: most of what is done here makes one.

    What a real one costs, and that it is opened, is for tests/unit/sealing and tests/e2e.
    """
    monkeypatch.setattr("drorch.sealing.vault._N", 16)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_restic" not in metafunc.fixturenames:
        return
    there = restics()
    every = metafunc.definition.get_closest_marker("every_restic") is not None
    if not every and not os.environ.get("DRORCH_CAMPAIGN"):
        there = [there[zlib.crc32(metafunc.function.__name__.encode()) % len(there)]]
    metafunc.parametrize("any_restic", there, ids=lambda path: path.name)
