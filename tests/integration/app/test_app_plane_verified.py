"""What `recover` says of the journal that it brought back: what was recorded before all else, and what
is kept beside it once it can be worked with.
"""

import sqlite3

import pytest

from drorch.cli import recovered
from drorch.cli.session import Session
from tests.integration.app.planes import Plane


@pytest.fixture
def plane(premises):
    made = Plane(premises)
    made.back_up()
    return made


def tamper(plane, *statements):
    """Change the living state behind drorch's back, and let it be copied so."""
    connection = sqlite3.connect(plane.premises.folder / "var" / "drorch.db")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    assert all(one.good for one in plane.copy_now())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE copies SET files = 99",
        "UPDATE copies SET recorded_at = 'once'",
        "UPDATE runs SET outcome = 'failed'",
    ],
)
def test_what_is_kept_beside_the_events_is_said_to_be_wrong_and_can_be_made_anew(plane, statement):
    tamper(plane, statement)

    said = plane.recover_line("mtl", "site")

    assert said.code == 5
    assert not said.document["journal"]["ok"]
    assert said.error.startswith("error: the recovered journal is whole, but what is kept beside")
    config = ("--config", str(plane.to("site") / "drorch.yaml"))
    assert said.hint == f"hint: make it anew: drorch {' '.join(config)} journal rebuild"
    assert plane.cli("journal", "rebuild", *config).code == 0
    assert plane.cli("journal", "verify", "--offline", *config).code == 0
    back = plane.cli("restore", "docs", "--to", str(plane.to("back")), *config)
    assert back.code == 0, back.errors


def test_events_that_were_changed_are_no_history_to_go_on_from(plane):
    tamper(plane, "UPDATE events SET ticks = ticks + 1 WHERE seq = 2")

    said = plane.recover_line("mtl", "site")

    assert said.code == 5
    assert "event 2 was changed" in said.error
    assert said.error.startswith("error: the recovered journal is broken: ")
    assert "an earlier state" in said.hint
    assert said.document["adopted"] == []


def test_it_can_be_worked_with_before_the_rest_is_compared(plane, monkeypatch, capsys):
    assert all(one.good for one in plane.copy_now())
    monkeypatch.setattr(recovered, "_MANY", 1)
    seen = []

    def ready(found):
        seen.append(found)
        recovered.tell_ready(Session(), found)
        config = ("--config", str(found.to / "drorch.yaml"))
        back = plane.cli("restore", "docs", "--to", str(plane.to("back")), *config)
        assert back.code == 0, back.errors

    found = plane.recover("mtl", "site", ready=ready)

    assert found.report.ok
    assert [one.report for one in seen] == [found.report]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(
        f"recovered into {found.to}, and its {found.report.events} events are"
    )
    assert lines[1].strip() == found.command
    assert lines[2].endswith("which changes nothing")


def test_a_short_journal_is_compared_at_once_and_nothing_is_said_in_between(plane):
    assert all(one.good for one in plane.copy_now())
    said = plane.recover_line("mtl", "site")
    assert (said.code, said.errors) == (0, "")
