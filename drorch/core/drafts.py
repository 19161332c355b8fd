"""Steps on their way into a plan: references in the plan's names, needs laid, skips said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from drorch.core.action import ActionSpec, Kind
from drorch.core.arguments import plain, settled
from drorch.core.errors import Problem
from drorch.core.names import Mode, OnFailure, Phase
from drorch.core.render import Reference, preview, references, rewrite
from drorch.core.runbook import ActionCall, Runbook, RunbookStep, When
from drorch.core.values import Value

DocumentPath = tuple[str | int, ...]

#: Actions that may stand where checks stand: the expected exit passes.
COMMANDS = frozenset({"command", "shell", "ssh.command"})
LIVE_ONLY = "live only: not done in a drill"
NOT_FENCED = "the fencing gate is for failing over for real: not done in a drill"
LEFT_STANDING = "left standing: this is a live run"


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference to a step's output: where it is written, how, and whom it means in the plan."""

    path: DocumentPath
    written: str
    target: str
    output: str


@dataclass(slots=True)
class Draft:
    """One step of the plan to be. `arguments`, `when` and `title` are templates in the plan's own names."""

    id: str
    phase: Phase
    step: RunbookStep
    spec: ActionSpec
    runbook: Runbook
    path: DocumentPath
    arguments: Mapping[str, Value]
    when: When | None = None
    needs: list[str] = field(default_factory=list)
    skip: str = ""
    undoes: str = ""
    on_failure: OnFailure = OnFailure.STOP
    title: str = ""
    mentions: tuple[Mention, ...] = ()

    @property
    def stands_as_check(self) -> bool:
        """Whether it is a check, by nature or by where it stands."""
        if self.undoes or self.spec.person:
            return self.spec.check
        looks = self.step.is_check or self.step.phase in (Phase.PRECONDITIONS, Phase.VERIFY)
        return self.spec.check or (looks and self.spec.name in COMMANDS)

    @property
    def repeatable(self) -> bool:
        """As declared, else as the action is; a check is, for it only looks."""
        if self.step.repeatable is not None and not self.undoes:
            return self.step.repeatable
        return self.spec.repeatable or self.stands_as_check

    @property
    def called(self) -> str:
        """How a message names it."""
        return f"{'check' if self.step.is_check else 'step'} {self.id}"

    def problem(self, message: str, hint: str = "", path: DocumentPath = ()) -> Problem:
        """Something wrong with this step; `path` leads on from the step."""
        return Problem(
            f"{self.called}: {message}", hint, (*self.path, *path), self.runbook.file or None
        )

    @property
    def region_arguments(self) -> tuple[str, ...]:
        """Which of its arguments name regions."""
        return tuple(p.name for p in self.spec.parameters if p.kind is Kind.REGION)

    def datasets(self, inputs: Mapping[str, str]) -> Iterator[str]:
        """The datasets that its arguments name."""
        for parameter in self.spec.parameters:
            if parameter.kind is Kind.DATASET and parameter.name in self.arguments:
                yield str(preview(self.arguments[parameter.name], inputs))


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in one runbook mean in the plan.

    `bindings` gives each input's template when the runbook is nested; None in the outermost,
    whose inputs are the plan's.
    """

    runbook: Runbook
    prefix: str = ""
    bindings: Mapping[str, str] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of this runbook's inputs."""
        return tuple(one.name for one in self.runbook.inputs)

    def translated(self, value: Value) -> Value:
        """The template in the plan's names."""
        return rewrite(plain(value), self._translation)

    def translated_when(self, when: When | None) -> When | None:
        """The condition in the plan's names."""
        return when and when.rewritten(self.translated)

    def mentions(self, value: Value, path: DocumentPath) -> Iterator[Mention]:
        """Each reference to a step's output, with its place."""
        for place, reference in written_at(value, path):
            if reference.path:
                target = self.prefix + reference.name
                yield Mention(place, reference.text, target, reference.path[0])

    def unknown_inputs(
        self, value: Value, path: DocumentPath
    ) -> Iterator[tuple[DocumentPath, str]]:
        """Each reference without a dot that is no input, with its place."""
        for place, reference in written_at(value, path):
            if not reference.path and reference.name not in self.inputs:
                yield place, reference.name

    def bound_to_outputs(self, value: Value) -> Iterator[str]:
        """Inputs that the value rests on and that the nesting step takes from a step's output."""
        for reference in references(value):
            bound = (self.bindings or {}).get(reference.name) if not reference.path else None
            if bound is not None and any(inner.path for inner in references(bound)):
                yield reference.name

    def _translation(self, reference: Reference) -> str | None:
        if reference.path:
            return f"{{{self.prefix}{reference.text}}}"
        return None if self.bindings is None else self.bindings.get(reference.name)


def draft(
    names: Names,
    step: RunbookStep,
    spec: ActionSpec,
    *,
    when: When | None = None,
    skip: str = "",
    phase: Phase | None = None,
) -> Draft:
    """A step as a draft; `when` is the nesting step's condition, already in the plan's names."""
    written = {"with": step.call.arguments}
    mentions = list(names.mentions(written, step.path))
    if step.when is not None:
        mentions += names.mentions(_as_value(step.when), (*step.path, "when"))
    return Draft(
        id=names.prefix + step.name,
        phase=phase or step.phase,
        step=step,
        spec=spec,
        runbook=names.runbook,
        path=step.path,
        arguments=_arguments(names, step.call, spec),
        when=names.translated_when(step.when) or when,
        skip=skip,
        on_failure=step.on_failure,
        title=str(names.translated(step.title)),
        mentions=tuple(mentions),
    )


def undo_draft(names: Names, step: RunbookStep, undo: ActionCall, spec: ActionSpec) -> Draft:
    """The cleanup step that takes a step back."""
    path = (*step.path, "undo")
    return Draft(
        id=f"undo:{names.prefix}{step.name}",
        phase=Phase.CLEANUP,
        step=step,
        spec=spec,
        runbook=names.runbook,
        path=path,
        arguments=_arguments(names, undo, spec),
        undoes=names.prefix + step.name,
        title=f"undo {names.prefix}{step.name}",
        mentions=tuple(names.mentions({"with": undo.arguments}, path)),
    )


def skip_of(step: RunbookStep, mode: Mode, *, cleanup: bool) -> str:
    """Why a step is left out by plan, if it is."""
    if mode is Mode.DRILL and step.live_only:
        return LIVE_ONLY
    if mode is Mode.DRILL and step.phase is Phase.FENCE:
        return NOT_FENCED
    if mode is Mode.LIVE and cleanup and not step.always:
        return LEFT_STANDING
    return ""


def _arguments(names: Names, call: ActionCall, spec: ActionSpec) -> dict[str, Value]:
    """Settled before they are translated: as text, a number stays as it was written."""
    given = settled(spec, call.arguments)
    return {name: names.translated(value) for name, value in given.items()}


def _as_value(when: When) -> Value:
    return {"value": when.value, when.test.value.replace("-", "_"): when.operand}


def written_at(value: Value, path: DocumentPath) -> Iterator[tuple[DocumentPath, Reference]]:
    """Every reference in a value with the path to the text that holds it."""
    if isinstance(value, str):
        for reference in references(value):
            yield path, reference
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from written_at(item, (*path, key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from written_at(item, (*path, index))
