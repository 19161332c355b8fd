"""The folder of runbooks: reads each file once, and puts places to what is wrong in them."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from drorch.config.source import Document, digest, parse, read_text
from drorch.core.action import ActionSpec
from drorch.core.compile import compile_runbook
from drorch.core.errors import ConfigurationError, Problem, UsageError
from drorch.core.expand import Sources, expand
from drorch.core.fanning import NESTING
from drorch.core.model import Configuration
from drorch.core.names import Mode, RunKind
from drorch.core.nearest import did_you_mean
from drorch.core.plan import Plan
from drorch.core.runbook import Runbook

_SUFFIXES = (".yaml", ".yml")
#: Beside a runbook, its rehearsals.
_REHEARSALS = ".test.yaml"
#: Keys of a step that its other keys do not rest on.
_BESIDE_THE_POINT = {
    (key,)
    for key in ("title", "retry", "until", "timeout", "when", "on_failure", "repeatable", "always")
}
_NAME_LINE = re.compile(r"^runbook:\s*([\"']?)([a-z0-9][a-z0-9-]*)\1\s*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunbookFile:
    """A runbook, what of it could be read (None: too little), and what is wrong with its form."""

    runbook: Runbook | None
    document: Document
    problems: tuple[Problem, ...] = ()

    def sound(self) -> Runbook:
        """The runbook. Raises ConfigurationError with every problem of its form."""
        if self.problems or self.runbook is None:
            raise ConfigurationError(self.problems)
        return self.runbook


def read_runbook(path: Path) -> RunbookFile:
    """Read a runbook file. Raises ConfigurationError only if it is not YAML at all."""
    from drorch.config.validation import validated_runbook

    shown = _shown(path)
    text = read_text(path, shown)
    document = parse(text, shown)
    runbook, problems = validated_runbook(document, digest(text))
    return RunbookFile(runbook, document, tuple(problems))


def load_runbook(path: Path) -> Runbook:
    """The runbook in a file. Raises ConfigurationError with every problem of its form."""
    return read_runbook(path).sound()


def load_runbooks(folder: Path) -> dict[str, Runbook]:
    """Every runbook of a folder by its name. Raises ConfigurationError with all their problems."""
    shelf = Runbooks(folder)
    problems: list[Problem] = []
    loaded: dict[str, Runbook] = {}
    for name, paths in shelf.paths().items():
        if len(paths) > 1:
            others = ", ".join(_shown(path) for path in paths[:-1])
            message = f"the runbook {name!r} is in {others} too"
            problems.append(Problem(message, "rename one of them", file=_shown(paths[-1])))
        try:
            loaded[name] = load_runbook(paths[0])
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return loaded


def runbook_names(folder: Path) -> list[str] | None:
    """The names of the runbooks in a folder, read cheaply; None if there is no such folder."""
    return sorted(Runbooks(folder).paths()) if folder.is_dir() else None


class Runbooks:
    """The runbooks of a folder, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, RunbookFile] = {}

    def paths(self) -> dict[str, list[Path]]:
        """Where each runbook lies, by its name; more than one place is a mistake."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self._folder.glob("*")) if self._folder.is_dir() else ():
            if path.suffix in _SUFFIXES and not path.name.endswith(_REHEARSALS):
                found.setdefault(_name_in(path), []).append(path)
        return found

    def digests(self) -> dict[str, str]:
        """The digest of each runbook's text by its name, without reading it as YAML."""
        found = {}
        for name, paths in self.paths().items():
            try:
                found[name] = digest(read_text(paths[0], _shown(paths[0])))
            except ConfigurationError:
                continue  # what cannot be read is not what was proven
        return found

    def read(self, name: str) -> RunbookFile | None:
        """The file of the runbook of that name, None if there is none.

        Raises ConfigurationError only if it is not YAML at all.
        """
        if name not in self._files:
            path = self._path(name)
            if path is None:
                return None
            self._files[name] = read_runbook(path)
        return self._files[name]

    def find(self, name: str) -> Runbook | None:
        """The runbook of that name. Raises ConfigurationError with the problems of its form."""
        file = self.read(name)
        return file.sound() if file else None

    def get(self, name: str) -> RunbookFile:
        """The file of the runbook of that name; UsageError if there is none."""
        file = self.read(name)
        if file is None:
            hint = did_you_mean(name, self.paths(), f"runbooks in {_shown(self._folder)}")
            raise UsageError(f"there is no runbook {name!r}", hint)
        return file

    def placed(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems of the compiler with line and column, in whichever runbook they are."""
        documents = {file.document.file: file.document for file in self._files.values()}
        return [
            documents[problem.file].placed(problem)
            if problem.file in documents and problem.line is None
            else problem
            for problem in problems
        ]

    def compile(
        self,
        name: str,
        configuration: Configuration,
        find_action_spec: Callable[[str], ActionSpec | None],
        mode: Mode,
        inputs: Mapping[str, str],
        *,
        kind: RunKind | None = None,
        homeward: bool = False,
        action_names: Sequence[str] = (),
        inputs_later: bool = False,
    ) -> Plan:
        """The plan of the runbook of that name, or `homeward` of its section `failback`; with
        `inputs_later`, one to look at only.

        Raises UsageError if there is none, ConfigurationError with every problem of form and
        sense, each with its place.
        """
        file = self.get(name)
        problems = list(file.problems)
        plan: Plan | None = None
        runbook = file.runbook
        if runbook is not None and homeward:
            runbook = runbook.homeward() or self._no_way_home(name)
        if runbook is not None:
            try:
                plan = compile_runbook(
                    runbook,
                    configuration,
                    find_action_spec,
                    mode,
                    inputs,
                    self.find,
                    kind=kind,
                    subject=name,
                    action_names=action_names,
                    inputs_later=inputs_later,
                    runbook_names=tuple(self.paths()) if _nests(runbook) else (),
                )
            except ConfigurationError as error:
                problems += _beside(file.problems, self.placed(error.problems))
        if problems or plan is None:
            raise ConfigurationError(_in_order(problems))
        return plan

    def left_out_by_drills(
        self,
        name: str,
        configuration: Configuration,
        find_action_spec: Callable[[str], ActionSpec | None],
        inputs: Mapping[str, str],
        *,
        homeward: bool = False,
    ) -> dict[str, str]:
        """The steps that a drill of a sound runbook would leave out, and why; `inputs` as far as
        they are known.
        """
        runbook = self.get(name).sound()
        runbook = (runbook.homeward() or runbook) if homeward else runbook
        sources = Sources(find_action_spec, self.find, Mode.DRILL, inputs, configuration)
        drafts = expand(runbook, sources)
        return {draft.id: draft.skip for draft in drafts if draft.skip}

    def _no_way_home(self, name: str) -> NoReturn:
        hint = "write `failback:` into it, with `steps:` of its own or `runbook: NAME`"
        for other in self.paths():
            try:
                found = self.find(other)
            except ConfigurationError:
                continue
            if found is not None and found.failback and found.failback.runbook == name:
                raise UsageError(
                    f"runbook {name} is the way home of {other}",
                    f"write: drorch failback {other} …",
                )
        raise UsageError(f"runbook {name} does not say how the service comes home", hint)

    def _path(self, name: str) -> Path | None:
        for suffix in _SUFFIXES:
            path = self._folder / f"{name}{suffix}"
            if "/" in name or not os.path.isfile(path):  # noqa: PTH113 - or no name that a file has
                continue
            if _name_in(path) == name:
                return path
        return next(iter(self.paths().get(name, ())), None)


def _nests(runbook: Runbook) -> bool:
    return any(step.call.do == NESTING for step in runbook.steps)


def _beside(of_form: Sequence[Problem], of_sense: Sequence[Problem]) -> list[Problem]:
    """Without those that may only follow from what was left out of a damaged step."""
    damaged = {_start(problem, 3) for problem in of_form}
    unsure = {_start(p, 2) for p in of_form if _start(p, 3)[-1:] not in _BESIDE_THE_POINT}
    return [p for p in of_sense if _start(p, 2) not in unsure and _start(p, 3) not in damaged]


def _start(problem: Problem, depth: int) -> tuple[str | int, ...]:
    """So many parts of its path, counted from the section's beginning."""
    return problem.path[: depth + (problem.path[:1] == ("failback",))]


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.file or "", p.line or 0, p.column or 0))


def _name_in(path: Path) -> str:
    """The name that the file gives, by a look at its text; else the file's own."""
    try:
        found = _NAME_LINE.search(path.read_text("utf-8", "replace"))
    except OSError:
        found = None
    return found[2] if found else path.stem


def _shown(path: Path) -> str:
    """The path as a person would write it here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
