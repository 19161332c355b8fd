"""Recorded restic runs, and a fake restic that plays them back through the Commands port."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drorch.ports import Command, Completed, Ended
from drorch.restic.client import Restic
from drorch.restic.lines import Listener
from tests.fakes.commands import FakeCommands, Process

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("0.14.0", "0.18.0", "0.19.1")


@dataclass(frozen=True)
class Recording:
    """One recorded run."""

    argv: list[str]
    exit_code: int
    stdout: list[str]
    stderr: list[str]

    def heard(self, **how: object) -> Listener:
        """What a listener makes of it."""
        listener = Listener(**how)
        for line in self.stdout:
            listener.stdout(line)
        for line in self.stderr:
            listener.stderr(line)
        return listener

    def completed(self) -> Completed:
        return Completed(Ended.EXITED, self.exit_code, "\n".join(self.stdout))


def recording(version: str, scenario: str) -> Recording:
    return Recording(**json.loads((RECORDED / version / f"{scenario}.json").read_text()))


@dataclass
class PlayedRestic:
    """A restic that answers each verb by a recording, or by a function that acts.

    `started` holds every command in order; `machine` is the port it is reached by.
    """

    version: str
    folder: Path
    scenarios: Mapping[str, str | Callable[[Process], int]] = field(default_factory=dict)
    started: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        binary = self.folder / "bin" / "restic"
        binary.parent.mkdir(exist_ok=True)
        binary.write_text(f"restic {self.version}")
        binary.chmod(0o755)
        self.machine = FakeCommands({"restic": self._play})

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "HOME": "/home/dr"}

    def restic(self, **how: object) -> Restic:
        environment = {**self.environment, **how.pop("environment", {})}
        return Restic(self.machine, environment, cache=self.folder / "cache", **how)

    @property
    def verbs(self) -> list[str]:
        return [verb_of(c) for c in self.started]

    def _play(self, process: Process) -> int:
        self.started.append(process.command)
        verb = verb_of(process.command)
        scenario = self.scenarios.get(verb, verb)
        if callable(scenario):
            return scenario(process)
        played = recording(self.version, scenario)
        process.print(*played.stdout)
        process.complain(*played.stderr)
        return played.exit_code


def verb_of(command: Command) -> str:
    rest = iter(command.argv[1:])
    for word in rest:
        if word == "--retry-lock":
            next(rest)
        elif not word.startswith("-"):
            return word
    raise AssertionError(f"no verb in {command.argv}")
