"""Slots of schedules, also where clocks change; held against a slow way that is obviously right."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.schedules import Every, parse_cron, parse_schedule
from drorch.core.slots import count_between, newest_slot, next_slot, slots_between

TORONTO = ZoneInfo("America/Toronto")
PARIS = ZoneInfo("Europe/Paris")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour of daylight saving
ST_JOHNS = ZoneInfo("America/St_Johns")  # until 2011 clocks went back over midnight
CAIRO = ZoneInfo("Africa/Cairo")  # midnight itself is skipped
HAVANA = ZoneInfo("America/Havana")  # midnight itself comes twice
APIA = ZoneInfo("Pacific/Apia")  # a whole day was skipped
KATHMANDU = ZoneInfo("Asia/Kathmandu")
UTC_ZONE = ZoneInfo("UTC")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str, zone: ZoneInfo = UTC_ZONE, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def between(text: str, first: str, last: str, zone: ZoneInfo) -> list[str]:
    """The slots of some days as clocks show them, with the offset."""
    found = slots_between(parse_schedule(text), at(first, zone), at(last, zone), zone)
    return [f"{slot.astimezone(zone):%d %H:%M%z}" for slot in found]


@pytest.mark.parametrize(
    ("text", "days", "slots"),
    [
        # In spring 02:00 to 03:00 is skipped.
        ("30 2 * * *", "2026-03-07 2026-03-10", ["07 02:30-0500", "08 03:00-0400", "09 02:30-0400"]),
        ("15,30,45 2 * * *", "2026-03-08 2026-03-09", ["08 03:00-0400"]),
        ("30 2,3 * * *", "2026-03-08 2026-03-09", ["08 03:00-0400", "08 03:30-0400"]),
        ("0 2,3 * * *", "2026-03-08 2026-03-09", ["08 03:00-0400"]),
        ("0 3 * * *", "2026-03-08 2026-03-09", ["08 03:00-0400"]),
        ("*/30 1-3 * * *", "2026-03-08 2026-03-09", ["08 01:00-0500", "08 01:30-0500", "08 03:00-0400", "08 03:30-0400"]),
        # In autumn 01:00 to 02:00 comes twice.
        ("30 1 * * *", "2026-10-31 2026-11-03", ["31 01:30-0400", "01 01:30-0400", "02 01:30-0500"]),
        ("*/30 1 * * *", "2026-11-01 2026-11-02", ["01 01:00-0400", "01 01:30-0400"]),
        ("0 1-4 * * *", "2026-11-01 2026-11-02", ["01 01:00-0400", "01 02:00-0500", "01 03:00-0500", "01 04:00-0500"]),
        # Every hour of the day means a distance, not a time of day.
        ("hourly", "2026-11-01T00:30 2026-11-01T03:00", ["01 01:00-0400", "01 01:00-0500", "01 02:00-0500", "01 03:00-0500"]),
        ("*/30 * * * *", "2026-11-01T00:45 2026-11-01T02:15", ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500", "01 02:00-0500"]),
        ("hourly", "2026-03-08T00:30 2026-03-08T04:00", ["08 01:00-0500", "08 03:00-0400", "08 04:00-0400"]),
        ("30 * * * *", "2026-03-08T01:00 2026-03-08T04:00", ["08 01:30-0500", "08 03:00-0400", "08 03:30-0400"]),
    ],
)  # fmt: skip
def test_times_that_are_skipped_and_times_that_come_twice(text, days, slots):
    first, last = days.split()
    if len(first) == 10:  # whole days, from their midnights on
        first, last = f"{first}T00:00", f"{last}T00:00"
    assert between(text, first, last, TORONTO) == slots


def test_a_day_of_an_interval_is_as_long_as_it_is():
    def hours(day, zone, every=HOUR):
        begin = at(f"2026-{day}T00:00", zone) - timedelta(microseconds=1)
        midnight = datetime.fromisoformat(f"2026-{day}") + DAY
        return len(list(slots_between(Every(every), begin, at(f"{midnight:%Y-%m-%dT00:00}", zone) - MINUTE, zone)))  # fmt: skip

    assert [hours(day, TORONTO) for day in ("03-07", "03-08", "11-01")] == [24, 23, 25]
    assert [hours(day, LORD_HOWE) for day in ("04-05", "10-04")] == [25, 24]
    assert hours("03-08", TORONTO, 7 * HOUR) == 4
    assert between("every 7h", "2026-03-07T23:00", "2026-03-09T01:00", TORONTO) == [
        "08 00:00-0500", "08 08:00-0400", "08 15:00-0400", "08 22:00-0400", "09 00:00-0400"]  # fmt: skip
    assert between("every 1d", "2026-03-07T23:00", "2026-03-09T01:00", TORONTO) == [
        "08 00:00-0500", "09 00:00-0400"]  # fmt: skip


def test_an_interval_above_a_day_counts_local_days_from_a_monday():
    assert between("every 7d", "2026-11-01T12:00", "2026-11-20T00:00", TORONTO) == [
        "02 00:00-0500", "09 00:00-0500", "16 00:00-0500"]  # fmt: skip
    assert between("every 36h", "2026-11-01T06:00", "2026-11-05T06:00", TORONTO) == [
        "02 12:00-0500", "04 00:00-0500"]  # fmt: skip
    every_2d = between("every 2d", "2026-03-06T00:00", "2026-03-13T00:00", TORONTO)
    assert [slot[3:8] for slot in every_2d] == ["00:00"] * len(every_2d)
    assert len(every_2d) in (3, 4)


def test_the_first_day_of_a_leap_and_other_rare_days():
    leap = parse_cron("0 3 29 2 *")
    assert next_slot(leap, at("2024-02-29T03:00"), UTC_ZONE) == at("2028-02-29T03:00")
    assert newest_slot(leap, at("2028-02-29T02:59"), UTC_ZONE) == at("2024-02-29T03:00")
    assert next_slot(leap, at("2096-03-01T00:00"), UTC_ZONE) == at("2104-02-29T03:00")
    quarterly = parse_schedule("quarterly")
    assert next_slot(quarterly, at("2026-10-01T04:00", PARIS), PARIS) == at("2027-01-01T04:00", PARIS)  # fmt: skip
    assert count_between(leap, at("2001-01-01T00:00"), at("2101-01-01T00:00"), UTC_ZONE) == 24


def test_zones_whose_clocks_change_at_midnight():
    midnight = parse_cron("0 0 * * *")
    # Cairo: on 24 April 2026 the day begins at 01:00.
    assert next_slot(midnight, at("2026-04-23T12:00", CAIRO), CAIRO) == at("2026-04-24T01:00", CAIRO)  # fmt: skip
    twice = slots_between(midnight, at("2026-10-31T12:00", HAVANA), at("2026-11-01T12:00", HAVANA), HAVANA)  # fmt: skip
    assert list(twice) == [at("2026-11-01T00:00", HAVANA)]


def test_a_whole_day_that_was_skipped_counts_once():
    daily = parse_cron("0 12 * * *")
    found = list(slots_between(daily, at("2011-12-29T00:00", APIA), at("2012-01-01T00:00", APIA), APIA))  # fmt: skip
    assert found == [at("2011-12-29T12:00", APIA), at("2011-12-31T00:00", APIA), at("2011-12-31T12:00", APIA)]  # fmt: skip
    both = parse_cron("0 0 * * *")
    assert count_between(both, at("2011-12-29T12:00", APIA), at("2011-12-31T12:00", APIA), APIA) == 1  # fmt: skip


# --- the slow way: look at every minute there is


def slow(schedule, after: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    """The slots of a calendar in (after, until], by looking at each minute from before it on."""
    found = []
    before = local_at(after - 26 * HOUR, zone)
    moment = after - 26 * HOUR + MINUTE
    while moment <= until:
        now = local_at(moment, zone)
        skipped = (before + n * MINUTE for n in range(1, max(1, int((now - before) / MINUTE))))
        again = moment.astimezone(zone).fold and len(schedule.hours) < 24
        if any(matches(schedule, local) for local in skipped) or (
            matches(schedule, now) and not again
        ):
            found.append(moment)
        before, moment = now, moment + MINUTE
    return [slot for slot in found if slot > after]


def local_at(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def matches(calendar, local: datetime) -> bool:
    return (
        local.minute in calendar.minutes
        and local.hour in calendar.hours
        and calendar.falls_on(local.date())
    )


#: Around which the clocks change, and quiet ones.
DAYS = [
    (TORONTO, "2026-03-08"), (TORONTO, "2026-11-01"), (TORONTO, "2028-02-29"),
    (PARIS, "2026-03-29"), (PARIS, "2026-10-25"), (LORD_HOWE, "2026-04-05"),
    (LORD_HOWE, "2026-10-04"), (UTC_ZONE, "2026-12-31"), (KATHMANDU, "2026-06-01"),
    (CAIRO, "2026-04-24"), (HAVANA, "2026-03-08"), (HAVANA, "2026-11-01"),
    (APIA, "2011-12-30"), (ST_JOHNS, "2010-03-14"),
]  # fmt: skip

numbers = lambda low, high: st.frozensets(st.integers(low, high), min_size=1, max_size=5)  # noqa: E731
texts = st.builds(
    lambda minute, hour, day, month, weekday: f"{minute} {hour} {day} {month} {weekday}",
    st.one_of(
        st.sampled_from(["0", "*/15", "30", "*/7", "59", "*"]),
        numbers(0, 59).map(lambda n: ",".join(map(str, n))),
    ),
    st.one_of(
        st.sampled_from(["*", "2", "1-3", "*/2", "0", "23"]),
        numbers(0, 23).map(lambda n: ",".join(map(str, n))),
    ),
    st.sampled_from(["*", "*", "*/2", "1-14", "29"]),
    st.sampled_from(["*", "*", "1-6", "3,10,11", "2,12"]),
    st.sampled_from(["*", "*", "sun", "mon-fri"]),
)


@given(texts, st.sampled_from(DAYS), st.integers(-1500, 1500), st.integers(1, 2000))
@settings(deadline=None, max_examples=150)
def test_calendars_are_as_a_look_at_every_minute_finds_them(text, place, begin, length):
    zone, day = place
    schedule = parse_cron(text)
    after = at(f"{day}T00:00", zone) + begin * MINUTE
    until = after + length * MINUTE
    wanted = slow(schedule, after, until, zone)
    assert list(slots_between(schedule, after, until, zone)) == wanted
    agree(schedule, after, until, zone, wanted)


def agree(schedule, after, until, zone, wanted):
    """The three ways of asking tell the same."""
    assert count_between(schedule, after, until, zone) == len(wanted)
    walked, moment = [], after
    while (moment := next_slot(schedule, moment, zone)) <= until:
        walked.append(moment)
    assert walked == wanted
    assert all(later > earlier for earlier, later in pairwise(walked))
    newest = newest_slot(schedule, until, zone)
    assert newest == wanted[-1] if wanted else newest <= after
    assert next_slot(schedule, newest - timedelta(microseconds=1), zone) == newest
    for slot in wanted[:20]:
        assert newest_slot(schedule, slot, zone) == slot
        assert newest_slot(schedule, slot - timedelta(microseconds=1), zone) < slot


intervals = st.one_of(
    st.integers(10, 100_000).map(lambda n: timedelta(seconds=n)),
    st.sampled_from([DAY, 7 * DAY, 27 * DAY, timedelta(days=7, hours=12), 36 * HOUR, MINUTE]),
)


@given(intervals, st.sampled_from(DAYS), st.integers(-1500, 1500), st.integers(1, 4000))
@settings(deadline=None, max_examples=150)
def test_intervals_are_never_further_apart_than_they_say_and_begin_with_the_day(
    interval, place, begin, length
):
    zone, day = place
    schedule = Every(interval)
    after = at(f"{day}T00:00", zone) + begin * MINUTE
    until = after + max(length * MINUTE, interval * 2)
    until = min(until, after + 400 * interval)
    found = list(slots_between(schedule, after, until, zone))
    agree(schedule, after, until, zone, found)
    longest = interval if interval <= DAY else interval + DAY  # Apia lost a day, others an hour
    assert all(b - a <= longest for a, b in zip([after, *found], found, strict=False))
    if interval <= DAY:
        midnights = {slot for slot in midnights_of(after, until, zone) if after < slot <= until}
        assert midnights <= set(found)


def midnights_of(after, until, zone):
    day = after.astimezone(zone).date()
    while (start := begin_of(day, zone)) <= until:
        yield start
        day += DAY


@cache
def begin_of(day, zone):
    """The first moment whose local day is this one, or a later one, by looking at the minutes."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - 2 * DAY
    return next(m for n in range(4 * 1440) if (m := noon + n * MINUTE).astimezone(zone).date() >= day)  # fmt: skip


@pytest.mark.parametrize("zone", [TORONTO, PARIS, LORD_HOWE, UTC_ZONE], ids=lambda z: z.key)
@pytest.mark.parametrize("text", ["daily at 02:30", "*/20 1-3 * * *", "hourly", "weekly", "every 4h", "quarterly", "0 12 29 2 *"])  # fmt: skip
def test_years_of_slots_agree_in_every_way_of_asking(text, zone):
    schedule = parse_schedule(text)
    after, until = at("2023-12-31T12:00", zone), at("2028-03-01T12:00", zone)
    found = list(slots_between(schedule, after, until, zone))
    assert found == sorted(set(found))
    agree(schedule, after, until, zone, found)
    days = (until - after).days
    per_day = {"daily at 02:30": 1, "*/20 1-3 * * *": 9, "hourly": 24, "every 4h": 6}
    if text in per_day:
        assert abs(len(found) - per_day[text] * days) <= 3 * 9
    else:
        assert len(found) == {"weekly": 217, "quarterly": 17, "0 12 29 2 *": 2}[text]
