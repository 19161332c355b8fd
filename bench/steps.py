"""Many small steps: `drorch drill` beside `chaos run` and `ansible-playbook`, all as processes.

drorch makes every event durable before what follows from it; the other two keep nothing until
the end.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Bound, Figure, LeftOut, Series, interleaved
from bench.processes import environment, run
from bench.venvs import programs_of
from bench.yard import Yard

FEW, MANY = 200, 2000
CHAOS = "chaostoolkit>=1.19,<2"
ANSIBLE = "ansible-core>=2.16,<3"

#: A step may cost this much of chaos run's; ansible-playbook takes at least so many times as long.
_MARGINAL, _FASTER = 2, 50

_BARE = "import subprocess, sys\nfor _ in range(int(sys.argv[1])): subprocess.run(['/bin/true'])"


def measure_steps(yard: Yard) -> Iterator[Figure]:
    """The marginal cost of a step, from 200 and 2,000 of them; and 200 steps whole."""
    drill = _Drills(yard)
    chaos = _Chaos(yard)
    repetitions = 2 if yard.quick else 2 * yard.amount.repetitions - 1
    taken = interleaved(
        {
            "ours few": lambda: drill.wall(FEW),
            "chaos few": lambda: chaos.wall(FEW),
            "ours many": lambda: drill.wall(MANY),
            "chaos many": lambda: chaos.wall(MANY),
            "bare": lambda: _bare(yard),
        },
        repetitions,
    )
    ours = _marginal(taken["ours few"], taken["ours many"])
    theirs = _marginal(taken["chaos few"], taken["chaos many"])
    yield Figure("one step more", ours, "ms", theirs, "chaos run", Bound(_MARGINAL))
    for name, count in (("few", FEW), ("many", MANY)):
        yield Figure(
            f"{count} steps", taken[f"ours {name}"], "s", taken[f"chaos {name}"], "chaos run"
        )
    yield Figure(
        f"{FEW} steps", taken["ours few"], "s", taken["bare"], f"{FEW} subprocess.run in Python"
    )
    if not yard.quick:
        yield from _ansible(yard, drill)


def _marginal(few: Series, many: Series) -> Series:
    return Series(tuple(1000 * s for s in many.per(few, MANY - FEW).values))


def _bare(yard: Yard) -> float:
    argv = [sys.executable, "-c", _BARE, str(FEW)]
    return run(argv, env=environment(), cwd=yard.disk, log=yard.log).wall


class _Drills:
    def __init__(self, yard: Yard) -> None:
        self._site = yard.bare_site("steps")
        for count in (FEW, MANY):
            name = f"steps-{count}"
            lines = [f"runbook: {name}", "steps:"]
            for number in range(count):
                lines += [
                    f"  - step: true-{number}",
                    "    do: command",
                    "    with: {argv: [/bin/true]}",
                ]
            (self._site.folder / "runbooks" / f"{name}.yaml").write_text("\n".join(lines) + "\n")

    def wall(self, count: int) -> float:
        return self._site.drorch("drill", f"steps-{count}", "--progress", "none").wall


class _Chaos:
    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._chaos = programs_of("chaostoolkit", CHAOS) / "chaos"
        self._folder = yard.disk / "chaos"
        self._folder.mkdir()
        for count in (FEW, MANY):
            experiment = {
                "title": "steps",
                "description": "Many steps that do nothing.",
                "method": [_chaos_action(number) for number in range(count)],
            }
            (self._folder / f"{count}.json").write_text(json.dumps(experiment))

    def wall(self, count: int) -> float:
        argv = [str(self._chaos), "--no-version-check", "run", f"{count}.json"]
        log = self._yard.log
        return run(argv, env=environment(), cwd=self._folder, log=log).wall


def _chaos_action(number: int) -> dict[str, object]:
    provider = {"type": "process", "path": "/bin/true"}
    return {"type": "action", "name": f"true-{number}", "provider": provider}


def _ansible(yard: Yard, drill: _Drills) -> Iterator[Figure]:
    """Once: it takes most of a minute, and its ratio is far from the bound."""
    ansible = programs_of("ansible-core", ANSIBLE) / "ansible-playbook"
    folder = yard.disk / "ansible"
    folder.mkdir()
    _write_playbook(folder / "steps.yml")
    argv = [str(ansible), "-i", "localhost,", "steps.yml"]
    env = environment(HOME=str(folder))
    taken = interleaved(
        {
            "ours": lambda: drill.wall(FEW),
            "theirs": lambda: run(argv, env=env, cwd=folder, log=yard.log).wall,
        },
        1,
    )
    yield Figure(
        f"{FEW} steps",
        taken["ours"],
        "s",
        taken["theirs"],
        "ansible-playbook",
        Bound(_FASTER, at_least=True),
        inverse=True,
        note="one repetition",
    )


def _write_playbook(path: Path) -> None:
    lines = ["- hosts: all", "  connection: local", "  gather_facts: false", "  tasks:"]
    for number in range(FEW):
        lines += [f"    - name: true-{number}", "      ansible.builtin.command: /bin/true"]
    path.write_text("\n".join(lines) + "\n")


def versions() -> dict[str, str]:
    """Of the programs compared with, as far as they are installed."""
    found = {}
    for package, requirement in (("chaostoolkit", CHAOS), ("ansible-core", ANSIBLE)):
        try:
            python = programs_of(package, requirement) / "python"
        except LeftOut:
            continue
        ask = f"from importlib.metadata import version; print(version({package!r}))"
        done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)
        found[package] = done.stdout.strip() or "unknown"
    return found
