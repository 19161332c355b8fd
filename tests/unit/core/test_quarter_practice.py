"""A service's trend: what is measured only by drills that passed, and what they all count for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drorch.core.quarter import Quarter
from drorch.core.quarter_drills import Reached
from drorch.core.quarter_practice import Practised, covered, trend_of
from tests.fakes.facts import DAWN
from tests.unit.reports.quarters.sample import hospital

HOUR = timedelta(hours=1)


def drill(outcome: str | None, hours: int | None, met: bool | None) -> Practised:
    reached = Reached(4 * HOUR, None if hours is None else hours * HOUR, met)
    return Practised("ehr-failover", "ehr", DAWN, outcome, reached, reached)


@pytest.mark.parametrize("outcome", ["failed", "aborted"])
def test_what_did_not_pass_measures_nothing_and_counts_as_missed(outcome: str) -> None:
    drills = [drill("passed", 3, True), drill(outcome, 9, False), drill(outcome, 1, None)]
    trend = trend_of(Quarter.parse("2026Q4"), [*drills, drill(None, 8, False)])
    assert (trend.drills, trend.passed, trend.failed + trend.aborted) == (3, 1, 2)
    for one in (trend.rto, trend.rpo):
        assert (one.best, one.worst, one.last) == (3 * HOUR, 3 * HOUR, 3 * HOUR)
        assert (one.met, one.missed) == (1, 1)


def test_a_drill_that_was_aborted_covers_nothing() -> None:
    base = replace(hospital().services[0], drilled=1, passed=0, failed=0, aborted=0)
    services = [
        replace(base, service="tried", aborted=1),
        replace(base, service="known", aborted=1),
        replace(base, service="failed", failed=1),
        replace(base, service="passed", passed=1),
    ]
    (tier,) = covered(services, {"known": DAWN})
    assert (tier.drilled, tier.before, tier.never) == (("failed", "passed"), ("known",), ("tried",))
