"""What every test finds, however the tests are started."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# What these assert is shown as what the tests themselves do.
pytest.register_assert_rewrite(
    "tests.agreeing", "tests.ceph", "tests.e2e", "tests.integration", "tests.nodes", "tests.regions"
)

from tests.ceph import Ceph, missing, running_ceph  # noqa: E402 - rewritten, so after that

#: What the tests themselves are told by; nothing else of drorch's own reaches them.
_OURS = frozenset(
    {"DRORCH_RESTIC_VERSIONS", "DRORCH_CAMPAIGN", "DRORCH_CAMPAIGN_SEED", "DRORCH_WRITE_GOLDEN"}
)

for _name in [n for n in os.environ if n.startswith("DRORCH_") and n not in _OURS]:
    del os.environ[_name]

# Started in the background of a script, this process ignores SIGINT, and so would every program
# that a test starts: an ignored signal stays ignored through exec.
for _signal in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(
            _signal, signal.default_int_handler if _signal is signal.SIGINT else signal.SIG_DFL
        )

# A shared machine may be slow at any moment, which says nothing of what is tested.
settings.register_profile("drorch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("drorch")


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """A real object store with versions and locks; whoever asks for it shares one worker."""
    lacking = missing()
    assert not lacking, f"not installed: {', '.join(lacking)}; `make test` installs them"
    with running_ceph() as found:
        yield found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One group for all that need Ceph, so that no two workers start one each."""
    for item in items:
        if "ceph" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("ceph"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Content is no name: what is random in it differs from worker to worker, and none starts."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 80) else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Who shares a thing must really come to one worker: xdist tells by the name that it does."""
    if not getattr(session.config.option, "loadgroup", False):
        return
    grouped = [item for item in session.items if item.get_closest_marker("xdist_group")]
    alone = [item.nodeid for item in grouped if "@" not in item.nodeid]
    if alone:
        raise pytest.UsageError(f"xdist does not heed the groups of {len(alone)} tests: {alone[0]}")
