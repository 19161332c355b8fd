"""Plans that record corrective actions: one is opened, or something becomes of it. Pure."""

from drorch.core.corrective import Change
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import literal
from drorch.core.values import Value

#: The name of such runs, and their subject: one at a time, so that no id is given twice.
NAME = "corrective-action"


def compile_open(
    configuration: Configuration,
    *,
    title: str,
    owner: str,
    due: str,
    by: str,
    finding: str = "",
    run: str = "",
) -> Plan:
    """The plan that opens an action."""
    arguments = {"title": title, "owner": owner, "due": due, "by": by}
    given = {name: text for name, text in (("finding", finding), ("run", run)) if text}
    return _plan(configuration, "corrective.open", f"Open an action: {title}", arguments | given)


def compile_change(configuration: Configuration, action: str, change: Change) -> Plan:
    """The plan that records what becomes of an action; the moment is that of its run."""
    arguments = {"action": action, "what": change.what.value, "by": change.by, "why": change.why}
    given = {"owner": change.owner, "due": change.due, "run": change.run}
    title = f"Action {action}: {change.what.value}"
    wanted = arguments | {name: text for name, text in given.items() if text}
    return _plan(configuration, "corrective.change", title, wanted)


def _plan(configuration: Configuration, do: str, title: str, arguments: dict[str, str]) -> Plan:
    texts: dict[str, Value] = {name: literal(text) for name, text in arguments.items()}
    return Plan(
        kind=RunKind.CORRECTIVE,
        name=NAME,
        mode=Mode.LIVE,
        subject=NAME,
        steps=(PlannedStep("record", Phase.STEPS, do, texts, repeatable=True),),
        title=title,
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )
