"""A configuration's text with other values for some keys, and everything else as it was."""

import json

import pytest

from drorch.config.relocating import with_values
from drorch.config.source import parse
from drorch.core.errors import ConfigurationError

MOVED = {"state": "sqlite:///var/drorch.db", "runbooks": "runbooks"}


def value(text):
    return parse(text, "drorch.yaml").value


def test_comments_and_order_stay():
    text = (
        "# top\nstate: postgresql+psycopg://host/d   # here\nlanguage: fr\nrunbooks: ../r # there\n"
    )
    moved = with_values(text, "drorch.yaml", MOVED)
    assert moved == (
        '# top\nstate: "sqlite:///var/drorch.db"   # here\nlanguage: fr\nrunbooks: "runbooks" # there\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "language: fr\n",
        "language: fr",
        "{language: fr}",
        '{\n "language": "fr",\n "state": "sqlite:///x.db"\n}\n',
        "state: >-\n  sqlite:///x.db\nlanguage: fr\n",
        "language: fr\n...\n",
        "  language: fr\n  timezone: UTC\n",
        "état: été\nlanguage: fr\nstate: 'sqlite:///à.db'\n",
    ],
    ids=["missing", "no-end", "flow", "json", "folded", "ended", "indented", "accents"],
)
def test_whatever_the_style(text):
    assert value(with_values(text, "drorch.yaml", MOVED)) == value(text) | MOVED


def test_what_is_json_stays_json():
    text = json.dumps({"state": "sqlite:///x.db", "datasets": {"a": {"paths": ["/é"]}}})
    assert json.loads(with_values(text, "drorch.yaml", MOVED))["runbooks"] == "runbooks"


def test_what_is_no_mapping_is_refused():
    with pytest.raises(ConfigurationError):
        with_values("- a\n- b\n", "drorch.yaml", MOVED)
