"""Two embedded regions for a module's tests; each test takes a repository folder of its own."""

import hashlib
from collections.abc import Iterator

import pytest

from drorch.lab.regions import LabRegion
from drorch.storage.bucket import Bucket
from tests.regions import bucket_of, running_regions


@pytest.fixture(scope="module")
def regions() -> Iterator[list[LabRegion]]:
    with running_regions(2) as started:
        yield started


@pytest.fixture
def source(regions) -> Iterator[Bucket]:
    bucket = bucket_of(regions[0])
    yield bucket
    bucket.close()


@pytest.fixture
def destination(regions) -> Iterator[Bucket]:
    # Another prefix than the source's: names are below it.
    bucket = bucket_of(regions[1], prefix="prod/west")
    yield bucket
    bucket.close()


@pytest.fixture
def repository(request) -> str:
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()
    return f"datasets/{digest[:12]}"
