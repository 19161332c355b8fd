"""What is wrong with the steps of a plan to be: where they stand, what they take, what they refer to."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from drorch.core.arguments import objections
from drorch.core.drafts import COMMANDS, Draft, Mention
from drorch.core.errors import Problem
from drorch.core.expand import Crossing
from drorch.core.graph import is_upstream
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase
from drorch.core.nearest import did_you_mean
from drorch.core.protect import Guarded, offences
from drorch.core.render import preview

_CHECKING = (Phase.PRECONDITIONS, Phase.VERIFY)
_ORDER = list(Phase)


def examine(
    drafts: Sequence[Draft],
    crossings: Sequence[Crossing],
    unknown: Collection[str],
    inputs: Mapping[str, str],
    configuration: Configuration,
    mode: Mode,
) -> Iterator[Problem]:
    """Every problem of every step. `unknown` names steps that could not be drafted."""
    guarded = Guarded.of(configuration)
    for draft in drafts:
        yield from _placement(draft)
        if draft.spec.person:
            yield from _question(draft, inputs)
        yield from _arguments(draft, inputs, configuration)
        if mode is Mode.DRILL and not draft.skip:
            yield from _protection(draft, inputs, guarded)
    yield from _References(drafts, unknown).problems(crossings)


def _placement(draft: Draft) -> Iterator[Problem]:
    step, spec = draft.step, draft.spec
    if draft.undoes:
        return
    looks = spec.check or spec.name in COMMANDS
    if draft.phase in _CHECKING and not (looks or spec.person):
        hint = f"put it under `steps:`; `{draft.step.phase.value}:` only looks"
        yield draft.problem(f"{spec.name} is not a check", hint, ("do",))
    elif step.is_check and not looks:
        hint = "write `step: …` instead of `check: …`"
        yield draft.problem(f"{spec.name} is not a check", hint, ("check",))
    if step.until is not None:
        yield from _until(draft, looks=looks)
    if step.undo is not None and step.phase is not Phase.STEPS:
        hint = "only a step under `steps:` changes something to take back"
        yield draft.problem("undo does not go here", hint, ("undo",))
    if step.always and step.phase is not Phase.CLEANUP and step.undo is None:
        hint = "it says that cleanup, or an undo, is done after a live run too"
        yield draft.problem("always does not go here", hint, ("always",))


def _until(draft: Draft, *, looks: bool) -> Iterator[Problem]:
    until = draft.step.until
    if until is None:
        return
    if not looks:
        hint = "only checks, command and shell are looked at again; `retry:` tries others again"
        yield draft.problem(f"until does not go with {draft.spec.name}", hint, ("until",))
    if draft.step.retry is not None:
        hint = "keep `until`: it looks again by itself"
        yield draft.problem("until and retry do not go together", hint, ("retry",))
    if until.every >= until.within:
        hint = "let `every` be shorter than `within`"
        yield draft.problem("until would look only once", hint, ("until",))


def _question(draft: Draft, inputs: Mapping[str, str]) -> Iterator[Problem]:
    """What goes with a question to a person."""
    for key, there in (("retry", draft.step.retry), ("timeout", draft.step.timeout)):
        if there is not None:
            hint = "its deadline is the argument `within`"
            yield draft.problem(f"{key} does not go with a question to a person", hint, (key,))
    quorum = str(preview(draft.arguments.get("quorum"), inputs))
    if quorum.removeprefix("-").isdecimal() and int(quorum) < 1:
        hint = "at least one person has to agree"
        yield draft.problem(f"quorum: should be at least 1, not {quorum}", hint, ("with", "quorum"))
    by, groups = draft.arguments.get("by"), draft.arguments.get("groups")
    if isinstance(by, list | tuple) and by and not groups and quorum.isdecimal():
        people = {str(preview(name, inputs)) for name in by}
        if len(people) < int(quorum):
            hint = "name more people under `by`, or ask for fewer"
            message = f"quorum: {quorum} cannot agree where only {len(people)} may"
            yield draft.problem(message, hint, ("with", "quorum"))
    if "otherwise" in draft.arguments and "within" not in draft.arguments:
        hint = "give the deadline: `within: 30m`"
        yield draft.problem("otherwise: there is no deadline after which it comes", hint)


def _arguments(
    draft: Draft, inputs: Mapping[str, str], configuration: Configuration
) -> Iterator[Problem]:
    for one in objections(draft.spec, draft.arguments, inputs, configuration):
        if one.argument:
            named = one.message.startswith(draft.spec.name)
            message = one.message if named else f"{one.argument}: {one.message}"
            yield draft.problem(message, one.hint, ("with", one.argument))
        else:
            yield draft.problem(one.message, one.hint)
    yield from _places_of_data(draft, inputs, configuration)


def _places_of_data(
    draft: Draft, inputs: Mapping[str, str], configuration: Configuration
) -> Iterator[Problem]:
    """A dataset that does not lie in the region named beside it."""
    regions = [
        (name, str(preview(draft.arguments[name], inputs)))
        for name in draft.region_arguments
        if name in draft.arguments
    ]
    for dataset_name in draft.datasets(inputs):
        dataset = configuration.datasets.get(dataset_name)
        for argument, region in regions:
            known = dataset is not None and region in configuration.regions
            if dataset is not None and known and region not in dataset.regions:
                hint = f"it lies in {', '.join(dataset.regions)}"
                message = f"{argument}: dataset {dataset_name!r} has no copy in {region!r}"
                yield draft.problem(message, hint, ("with", argument))


def _protection(draft: Draft, inputs: Mapping[str, str], guarded: Guarded) -> Iterator[Problem]:
    known = {name: preview(value, inputs) for name, value in draft.arguments.items()}
    for one in offences(known, draft.spec, guarded):
        hint = "point the drill elsewhere, or mark the step `live_only: true`"
        yield draft.problem(one.message, hint, ("with", one.argument))


class _References:
    """Whether each reference has a value for certain when it is needed."""

    def __init__(self, drafts: Sequence[Draft], unknown: Collection[str]) -> None:
        self._drafts = drafts
        self._not_drafted = unknown
        self._by_id = {draft.id: draft for draft in drafts}
        self._needs = {draft.id: draft.needs for draft in drafts}

    def problems(self, crossings: Sequence[Crossing]) -> Iterator[Problem]:
        """Of every step's own references, and of what nesting steps hand in."""
        for draft in self._drafts:
            for mention in draft.mentions:
                found = self._wrong(draft, mention)
                if found is not None:
                    path = mention.path[len(draft.path) :]
                    yield draft.problem(*found, path)
        for crossing in crossings:
            for entry in crossing.entries[:1]:
                found = self._wrong(self._by_id[entry], crossing.mention)
                if found is not None:
                    message, hint = found
                    file = crossing.runbook.file or None
                    path = crossing.mention.path
                    yield Problem(f"{crossing.called}: {message}", hint, path, file)

    def _wrong(self, draft: Draft, mention: Mention) -> tuple[str, str] | None:
        there = self._by_id.get(mention.target)
        if there is None:
            lost = any(mention.target.split("/")[0] == name for name in self._not_drafted)
            return None if lost or mention.target in self._not_drafted else self._unknown(mention)
        written, spec = mention.written, there.spec
        if mention.output not in spec.outputs and not spec.open_outputs:
            hint = did_you_mean(mention.output, spec.outputs, f"outputs of {spec.name}")
            return f"{{{written}}}: {spec.name} has no output {mention.output!r}", hint
        if not self._over(draft, there):
            hint = f"let it need {there.id}: `needs: [{there.step.name}]`"
            if there.phase is not draft.phase:
                hint = f"{there.id} comes in a later phase"
            return f"{{{written}}}: {there.id} is not certainly over by then", hint
        if there.skip and not draft.skip and draft.phase is not Phase.CLEANUP:
            return f"{{{written}}}: {there.id} is left out ({there.skip})", (
                "do not rest on it in a drill: make this step live_only too, or take an input"
            )
        return None

    def _unknown(self, mention: Mention) -> tuple[str, str]:
        inner = [name for name in self._by_id if name.startswith(f"{mention.target}/")]
        if inner:
            hint = f"name a step inside it: {{{inner[0]}.{mention.output}}}"
            return f"{{{mention.written}}}: {mention.target} is a nested runbook", hint
        hint = did_you_mean(mention.target, self._by_id, "steps are")
        if hint.startswith("steps are"):
            hint += f"; literal braces are doubled: {{{{{mention.written}}}}}"
        return f"{{{mention.written}}}: there is no step {mention.target!r}", hint

    def _over(self, draft: Draft, there: Draft) -> bool:
        if draft.undoes:
            return there.phase is not Phase.CLEANUP
        if there.phase is not draft.phase:
            return _ORDER.index(there.phase) < _ORDER.index(draft.phase)
        return is_upstream(self._needs, draft.id, there.id)
