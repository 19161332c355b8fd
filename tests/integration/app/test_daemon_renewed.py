"""A daemon whose configuration is read again at any moment."""

import io
from collections.abc import Callable
from datetime import timedelta

from drorch.adapters.lease import Lease
from drorch.adapters.logs import open_log
from drorch.adapters.systemd import ServiceManager
from drorch.app.starting import begun
from drorch.core.alarms import RunEnded
from drorch.core.moment import Moment
from drorch.daemon.loop import Daemon
from drorch.daemon.words import Looked
from tests.fakes.clock import FakeClock
from tests.integration.app.house import House


class Interrupting(FakeClock):
    """While it is asked for the time, once, something else happens."""

    happens: Callable[[], None] | None = None

    def now(self) -> Moment:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return super().now()


def test_a_configuration_taken_while_regions_are_asked_concerns_the_next_look(tmp_path):
    house = House(tmp_path)
    house.dataset["schedule"] = "daily at 02:00"
    clock = house.clock = Interrupting()
    program = house.program()
    with Lease(tmp_path / "lease") as lease:
        log = open_log("plain", str, stream=io.StringIO())
        daemon = Daemon(program, log, lease, ServiceManager())
        daemon.unattended = begun(program, clock.now().at, "start")
        house.settings["datasets"]["new"] = house.dataset | {"paths": ["elsewhere"]}
        renewed = house.program()
        failed = RunEnded("backup", "new", "run", good=False, outcome="failed")
        house.record(name="new", facts=(failed,))
        clock.advance(timedelta(hours=2))

        def taken() -> None:
            daemon.unattended = begun(renewed, clock.now().at, "SIGHUP", daemon.unattended)
            daemon.program = renewed

        clock.happens = taken
        daemon._ask_regions()
        word = daemon.inbox.get_nowait()
        assert isinstance(word, Looked)
        assert word.owed == ()
    program.journal.close()
    renewed.journal.close()
