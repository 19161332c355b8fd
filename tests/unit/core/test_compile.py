from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drorch.core.compile import compile_runbook
from drorch.core.errors import ConfigurationError
from drorch.core.model import Configuration, Dataset, Objectives, Region, Service
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.runbook import (
    ActionCall,
    ForEach,
    Input,
    Retry,
    Runbook,
    RunbookStep,
    Until,
    When,
    WhenTest,
)
from tests.fakes.specs import SPECS

CONFIGURATION = Configuration(
    Path("/etc/drorch"),
    organization="Sainte-Rive",
    timezone="America/Toronto",
    regions={"qc": Region("qc", "http://127.0.0.1:1", "drorch", "CA-QC")},
    datasets={"ehr": Dataset("ehr", "key", "qc", paths=(Path("/srv/ehr"),))},
    services={"ehr": Service("ehr", objectives=Objectives(timedelta(hours=1), timedelta(hours=2)))},
    digest="c0ffee",
)
TRUE = ActionCall("command", {"argv": ["true"]})


def step(name, call=TRUE, phase=Phase.STEPS, **more):
    return RunbookStep(name, phase, call, path=(phase.value, 0), **more)


def echo(*words):
    return ActionCall("command", {"argv": ["echo", *words]})


def restore(to="var/drill"):
    return ActionCall("restore", {"dataset": "ehr", "to": to})


def nested(name, **inputs):
    return ActionCall("runbook", {"runbook": name, "inputs": inputs})


def book(name="r", steps=(), **more):
    return Runbook(name, steps=tuple(steps), **more)


def compiled(steps, *, mode=Mode.DRILL, given=None, others=(), kind=None, **more):
    shelf = {other.name: other for other in others}
    return compile_runbook(
        book(steps=steps, **more),
        CONFIGURATION,
        SPECS.get,
        mode,
        given or {},
        shelf.get,
        kind=kind,
        action_names=tuple(SPECS),
    )


def needs(plan):
    return {one.id: one.needs for one in plan.steps}


def refused(*args, **kwargs):
    with pytest.raises(ConfigurationError) as caught:
        compiled(*args, **kwargs)
    return [problem.message for problem in caught.value.problems]


def test_the_plan_says_whose_it_is_and_what_was_promised():
    plan = compiled(
        [step("a", restore())],
        title="Bring back",
        service="ehr",
        objectives=Objectives(rto=timedelta(minutes=5)),
        digest="d1",
        parallel=3,
    )
    assert (plan.kind, plan.name, plan.subject) == (RunKind.DRILL, "r", "runbook:r")
    assert plan.objectives == Objectives(timedelta(minutes=5), timedelta(hours=2))
    assert (plan.organization, plan.timezone) == ("Sainte-Rive", "America/Toronto")
    assert (plan.runbook_digest, plan.configuration_digest) == ("d1", "c0ffee")
    assert (plan.title, plan.service, plan.parallel, plan.datasets) == (
        "Bring back",
        "ehr",
        3,
        ("ehr",),
    )


def test_a_live_plan_is_a_failover_unless_told_otherwise():
    assert compiled([step("a")], mode=Mode.LIVE).kind is RunKind.FAILOVER
    assert compiled([step("a")], mode=Mode.LIVE, kind=RunKind.FAILBACK).kind is RunKind.FAILBACK


def test_a_step_needs_the_one_before_it_in_its_phase_unless_it_says_otherwise():
    plan = compiled(
        [
            step("p", phase=Phase.PRECONDITIONS),
            step("a"),
            step("b"),
            step("c", needs=()),
            step("d", needs=("a", "c")),
            step("v", phase=Phase.VERIFY),
            step("w", phase=Phase.VERIFY),
        ]
    )
    assert needs(plan) == {
        "p": (),
        "a": (),
        "b": ("a",),
        "c": (),
        "d": ("a", "c"),
        "v": (),
        "w": ("v",),
    }


def test_undo_runs_before_cleanup_in_reverse_order():
    plan = compiled(
        [
            step("a", undo=echo("{a.exit_code}")),
            step("b"),
            step("c", undo=TRUE),
            step("x", phase=Phase.CLEANUP),
            step("y", phase=Phase.CLEANUP, needs=()),
        ]
    )
    cleanup = [one for one in plan.steps if one.phase is Phase.CLEANUP]
    assert [(one.id, one.undoes, one.needs) for one in cleanup] == [
        ("undo:c", "c", ()),
        ("undo:a", "a", ()),
        ("x", "", ()),
        ("y", "", ()),
    ]
    assert {one.on_failure for one in cleanup} == {OnFailure.CONTINUE}
    assert {one.skip for one in cleanup} == {""}


