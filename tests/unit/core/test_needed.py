"""Which secrets a plan rests on, and for which of its steps (pains 14: a plan names what is missing)."""

from dataclasses import replace
from pathlib import Path

from drorch.core.model import Configuration, CopyMode, CopyPolicy, Dataset, Region
from drorch.core.names import Phase
from drorch.core.needed import secrets_needed
from drorch.core.plan import PlannedStep
from drorch.core.settings import NotifyRule
from tests.fakes.runs import plan, step

CONFIGURATION = Configuration(
    Path("/etc/drorch"),
    regions={
        name: Region(name, "http://s3.example", "drorch", "CA-QC", access_key=a, secret_key=b)
        for name, a, b in (("mtl", "mtl-id", "mtl-secret"), ("qc", "qc-id", "qc-secret"))
    }
    | {"tor": Region("tor", "http://s3.example", "drorch", "CA-ON", profile="toronto")},
    datasets={
        "ehr": Dataset(
            "ehr",
            password="repo-key",
            primary="mtl",
            copies=(
                CopyPolicy("qc", CopyMode.MIRROR, "repo-key"),
                CopyPolicy("tor", CopyMode.COPY, "tor-key"),
            ),
        )
    },
)


def needed(*steps, **inputs):
    return secrets_needed(plan(*steps, inputs=inputs), CONFIGURATION)


def test_a_region_and_a_dataset_need_what_opens_them():
    one = step("one", arguments={"dataset": "ehr", "region": "{where}"})
    assert needed(one, where="qc") == dict.fromkeys(("qc-id", "qc-secret", "repo-key"), ("one",))
    assert needed(one, where="tor") == {"tor-key": ("one",)}
    every = needed(step("every", arguments={"dataset": "ehr"}))
    assert set(every) == {"mtl-id", "mtl-secret", "qc-id", "qc-secret", "repo-key", "tor-key"}
    looks = needed(step("looks", arguments={"region": "mtl"}))
    assert set(looks) == {"mtl-id", "mtl-secret"}
    some = needed(step("some", arguments={"dataset": "ehr", "regions": ["mtl", "qc"]}))
    assert "tor-key" not in some


def test_a_secret_is_named_where_an_action_may_reveal_it_with_the_steps_that_need_it():
    steps = [
        step("a", arguments={"env": {"X": {"secret": "x"}, "Y": "y"}}),
        step("b", arguments={"password": {"secret": "db"}, "headers": {"H": {"secret": "x"}}}),
        step("c", do="key.add", arguments={"secret": "new-key"}),
    ]
    assert needed(*steps) == {"x": ("a", "b"), "db": ("b",), "new-key": ("c",)}


def test_data_is_no_secret_whatever_it_looks_like():
    data = {"json": {"secret": "in plain view"}, "content": {"secret": "too"}}
    nested = {"body": {"inner": {"secret": "as well"}}}
    assert needed(step("a", arguments=data), step("b", arguments=nested)) == {}
    assert needed(step("c", arguments={"body": {"secret": "real"}})) == {"real": ("c",)}


def test_nothing_is_needed_for_what_is_left_out_or_not_known_yet():
    left_out = step("a", skip="live only", arguments={"region": "mtl"})
    later = step("b", arguments={"region": "{a.region}", "dataset": "{unset}"})
    assert needed(left_out, later) == {}


def test_telling_people_needs_the_channels_addresses():
    rules = (NotifyRule((), to="mail"), NotifyRule((), ping="switch"), NotifyRule((), to="chat"))
    configured = replace(CONFIGURATION, notify=rules)
    everybody = PlannedStep("tell", Phase.STEPS, "notify", {"message": "x"})
    one = PlannedStep("one", Phase.STEPS, "notify", {"message": "x", "to": "chat"})
    assert secrets_needed(plan(everybody, one), configured) == {
        "mail": ("tell",),
        "chat": ("tell", "one"),
    }
