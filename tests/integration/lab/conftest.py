from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lab.sites import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = a_site(tmp_path)
    yield made
    made.close()
