"""Facts to record: short ways to make stamped events, and any event at all by Hypothesis."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st

from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    Owner,
    RunFinished,
    RunStarted,
    Stamped,
)
from drorch.core.facts import Fact
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Value

DAWN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWNER = Owner("dr-quebec-1", 4711, 123456, "boot-1", "root", "t0k3n", "0.1.0")


def at(second: float) -> Moment:
    """So many seconds after dawn."""
    return Moment(DAWN + timedelta(seconds=second), "boot-1", 5000.0 + second)


def stamped(*events: Event, second: float = 0) -> list[Stamped]:
    """The events, a second apart."""
    return [Stamped(at(second + n), event) for n, event in enumerate(events)]


def started(name: str = "ehr-failover", subject: str = "", steps: int = 2) -> RunStarted:
    """The start of a drill of some steps."""
    plan = Plan(
        RunKind.DRILL,
        name,
        Mode.DRILL,
        subject or f"runbook:{name}",
        tuple(
            PlannedStep(f"step-{n}", Phase.STEPS, "command", {"argv": ["/bin/true", str(n)]})
            for n in range(steps)
        ),
    )
    return RunStarted(plan, OWNER, "m.tremblay", "operator", "quarterly drill")


def begun(step: str = "step-0", attempt: int = 1) -> AttemptStarted:
    """An attempt begins."""
    return AttemptStarted(step, attempt, {"argv": ["/bin/true", "0"]})


def ended(
    step: str = "step-0",
    attempt: int = 1,
    *,
    copies: Sequence[CopyFact] = (),
    facts: Sequence[Fact] = (),
) -> AttemptFinished:
    """An attempt passes."""
    return AttemptFinished(
        step,
        attempt,
        Verdict.PASS,
        timedelta(seconds=1.5),
        {"exit": 0},
        copies=tuple(copies),
        facts=tuple(facts),
    )


def finished(outcome: Outcome = Outcome.PASSED) -> RunFinished:
    """The run ends."""
    return RunFinished(outcome)


def whole_run(name: str = "ehr-failover", second: float = 0) -> list[Stamped]:
    """A short drill from start to end."""
    events = (started(name), begun(), ended(), begun("step-1"), ended("step-1"), finished())
    return stamped(*events, second=second)


def copy(
    fact: CopyFactKind, snapshot: str = "a", *, region: str = "qc", hours: float = 0, **more: Any
) -> CopyFact:
    """A fact about a snapshot taken so many hours after dawn."""
    taken = DAWN + timedelta(hours=hours)
    return CopyFact(fact, "ehr-db", region, snapshot * 64, taken, **more)


#: Text as systems give it: also with names of files that are not UTF-8.
TEXT = st.text(max_size=12) | st.binary(max_size=6).map(
    lambda raw: raw.decode("utf-8", "surrogateescape")
)
#: JSON values as they come back: lists, not tuples.
JSON: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    NoneType: st.none(),
    timedelta: st.timedeltas(timedelta(days=-36_500), timedelta(days=36_500)),
    datetime: st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
}


def anything(wanted: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, by its hints."""
    if isinstance(wanted, str):
        return JSON
    if wanted in _LEAVES:
        return _LEAVES[wanted]
    if get_origin(wanted) is None and issubclass(wanted, PurePath):
        return st.text("abc/. é", min_size=1).map(Path)
    if get_origin(wanted) is None and issubclass(wanted, StrEnum):
        return st.sampled_from(wanted)
    if is_dataclass(wanted):
        return _any_dataclass(wanted)
    return _any_generic(get_origin(wanted), get_args(wanted))


def _any_generic(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin in (Union, UnionType):
        return st.one_of(*map(anything, arguments))
    if origin is tuple:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(anything(arguments[0]), max_size=3)
    if origin is Mapping:
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=2)
    raise TypeError(f"no strategy for {origin}")


def _any_dataclass(wanted: Any) -> st.SearchStrategy[Any]:
    required, optional = {}, {}
    for field in fields(wanted):
        plain = field.default is MISSING and field.default_factory is MISSING
        (required if plain else optional)[field.name] = anything(field.type)
    return st.fixed_dictionaries(required, optional=optional).map(lambda found: wanted(**found))
