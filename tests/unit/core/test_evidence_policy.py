"""How long evidence is kept."""

from datetime import UTC, datetime, timedelta

from drorch.core.settings import EvidencePolicy


def test_six_years_are_never_less_than_six_of_the_calendar() -> None:
    first, keep = datetime(2024, 1, 1, 23, 59, tzinfo=UTC), EvidencePolicy()
    for day in range(8 * 366):
        moment = first + timedelta(days=day)
        if (moment.month, moment.day) != (2, 29):
            six = moment.replace(year=moment.year + 6)
            assert six <= keep.until(moment) <= six + timedelta(days=2)
