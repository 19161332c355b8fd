"""From requirements to evidence and gaps: what a quarter has is counted, what it lacks is named."""

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import pytest

from drorch.config.report_parts import FrameworkName
from drorch.core.controls import REQUIREMENTS, controls_of
from drorch.core.controls_evidence import GAPS, SHOWN
from drorch.core.quarter_controls import Control, Framework
from drorch.core.quarter_datasets import Work
from drorch.core.quarter_document import QuarterDocument
from drorch.core.quarter_drills import Reached
from drorch.reports.quarter import mapping_words as words
from tests.unit.reports.quarters.sample import hospital, no_drill

HOUR = timedelta(hours=1)


def of(document: QuarterDocument, requirement: str) -> Control:
    (found,) = (c for c in controls_of(document) if c.requirement == requirement)
    return found


def shown(document: QuarterDocument, requirement: str) -> dict[str, tuple[int, int | None]]:
    return {s.what: (s.count, s.of) for s in of(document, requirement).shown}


def gaps(document: QuarterDocument, requirement: str) -> dict[str, int]:
    return {g.what: g.count for g in of(document, requirement).gaps}


def test_every_word_of_a_requirement_is_counted_and_said() -> None:
    used = {what for one in REQUIREMENTS for what in one.shown}
    missing = {what for one in REQUIREMENTS for what in one.gaps}
    assert used == set(SHOWN) == set(words.SHOWN)
    assert missing == set(GAPS) == set(words.GAPS)
    assert {w for one in REQUIREMENTS for w in one.not_shown} == set(words.NOT_SHOWN)
    assert {one.id for one in REQUIREMENTS} == set(words.ASKS)
    assert set(Framework) == set(words.FRAMEWORKS) == {one.framework for one in REQUIREMENTS}
    assert set(words.UNCOUNTED) <= set(GAPS)
    assert set(words.NAMED) <= set(GAPS)


def test_each_function_counts_under_its_own_word() -> None:
    document = hospital()
    assert {what: found(document).what for what, found in SHOWN.items()} == {w: w for w in SHOWN}
    assert {what: found(document).what for what, found in GAPS.items()} == {w: w for w in GAPS}


def test_the_hospital_s_quarter() -> None:
    document = hospital()
    assert shown(document, "hipaa-recovery") == {
        "drill-passed": (4, 5),
        "restore-whole": (49, 50),
        "runbook-proven": (1, 4),
    }
    backup = shown(document, "hipaa-backup")
    assert backup["backup-done"] == (34_436, 34_561)
    assert backup["copy-within-rpo"] == (19, 24)
    assert gaps(document, "hipaa-recovery") == {"no-runbook": 1, "drill-not-passed": 1}
    assert gaps(document, "hipaa-testing")["action-overdue"] == 1
    assert gaps(document, "hipaa-testing")["finding-without-action"] == 3
    assert gaps(document, "hipaa-records") == {"not-sealed": 1}
    runs = of(document, "hipaa-recovery").shown[0].runs
    assert runs[0] == "2026-10-01T08-00-03Z-ehr-failover-7f3a"
    assert len(runs) == 4


@pytest.mark.parametrize("requirement", ["quebec-health", "quebec-private"])
def test_quebec_counts_what_lies_outside_by_its_papers(requirement: str) -> None:
    document = hospital()
    here = shown(document, requirement)
    assert here["copy-in-quebec"] == (21, 25)
    assert here["copy-outside-papered"] == (3, 4)
    assert here["access-logged"] == (50, None)
    assert here["data-destroyed"] == (46, 48)
    (bare, *_) = of(document, requirement).gaps
    assert (bare.what, bare.subjects) == ("copy-outside-unpapered", ("mail-archive · tor",))
    assert gaps(document, requirement)["data-left"] == 2
    assert of(document, requirement).not_shown == ("assessment-content",)


