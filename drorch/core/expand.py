"""A runbook, and the runbooks nested in it, written out as drafts of steps with their needs.

A nested runbook is a step `do: runbook`. Its steps become `outer/inner`; its preconditions join
the plan's, its checks under `verify` follow its steps, its cleanup goes before the outer one's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from drorch.core.action import ActionSpec
from drorch.core.drafts import (
    DocumentPath,
    Draft,
    Mention,
    Names,
    draft,
    skip_of,
    undo_draft,
)
from drorch.core.errors import Problem
from drorch.core.fanning import NESTING, NoItems, written_out
from drorch.core.graph import ends_of, find_cycle
from drorch.core.model import Configuration
from drorch.core.names import Mode, OnFailure, Phase
from drorch.core.nearest import did_you_mean
from drorch.core.render import literal, references
from drorch.core.runbook import ActionCall, ForEach, Runbook, RunbookStep, When
from drorch.core.values import Value

#: Of a nested runbook, these are done before any step of the outer one.
_EARLY = (Phase.PRECONDITIONS, Phase.FENCE)


@dataclass(frozen=True, slots=True)
class Crossing:
    """What a nesting step hands in: every one of `entries` rests on these mentions."""

    mention: Mention
    runbook: Runbook
    called: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where actions and runbooks come from, and what is found wrong on the way.

    `unknown` names steps that could not be drafted: what refers to them is not wrong for that.
    """

    find_action: Callable[[str], ActionSpec | None]
    find_runbook: Callable[[str], Runbook | None]
    mode: Mode
    inputs: Mapping[str, str]
    configuration: Configuration
    action_names: Sequence[str] = ()
    runbook_names: Sequence[str] = ()
    problems: list[Problem] = field(default_factory=list)
    crossings: list[Crossing] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


def expand(runbook: Runbook, sources: Sources) -> list[Draft]:
    """Every step of the plan to be, in the order of its phases.

    Undo steps need nothing here: in which order they are done, and that the rest of cleanup comes
    after them, is known only when the run has begun its steps (core/run.py).
    """
    block = _Expansion(Names(runbook), sources, (runbook.name,)).block()
    undo = list(reversed(block.undo))
    last: list[str] = []
    for group in block.cleanup:
        for one in group:
            one.needs = one.needs or list(last)
        last = list(_ends(group)) or last
    cleanup = [one for group in block.cleanup for one in group]
    return [*block.preconditions, *block.fence, *block.steps, *block.verify, *undo, *cleanup]


