from datetime import timedelta

import pytest

from drorch.core.durations import parse_duration
from drorch.core.nearest import did_you_mean
from drorch.core.units import format_size, parse_share, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("500B", 500),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("20MiB", 20 << 20),
        ("1.5GiB", 3 << 29),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1 megabyte", "1iB", "-1KiB", "1XiB"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_shares():
    assert parse_share("40%") == pytest.approx(0.4)
    assert parse_share("100%") == 1
    with pytest.raises(ValueError, match="more than 100%"):
        parse_share("101%")
    with pytest.raises(ValueError, match="is not a share"):
        parse_share("0.4")


def test_durations_go_from_large_to_small_and_end_somewhere():
    assert parse_duration("1d2h3m4s5ms") == timedelta(
        days=1, hours=2, minutes=3, seconds=4, milliseconds=5
    )
    for text in ("5m1h", "1h1h", "999999999999d"):
        with pytest.raises(ValueError, match=text):
            parse_duration(text)


def test_the_nearest_name_is_named_or_else_what_there_is():
    assert did_you_mean("regoin", ["region", "prefix"]) == "did you mean 'region'?"
    assert did_you_mean("zzz", ["b", "a"], "regions are") == "regions are: a, b"
    assert did_you_mean("zzz", [], "regions are") == "regions are: none"
    many = did_you_mean("zzz", [f"n{i:02}" for i in range(20)], "names are")
    assert many.endswith("n11, …")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (829, "829 B"),
        (1024, "1.0 KiB"),
        (829_422_000, "791.0 MiB"),
        (1 << 60, "1024.0 PiB"),
    ],
)
def test_sizes_for_people(size, text):
    assert format_size(size) == text
