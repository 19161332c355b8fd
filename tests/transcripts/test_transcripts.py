"""Every transcript is played as it is written, with real processes."""

from pathlib import Path

import pytest

from tests.forked import door
from tests.transcripts.session import matches, parse, play, prepare

HERE = Path(__file__).parent


#: Sessions in which drorch starts from nothing each time, which costs half a second.
COLD = ("config", "usage")


@pytest.mark.parametrize("name", sorted(p.stem for p in HERE.glob("*.txt")))
def test_the_session_goes_as_it_is_written(name, tmp_path):
    transcript = parse((HERE / f"{name}.txt").read_text(encoding="utf-8"))
    assert transcript.spoken
    prepare(tmp_path, transcript.files, None if name in COLD else door())
    for spoken in transcript.spoken:
        printed = play(spoken.command, tmp_path)
        if not matches(spoken.expected, printed):
            pytest.fail(
                "\n".join(["it went otherwise:", f"$ {spoken.command}", *printed])
                + "\n\nexpected:\n"
                + "\n".join(spoken.expected)
            )


def test_a_session_that_goes_otherwise_is_noticed():
    assert matches(["a…z", "…", "end"], ["a to z", "between", "end"])
    assert matches(["…"], [])
    assert not matches(["a…z"], ["a to y"])
    assert not matches(["one"], ["one", "two"])
    assert not matches(["a.c"], ["abc"])
