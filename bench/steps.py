"""Many small steps: `drorch drill` beside `chaos run` and `ansible-playbook`, all as processes.

drorch makes every event durable before what follows from it; the other two keep nothing until
the end.
"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.figures import Bound, Figure, LeftOut, Series, series
from bench.processes import Ran, environment, run
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
    taken: dict[str, list[Ran]] = defaultdict(list)
    for _ in range(1 if yard.quick else yard.amount.repetitions):
        for count in (FEW, MANY):
            taken[f"ours {count}"].append(drill.run(count))
            taken[f"chaos {count}"].append(chaos.run(count))
        taken["bare"].append(_bare(yard))
    yield from _beside_chaos(taken)
    ours, bare = _wall(taken[f"ours {FEW}"]), _wall(taken["bare"])
    yield Figure(f"{FEW} steps", ours, "s", bare, f"{FEW} subprocess.run in Python")
    if not yard.quick:
        yield _beside_ansible(yard, drill)


def _beside_chaos(taken: Mapping[str, Sequence[Ran]]) -> Iterator[Figure]:
    for what, of, bound in (
        ("one step more", _wall, Bound(_MARGINAL)),
        ("one step more, processor time", _cpu, None),
    ):
        ours = _marginal(of(taken[f"ours {FEW}"]), of(taken[f"ours {MANY}"]))
        theirs = _marginal(of(taken[f"chaos {FEW}"]), of(taken[f"chaos {MANY}"]))
        yield Figure(what, ours, "ms", theirs, "chaos run", bound)
    for count in (FEW, MANY):
        ours, theirs = _wall(taken[f"ours {count}"]), _wall(taken[f"chaos {count}"])
        yield Figure(f"{count} steps", ours, "s", theirs, "chaos run")


def _wall(ran: Sequence[Ran]) -> Series:
    return series([one.wall for one in ran])


def _cpu(ran: Sequence[Ran]) -> Series:
    return series([one.cpu for one in ran])


def _marginal(few: Series, many: Series) -> Series:
    return Series(tuple(1000 * s for s in many.per(few, MANY - FEW).values))


def _bare(yard: Yard) -> Ran:
    argv = [sys.executable, "-c", _BARE, str(FEW)]
    return run(argv, env=environment(), cwd=yard.disk, log=yard.log)


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
        self._site.drorch("run", "list")  # makes the state's tables, once for all

    def run(self, count: int) -> Ran:
        return self._site.drorch("drill", f"steps-{count}", "--progress", "none")


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

    def run(self, count: int) -> Ran:
        argv = [str(self._chaos), "--no-version-check", "run", f"{count}.json"]
        log = self._yard.log
        return run(argv, env=environment(), cwd=self._folder, log=log)


def _chaos_action(number: int) -> dict[str, object]:
    provider = {"type": "process", "path": "/bin/true"}
    return {"type": "action", "name": f"true-{number}", "provider": provider}


def _beside_ansible(yard: Yard, drill: _Drills) -> Figure:
    """Once: it takes most of a minute, and its ratio is far from the bound."""
    ansible = programs_of("ansible-core", ANSIBLE) / "ansible-playbook"
    folder = yard.disk / "ansible"
    folder.mkdir()
    _write_playbook(folder / "steps.yml")
    interpreter = f"ansible_python_interpreter={sys.executable}"
    argv = [str(ansible), "-i", "localhost,", "-e", interpreter, "steps.yml"]
    ours = drill.run(FEW)
    theirs = run(argv, env=environment(HOME=str(folder)), cwd=folder, log=yard.log)
    return Figure(
        f"{FEW} steps",
        _wall([ours]),
        "s",
        _wall([theirs]),
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
