"""What must be there before a plan can be carried out: the secrets its steps rest on. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from drorch.core.model import Configuration, Dataset
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import preview
from drorch.core.telling import for_people
from drorch.core.values import Value

#: Arguments that are data, whatever they look like: they never hold a secret.
_WORDS = frozenset({"content", "json"})


def secrets_needed(plan: Plan, configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """The names of the secrets, each with the steps that need it, in their order.

    Of a step that is left out by plan nothing is needed; a name that only a step's output will
    give is not known yet.
    """
    needed: dict[str, list[str]] = {}
    for step in plan.steps:
        arguments = {name: preview(v, plan.inputs) for name, v in step.arguments.items()}
        names = () if step.skip else _of_step(step, arguments, configuration)
        for name in dict.fromkeys(names):
            needed.setdefault(name, []).append(step.id)
    return {name: tuple(steps) for name, steps in needed.items()}


def _of_step(
    step: PlannedStep, arguments: Mapping[str, Value], configuration: Configuration
) -> Iterator[str]:
    yield from _named(arguments)
    lent = arguments.get("secret")
    if step.do.startswith("key.") and isinstance(lent, str):
        yield lent
    if step.do == "notify":
        channels = [rule.to for rule in for_people(configuration.notify)]
        yield from filter(None, [str(arguments["to"])] if "to" in arguments else channels)
    dataset = configuration.datasets.get(str(arguments.get("dataset", "")))
    for name in _regions(arguments, dataset):
        region = configuration.regions.get(name)
        if region is None:
            continue
        yield from filter(None, (region.access_key, region.secret_key))
        if dataset is not None and name in dataset.regions:
            yield next((c.password for c in dataset.copies if c.region == name), dataset.password)


def _named(arguments: Mapping[str, Value]) -> Iterator[str]:
    """Every `{secret: NAME}` where an action may reveal one: an argument, or a part of one."""
    for argument, value in arguments.items():
        if argument in _WORDS or not isinstance(value, Mapping):
            continue
        parts = () if argument == "body" else value.values()
        for one in (value, *parts):
            name = one.get("secret") if isinstance(one, Mapping) and len(one) == 1 else None
            if isinstance(name, str):
                yield name


def _regions(arguments: Mapping[str, Value], dataset: Dataset | None) -> Sequence[str]:
    """The regions that the step says it works in; said nothing, all of the dataset's."""
    several = arguments.get("regions")
    if "region" in arguments:
        return (str(arguments["region"]),)
    if isinstance(several, Sequence) and not isinstance(several, str):
        return [str(name) for name in several]
    return dataset.regions if dataset is not None else ()
