"""Which restic a test runs against.

A test that asks for `any_restic` runs against one version, always the same by its name, so that all
tests together run against every version; one marked `every_restic` runs against each. With
DRORCH_CAMPAIGN every test does (`make campaign`).
"""

import os
import zlib

import pytest

from tests.integration.app.premises import restics


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_restic" not in metafunc.fixturenames:
        return
    there = restics()
    every = metafunc.definition.get_closest_marker("every_restic") is not None
    if not every and not os.environ.get("DRORCH_CAMPAIGN"):
        there = [there[zlib.crc32(metafunc.function.__name__.encode()) % len(there)]]
    metafunc.parametrize("any_restic", there, ids=lambda path: path.name)