def test_a_live_run_leaves_standing_what_it_brought_up():
    plan = compiled(
        [
            step("a", undo=TRUE),
            step("b", undo=TRUE, always=True),
            step("x", phase=Phase.CLEANUP),
            step("y", phase=Phase.CLEANUP, always=True),
        ],
        mode=Mode.LIVE,
    )
    skipped = {one.id: one.skip for one in plan.steps if one.skip}
    assert skipped == dict.fromkeys(("undo:a", "x"), "left standing: this is a live run")


def test_a_drill_leaves_out_live_only_steps_and_says_so():
    steps = [step("a", restore("/srv/ehr/x"), live_only=True), step("b")]
    assert [one.skip for one in compiled(steps).steps] == ["live only: not done in a drill", ""]
    assert [one.skip for one in compiled(steps, mode=Mode.LIVE).steps] == ["", ""]


def test_repeatable_follows_the_action_the_place_and_the_word():
    plan = compiled(
        [
            step("looks", phase=Phase.PRECONDITIONS),
            step("checked", is_check=True),
            step("done"),
            step("again", repeatable=True),
            step("restored", restore()),
            step("once", restore(), repeatable=False),
            step("asked", ActionCall("approve", {"prompt": "Go?"})),
        ]
    )
    told = {one.id: (one.repeatable, one.check, one.person) for one in plan.steps}
    assert told == {
        "looks": (True, True, False),
        "checked": (True, True, False),
        "done": (False, False, False),
        "again": (True, False, False),
        "restored": (True, False, False),
        "once": (False, False, False),
        "asked": (False, False, True),
    }


def test_arguments_stay_templates_and_inputs_go_beside_them():
    plan = compiled(
        [step("a", echo("{port}", 5, "{{port}}"))],
        given={"port": "1"},
        inputs=(Input("port"), Input("more", "x")),
    )
    assert plan.inputs == {"port": "1", "more": "x"}
    assert plan.steps[0].arguments == {"argv": ["echo", "{port}", "5", "{{port}}"]}


def test_written_words_become_the_type_that_the_action_takes():
    call = ActionCall(
        "typed",
        {
            "text": 5,
            "integer": "7",
            "number": "1.5",
            "boolean": "true",
            "duration": "5m",
            "any": None,
        },
    )
    assert compiled([step("a", call)]).steps[0].arguments == {
        "text": "5",
        "integer": 7,
        "number": 1.5,
        "boolean": True,
        "duration": "5m",
    }


def test_step_keys_come_through():
    retry, until = Retry(attempts=3), Until(timedelta(seconds=60))
    when = When("{a.exit_code}", WhenTest.IS, 0)
    plan = compiled(
        [
            step("a", retry=retry, timeout=timedelta(minutes=1), on_failure=OnFailure.CONTINUE),
            step("b", ActionCall("look"), until=until, when=when, title="Look"),
        ]
    )
    first, second = plan.steps
    assert (first.retry, first.timeout, first.on_failure) == (
        retry,
        timedelta(minutes=1),
        OnFailure.CONTINUE,
    )
    assert (second.until, second.when, second.title) == (until, when, "Look")


INNER = book(
    "inner",
    [
        step("empty", echo("{to}"), Phase.PRECONDITIONS),
        step("one", restore("{to}/db"), undo=echo("{one.path}")),
        step("two", echo("{one.path}", "{flag}")),
        step("side", needs=()),
        step("whole", echo("{two.exit_code}"), Phase.VERIFY),
        step("tidy", phase=Phase.CLEANUP),
    ],
    inputs=(Input("to"), Input("flag", "{odd}")),
)


