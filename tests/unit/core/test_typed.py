"""Commands on paper: whatever is in them, bash reads what was meant, and no line is too wide."""

import subprocess
from shlex import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.typed import WIDTH, read_from, typed, value


def read_by_bash(lines):
    """The words that bash makes of them; what indents a line may be lost on the way."""
    script = "\n".join(["set -f", *(line.strip() for line in lines)])
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


WORDS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=130),
    min_size=1,
    max_size=6,
)


@given(WORDS)
@settings(max_examples=60, deadline=None)
def test_every_text_arrives_as_it_is(words):
    words = [word.rstrip("\n") or "x" for word in words]
    lines = typed("printf", r"'%s\0'", *(value(word) for word in words))
    assert read_by_bash(lines) == words
    assert all(len(line) <= WIDTH for line in lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "word",
    ["s3:https://s3.example/" + "a" * 120, "x/" * 90, "it's " * 40, "$HOME/" * 30, "'" * 50],
    ids=["host", "folders", "quotes", "dollars", "only-quotes"],
)
def test_long_words_are_put_together_again(word):
    lines = typed("printf", r"'%s\0'", quote(word))
    assert len(lines) > 1
    assert max(map(len, lines)) <= WIDTH
    assert read_by_bash(lines) == [word]


def test_variables_stay_whole():
    words = ["printf", r"'%s\0'", '"$BASE/' + "folder/" * 20 + 'repository"']
    lines = typed(*words)
    assert len(lines) > 1
    assert read_by_bash(["BASE=here", *lines]) == ["here/" + "folder/" * 20 + "repository"]
    assert read_from("qc-id") == '"$(cat qc-id)"'