@dataclass(slots=True)
class _Block:
    """One runbook written out. `cleanup` has the innermost runbooks' groups first."""

    preconditions: list[Draft] = field(default_factory=list)
    fence: list[Draft] = field(default_factory=list)
    steps: list[Draft] = field(default_factory=list)
    verify: list[Draft] = field(default_factory=list)
    undo: list[Draft] = field(default_factory=list)
    cleanup: list[list[Draft]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Member:
    """What one step of a runbook came to: itself, or all steps of the runbook it nests."""

    step: RunbookStep
    drafts: list[Draft]


class _Expansion:
    """Writes out one runbook, as the outermost or nested with a prefix."""

    def __init__(
        self,
        names: Names,
        sources: Sources,
        chain: tuple[str, ...],
        when: When | None = None,
        skip: str = "",
    ) -> None:
        self._names = names
        self._runbook = names.runbook
        self._sources = sources
        self._chain = chain
        self._when = when
        self._skip = skip
        self._block = _Block()

    def block(self) -> _Block:
        """The runbook's phases, needs laid within each."""
        self._check_names()
        block = self._block
        block.preconditions[:0] = self._phase(Phase.PRECONDITIONS)
        block.fence[:0] = self._phase(Phase.FENCE)
        block.steps = self._phase(Phase.STEPS)
        block.verify = self._phase(Phase.VERIFY)
        block.cleanup.append(self._phase(Phase.CLEANUP))
        return block

    def _phase(self, phase: Phase) -> list[Draft]:
        steps = [step for step in self._runbook.steps if step.phase is phase]
        members = [_Member(step, self._drafts(step)) for step in steps]
        self._lay_needs(members)
        return [one for member in members for one in member.drafts]

    def _drafts(self, step: RunbookStep) -> list[Draft]:
        if step.for_each is not None:
            return [one for copy in self._copies(step, step.for_each) for one in self._drafts(copy)]
        self._check_inputs(step)
        if step.call.do == NESTING:
            return self._nested(step)
        spec = self._spec(step, step.call, ())
        if spec is None:
            self._sources.unknown.add(self._names.prefix + step.name)
            return []
        cleanup = step.phase is Phase.CLEANUP
        skip = self._skip or skip_of(step, self._sources.mode, cleanup=cleanup)
        one = draft(self._names, step, spec, when=self._when_for(step), skip=skip)
        if step.undo is not None:
            self._add_undo(step, step.undo)
        return [one]

    def _copies(self, step: RunbookStep, each: ForEach) -> list[RunbookStep]:
        """The step once for each item; none if that cannot be, which is then said."""
        sources = self._sources
        try:
            found = written_out(step, each, self._names, sources.inputs, sources.configuration)
        except NoItems as error:
            self._complain(step, f"for_each: {error}", error.hint, ("for_each",))
            found = None
        if found is None:
            sources.unknown.add(self._names.prefix + step.name)
        return found or []

    def _add_undo(self, step: RunbookStep, undo: ActionCall) -> None:
        spec = self._spec(step, undo, ("undo",))
        if spec is not None:
            one = undo_draft(self._names, step, undo, spec)
            one.skip = skip_of(step, self._sources.mode, cleanup=True)
            self._block.undo.append(one)

    def _when_for(self, step: RunbookStep) -> When | None:
        """The nesting step's condition, where it can be known and the step has none of its own."""
        when = self._when
        if when is None or step.phase is Phase.CLEANUP:
            return None
        if step.phase in _EARLY and _rests_on_outputs(when):
            return None
        if step.when is not None:
            hint = "put the whole condition on one of them"
            message = f"has a condition, and so has the step that nests {self._runbook.name}"
            self._complain(step, message, hint, ("when",))
        return when

    def _spec(self, step: RunbookStep, call: ActionCall, path: DocumentPath) -> ActionSpec | None:
        spec = self._sources.find_action(call.do) if call.do != NESTING else None
        if spec is None:
            hint = did_you_mean(call.do, self._sources.action_names, "actions are")
            what = f"there is no action {call.do!r}"
            if call.do == NESTING:
                what, hint = "a runbook cannot be nested here", "nest it among `steps:`"
            self._complain(step, what, hint, (*path, "do"))
        elif spec.own:
            what = f"{call.do} is for drorch's own runs alone"
            self._complain(step, what, f"leave it out: {spec.summary}", (*path, "do"))
            return None
        return spec

    def _nested(self, step: RunbookStep) -> list[Draft]:
        if step.phase is not Phase.STEPS:
            self._complain(
                step, "a runbook can be nested only among steps", "move it there", ("do",)
            )
            return []
        self._check_nesting_keys(step)
        inner = self._inner_runbook(step)
        if inner is None:
            self._sources.unknown.add(self._names.prefix + step.name)
            return []
        given = step.call.arguments.get("inputs") or {}
        bindings = self._bindings(step, inner, given if isinstance(given, Mapping) else {})
        names = Names(inner, f"{self._names.prefix}{step.name}/", bindings)
        skip = self._skip or skip_of(step, self._sources.mode, cleanup=False)
        when = self._names.translated_when(step.when) or self._when_for(step)
        chain = (*self._chain, inner.name)
        block = _Expansion(names, self._sources, chain, when, skip).block()
        return self._written_in(step, block)

    def _written_in(self, step: RunbookStep, block: _Block) -> list[Draft]:
        ends = list(_ends(block.steps))
        for one in block.verify:
            one.phase = Phase.STEPS
            one.needs = one.needs or list(ends)
        drafts = [*block.steps, *block.verify]
        for one in drafts if step.on_failure is OnFailure.ISOLATE else ():
            # What a step says for itself goes before.
            if one.on_failure is OnFailure.STOP:
                one.on_failure = OnFailure.ISOLATE
        entries = tuple(one.id for one in drafts if not one.needs)
        self._cross(step, entries)
        self._block.preconditions += block.preconditions
        self._block.fence += block.fence
        self._block.undo += block.undo
        self._block.cleanup[:0] = block.cleanup
        return drafts

    def _cross(self, step: RunbookStep, entries: tuple[str, ...]) -> None:
        written: dict[str, Value] = {"with": step.call.arguments}
        if step.when is not None:
            written["when"] = [step.when.value, step.when.operand]
        for mention in self._names.mentions(written, step.path):
            called = f"step {self._names.prefix}{step.name}"
            self._sources.crossings.append(Crossing(mention, self._runbook, called, entries))

    def _inner_runbook(self, step: RunbookStep) -> Runbook | None:
        name = step.call.arguments.get("runbook")
        if not isinstance(name, str) or references(name):
            hint = "write `with: {runbook: NAME, inputs: {…}}`, the name itself"
            self._complain(step, "the runbook to nest is not named", hint, ("with", "runbook"))
            return None
        for key in step.call.arguments:
            if key not in ("runbook", "inputs"):
                message = f"runbook takes no argument {key!r}"
                hint = did_you_mean(key, ("runbook", "inputs"))
                self._complain(step, message, hint, ("with", key))
        if name in self._chain:
            message = f"nests itself: {' > '.join((*self._chain, name))}"
            hint = "take the innermost of them out"
            self._complain(step, message, hint, ("with", "runbook"))
            return None
        inner = self._sources.find_runbook(name)
        if inner is None:
            hint = did_you_mean(name, self._sources.runbook_names, "runbooks are")
            message = f"there is no runbook {name!r}"
            self._complain(step, message, hint, ("with", "runbook"))
        return inner

    def _bindings(
        self, step: RunbookStep, inner: Runbook, given: Mapping[str, Value]
    ) -> dict[str, str]:
        known = {one.name: one for one in inner.inputs}
        for name, value in given.items():
            place = ("with", "inputs", name)
            if name not in known:
                message = f"runbook {inner.name} has no input {name!r}"
                self._complain(step, message, did_you_mean(name, known, "inputs are"), place)
            elif isinstance(value, bool) or not isinstance(value, str | int | float):
                self._complain(step, f"the input {name!r} should be text", "quote it", place)
        bindings: dict[str, str] = {}
        for name, one in known.items():
            if name in given:
                bindings[name] = str(self._names.translated(str(given[name])))
            elif one.default is not None:
                bindings[name] = literal(one.default)
            else:
                message = f"runbook {inner.name} needs the input {name!r}"
                hint = f"give it under `with: {{inputs: {{{name}: …}}}}`"
                self._complain(step, message, hint, ("with",))
        return bindings

    def _check_nesting_keys(self, step: RunbookStep) -> None:
        refused = {
            "retry": step.retry is not None,
            "until": step.until is not None,
            "timeout": step.timeout is not None,
            "repeatable": step.repeatable is not None,
            "undo": step.undo is not None,
            "on_failure": step.on_failure not in (OnFailure.STOP, OnFailure.ISOLATE),
            "always": step.always,
        }
        for key, there in refused.items():
            if there:
                message = f"{key} does not go with a nested runbook"
                self._complain(step, message, "put it on the steps inside that runbook", (key,))
        if step.is_check:
            self._complain(step, "a nested runbook is not a check", "write `step: …`", ("check",))

    def _check_names(self) -> None:
        seen: dict[str, RunbookStep] = {}
        for step in self._runbook.steps:
            first = seen.setdefault(step.name, step)
            if first is not step:
                key = "check" if step.is_check else "step"
                hint = f"there is one under `{first.phase.value}:` already; rename one of them"
                self._complain(step, "the name stands twice", hint, (key,))

    def _check_inputs(self, step: RunbookStep) -> None:
        written: dict[str, Value] = {"with": step.call.arguments}
        if step.when is not None:
            written["when"] = {"value": step.when.value, "operand": step.when.operand}
        if step.undo is not None:
            written["undo"] = {"with": step.undo.arguments}
        for place, name in self._names.unknown_inputs(written, step.path):
            hint = did_you_mean(name, self._names.inputs, "inputs are")
            if any(name == one.name for one in self._runbook.steps):
                hint = f"a step's output is written {{{name}.output}}"
            elif hint.startswith("inputs are"):
                hint += f"; literal braces are doubled: {{{{{name}}}}}"
            message = f"{{{name}}} is no input of this runbook"
            self._complain(step, message, hint, place[len(step.path) :])
        if step.phase in _EARLY:
            for name in self._names.bound_to_outputs(written):
                message = (
                    f"looks before any step is done, but its input {name!r} is a step's output"
                )
                self._complain(step, message, "move the check among the steps", ())

    def _lay_needs(self, members: list[_Member]) -> None:
        """What each step waits for; left out, the one before it."""
        by_name = {member.step.name: member for member in members}
        wanted = {
            member.step.name: self._wanted(member.step, index, members, by_name)
            for index, member in enumerate(members)
        }
        while circle := find_cycle(wanted):
            step = by_name[circle[0]].step
            hint = "take one of these needs out"
            message = f"steps wait for each other: {' > '.join(circle)}"
            self._complain(step, message, hint, ("needs",))
            wanted[circle[0]].remove(circle[1])
        after = {name: list(_ends(member.drafts)) for name, member in by_name.items()}
        for member in members:
            needs = [end for name in wanted[member.step.name] for end in after[name]]
            for one in member.drafts:
                one.needs = one.needs or needs

    def _wanted(
        self,
        step: RunbookStep,
        index: int,
        members: Sequence[_Member],
        by_name: Mapping[str, _Member],
    ) -> list[str]:
        if step.needs is None:
            before = members[index - 1].step.name if index else step.name
            return [before] if before != step.name else []
        wanted = []
        for position, need in enumerate(step.needs):
            if need in by_name:
                wanted.append(need)
                continue
            there = next((s for s in self._runbook.steps if s.name == need), None)
            message = f"needs {need!r}, which is not there"
            hint = did_you_mean(need, by_name, f"under `{step.phase.value}:` are")
            if there is not None:
                message = f"needs {need!r}, which is under `{there.phase.value}:`"
                hint = "phases follow each other by themselves: take it out"
            self._complain(step, message, hint, ("needs", position))
        return list(dict.fromkeys(wanted))

    def _complain(
        self, step: RunbookStep, message: str, hint: str, path: DocumentPath = ()
    ) -> None:
        what = "check" if step.is_check else "step"
        called = f"{what} {self._names.prefix}{step.name}"
        self._problem(f"{called}: {message}", hint, (*step.path, *path))

    def _problem(self, message: str, hint: str, path: DocumentPath) -> None:
        file = self._runbook.file or None
        self._sources.problems.append(Problem(message, hint, path, file))


def _ends(drafts: Sequence[Draft]) -> tuple[str, ...]:
    return ends_of({one.id: one.needs for one in drafts}, [one.id for one in drafts])


def _rests_on_outputs(when: When) -> bool:
    return any(one.path for value in (when.value, when.operand) for one in references(value))