def test_a_nested_runbook_is_written_into_the_plan():
    plan = compiled(
        [
            step("own", phase=Phase.PRECONDITIONS),
            step("before"),
            step("in", nested("inner", to="{dir}/x")),
            step("after", echo("{in/two.exit_code}")),
            step("last", phase=Phase.CLEANUP),
        ],
        inputs=(Input("dir", "var"),),
        others=[INNER],
    )
    assert needs(plan) == {
        "own": (),
        "in/empty": (),
        "before": (),
        "in/one": ("before",),
        "in/two": ("in/one",),
        "in/side": ("before",),
        "in/whole": ("in/two", "in/side"),
        "after": ("in/whole",),
        "undo:in/one": (),
        "in/tidy": (),
        "last": ("in/tidy",),
    }
    by_id = {one.id: one for one in plan.steps}
    assert by_id["in/one"].arguments["to"] == "{dir}/x/db"
    assert by_id["in/two"].arguments["argv"] == ["echo", "{in/one.path}", "{{odd}}"]
    assert by_id["undo:in/one"].arguments["argv"] == ["echo", "{in/one.path}"]
    assert by_id["in/whole"].phase is Phase.STEPS
    assert by_id["in/whole"].check
    assert [one.id for one in plan.steps if one.phase is Phase.PRECONDITIONS] == ["own", "in/empty"]


def test_what_is_handed_in_may_be_an_output_of_a_step_before():
    inner = book("inner", [step("use", echo("{x}"))], inputs=(Input("x"),))
    plan = compiled([step("a"), step("in", nested("inner", x="{a.value}"))], others=[inner])
    assert plan.steps[1].arguments["argv"] == ["echo", "{a.value}"]


def test_conditions_and_live_only_of_the_nesting_step_hold_inside():
    inner = book("inner", [step("p", phase=Phase.PRECONDITIONS), step("a"), step("b")])
    when = When("{first.value}", WhenTest.IS, "x")
    plan = compiled([step("first"), step("in", nested("inner"), when=when)], others=[inner])
    assert {one.id: one.when for one in plan.steps} == {
        "first": None,
        "in/p": None,
        "in/a": when,
        "in/b": when,
    }
    plan = compiled([step("in", nested("inner"), live_only=True)], others=[inner])
    assert all(one.skip.startswith("live only") for one in plan.steps)


def test_an_isolated_nesting_step_isolates_what_says_nothing_else_inside():
    inner = book(
        "inner",
        [step("a"), step("b", on_failure=OnFailure.CONTINUE), step("c", phase=Phase.VERIFY)],
    )
    outer = [step("in", nested("inner"), on_failure=OnFailure.ISOLATE), step("after")]
    found = {one.id: one.on_failure for one in compiled(outer, others=[inner]).steps}
    assert found == {
        "in/a": OnFailure.ISOLATE,
        "in/b": OnFailure.CONTINUE,
        "in/c": OnFailure.ISOLATE,
        "after": OnFailure.STOP,
    }


def test_runbooks_nest_to_any_depth():
    inmost = book("inmost", [step("z", echo("{v}"))], inputs=(Input("v"),))
    middle = book("middle", [step("m", nested("inmost", v="{v}-m"))], inputs=(Input("v"),))
    plan = compiled([step("o", nested("middle", v="o"))], others=[inmost, middle])
    assert [(one.id, one.arguments["argv"]) for one in plan.steps] == [("o/m/z", ["echo", "o-m"])]


def test_retry_timeout_and_patience_of_a_step_are_the_same_at_every_depth():
    """Pain 4: retries and timeouts do not vanish when a runbook is nested."""
    own = {
        "retry": Retry(4, timedelta(seconds=7), 3.0, 0.1, timedelta(minutes=1), ("slow",)),
        "timeout": timedelta(minutes=20),
        "on_failure": OnFailure.CONTINUE,
        "repeatable": True,
    }
    until = Until(timedelta(seconds=60), timedelta(seconds=2), 3)
    steps = [step("z", **own), step("c", phase=Phase.VERIFY, until=until)]
    inmost = book("inmost", steps)
    middle = book("middle", [step("m", nested("inmost"))])
    deep = compiled([step("o", nested("middle"))], others=[inmost, middle]).steps
    flat = compiled(steps).steps
    assert [one.id for one in deep] == ["o/m/z", "o/m/c"]
    for nested_step, alone in zip(deep, flat, strict=True):
        for what in ("retry", "timeout", "on_failure", "repeatable", "until"):
            assert getattr(nested_step, what) == getattr(alone, what), what
    assert deep[1].check
    assert deep[1].phase is Phase.STEPS


