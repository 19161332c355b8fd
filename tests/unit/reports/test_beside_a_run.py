"""What a run's own journal does not hold and its report tells: actions, the last drill, sign-off."""

from typing import Any

import pytest

from drorch.reports.afteraction.proof import reproduction
from drorch.reports.run import ReportFormat, render_run
from tests.fakes.runs import document_of
from tests.unit.reports.test_run_report import ALL
from tests.unit.reports.test_run_schema import BESIDE

RUN = "2026-11-23T03-00-00Z-ehr-failover-7f3a"
ACTION = {
    "id": "A7",
    "title": "Give the cache more room",
    "owner": "J. Roy",
    "due": "2026-12-31",
    "finding": f"{RUN}/1",
    "status": "open",
    "closed_by_run": "",
}
PREVIOUS = {
    "run": "2026-08-20T03-00-00Z-ehr-failover-11aa",
    "started_at": "2026-08-20T03:00:00Z",
    "outcome": "passed",
    "runbook_digest": f"sha256:{'ee' * 32}",
    "changed": True,
    "text_changed": True,
    "objectives_changed": False,
    "steps_added": ["warm-cache"],
    "steps_removed": [],
    "steps_changed": ["start-ehr"],
    "inputs_changed": ["port"],
}


def report(code: str = "en", name: str = "whole-drill", **beside: Any) -> str:
    document = {**document_of(ALL[name]()), "report": {**BESIDE, **beside}}
    return render_run(document, ReportFormat.MARKDOWN, code).decode()


def test_actions_stand_beside_their_findings() -> None:
    closed = {**ACTION, "id": "A8", "status": "closed", "closed_by_run": "later-run"}
    text = report(corrective_actions=[ACTION, closed])
    (row,) = [line for line in text.splitlines() if "A7: " in line]
    assert row.startswith("| 1 (A step failed")
    assert "A7: Give the cache more room (J. Roy, due 2026-12-31)" in row
    assert "A8: Give the cache more room (J. Roy, closed, proven by run later-run)" in row


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        (
            "en",
            ("Changed since its drill of", "Steps added: warm-cache", "Steps changed: start-ehr"),
        ),
        ("fr", ("Modifiée depuis son exercice du", "ajoutées\u00a0: warm-cache", "19 août 2026")),
    ],
)
def test_what_changed_since_the_last_drill(code: str, texts: tuple[str, ...]) -> None:
    found = report(code, previous=PREVIOUS)
    for text in texts:
        assert text in found


def test_nothing_changed_and_never_drilled() -> None:
    same = {**PREVIOUS, "changed": False}
    assert "Unchanged since its drill of" in report(previous=same)
    assert "It was never drilled before" in report(previous=None)


def test_until_when_it_is_kept_and_whether_it_is_sealed() -> None:
    assert "To be kept until: 22 November 2032, 22:00:18 (America/Toronto)" in report()
    assert "not sealed" in report()
    assert "with the organisation’s key" in report(sealed=True)


def test_who_signs_is_who_the_configuration_names() -> None:
    assert "| medical director | Dr. Luc Gagnon |" in report()
    assert "| Reviewed by |  |" in report(sign_off=[])


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("tabletop", "drorch drill tabletop --participant 'Marie Tremblay, incident lead'"),
        ("forced-failover", "drorch failover ehr-failover --declare 'Flood at Montréal' --set"),
        ("failed-restore-test", ""),
        ("backup-copy-owed", ""),
    ],
)
def test_the_command_that_does_it_again(name: str, command: str) -> None:
    found = reproduction(document_of(ALL[name]()))
    assert found.startswith(command)
    assert bool(found) is bool(command)


def test_the_way_home_is_drilled_by_the_runbook_that_leads_away() -> None:
    document = {**document_of(ALL["tabletop"]()), "name": "tabletop-failback"}
    assert reproduction(document).startswith("drorch drill tabletop --failback")
