"""Alarms told over real channels: raised once, again after a time, over when they are over; a
channel that fails, a process that dies in the midst, a dead man's switch.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.app import alarms
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.core.events import RunFinished
from drorch.core.names import Outcome
from drorch.core.posture import CopyFact, CopyFactKind
from tests.fakes.clock import FakeClock
from tests.fakes.facts import begun, ended, stamped, started
from tests.receivers import a_mailbox

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class House:
    """One dataset in one region, told of over channels; time passes when it is let pass."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.settings = {
            "organization": "Sainte-Rive",
            "state": "sqlite:///drorch.db",
            "secrets": {"key": {"env": "KEY"}},
            "regions": {
                "mtl": {
                    "endpoint": "http://127.0.0.1:9",
                    "bucket": "drorch",
                    "jurisdiction": "CA-QC",
                }
            },
            "datasets": {
                "docs": {
                    "paths": ["src"],
                    "password": "key",
                    "primary": "mtl",
                    "objectives": {"rpo": "30m"},
                }
            },
            "notify": [],
        }
        (folder / "runbooks").mkdir()

    def channel(self, name: str, address: str, **rule: object) -> None:
        """A channel whose address is a secret of that name."""
        (self.folder / name).write_text(address)
        self.settings["secrets"][name] = {"file": name}
        way = {} if "ping" in rule or "command" in rule else {"to": name}
        self.settings["notify"].append({**way, **rule})

    def program(self) -> Program:
        """A new process, as it were."""
        (self.folder / "drorch.yaml").write_text(json.dumps(self.settings))
        made = Program.open(self.folder / "drorch.yaml", {"PATH": "/usr/bin:/bin"})
        made.clock = self.clock
        return made

    def attend(self, extra=()):
        """Look and tell; the run that told, if any."""
        program = self.program()
        try:
            return alarms.attend(program, control=Control(), extra=extra)
        finally:
            program.journal.close()

    def back_up(self, number: int) -> None:
        """A backup that is recorded as if it had been made now."""
        program = self.program()
        now = self.clock.now()
        held = CopyFact(CopyFactKind.HELD, "docs", "mtl", f"{number:064x}", now.at)
        events = (started("docs", f"dataset:docs-{number}"), begun(), ended(copies=[held]))
        run = f"{now.at:%Y-%m-%dT%H-%M-%SZ}-docs-{number:04x}"
        made = [type(e)(now, e.event) for e in stamped(*events, RunFinished(Outcome.PASSED))]
        program.journal.begin(run, made, lambda row: None)
        program.journal.close()


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_an_alarm_is_told_once_then_daily_and_when_it_is_over(house):
    with a_mailbox() as box:
        house.channel(
            "oncall",
            f"mailto://127.0.0.1:{box.port}/?from=d@h.example&to=o@h.example&mode=insecure",
            when=["all"],
        )
        house.back_up(1)
        assert house.attend() is None
        house.clock.advance(HOUR)
        told = house.attend()
        assert told.state.plan.kind == "tell"
        assert house.attend() is None
        house.clock.advance(HOUR)
        assert house.attend() is None
        house.clock.advance(DAY)
        house.attend()
        assert house.attend() is None
        house.back_up(2)
        house.clock.advance(timedelta(minutes=20))
        house.attend()
        assert house.attend() is None
    assert [str(m["Subject"]) for m in box.mails] == [
        "Sainte-Rive: RPO breached: docs in mtl",
        "Sainte-Rive: still: RPO breached: docs in mtl",
        "Sainte-Rive: over: RPO breached: docs in mtl",
    ]
    assert "promised are 30m" in box.texts()[0]
    assert "drorch backup docs" in box.texts()[0]