def test_runbooks_that_nest_each_other_are_refused_by_their_chain():
    first = book("first", [step("a", nested("second"))])
    second = book("second", [step("b", nested("first"))])
    said = refused([step("x", nested("first"))], others=[first, second])
    assert said == ["step x/a/b: nests itself: r > first > second > first"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([step("a", echo("{b.value}")), step("b")], "{b.value}: b is not certainly over by then"),
        ([step("a", needs=("b",)), step("b")], "steps wait for each other: a > b > a"),
        ([step("a", ActionCall("comand"))], "there is no action 'comand'"),
        ([step("a", ActionCall("look", {"ur": 1}))], "look takes no argument 'ur'"),
        ([step("a", restore("/srv/ehr/x"))], "lies in /srv/ehr, which is protected"),
        ([step("a", ActionCall("look", {"url": "{gone.x}"}))], "there is no step 'gone'"),
        ([step("a", phase=Phase.VERIFY, call=restore())], "restore is not a check"),
        ([step("in", nested("nobody"))], "there is no runbook 'nobody'"),
    ],
)
def test_refused(steps, message):
    said = refused(steps)
    assert len(said) == 1
    assert message in said[0]


def test_cleanup_may_refer_to_any_step_and_undo_to_its_own():
    compiled(
        [
            step("a", undo=echo("{a.exit_code} {b.exit_code}")),
            step("b", live_only=True),
            step("v", phase=Phase.VERIFY),
            step("x", echo("{b.value} {v.value}"), Phase.CLEANUP),
        ]
    )


def test_scripts_are_named_because_nobody_can_look_into_them():
    steps = [
        step("script", ActionCall("shell", {"script": "true"})),
        step("python", ActionCall("command", {"argv": ["/usr/bin/python3", "x.py"]})),
        step("plain"),
        step("live", ActionCall("shell", {"script": "true"}), live_only=True),
    ]
    (notice,) = compiled(steps).notices
    assert notice.endswith(": script, python")
    assert compiled(steps, mode=Mode.LIVE).notices == ()


