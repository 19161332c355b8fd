"""Preconditions of runbooks as one run that only looks, and what is known after it.

For pain 16 (the DR tool depends on the site that died: preflight proves it) and pain 23 (rot).
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drorch.core.decide import NOT_MET
from drorch.core.events import (
    AbortRequested,
    FindingRecorded,
    SkipRequested,
)
from drorch.core.facts import ReadinessLooked, ReadinessProven
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase, RunKind, Verdict
from drorch.core.plan import Plan
from drorch.core.readiness import broken_finding, compile_readiness, readiness_of
from drorch.core.render import render
from drorch.core.runbook import When, WhenTest
from tests.fakes.runs import Tale, step
from tests.fakes.runs import plan as drilled

MINUTE = timedelta(minutes=1)


def live(name: str, *steps, **inputs: str) -> Plan:
    return drilled(*steps, name=name, mode=Mode.LIVE, runbook_digest=name, inputs=inputs)


def look(name: str, **more):
    return step(name, Phase.PRECONDITIONS, check=True, repeatable=True, **more)


def compiled(*plans: Plan, broken=()) -> Plan:
    return compile_readiness(
        plans,
        Configuration(Path("/etc/drorch")),
        broken=dict.fromkeys(broken, "d"),
        timeout=MINUTE,
        workers=4,
        subject="readiness",
    )


def test_only_preconditions_are_looked_at_each_with_a_timeout_and_so_many_at_once():
    hour = timedelta(hours=1)
    made = compiled(
        live("a", look("x"), look("y", needs=("x",), timeout=hour), step("act")),
        live("b", look("x"), step("fence", Phase.FENCE), step("tidy", Phase.CLEANUP)),
    )
    assert (made.kind, made.parallel) == (RunKind.READINESS, 4)
    assert [(s.id, s.phase, s.timeout, s.needs) for s in made.steps] == [
        ("a/x", Phase.VERIFY, MINUTE, ()),
        ("a/y", Phase.VERIFY, hour, ("a/x",)),
        ("b/x", Phase.VERIFY, MINUTE, ()),
    ]
    assert made.targets == {"runbook a": "a", "runbook b": "b"}


def test_each_runbook_has_inputs_and_outputs_of_its_own():
    when = When("{port}", WhenTest.IS, "{x.exit}")
    looks = look("x"), look("y", needs=("x",), when=when, arguments={"p": "{port}", "q": "{x.o}"})
    made = compiled(live("a", *looks, port="1"), live("b", *looks, port="{c} {{port}}"))
    outputs = {f"{n}/x": {"o": n, "exit": n} for n in "ab"}
    _, first, _, second = made.steps
    assert render(first.arguments, made.inputs, outputs) == {"p": "1", "q": "a"}
    # An input's value is text, whatever braces it holds.
    assert render(second.arguments, made.inputs, outputs) == {"p": "{c} {{port}}", "q": "b"}
    assert render(second.when.operand, made.inputs, outputs) == "b"


def test_what_asks_a_person_or_needs_an_input_is_not_looked_at_and_says_so():
    asks = replace(look("asks"), person=True)
    made = compiled(
        live("a", asks, look("open", arguments={"h": "{host} {port}", "o": "{asks.by}"}), port="1")
    )
    assert [s.skip for s in made.steps] == ["it asks a person", "it needs the input host"]


def test_what_was_found_is_known_of_each_runbook():
    made = compiled(live("a", look("x"), look("y")), live("b", look("x")), live("c"), broken=["d"])
    tale = Tale(made).tell(0, FindingRecorded(broken_finding("d", "no such action", "")))
    tale.do(1, 2, "a/x", verdict=Verdict.FAIL, message="no route").do(1, 2, "a/y").do(1, 2, "b/x")
    looked = {
        f.runbook: f.wrong for f in readiness_of(tale.state) if isinstance(f, ReadinessLooked)
    }
    assert looked == {"a": ("x: no route",), "b": (), "c": (), "d": ("no such action",)}
    proven = {f.runbook for f in readiness_of(tale.state) if isinstance(f, ReadinessProven)}
    assert proven == {"b", "c"}


def test_what_could_not_be_looked_at_is_not_proven_what_was_not_needed_is():
    asks = replace(look("asks"), person=True)
    unmet = look("unmet", when=When("a", WhenTest.IS, "b"))
    tale = Tale(compiled(live("a", asks, look("x")), live("b", unmet)))
    tale.skip(1, "a/asks", "it asks a person").do(1, 2, "a/x").skip(1, "b/unmet", NOT_MET)
    first, second, proven = readiness_of(tale.state)
    assert (first.open, first.wrong) == (("asks: it asks a person",), ())
    assert (second.open, second.wrong) == ((), ())
    assert proven == ReadinessProven("b", tale.state.run)


def test_what_somebody_had_left_out_is_not_proven():
    tale = Tale(compiled(live("a", look("x"))))
    tale.tell(1, SkipRequested("a/x", "ann", "no time"))
    (looked,) = readiness_of(tale.state)
    assert looked.wrong == ("x: left out by ann: no time",)


def test_a_run_that_was_ended_says_nothing_and_nor_does_any_other():
    tale = Tale(compiled(live("a", look("x")))).do(1, 2, "a/x", verdict=Verdict.FAIL)
    assert readiness_of(tale.state)
    assert not readiness_of(tale.tell(2, AbortRequested("ann", "enough")).state)
    assert not readiness_of(Tale(drilled(look("x"))).do(1, 2, "x").state)
