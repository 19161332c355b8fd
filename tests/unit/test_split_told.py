"""What is said of other control planes of the same records, on either side."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drorch.app.plane.lookout import View
from drorch.app.plane.telling import alarms, document, held_by
from drorch.cli.verbs.status import _in_charge, _unknown
from drorch.core.terms import Fate, OtherSeen, TermBegun

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
OWN = TermBegun("bb" * 8, 1, NOW, "root", "recovered", announced=True)
LIVES = OtherSeen("aa" * 8, 0, NOW, "old", Fate.ALIVE, NOW - timedelta(minutes=2))
LEADS = replace(LIVES, term=2, host="new")
CLONE = replace(LIVES, instance=OWN.instance, term=1, clone=True)

SILENT, STOPPED = {"fate": Fate.SILENT}, {"fate": Fate.STOPPED}

CLAIM = "drorch schedule claim --reason TEXT"
BACK = (
    "this one stands back, nothing scheduled begins here and nothing is deleted",
    f"if that is meant, stop this daemon; if this one is to work: {CLAIM}",
)
STOP = "stop its daemon on old; while it lives nothing is deleted here"

SAID = {
    "lives": (LIVES, ("this one is in charge; control plane aaaaaaaa on old (term 0) lives, and stands "
              "back within a minute of reaching a region"), STOP),
    "stands-back": (replace(LIVES, back=True), ("this one is in charge; control plane aaaaaaaa on old "
                    "(term 0) lives, and stands back: it begins nothing by itself"), STOP),
    "silent": (replace(LIVES, **SILENT), ("this one is in charge; control plane aaaaaaaa on old (term 0) "
               "was last seen 2m ago; whether it is dead cannot be known"),
               "make sure that its daemon on old is dead, or that the machine is"),
    "leads": (LEADS, f"control plane aaaaaaaa on new (term 2) is in charge, and lives: {BACK[0]}", BACK[1]),
    "leads-silent": (replace(LEADS, **SILENT), ("control plane aaaaaaaa on new (term 2) is in charge, "
                     f"last seen 2m ago: {BACK[0]}"), BACK[1]),
    "leads-stopped": (replace(LEADS, **STOPPED), ("control plane aaaaaaaa on new (term 2) is in charge, "
                      f"it said that it stopped 2m ago: {BACK[0]}"), BACK[1]),
    "copy": (replace(CLONE, ahead=True), ("a copy of this very one on old (term 1) is in charge, and "
             f"lives: {BACK[0]}"), BACK[1]),
    "put-back": (replace(CLONE, **STOPPED), ("2m ago a daemon on old had records of this very control "
                 "plane that are not in this journal: it was put back to an earlier state, or is a copy"),
                 f"see what it lacks: drorch recover into another folder; if this one is right: {CLAIM}"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_an_alarm_says(case):
    other, message, hint = SAID[case]
    (told,) = alarms(OWN, [other], NOW)
    assert (told["what"], told["severity"]) == ("control-plane.split", "critical")
    assert (told["message"], told["hint"]) == (message, hint)


def test_nothing_is_said_of_who_said_goodbye_or_is_long_gone():
    gone = replace(LIVES, **SILENT, heard_at=NOW - timedelta(days=2))
    assert list(alarms(OWN, [replace(LIVES, **STOPPED), gone], NOW)) == []


def test_the_story_on_both_sides():
    mine = document(OWN, [LIVES])
    assert list(_in_charge(mine, "UTC")) == [
        "this control plane: bbbbbbbb, term 1: in charge",
        "  another, aaaaaaaa, term 0, on old: lives, since 2026-11-26 02:58:00",
    ]
    other = document(OWN, [LEADS, replace(CLONE, **SILENT)])
    assert list(_in_charge(other, "UTC")) == [
        "this control plane: bbbbbbbb, term 1: stands back",
        "  another, aaaaaaaa, term 2, on new: in charge, since 2026-11-26 02:58:00",
        "  a copy of this one, term 1, on old: silent, last heard of 2026-11-26 02:58:00",
    ]
    assert list(_in_charge(document(replace(OWN, term=0), []), "UTC")) == []


def test_what_cannot_be_known_is_said():
    view = View(NOW, OWN, (LIVES,), (), {"mtl": "no answer"}, NOW)
    assert held_by(view) == held_by(None) == ""
    told = {"unknown_since": "2026-11-26T03:00:00Z"}
    assert list(_unknown(told, "UTC")) == [
        (
            "whether another control plane works cannot be known: no region answers since "
            "2026-11-26 03:00:00"
        )
    ]
    assert list(_unknown(None, "UTC")) == list(_unknown({"unknown_since": None}, "UTC")) == []