def test_problems_lead_into_the_document_of_the_runbook_they_are_in():
    inner = Runbook("inner", steps=(step("bad", echo("{nope}")),), file="inner.yaml")
    with pytest.raises(ConfigurationError) as caught:
        compiled([step("in", nested("inner"))], others=[inner], file="outer.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.path) == ("inner.yaml", ("steps", 0, "with", "argv", 1))


def test_ten_thousand_steps_compile_and_each_refers_to_the_one_before():
    steps = [step("s0"), *(step(f"s{i}", echo(f"{{s{i - 1}.value}}")) for i in range(1, 10_000))]
    assert len(compiled(steps).steps) == 10_000


def test_titles_name_their_inputs():
    inner = book("inner", [step("a", title="Look at {x}")], inputs=(Input("x"),))
    plan = compiled(
        [step("in", nested("inner", x="{where}"))],
        others=[inner],
        title="Restore to {where}",
        inputs=(Input("where", "here"),),
    )
    assert (plan.title, plan.steps[0].title) == ("Restore to here", "Look at here")


LOOK = ActionCall("look", {})


def gates(plan):
    return [one.id for one in plan.steps if one.phase is Phase.FENCE]


def test_a_service_whose_primary_nobody_looks_at_has_a_gate_that_cannot_know():
    steps = [step("p", LOOK, Phase.PRECONDITIONS), step("fence"), step("fence-2")]
    plan = compiled(steps, mode=Mode.LIVE, service="ehr")
    assert [one.id for one in plan.steps] == ["p", "fence-3", "fence", "fence-2"]
    assert (plan.steps[1].phase, plan.steps[1].do) == (Phase.FENCE, "fence.check")
    assert gates(compiled(steps, mode=Mode.LIVE)) == []
    assert gates(compiled(steps, mode=Mode.DRILL, service="ehr")) == []
    assert gates(compiled(steps, mode=Mode.LIVE, service="ehr", kind=RunKind.FAILBACK)) == []


def test_a_fence_is_a_phase_of_its_own_and_left_out_of_drills():
    steps = [step("cut", phase=Phase.FENCE), step("gone", LOOK, Phase.FENCE), step("a")]
    live = compiled(steps, mode=Mode.LIVE, service="ehr")
    assert gates(live) == ["cut", "gone"]
    assert not live.steps[0].check
    assert not any(one.skip for one in live.steps)
    drill = compiled(steps, service="ehr")
    assert [bool(one.skip) for one in drill.steps] == [True, True, False]


def test_the_fence_of_a_nested_runbook_is_done_before_any_step():
    inner = book("inner", [step("cut", phase=Phase.FENCE), step("b")])
    plan = compiled([step("a"), step("in", nested("inner"))], mode=Mode.LIVE, others=[inner])
    assert [one.id for one in plan.steps] == ["in/cut", "a", "in/b"]


def test_a_live_plan_says_what_it_touches_and_is_not_refused():
    plan = compiled([step("a", echo("/srv/ehr/x")), step("b")], mode=Mode.LIVE)
    assert plan.notices == (
        "a touches what is protected: argv: '/srv/ehr/x' lies in /srv/ehr, which is protected",
    )


def test_more_people_than_may_answer_cannot_agree():
    few = ActionCall("approve", {"prompt": "?", "quorum": 2, "by": ["alice"]})
    assert "quorum: 2 cannot agree where only 1 may" in refused([step("a", few)])[0]
    late = ActionCall("approve", {"prompt": "?", "otherwise": "abort"})
    assert "no deadline" in refused([step("a", late)])[0]


TIERS = replace(
    CONFIGURATION,
    datasets={
        name: replace(CONFIGURATION.datasets["ehr"], name=name, tier=tier)
        for name, tier in (("lab", 2), ("ehr", 1), ("Old.Lab", 2), ("files", None), ("old-lab", 3))
    },
)


def fanned(each, *, given=None, configuration=TIERS, later=False, **more):
    """The plan of a runbook that restores each dataset by a nested one."""
    inner = book(
        "inner",
        [
            step("take", ActionCall("restore", {"dataset": "{d}", "to": "var/{d}"})),
            step("look", echo("{take.snapshot}")),
        ],
        inputs=(Input("d"),),
    )
    outer = book(
        steps=[
            step("first"),
            step(
                "test", nested("inner", d="{it}"), for_each=each, needs=("first",), title="of {it}"
            ),
            step("last", needs=("test",)),
        ],
        inputs=(Input("tier"),),
    )
    return compile_runbook(
        outer, configuration, SPECS.get, Mode.DRILL, given or {}, {"inner": inner}.get,
        inputs_later=later,
    )  # fmt: skip


def test_for_each_writes_a_nested_runbook_out_for_each_dataset_of_a_tier():
    plan = fanned(ForEach("it", tier="{tier}"), given={"tier": "2"})
    assert needs(plan) == {
        "first": (),
        "test/lab/take": ("first",),
        "test/lab/look": ("test/lab/take",),
        "test/old-lab/take": ("first",),
        "test/old-lab/look": ("test/old-lab/take",),
        "last": ("test/lab/look", "test/old-lab/look"),
    }
    taken = {one.id: one.arguments for one in plan.steps if one.do == "restore"}
    assert taken["test/old-lab/take"] == {"dataset": "Old.Lab", "to": "var/Old.Lab"}
    assert plan.steps[2].arguments == {"argv": ["echo", "{test/lab/take.snapshot}"]}
    assert plan.datasets == ("lab", "Old.Lab")


def test_for_each_takes_all_datasets_by_their_tiers_and_names_no_two_the_same():
    plan = fanned(ForEach("it", tier="all"), given={"tier": ""})
    taken = [(one.id, one.arguments["dataset"]) for one in plan.steps if one.do == "restore"]
    assert taken == [
        ("test/ehr/take", "ehr"),
        ("test/lab/take", "lab"),
        ("test/old-lab/take", "Old.Lab"),
        ("test/old-lab-2/take", "old-lab"),
        ("test/files/take", "files"),
    ]


def test_for_each_over_what_is_not_known_yet_is_left_open():
    plan = fanned(ForEach("it", tier="{tier}"), later=True)
    assert [one.id for one in plan.steps] == ["first", "last"]


def test_a_service_has_a_fence_or_the_reason_why_not():
    how = {"mode": Mode.LIVE, "service": "ehr"}
    silent = compiled([step("a")], **how)
    assert [one.do for one in silent.steps] == ["fence.check", "command"]
    said = compiled([step("a")], unfenced="nothing is pointed at it", **how)
    assert [one.do for one in said.steps] == ["command"]
    assert said.notices == ("the runbook says that no fence is needed: nothing is pointed at it",)
    drilled = compiled([step("a")], service="ehr", unfenced="nothing is pointed at it")
    assert drilled.notices == ()
