"""Premises made once for each version of restic and worker, and copied for each test."""

import os

import pytest

from tests.integration.app.disks import namespaces_work
from tests.integration.app.premises import Premises, restics
from tests.integration.app.quick_keys import made_quick


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Repositories initialised, `docs` backed up once; the servers are down."""
    made = {}

    def template(binary):
        if binary not in made:
            folder = tmp_path_factory.mktemp(binary.name)
            premises = Premises.made(folder / "here", binary)
            premises.forks = True
            try:
                with premises.program() as program:
                    done = made_quick(program, list(program.configuration.datasets.values()))
                assert [m.ok for m in done] == [True] * 4
                run = premises.back_up()
                assert run["outcome"] == "passed", run["findings"]
            finally:
                premises.down()
            premises.kept(folder / "kept")
            made[binary] = premises, folder / "kept"
        premises, kept = made[binary]
        return premises.begun_again(kept)

    return template


def _used(premises):
    premises.forget_starts()
    yield premises
    premises.down()


@pytest.fixture
def premises(templates):
    """With the newest restic there is."""
    yield from _used(templates(restics()[-1]))


@pytest.fixture
def any_premises(any_restic, templates):
    """With any restic there is; see tests/integration/conftest.py."""
    yield from _used(templates(any_restic))


@pytest.fixture
def bare(tmp_path):
    """Nothing made yet: three empty regions, of which mtl and tor share a key pair."""
    premises = Premises.made(tmp_path / "here", restics()[-1], ("mtl", "qc", "tor"))
    premises.forks = True
    yield premises
    premises.down()


@pytest.fixture
def namespaces():
    """Mounts of our own; what rests on them is never skipped in CI."""
    if not namespaces_work():
        assert not os.environ.get("CI"), "CI must be able to make mount namespaces"
        pytest.skip("this machine lets us have no mounts of our own")
