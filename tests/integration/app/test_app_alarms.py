"""Alarms told over real channels: raised once, again after a time, over when they are over; a
channel that fails, a process that dies in the midst, a dead man's switch.
"""

import pytest

from tests.integration.app.house import DAY, HOUR, MINUTE, House
from tests.receivers import a_mailbox


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
        house.clock.advance(20 * MINUTE)
        house.attend()
        assert house.attend() is None
    assert [str(m["Subject"]) for m in box.mails] == [
        "Sainte-Rive: RPO breached: docs in mtl",
        "Sainte-Rive: still: RPO breached: docs in mtl",
        "Sainte-Rive: over: RPO breached: docs in mtl",
    ]
    assert "promised are 30m" in box.texts()[0]
    assert "drorch backup docs" in box.texts()[0]
