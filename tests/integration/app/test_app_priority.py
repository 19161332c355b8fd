"""How much restic stands back for others, seen from inside its processes; and who never does."""

import os

import pytest

from tests.integration.app.history import imagined, rules
from tests.integration.app.quick_keys import made_quick
from tests.integration.app.test_app_retention import days_ago

#: Says how its own process stands before it becomes restic.
_TELLING = """\
#!/bin/sh
for word; do
  case $word in backup|check|copy|forget|prune|restore) echo "$word $(nice) $(ionice -p $$)" >> {log};; esac
done
exec {binary} "$@"
"""


@pytest.fixture
def telling(premises):
    """Premises whose restic writes down how polite it is; and what it wrote, by what it did."""
    log = premises.folder / "polite.log"
    script = premises.folder / "restic"
    script.write_text(_TELLING.format(log=log, binary=premises.binary))

    def told() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in log.read_text().splitlines():
            verb, _, how = line.partition(" ")
            found.setdefault(verb, set()).add(how)
        return found

    return premises, told


def test_what_nobody_waits_for_stands_back_and_a_restore_never(telling):
    premises, told = telling
    rules(premises, priority={"nice": 5, "io": "idle"}, keep={"last": 1}, brake="100%")
    assert premises.back_up()["outcome"] == "passed"
    assert premises.check(region="mtl")["outcome"] == "passed"
    imagined(premises, days_ago(2))
    assert premises.cli("retention", "apply", "--prune").code == 0
    assert premises.restore()["outcome"] == "passed"
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    usual = told()["restore"]
    assert len(usual) == 1
    assert not any("idle" in how for how in usual)
    polite = {f"{ours + 5} idle"}
    assert told() == {
        "backup": polite,
        "check": polite,
        "forget": polite,
        "prune": polite,
        "restore": usual,
    }


def test_a_dump_stands_back_with_the_backup(premises):
    premises.program_file("dump", "nice; ionice -p $$")
    premises.configuration["datasets"]["db"]["priority"] = {"nice": 3, "io": "low"}
    premises.save()
    assert premises.back_up("db")["outcome"] == "passed"
    assert premises.restore("db")["outcome"] == "passed"
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    said = (premises.folder / "back" / "ehr.dump").read_text()
    assert said.splitlines() == [str(ours + 3), "best-effort: prio 7"]


def test_a_check_keeps_to_the_rate_of_its_window(any_premises):
    any_premises.configuration["datasets"]["docs"]["window"] = {"limit_download": "40MiB"}
    any_premises.save()
    assert any_premises.check(region="mtl", read_data=True)["outcome"] == "passed"
    (started,) = [line for line in any_premises.starts() if " check " in f" {line} "]
    assert "--limit-download=40960" in started


def test_a_copy_stands_back_too(bare):
    log = bare.folder / "polite.log"
    (bare.folder / "restic").write_text(_TELLING.format(log=log, binary=bare.binary))
    copies = {"tor": {"mode": "copy", "password": "tor-key"}}
    rules(bare, copies=copies, priority={"nice": 4, "io": "low"})
    with bare.program() as program:
        made_quick(program, list(program.configuration.datasets.values()))
    assert bare.back_up()["outcome"] == "passed"
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert f"copy {ours + 4} best-effort: prio 7" in log.read_text().splitlines()