def test_what_a_residency_allows_outside_quebec_is_no_evidence_for_quebec() -> None:
    whole = hospital()
    first, *others = [p for p in whole.residency if p.jurisdiction == "CA-QC" and p.holds]
    abroad = replace(
        first,
        region="tor", jurisdiction="CA-ON", residency=(), inside=True,
        assessment=None, agreement=None, papered=False,
    )  # fmt: skip
    unnamed = replace(abroad, region="ca", jurisdiction="CA")
    target = replace(whole.targets[0], jurisdiction="CA-ON", inside=True, agreement=None)
    document = replace(whole, residency=(abroad, unnamed, *others), targets=(target, target))
    here = shown(document, "quebec-health")
    assert here["copy-in-quebec"] == (len(others), len(others) + 2)
    assert here["copy-outside-papered"] == (0, 2)
    assert here["target-in-quebec"] == (0, 2)
    assert gaps(document, "quebec-health")["copy-outside-unpapered"] == 2
    assert gaps(document, "quebec-health")["target-outside-unpapered"] == 1
    papered = replace(target, assessment="EFVP-1", agreement="C-1")
    found = gaps(replace(document, targets=(papered,)), "quebec-health")
    assert "target-outside-unpapered" not in found


def test_a_drill_meets_or_misses_what_was_promised_and_nothing_in_between() -> None:
    whole = hospital()
    base = whole.drills[0]
    met, missed, unknown = Reached(HOUR, HOUR, True), Reached(HOUR, None, False), Reached(HOUR)
    told = [(met, unknown), (unknown, missed), (missed, met), (unknown, unknown)]
    drills = tuple(replace(base, run=f"r{n}", rto=a, rpo=b) for n, (a, b) in enumerate(told))
    document = replace(whole, drills=drills)
    assert shown(document, "dora-12")["objective-reached"] == (1, 3)
    assert gaps(document, "dora-12")["objective-missed"] == 2


@pytest.mark.parametrize("requirement", ["hipaa-emergency", "nist-34-exercise"])
def test_where_drills_are_evidence_those_that_did_not_pass_are_a_gap(requirement: str) -> None:
    assert gaps(hospital(), requirement)["drill-not-passed"] == 1


def test_a_quarter_without_a_drill_has_that_as_a_gap_wherever_practice_is_asked_for() -> None:
    asked = ["hipaa-recovery", "hipaa-testing", "nist-53-cp-4", "iso-22301", "soc-2-a1-3", "nis-2"]
    for requirement in asked:
        assert gaps(no_drill(), requirement)["no-drill"] == 1
    assert "no-switch" in gaps(no_drill(), "dora-11")
    assert shown(no_drill(), "nist-34-exercise")["switched"] == (0, None)


def test_records_kept_for_less_than_six_years_are_a_gap() -> None:
    short = replace(hospital(), retention_until=date(2033, 1, 4))
    assert gaps(short, "hipaa-records") == {"kept-shorter": 1, "not-sealed": 1}
    assert shown(short, "hipaa-records")["kept-six-years"] == (0, 1)
    unnamed = replace(hospital(), retention_until=None)
    assert "kept-shorter" in gaps(unnamed, "hipaa-records")


def test_the_configuration_knows_every_framework() -> None:
    assert set(get_args(FrameworkName)) == {one.value for one in Framework}


def test_only_the_frameworks_asked_for() -> None:
    found = controls_of(hospital(), [Framework.QUEBEC_HEALTH, Framework.SOC_2])
    assert [c.requirement for c in found] == ["soc-2-a1-2", "soc-2-a1-3", "quebec-health"]


def test_an_empty_quarter_shows_nothing_and_claims_nothing() -> None:
    whole = hospital()
    nothing = Work()
    bare = replace(
        whole,
        headline=replace(whole.headline, no_drill=True),
        totals=replace(
            whole.totals,
            backups=nothing,
            checks=nothing,
            scrubs=nothing,
            restore_tests=nothing,
            drills=nothing,
        ),
        services=(),
        datasets=(),
        drills=(),
        coverage=replace(whole.coverage, tiers=(), never_restored=(), runbooks=()),
        own_records=replace(whole.own_records, drills=()),
        findings=(),
        actions=(),
        residency=(),
        targets=(),
        restores=(),
    )
    for control in controls_of(bare):
        counted = {s.what: s.count for s in control.shown}
        assert not any(
            n for what, n in counted.items() if what not in ("journal-entries", "kept-six-years")
        )
