"""`for_each`: a nested runbook written out once for each item, so that each has a state of its own.

Pure. What the items are must be known when the runbook is compiled.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from drorch.core.drafts import Names
from drorch.core.model import Configuration
from drorch.core.render import Reference, literal, preview, references, rewrite
from drorch.core.runbook import ActionCall, ForEach, RunbookStep, When
from drorch.core.values import Value

#: The action that nests a runbook.
NESTING = "runbook"

#: Instead of a tier: every dataset.
ALL = "all"


class NoItems(LookupError):
    """There is nothing to write the step out for; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def written_out(
    step: RunbookStep,
    each: ForEach,
    names: Names,
    inputs: Mapping[str, str],
    configuration: Configuration,
) -> list[RunbookStep] | None:
    """The step once for each item; None while that cannot be known. Raises NoItems."""
    if step.call.do != NESTING:
        raise NoItems("goes with a nested runbook only", "put the step into one of its own")
    if each.name in names.inputs:
        raise NoItems(f"{each.name!r} is an input already", "call the item otherwise")
    items = items_of(each, names.translated(each.tier), inputs, configuration)
    return None if items is None else list(copies(step, each, items))


def items_of(
    each: ForEach, tier: Value, inputs: Mapping[str, str], configuration: Configuration
) -> tuple[str, ...] | None:
    """The items, in the order of their tiers; None while an input they rest on has no value.

    `tier` is the `for_each`'s, in the plan's names. Raises NoItems.
    """
    if each.items:
        return each.items
    wanted = preview(tier, inputs)
    if references(wanted):
        return None
    ordered = sorted(configuration.datasets.values(), key=lambda d: (d.tier is None, d.tier or 0))
    found = tuple(d.name for d in ordered if wanted == ALL or str(d.tier) == str(wanted))
    if not found:
        tiers = sorted({d.tier for d in ordered if d.tier is not None})
        hint = f"tiers are {', '.join(map(str, tiers))}" if tiers else "no dataset has a tier"
        raise NoItems(f"no dataset has the tier {wanted!r}", f"{hint}; or write {ALL}")
    return found


def copies(step: RunbookStep, each: ForEach, items: Sequence[str]) -> Iterator[RunbookStep]:
    """The step as it stands for each item, called `step/item`."""
    taken: set[str] = set()
    for item in items:
        name = _as_name(item, taken)
        put = _Put(each.name, item)
        yield replace(
            step,
            name=f"{step.name}/{name}",
            for_each=None,
            call=ActionCall(step.call.do, {k: put.into(v) for k, v in step.call.arguments.items()}),
            when=put.into_when(step.when),
            title=str(put.into(step.title)),
        )


def _as_name(item: str, taken: set[str]) -> str:
    """What a step can be called: small letters, digits, dashes; no two the same."""
    plain = re.sub(r"[^a-z0-9]+", "-", item.lower()).strip("-") or "item"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}-{number}"
    taken.add(name)
    return name


class _Put:
    """Puts an item in the place of its name."""

    def __init__(self, name: str, item: str) -> None:
        self._name = name
        self._item = literal(item)

    def into(self, value: Value) -> Value:
        """A template without the name."""
        return rewrite(value, self._replacement)

    def into_when(self, when: When | None) -> When | None:
        """The same for a condition."""
        return when and when.rewritten(self.into)

    def _replacement(self, reference: Reference) -> str | None:
        return self._item if (reference.name, reference.path) == (self._name, ()) else None
