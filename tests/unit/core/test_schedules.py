from datetime import timedelta

import pytest

from drorch.core.schedules import (
    Every,
    check_schedule_or_age,
    parse_cron,
    parse_schedule,
    promised_age,
)


@pytest.mark.parametrize(
    ("words", "cron"),
    [
        ("hourly", "0 * * * *"),
        ("daily", "0 2 * * *"),
        ("daily at 04:30", "30 4 * * *"),
        ("weekly", "0 3 * * 0"),
        ("weekly on sun at 03:00", "0 3 * * 0"),
        ("Weekly on Friday at 23:59", "59 23 * * 5"),
        ("monthly", "0 4 1 * *"),
        ("monthly on 28 at 00:00", "0 0 28 * *"),
        ("quarterly", "0 4 1 1,4,7,10 *"),
        ("  */15 * * * *  ", "0,15,30,45 * * * *"),
        ("0 9-17/4 * jan,DEC mon-fri", "0 9,13,17 * 1,12 1-5"),
        ("5/20 * * * 7", "5,25,45 * * * 0"),
    ],
)
def test_words_mean_the_same_as_a_cron_line(words, cron):
    assert parse_schedule(words) == parse_cron(cron)


def test_an_interval_is_kept_as_one():
    assert parse_schedule("every 1h30m") == Every(timedelta(minutes=90))
    assert parse_schedule("every 10s") == Every(timedelta(seconds=10))


def test_days_and_weekdays_are_told_apart_when_both_are_restricted():
    both = parse_cron("0 0 31 2 1")
    assert not both.any_day
    assert not both.any_weekday


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "every",
        "every 0s",
        "every 500ms",
        "daily at 24:00",
        "daily at 2",
        "weekly on someday",
        "monthly on 29",
        "monthly on 0",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/x * * * *",
        "a * * * *",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_schedule(text)


def test_an_age_may_stand_for_a_schedule():
    check_schedule_or_age("30d")
    check_schedule_or_age("weekly")
    with pytest.raises(ValueError, match="not a schedule and not an age"):
        check_schedule_or_age("now")


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("every 15m", timedelta(minutes=15)),
        ("hourly", timedelta(days=1)),
        ("daily at 02:00", timedelta(days=1)),
        ("weekly", timedelta(days=7)),
        ("monthly on 1", timedelta(days=31)),
        ("quarterly", timedelta(days=92)),
        ("0 4 29 2 *", timedelta(days=1461)),
        ("0 4 1 * mon", timedelta(days=7)),
    ],
)
def test_a_schedule_promises_an_age_the_longest_time_between_two_slots(text, age):
    assert promised_age(text) == age


def test_what_is_neither_promises_nothing():
    with pytest.raises(ValueError, match="not a schedule"):
        promised_age("now")
