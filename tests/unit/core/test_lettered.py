"""Letters typed from paper: what is read is what was printed, or every line that is not is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.lettered import NotLettered, lettered, unlettered

DATA = bytes(range(120))


@given(st.binary(min_size=1, max_size=300))
@settings(max_examples=60, deadline=None)
def test_what_was_printed_is_read(data):
    lines = lettered(data)
    assert unlettered("\n".join(lines)) == data
    careless = "\n\n".join(reversed([line.lower().replace(" - ", "   ") for line in lines]))
    assert unlettered(careless.replace("o", "0").replace("i", "1").replace("0", "0", 1)) == data


def test_people_may_write_between_the_lines():
    assert unlettered("# kit of 2026\n" + "\n".join(lettered(DATA)) + "\nkept by us\n") == DATA


def test_every_line_that_is_wrong_is_named():
    lines = list(lettered(DATA))
    lines[0] = lines[0].replace(lines[0][3:8], "AAAAA" if lines[0][3:8] != "AAAAA" else "BBBBB")
    del lines[2]
    with pytest.raises(NotLettered) as caught:
        unlettered("\n".join(lines))
    assert caught.value.problems == ("line 1 is mistyped", "line 3 is missing")
    with pytest.raises(NotLettered) as caught:
        unlettered("\n".join([lines[1], lines[2]]))
    assert caught.value.problems == (
        "line 1 is missing",
        "line 3 is missing",
        "its end is missing: the line with END",
    )
    with pytest.raises(NotLettered):
        unlettered("nothing at all")
    swapped = [line.replace("01 ", "02 ") for line in lettered(DATA)[:1]]
    with pytest.raises(NotLettered, match="line 2 is mistyped"):
        unlettered("\n".join([*swapped, "03 END"]))
