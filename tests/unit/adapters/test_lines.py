"""Lines and tails of what processes say, however it is cut into reads."""

from hypothesis import given
from hypothesis import strategies as st

from drorch.adapters.lines import LONGEST_LINE, Output


def feed(data, cuts, keep=100):
    lines = []
    output = Output(keep, lines.append)
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    for start, end in zip([0, *places], [*places, len(data)], strict=True):
        if start < end:
            output.feed(data[start:end])
    output.finish()
    return lines, output.text()


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_cuts_change_nothing(text, cuts):
    lines, tail = feed(text.encode(), cuts)
    wanted = text.split("\n")
    assert lines == (wanted if wanted[-1] else wanted[:-1])
    assert text.endswith(tail.lstrip("\ufffd"))  # what is left of a character cut in two
    assert len(text.encode()) <= 100 or len(tail.encode()) > 96


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=8))
def test_any_bytes_are_taken(data, cuts):
    lines, tail = feed(data, cuts, keep=0)
    assert tail == ""
    assert len(lines) == data.count(b"\n") + (data != b"" and not data.endswith(b"\n"))


def test_long_lines_are_cut_between_characters():
    lines, _ = feed("é".encode() * LONGEST_LINE, [3, 1_000_001])
    assert "".join(lines) == "é" * LONGEST_LINE
    assert all(len(line.encode()) <= LONGEST_LINE for line in lines)
    lines, _ = feed(b"\x80" * (LONGEST_LINE + 5), [])
    assert [len(line) for line in lines] == [LONGEST_LINE, 5]
