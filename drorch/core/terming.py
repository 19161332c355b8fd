"""Plans that record which control plane is in charge, and what was seen of others. Pure."""

from collections.abc import Sequence

from drorch.core.codec import canonical, encode
from drorch.core.document import rfc3339
from drorch.core.model import Configuration
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import literal
from drorch.core.terms import OtherSeen, TermBegun
from drorch.core.values import Value

#: The name of the run that claims the schedule, and its subject: one at a time.
CLAIM = "claim"


def begin_step(term: TermBegun) -> PlannedStep:
    """The step that puts a term on record."""
    arguments: dict[str, Value] = {
        "instance": term.instance,
        "term": term.term,
        "at": rfc3339(term.at),
        "by": literal(term.by),
        "why": literal(term.why),
        "of": term.of,
        "of_term": term.of_term,
        "announced": term.announced,
        "renamed": term.renamed,
    }
    return PlannedStep("begin-term", Phase.STEPS, "term.begin", arguments, repeatable=True)


def compile_claim(configuration: Configuration, term: TermBegun) -> Plan:
    """The plan by which somebody says that this control plane is the one that works."""
    return _plan(configuration, RunKind.CLAIM, CLAIM, "Take charge", begin_step(term))


def compile_seen(
    configuration: Configuration, subject: str, term: TermBegun | None, others: Sequence[OtherSeen]
) -> Plan:
    """The plan by which a daemon records what it saw of others, and that its term is known."""
    steps = []
    if term is not None:
        steps.append(begin_step(term))
    if others:
        seen = canonical([encode(one) for one in others]).decode()
        given: dict[str, Value] = {"others": literal(seen)}
        steps.append(PlannedStep("others", Phase.STEPS, "term.others", given, repeatable=True))
    title = "What the daemon has seen of other control planes"
    return _plan(configuration, RunKind.SCHEDULE, "schedule", title, *steps, subject=subject)


def _plan(
    configuration: Configuration,
    kind: RunKind,
    name: str,
    title: str,
    *steps: PlannedStep,
    subject: str = "",
) -> Plan:
    return Plan(
        kind=kind,
        name=name,
        mode=Mode.LIVE,
        subject=subject or name,
        steps=steps,
        title=title,
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )
