"""The commands that messages and hints tell people to type are commands there are."""

import ast
import re
from collections.abc import Iterator

import pytest

from drorch.cli.main import root
from tests.unit.docs.pages import ROOT
from tests.unit.docs.test_docs_are_true import trouble_with

SOURCES = sorted((ROOT / "drorch").rglob("*.py"))
VERBS = {entry.word for section in root().sections for entry in section.entries}
#: Verbs of later versions: nobody is sent to them yet.
TO_COME = {"worker"}
_SAID = re.compile(r"\bdrorch ((?:[\w./=-]+|'[^']*')(?: (?:[\w./=-]+|'[^']*'))*)")


def sentences(source: str) -> Iterator[str]:
    """Every text in a module, docstrings included; X stands for what is put in."""
    inside = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            parts = [p.value if isinstance(p, ast.Constant) else "X" for p in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield node.value if isinstance(node.value, str) else ""


def told(source: str) -> Iterator[list[str]]:
    """The words after `drorch`, where they are a command; prose after it may follow."""
    for sentence in sentences(source):
        for match in _SAID.finditer(sentence):
            words = match[1].rstrip(".").split()
            if words[0] in VERBS | TO_COME:
                yield words


def trouble_in(source: str) -> list[str]:
    found = []
    for words in told(source):
        trouble = trouble_with(words)
        if trouble and "unexpected extra argument" not in trouble:
            found.append(f"drorch {' '.join(words)}: {trouble}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_is_sent_to_a_command_that_is_not_there(path):
    assert trouble_in(path.read_text(encoding="utf-8")) == []


def test_hints_are_found_and_wrong_ones_noticed():
    assert sum(len(list(told(path.read_text()))) for path in SOURCES) > 40
    assert trouble_in('x = "go on with: drorch run resume X goes on"') == []
    assert trouble_in('x = f"drorch worker {d}"')
    assert trouble_in('x = f"try: drorch run reusme {r}"')
    assert trouble_in('x = f"drorch check --datasets {d}"')
