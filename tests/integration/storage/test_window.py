"""What goes to regions keeps to a dataset's window, on a clock that goes only as it is waited for."""

import hashlib
import io
import os
import threading
from datetime import timedelta

import pytest

from drorch.storage.crew import Stop
from drorch.storage.gateway import Gateway
from drorch.storage.mirror import mirror, unite
from drorch.storage.pace import Flow, Pace
from drorch.storage.replicas import Replicas
from tests.fakes.clock import FakeClock
from tests.integration.storage.test_mirror import make_repository, names

RATE = 100_000.0


class Waiting:
    """A pace whose time passes by being waited for; `seconds` of it have."""

    def __init__(self) -> None:
        self._clock = FakeClock(ticks=0.0)
        self._lock = threading.Lock()
        self.pace = Pace(lambda: RATE, now=lambda: self.seconds, wait=self._wait)

    @property
    def seconds(self) -> float:
        return self._clock.now().ticks

    def _wait(self, _: Stop, seconds: float) -> None:
        with self._lock:
            self._clock.advance(timedelta(seconds=seconds))


@pytest.mark.parametrize("way", ["sending", "receiving"])
def test_a_replication_is_no_faster_than_its_window(way, source, destination, repository):
    make_repository(source, repository, packs=6, size=500_000)
    waiting = Waiting()
    pieces: list[int] = []

    class Noting(Pace):
        """Tells how much is taken at once."""

        def take(self, size: int, stop: Stop | None = None) -> None:
            pieces.append(size)
            waiting.pace.take(size, stop)

    flow = Flow(**{way: Noting(lambda: RATE)})
    (done,) = unite((source, destination), repository, targets=[destination], flow=flow).values()
    assert done.whole
    assert waiting.seconds >= done.bytes / RATE - 1
    assert max(pieces) <= RATE / 4


def test_a_backup_to_two_regions_sends_everything_twice(source, destination, repository):
    make_repository(source, repository, packs=1)
    mirror(source, destination, repository)
    waiting = Waiting()
    gateway = Gateway(Replicas([source, destination], repository), flow=Flow(sending=waiting.pace))
    content = os.urandom(400_000)
    name = hashlib.sha256(content).hexdigest()
    gateway.store("data", name, len(content), io.BytesIO(content).read)
    assert f"data/{name[:2]}/{name}" in names(source, repository)
    assert f"data/{name[:2]}/{name}" in names(destination, repository)
    assert waiting.seconds >= 2 * len(content) / RATE - 1


def test_what_is_read_through_a_gateway_counts_too(source, repository):
    make_repository(source, repository, packs=1, size=300_000)
    waiting = Waiting()
    gateway = Gateway(Replicas([source], repository), flow=Flow(receiving=waiting.pace))
    (name,) = (n for n in names(source, repository) if n.startswith("data/"))
    with gateway.reading(name) as reading:
        got = b"".join(reading.chunks)
    assert hashlib.sha256(got).hexdigest() == name.rpartition("/")[2]
    assert waiting.seconds >= len(got) / RATE - 1
