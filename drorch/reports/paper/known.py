"""What the configuration knows, as tables: who to call, inputs, where the data lies, secrets by name."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drorch.core.model import CopyMode, Dataset, Region, SecretSource
from drorch.core.runbook import Input
from drorch.core.telling import for_people
from drorch.reports.language import Language
from drorch.reports.paper.order import Placed
from drorch.reports.paper.source import Source
from drorch.reports.paper.steps import Steps
from drorch.reports.paper.values import covered


@dataclass(frozen=True, slots=True)
class Table:
    """A table. An empty cell is to be filled in by hand; `code` names columns that stand as typed.

    `widths` are shares of the page, 0 being as wide as needed.
    """

    heading: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    code: tuple[int, ...] = ()


class Known:
    """Writes the tables."""

    def __init__(
        self, source: Source, language: Language, steps: Sequence[Placed], in_words: Steps
    ) -> None:
        self._source = source
        self._plan = source.plan
        self._configuration = source.configuration
        self._language = language
        self._say = language.say
        self._placed = steps
        self._steps = in_words

    def tables(self) -> Iterator[Table]:
        """In the order they are needed."""
        yield self._people()
        yield self._inputs()
        yield self._data()
        yield self._regions()
        yield self._secrets()

    def _people(self) -> Table:
        say = self._say
        rows = [(say("Leads"), ""), (say("Declares"), "")]
        if self._source.runbook.owner:
            rows.append((say("Owner of the runbook"), self._source.runbook.owner))
        for one in self._placed:
            if one.step.person:
                question = self._steps.on_paper(one).question
                answers = " ".join(question.terms) if question else ""
                rows.append((say("Answers step {number}", number=one.number), answers))
        rows += [(say("Storage of region {name}", name=r.name), r.endpoint) for r in self._places()]
        rows += [(say("Told by drorch while it works"), text) for text in self._told()]
        return Table(
            say("Who to call"),
            "",
            (say("For what"), say("What is known"), say("Name"), say("Telephone")),
            tuple((what, covered(known), "", "") for what, known in rows),
            (3, 4, 3, 3),
        )

    def _told(self) -> Iterator[str]:
        for rule in for_people(self._configuration.notify):
            if rule.to:
                yield self._say("address in the secret {name}", name=rule.to)
            elif rule.command:
                yield shlex.join(rule.command)

    def _inputs(self) -> Table:
        say = self._say
        return Table(
            say("Inputs"),
            say("An empty field is to be filled in before the first step that names it."),
            (say("Name"), say("What it is"), say("Value")),
            tuple(self._input(one) for one in self._source.runbook.inputs),
            (2, 4, 4),
            code=(0, 2),
        )

    def _input(self, one: Input) -> tuple[str, ...]:
        return f"{{{one.name}}}", one.doc, covered(self._plan.inputs.get(one.name, ""))

    def _datasets(self) -> list[Dataset]:
        known = self._configuration.datasets
        service = self._configuration.services.get(self._plan.service)
        named = dict.fromkeys([*self._plan.datasets, *(service.datasets if service else ())])
        found = [known[name] for name in named if name in known]
        # An input may name any of them.
        return found or (list(known.values()) if self._openable() else [])

    def _openable(self) -> bool:
        return any("dataset" in step.arguments for step in self._plan.steps)

    def _places(self) -> list[Region]:
        known = self._configuration.regions
        named = dict.fromkeys(region for one in self._datasets() for region in one.regions)
        return [known[name] for name in named if name in known]

    def _data(self) -> Table:
        say = self._say
        return Table(
            say("Where the data lies"),
            say("Each dataset is a restic repository in every region that is named here."),
            (
                say("Dataset"),
                say("Tier"),
                say("What it holds"),
                say("RPO"),
                say("Regions"),
                say("Password"),
            ),
            tuple(self._dataset(one) for one in self._datasets()),
            (3, 0, 4, 0, 4, 0),
            code=(2, 5),
        )

    def _dataset(self, one: Dataset) -> tuple[str, ...]:
        rpo = self._language.duration(one.objectives.rpo) if one.objectives.rpo else "–"
        holds = one.dump.filename if one.dump else ", ".join(str(path) for path in one.paths)
        modes = {
            CopyMode.MIRROR: self._say("mirror"),
            CopyMode.COPY: self._say("copy with a password of its own"),
        }
        regions = [self._say("{region} (first)", region=one.primary)]
        regions += [f"{copy.region} ({modes[copy.mode]})" for copy in one.copies]
        passwords = dict.fromkeys([one.password, *(copy.password for copy in one.copies)])
        tier = "–" if one.tier is None else str(one.tier)
        return one.name, tier, holds, rpo, ", ".join(regions), ", ".join(passwords)

    def _regions(self) -> Table:
        say = self._say
        return Table(
            say("Regions"),
            "",
            (say("Region"), say("Endpoint"), say("Bucket"), say("Place"), say("Keys")),
            tuple(self._region(one) for one in self._places()),
            (0, 4, 3, 0, 3),
            code=(1, 2, 4),
        )

    def _region(self, one: Region) -> tuple[str, ...]:
        keys = [name for name in (one.access_key, one.secret_key) if name]
        if one.profile:
            keys = [self._say("AWS profile {name}", name=one.profile)]
        bucket = one.key(one.bucket) if not one.prefix else f"{one.bucket}/{one.prefix}"
        said = ", ".join(keys) or self._say("those of the AWS environment")
        return one.name, covered(one.endpoint), bucket, one.jurisdiction, said

    def _secrets(self) -> Table:
        say = self._say
        return Table(
            say("Secrets"),
            say(
                "Only their names stand here. The machine that runs drorch takes them from the place "
                "named; write where another copy is kept."
            ),
            (say("Name"), say("Where drorch takes it from"), say("Where else it is kept")),
            tuple(
                (name, self._secret(self._configuration.secrets.get(name)), "")
                for name in self._secret_names()
            ),
            (2, 4, 4),
            code=(0, 1),
        )

    def _secret_names(self) -> list[str]:
        regions = [n for r in self._places() for n in (r.access_key, r.secret_key) if n]
        passwords = [
            name
            for one in self._datasets()
            for name in (one.password, *(copy.password for copy in one.copies))
        ]
        steps = [
            name
            for hand in self._source.hands.values()
            for name in (*(hand.opening.secrets if hand.opening else ()), *hand.secrets)
        ]
        return list(dict.fromkeys([*passwords, *regions, *steps]))

    def _secret(self, source: SecretSource | None) -> str:
        return "–" if source is None else taken_from(source, self._language)


def taken_from(source: SecretSource, language: Language) -> str:
    """Where drorch takes a secret from."""
    say = language.say
    if source.file is not None:
        return say("file {path}", path=source.file)
    if source.env is not None:
        return say("environment variable {name}", name=source.env)
    if source.credential is not None:
        return say("credential {name} of the service", name=source.credential)
    return say("command {command}", command=" ".join(source.command or ()))
