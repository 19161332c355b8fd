"""What drorch itself recorded in English is said in the report's language; what others said is quoted."""

import pytest

from drorch.core.decide import NOT_MET
from drorch.core.drafts import LEFT_STANDING, LIVE_ONLY, NOT_FENCED
from drorch.reports.language import language
from drorch.reports.pen import Pen
from drorch.reports.recorded import recorded
from tests.fakes.runs import document_of
from tests.unit.reports.test_run_report import ALL

EN, FR = (Pen(language(code)) for code in ("en", "fr"))

#: Findings that core/findings.py makes of what happened.
OURS = {
    "step.failed",
    "cleanup.failed",
    "objective.missed",
    "run.dirty",
    "override.unfenced",
    "override.retry",
    "override.skip",
    "step.settled",
    "run.taken-over",
    "clock.moved",
    "step.not-tested",
}


@pytest.mark.parametrize("text", [LIVE_ONLY, NOT_FENCED, LEFT_STANDING, NOT_MET])
def test_reasons_of_ours(text: str) -> None:
    assert recorded(text, EN) == text
    assert recorded(text, FR) != text


@pytest.mark.parametrize("name", ALL)
def test_no_finding_of_ours_stays_english_in_french(name: str) -> None:
    for finding in document_of(ALL[name]())["findings"]:
        if finding["what"] in OURS:
            assert recorded(finding["message"], FR) != finding["message"]
            if finding["what"] not in ("step.failed", "cleanup.failed"):  # their hints are others'
                assert not finding["hint"] or recorded(finding["hint"], FR) != finding["hint"]


def test_durations_and_reasons_within_are_said_too() -> None:
    assert recorded("the RTO of 1h was missed: it came to 1h 5m", FR) == (
        "le RTO de 1\u202fh est manqué\u00a0: il a atteint 1\u202fh 5\u00a0min"
    )
    assert recorded(f"go was not tested: {LIVE_ONLY}", FR) == (
        "go n’a pas été testée\u00a0: en sinistre réel seulement\u00a0: pas fait lors d’un exercice"
    )


@pytest.mark.parametrize("text", ["", "restic: wrong password", "a b failed", "the {why}"])
def test_what_others_said_is_quoted(text: str) -> None:
    assert recorded(text, FR) == text
