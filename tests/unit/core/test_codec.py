"""Values as JSON: there and back, strict, compact, and the same for ever."""

import json
import re
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drorch.core.codec import (
    KINDS,
    NewerFormat,
    NotDecodable,
    canonical,
    decode,
    decode_event,
    encode,
    encode_event,
    parse,
)
from drorch.core.encoding import REQUIRED, default_of, encoder_of
from drorch.core.events import AttemptFinished, AttemptLost, Event, RunFinished, StepSkipped
from drorch.core.model import Configuration
from drorch.core.names import Outcome, Verdict
from drorch.core.runbook import Runbook
from tests.fakes.facts import JSON, anything, begun, ended, started

FORMAT = Path(__file__).parent / "kept_format.json"
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(SLOW, max_examples=25)
def test_every_event_comes_back_as_it_went(kind: str, data: st.DataObject) -> None:
    event = data.draw(anything(KINDS[kind]))
    found, value = encode_event(event)
    text = canonical(value)
    assert found == kind
    back = decode_event(kind, parse(text))
    assert back == event
    assert canonical(encode_event(back)[1]) == text


@pytest.mark.parametrize("wanted", [Configuration, Runbook])
@given(data=st.data())
@settings(SLOW, max_examples=15)
def test_configurations_and_runbooks_come_back_too(wanted: type, data: st.DataObject) -> None:
    value = data.draw(anything(wanted))
    assert decode(wanted, parse(canonical(encode(value)))) == value


@given(JSON)
@settings(SLOW)
def test_canonical_text_is_stable(value: Any) -> None:
    text = canonical(value)
    assert canonical(parse(text)) == text
    assert json.loads(text) == value or "\\ud" in text.decode()


def test_there_is_a_kind_for_every_event() -> None:
    assert set(KINDS.values()) == set(get_args(Event))


def test_what_equals_its_default_is_left_out() -> None:
    assert encode_event(StepSkipped("a", "why"))[1] == {"step": "a", "why": "why"}
    assert encode_event(RunFinished(Outcome.PASSED))[1] == {"outcome": "passed"}
    assert canonical(encode_event(ended())[1]) == (
        b'{"attempt":1,"elapsed":1.5,"outputs":{"exit":0},"step":"step-0","verdict":"pass"}'
    )


def test_instants_are_written_in_utc() -> None:
    montreal = timezone(timedelta(hours=-5))
    event = started()
    moved = type(event)(event.plan, event.owner, "a", "b", declared_at=datetime(2026, 1, 2, 3, tzinfo=montreal))  # fmt: skip
    value = encode(moved)
    assert isinstance(value, dict)
    assert value["declared_at"] == "2026-01-02T08:00:00.000000Z"
    naive = type(event)(event.plan, event.owner, "a", "b", declared_at=datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        encode(naive)


def test_numbers_json_has_no_form_for_are_kept_as_words() -> None:
    event = AttemptFinished(
        "a", 1, Verdict.PASS, timedelta(), {"a": float("nan"), "b": [float("inf")]}
    )
    _, value = encode_event(event)
    assert canonical(value) == (
        b'{"attempt":1,"elapsed":0,"outputs":{"a":"nan","b":["inf"]},"step":"a","verdict":"pass"}'
    )


@pytest.mark.parametrize(
    "wrong",
    [
        AttemptLost("a", True),
        AttemptLost(1, 1),
        AttemptLost("a", 1.0),
        AttemptFinished("a", 1, "perhaps", timedelta()),
        AttemptFinished("a", 1, Verdict.PASS, timedelta(), {"a": {1: 2}}),
        AttemptFinished("a", 1, Verdict.PASS, timedelta(), {"a": {1, 2}}),
        AttemptFinished("a", 1, Verdict.PASS, timedelta(), {"a": b"raw"}),
        AttemptFinished("a", 1, Verdict.PASS, timedelta(), findings=("text",)),
    ],
)  # fmt: skip
def test_what_could_not_be_read_back_is_not_written(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode_event(wrong)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("attempt.lost", {"step": "a"}, "AttemptLost lacks 'attempt'"),
        ("attempt.lost", {"step": "a", "attempt": "1"}, "attempt: '1' where int is wanted"),
        ("attempt.lost", {"step": "a", "attempt": True}, "attempt: True where int is wanted"),
        ("attempt.lost", [], "[] where dict is wanted"),
        ("run.finished", {"outcome": "fine"}, "outcome: 'fine' is no Outcome"),
        ("run.finished", {"outcome": "passed", "left_behind": ["a", 1]}, "left_behind: 1: 1 where str is wanted"),
        ("retry.scheduled", {"step": "a", "delay": 1e300, "not_before": {}}, "delay: 1e+300 seconds are no duration"),
        ("retry.scheduled", {"step": "a", "delay": True, "not_before": {}}, "delay: True where seconds are wanted"),
        ("retry.scheduled", {"step": "a", "delay": 1, "not_before": {"at": "2026-01-02T03:04:05Z", "boot": "", "ticks": 1}},
         "not_before: at: '2026-01-02T03:04:05Z' is not written as instants are"),
        ("retry.scheduled", {"step": "a", "delay": 1, "not_before": {"at": "now", "boot": "", "ticks": 1}},
         "not_before: at: 'now' is no instant"),
        ("finding.recorded", {"finding": {"what": "a", "subject": "b", "message": None}},
         "finding: message: None where str is wanted"),
    ],
)  # fmt: skip
def test_reading_is_strict_and_says_where(kind: str, value: Any, said: str) -> None:
    with pytest.raises(NotDecodable) as caught:
        decode_event(kind, value)
    assert str(caught.value) == said


