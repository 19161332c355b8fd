"""What drorch itself recorded in English is said in the report's language; what others said is quoted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.actions.planes import _lacking
from drorch.core.decide import NOT_MET
from drorch.core.drafts import LEFT_STANDING, LIVE_ONLY, NOT_FENCED
from drorch.core.quarter_drills import TierCoverage
from drorch.core.quarter_findings import Findings
from drorch.reports.language import language
from drorch.reports.recorded import recorded
from tests.fakes.runs import document_of
from tests.unit.reports.quarters.moments import BEGIN, END
from tests.unit.reports.quarters.sample import hospital
from tests.unit.reports.test_run_report import ALL

EN, FR = (language(code) for code in ("en", "fr"))

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
    "word.unheeded",
    "plan.notice",
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


def test_no_finding_of_a_quarter_stays_english_in_french() -> None:
    whole = hospital()
    find = Findings("2026Q4", BEGIN, END)
    never = replace(whole.datasets[0].copies[0], rpo_met=False, worst_age=None)
    gone = replace(never, worst_age=timedelta(hours=9), without=timedelta(hours=3))
    old = replace(gone, without=timedelta())
    datasets = [replace(one, copies=(never, gone, old)) for one in whole.datasets]
    tier = TierCoverage(1, 3, (), ("before",), ("never",), ("bare",))
    places = [*whole.residency, *(replace(p, holds=not p.holds) for p in whole.residency)]
    found = [
        *find.of_places(places),
        *find.of_datasets(datasets, whole.coverage),
        *find.of_coverage(replace(whole.coverage, tiers=(tier,)), whole.services),
    ]
    assert {one.what for one in found} >= {
        *("copy.outside", "rpo.breached", "backup.not-done", "dataset.never-restored"),
        *("service.not-drilled", "service.never-drilled", "runbook.changed"),
    }
    for one in found:
        for text in (one.message, one.hint):
            assert recorded(text, FR) != text


def test_what_has_changed_is_named_in_the_language() -> None:
    said = recorded(
        "since the last drill of ehr that passed have changed: runbook ehr, dataset db", FR
    )
    assert said.endswith("procédure ehr, jeu de données db")


def test_that_the_loss_of_own_records_was_not_drilled_is_said_in_french() -> None:
    find, whole = Findings("2026Q4", BEGIN, END), hospital().own_records
    undrilled = [replace(whole, drills=()), replace(whole, drills=(), last=None)]
    told = [one for records in undrilled for one in find.of_own_records(records)]
    assert [one.what for one in told] == [
        "control-plane.not-drilled",
        "control-plane.never-drilled",
    ]
    assert list(find.of_own_records(whole)) == []
    for finding in told:
        assert recorded(finding.message, FR) != finding.message
        assert recorded(finding.hint, FR) != finding.hint


@pytest.mark.parametrize(
    ("events", "runs", "files", "english", "french"),
    [
        (1, 1, 1, ("1 event of", "of 1 run: a", "1 evidence file did"), "1 événement consigné"),
        (3, 1, 2, ("3 events of", "of 1 run: a", "2 evidence files did"), "3 événements consignés"),
        (3, 2, 2, ("3 events of", "of 2 runs: a", "2 evidence files did"), "de 2 exécutions"),
    ],
)
def test_one_is_not_told_as_several(events, runs, files, english, french) -> None:
    found = {
        "events_behind": events,
        "runs_behind": ["a", "b"][:runs],
        "runs_behind_count": runs,
        "configuration_same": True,
        "runbooks_missing": [],
        "runbooks_different": [],
        "runbooks_surplus": [],
        "evidence_missing_s": 500_000,
        "evidence_missing_count": files,
    }
    behind, evidence = (one.message for one in _lacking(found, timedelta(minutes=5)))
    told = f"{behind}; {evidence}"
    assert [word for word in english if word not in told] == []
    assert french in recorded(behind, FR)
    assert f"{files} fichier{'s' if files > 1 else ''} de preuve n" in recorded(evidence, FR)
