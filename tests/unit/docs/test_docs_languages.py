"""Every sentence of the reports has its translation, and it fits; dates and numbers follow the locale."""

import re
from datetime import UTC, datetime, timedelta
from string import Formatter

import pytest

from drorch.actions.table import BUILT_IN
from drorch.core.byhand import Note
from drorch.core.names import Phase
from drorch.core.verification import Reason
from drorch.reports.language import LANGUAGES, SOURCE, language
from drorch.reports.paper import words
from tests.unit.docs.catalogues import CATALOGUES, catalogue, sentences

FRENCH = [m for m in catalogue("fr") if m.id]


def forms(text):
    return list(text) if isinstance(text, list | tuple) else [text]


def test_every_language_but_the_source_has_a_catalogue():
    assert set(CATALOGUES) == set(LANGUAGES) - {SOURCE}


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_catalogue_has_each_sentence_of_the_code_and_no_other(code):
    """When it fails: python -m tests.unit.docs.catalogues, then write what is missing."""
    kept = catalogue(code)
    assert {str(m.id) for m in kept if m.id} == {str(m.id) for m in sentences() if m.id}
    assert len(kept) > 200
    assert not kept.obsolete
    assert [m.id for m in kept if m.id and not all(forms(m.string))] == []
    assert [m.id for m in kept if m.id and m.fuzzy] == []


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_translation_takes_the_same_values():
    for message in FRENCH:
        wanted = set.union(*(fields(one) for one in forms(message.id)))
        for one in forms(message.string):
            assert fields(one) in (wanted, wanted - {"count"}), one


def test_french_is_set_as_french_is():
    for message in FRENCH:
        for text in forms(message.string):
            assert not re.search(r"[^\u00a0]:(\s|$)", text), text
            assert not re.search(r"[^\u202f][;?!]", text), text
            assert not re.search(r"«[^\u00a0]|[^\u00a0]»", text), text
            assert not re.search(r"['\"“”]", text), text


def test_a_sentence_without_a_translation_would_be_said_in_english():
    assert language("fr").say("Not a sentence of ours: {x}.", x=1) == "Not a sentence of ours: 1."


@pytest.mark.parametrize(
    ("length", "english", "french"),
    [
        (timedelta(milliseconds=200), "200 ms", "200\u202fms"),
        (timedelta(seconds=1.5), "1.5 sec", "1,5\u202fs"),
        (timedelta(minutes=90), "1 hr 30 min", "1\u202fh 30\xa0min"),
        (timedelta(hours=36), "1 day 12 hr", "1\u202fj 12\u202fh"),
    ],
)
def test_durations(length, english, french):
    assert (language("en").duration(length), language("fr").duration(length)) == (english, french)


def test_moments_numbers_and_lists():
    at = datetime(2026, 2, 1, 7, 5, tzinfo=UTC)
    assert (
        language("en").moment(at, "America/Toronto") == "1 February 2026, 02:05 (America/Toronto)"
    )
    assert (
        language("fr").moment(at, "America/Toronto") == "1er février 2026, 02:05 (America/Toronto)"
    )
    later = at.replace(day=11)
    assert language("fr").moment(later, "UTC") == "11 février 2026, 07:05 (UTC)"
    assert (language("en").number(12345.5), language("fr").number(12345.5)) == (
        "12,345.5",
        "12\u202f345,5",
    )
    assert language("fr").listed(["a", "b", "c"]) == "a, b et c"
    assert language("en").listed([]) == ""


def test_nothing_that_a_plan_can_hold_is_without_a_sentence():
    """A new action wants a sentence in drorch/reports/paper/words.py; then as above."""
    assert set(words.ACTIONS) == set(BUILT_IN) - {"runbook"}
    assert set(words.NOTES) == set(Note)
    assert set(words.DOUBTS) == set(Reason)
    assert set(words.PHASES) == set(words.INTRODUCTIONS) == set(Phase)
