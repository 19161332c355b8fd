import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.config.composer import compose
from drorch.config.source import parse, plain_value
from drorch.core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("5", 5),
        ("-5", -5),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("0b1", "0b1"),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    found = plain_value(text)
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize("text", ["007", "1.10", "+5", "0o17", "1e3", "5", "1.5"])
def test_numbers_stay_as_written_where_they_become_text(text):
    assert str(plain_value(text)) == text


def test_every_key_and_value_has_its_place():
    document = parse("a:\n  - x\n  - {b: 1}\n'c d': 2\n", "f.yaml")
    assert document.value == {"a": ["x", {"b": 1}], "c d": 2}
    assert document.place_of_key(("a",)) == (1, 1)
    assert document.place_of_value(("a", 0)) == (2, 5)
    assert document.place_of_key(("a", 1, "b")) == (3, 6)
    assert document.place_of_value(("a", 1, "b")) == (3, 9)
    assert document.place_of_key(("c d",)) == (4, 1)
    assert document.place_of_value(("a", 1, "nowhere", 3)) == (3, 5)
    assert document.place_of_key(("nowhere",)) == (1, 1)


def test_quoted_scalars_are_text_and_tags_may_say_so():
    value = parse("a: '5'\nb: \"true\"\nc: !!str 5\nd: |\n  7\n", "f").value
    assert value == {"a": "5", "b": "true", "c": "5", "d": "7\n"}


def test_anchors_and_merges_bring_their_values():
    text = "base: &base {a: 1, b: 2}\nmore: &more {c: 3, a: 9}\nall: {<<: [*base, *more], b: 4}\n"
    assert parse(text, "f").value["all"] == {"a": 1, "b": 4, "c": 3}


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigurationError, match="too many values"):
        parse("\n".join(lines), "f")


@pytest.mark.parametrize("text", ["a: 1\nb: [x, {c: ' y'}]\n", "- &x 1\n- *x\n", "!!str 5", ""])
def test_the_parser_in_python_reads_the_same(text):
    def plainly(node):
        if node is None:
            return None
        inner = node.value
        if isinstance(inner, list):
            inner = [tuple(map(plainly, n)) if isinstance(n, tuple) else plainly(n) for n in inner]
        return node.tag, inner, node.start_mark.line, node.start_mark.column

    assert plainly(compose(text, in_python=True)) == plainly(compose(text, in_python=False))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_its_file(text):
    files = {"f"}
    try:
        parse(text, "f")
    except ConfigurationError as error:
        files = {problem.file for problem in error.problems}
    assert files == {"f"}
