"""What time it is by a store's clock, whatever the store says."""

import pytest

from drorch.core.model import Region
from drorch.storage.dated import listed_at


class Store:
    """A bucket that is empty, and says this date."""

    def __init__(self, date):
        self.date = date
        self.region = Region("mtl", "https://s3.mtl.example", "drorch", "CA-QC")

    def attempt(self, _, once):
        return once()

    def page(self, _prefix, _more):
        return {"ResponseMetadata": {"HTTPHeaders": {"date": self.date}}}


@pytest.mark.parametrize(
    "date",
    ["", "today", "Fri, 31 Dec 9999 23:59:59 -2359", f"Mon, {'9' * 20} Jan 2026 00:00:00 GMT"],
    ids=["none", "word", "beyond", "huge"],
)
def test_a_date_that_is_none_tells_no_time(date):
    assert listed_at(Store(date), "present/") == (None, [])


def test_a_date_is_told_in_utc():
    at, _ = listed_at(Store("Fri, 27 Nov 2026 01:45:00 -0500"), "present/")
    assert at.isoformat() == "2026-11-27T06:45:00+00:00"
