"""The shipped rules, dashboard and units speak of what there is: metrics, keys, limits."""

import configparser
import json
import re
from datetime import timedelta

import pytest
import yaml

from drorch.core.durations import parse_duration
from drorch.core.settings import DaemonSettings
from drorch.core.vitals import STUCK
from drorch.metrics.exposition import Exposition
from tests.fakes.vitals import FakeVitals, hospital
from tests.unit.docs.pages import ROOT

CONFIGS = ROOT / "configs"
DASHBOARD = json.loads((CONFIGS / "grafana-dashboard.json").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((CONFIGS / "prometheus-alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
VARIABLES = DASHBOARD["templating"]["list"]


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """The names of all samples there can be."""
    text = Exposition(FakeVitals(hospital())).page("").text.decode()
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def named(text: str) -> set[str]:
    return set(re.findall(r"\b(?:drorch|process)_[a-z_]+", text))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_speaks_of_what_is_exported(rule, exported):
    assert named(rule["expr"]) <= exported
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}


def test_each_alert_has_a_name_of_its_own():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("Drorch[A-Za-z]+", name) for name in names)


def test_the_dashboard_speaks_of_what_is_exported(exported):
    words = {name for target in TARGETS for name in named(target["expr"])}
    words |= {name for v in VARIABLES if v["type"] == "query" for name in named(v["definition"])}
    assert words <= exported
    assert len(words) > 20


def test_the_dashboard_asks_for_its_source_and_nothing_else_has_to_be_edited():
    source = {"type": "prometheus", "uid": "${datasource}"}
    shown = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    asked = [panel["datasource"] for panel in shown] + [t["datasource"] for t in TARGETS]
    assert all(one == source for one in asked)
    assert (VARIABLES[0]["name"], VARIABLES[0]["type"]) == ("datasource", "datasource")
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(TARGETS)))
    assert used <= {variable["name"] for variable in VARIABLES}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_panels_do_not_cover_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def unit(name: str) -> dict[str, dict[str, str]]:
    """A unit's sections; a key that stands twice is joined."""
    found = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    found.optionxform = str
    found.read(CONFIGS / "systemd" / name, encoding="utf-8")
    return {section: dict(found[section]) for section in found.sections()}


@pytest.mark.parametrize("name", ["drorch.service", "drorch-once.service"])
def test_a_stop_leaves_time_to_end_runs_cleanly(name):
    service = unit(name)["Service"]
    assert service["KillMode"] == "mixed"
    wanted = DaemonSettings().stop_within
    assert timedelta(seconds=int(service["TimeoutStopSec"])) >= wanted + timedelta(seconds=20)
    assert parse_duration("2m") == wanted, "the comment in the unit says so"


def test_the_watchdog_is_slower_than_what_we_take_for_stuck():
    service = unit("drorch.service")["Service"]
    assert service["Type"] == "notify"
    assert timedelta(seconds=int(service["WatchdogSec"])) > STUCK
    assert "HUP" in service["ExecReload"]


def test_both_services_have_the_same_rights():
    ways = {"Type", "NotifyAccess", "ExecStart", "ExecReload", "Restart", "RestartSec"}
    ways |= {"WatchdogSec", "TimeoutStartSec"}
    daemon, once = (unit(name)["Service"] for name in ("drorch.service", "drorch-once.service"))
    assert {k: v for k, v in daemon.items() if k not in ways} == {
        k: v for k, v in once.items() if k not in ways
    }


def test_the_page_names_every_metric_and_no_other(exported):
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    told = {name for name in named(page) if name.startswith("drorch_")}
    assert told == {name for name in exported if name.startswith("drorch_")}
