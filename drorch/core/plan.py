"""A plan: compiled and frozen. A run's first event holds it whole, so that old runs stay readable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from drorch.core.exercises import Exercise, Participant
from drorch.core.model import Objectives
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.runbook import Retry, Until, When
from drorch.core.values import Value


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, ready to be carried out once its references have values.

    `skip` says why the step is left out by plan (a drill's `live_only`, say). `undoes` names the
    step that this cleanup step takes back: it runs only if that one may have started.
    """

    id: str
    phase: Phase
    do: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    check: bool = False
    person: bool = False
    repeatable: bool = False
    on_failure: OnFailure = OnFailure.STOP
    retry: Retry = field(default_factory=Retry)
    until: Until | None = None
    timeout: timedelta | None = None
    when: When | None = None
    skip: str = ""
    undoes: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in file order; `subject` is what must not run twice at once.

    `site` is where the service runs once a failover or failback has passed; empty: not said.
    `targets` are digests of what it rests on (core/verification.py). `sources` are where its
    datasets lie in production: paths, or nothing if they are dumped.
    """

    kind: RunKind
    name: str
    mode: Mode
    subject: str
    steps: tuple[PlannedStep, ...]
    objectives: Objectives = field(default_factory=Objectives)
    inputs: Mapping[str, str] = field(default_factory=dict)
    parallel: int = 8
    title: str = ""
    service: str = ""
    organization: str = ""
    timezone: str = "UTC"
    datasets: tuple[str, ...] = ()
    runbook_digest: str = ""
    configuration_digest: str = ""
    notices: tuple[str, ...] = ()
    site: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    exercise: Exercise | None = None
    participants: tuple[Participant, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