def test_a_newer_format_is_told_from_a_wrong_one() -> None:
    with pytest.raises(NewerFormat, match=r"there is no event 'run\.halved'"):
        decode_event("run.halved", {})
    newer = {"step": "a", "attempt": 1, "host": "b"}
    with pytest.raises(NewerFormat, match="AttemptLost has no field 'host'"):
        decode_event("attempt.lost", newer)
    assert decode_event("attempt.lost", newer, tolerant=True) == AttemptLost("a", 1)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Circle:
    radius: float


@dataclass(frozen=True)
class Square:
    side: float
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Drawing:
    shapes: tuple[Circle | Square, ...]
    place: tuple[str | int, ...] = ()
    tags: frozenset[str] = frozenset()


def test_a_union_says_which_it_is() -> None:
    drawing = Drawing((Circle(1), Square(2.5)), ("a", 1), frozenset("ba"))
    value = encode(drawing)
    assert value == {
        "shapes": [{"@": "Circle", "radius": 1.0}, {"@": "Square", "side": 2.5}],
        "place": ["a", 1],
        "tags": ["a", "b"],
    }
    assert decode(Drawing, value) == drawing
    for wrong in ({"@": "Cone"}, {"@": ["Circle"]}, {}, 1):
        with pytest.raises(NewerFormat, match="is none of Circle, Square"):
            decode(Drawing, {"shapes": [wrong]})
    with pytest.raises(TypeError):
        encode(Drawing((), (b"a",)))  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", [tuple[str, int], set[str], bytes, complex])
def test_types_without_a_form_are_refused_when_compiled(wanted: Any) -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        encoder_of(wanted)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', "[NaN]", "[Infinity]", "{", "[" * 100_000, b"\xff"]
)
def test_what_is_not_plain_json_is_not_read(text: str | bytes) -> None:
    with pytest.raises(NotDecodable):
        parse(text)


def test_canonical_text_takes_names_that_are_not_utf8() -> None:
    assert canonical("caf\udce9") == b'"caf\\udce9"'
    assert canonical("é\u2028") == '"é\u2028"'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def _kept(wanted: Any, found: dict[str, Any]) -> None:
    """Every dataclass that is reached from a type: its fields with type and default."""
    if isinstance(wanted, type) and is_dataclass(wanted):
        if wanted.__name__ in found:
            return
        told = found[wanted.__name__] = {}
        for field in fields(wanted):
            default = default_of(field)
            kept = "required" if default is REQUIRED else encoder_of(field.type)(default)
            told[field.name] = [_word(field.type), kept]
            _kept(field.type, found)
    for argument in get_args(wanted):
        _kept(argument, found)


def _word(wanted: Any) -> str:
    if isinstance(wanted, type) and not get_args(wanted):
        return wanted.__name__
    return re.sub(r"[\w.]+\.(\w+)", r"\1", str(wanted))


def test_what_old_journals_hold_still_means_the_same() -> None:
    """A field may be added with a default (and then noted in kept_format.json); nothing else
    about what is kept may ever change.
    """
    now: dict[str, Any] = {}
    for event in KINDS.values():
        _kept(event, now)
    then = json.loads(FORMAT.read_text())
    for name, told in then.items():
        changed = {f: (was, now[name].get(f)) for f, was in told.items() if now[name].get(f) != was}
        assert not changed, f"{name}: old journals hold this otherwise"
        added = {f: is_now for f, is_now in now[name].items() if f not in told}
        assert all(default != "required" for _, default in added.values()), f"{name}: {added}"


def test_an_event_of_the_first_day_is_read() -> None:
    assert decode_event("attempt.started", parse(b'{"arguments":{"argv":["/bin/true","0"]},"attempt":1,"step":"step-0"}')) == begun()  # fmt: skip
    assert decode(datetime, "2026-01-02T03:04:05.000006Z") == datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
