"""What the paper version shows, in words: HTML and PDF show the same, only the form is theirs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from drorch.core.byhand import Opening
from drorch.core.names import Phase
from drorch.core.verification import Doubt, Reason
from drorch.reports.language import Language
from drorch.reports.paper import words
from drorch.reports.paper.known import Known, Table
from drorch.reports.paper.labels import labels
from drorch.reports.paper.order import Placed, placed, ranges
from drorch.reports.paper.source import Source
from drorch.reports.paper.steps import StepOnPaper, Steps
from drorch.reports.paper.values import covered

#: How many digits of the fingerprint stand at the foot of each page.
_SHORT = 12


@dataclass(frozen=True, slots=True)
class PhaseOnPaper:
    """One phase: its heading, what holds for all of it, its steps.

    `waves` are the numbers (rows of them as `4–9`) that may be done at the same time, wave by wave; none if all go one by one.
    """

    heading: str
    introduction: str
    waves: tuple[tuple[str, ...], ...]
    steps: tuple[StepOnPaper, ...]


@dataclass(frozen=True, slots=True)
class OpeningOnPaper:
    """How a repository is opened by restic alone."""

    label: str
    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """The whole document. `labels` are its fixed words by name."""

    language: str
    labels: Mapping[str, str]
    kind: str
    title: str
    name: str
    organization: str
    fingerprint: str
    short: str
    foot: str
    facts: tuple[tuple[str, str], ...]
    proven: bool
    standing: str
    doubts: tuple[str, ...]
    usage: tuple[str, ...]
    fields: tuple[str, ...]
    overview: Table
    tables: tuple[Table, ...]
    openings: tuple[OpeningOnPaper, ...]
    phases: tuple[PhaseOnPaper, ...]
    result: tuple[str, ...]
    home: str


def paper(source: Source, language: Language) -> Paper:
    """The paper version of a runbook in a language."""
    return _Writer(source, language).paper()


class _Writer:
    """Writes one document."""

    def __init__(self, source: Source, language: Language) -> None:
        self._source = source
        self._plan = source.plan
        self._configuration = source.configuration
        self._language = language
        self._say = language.say
        self._placed = placed(source.plan)
        self._openings = self._found_openings()
        numbers = {one.step.id: one.number for one in self._placed}
        labelled = {key: label for label, (key, _) in self._openings.items()}
        self._steps = Steps(source, language, labelled, numbers)
        self._known = Known(source, language, self._placed, self._steps)

    def paper(self) -> Paper:
        say, plan = self._say, self._plan
        fixed = labels(self._language)
        printed = self._language.moment(self._source.printed, plan.timezone)
        title = covered(plan.title) or plan.name
        short = plan.runbook_digest[:_SHORT]
        return Paper(
            language=self._language.code,
            labels=fixed,
            kind=say("The way home") if self._source.homeward else say("Runbook on paper"),
            title=title,
            name=plan.name,
            organization=plan.organization,
            fingerprint=plan.runbook_digest,
            short=short,
            foot=" · ".join([plan.name, say("fingerprint {short}", short=short), printed]),
            facts=tuple(self._facts(printed)),
            proven=not self._source.standing.doubts and self._source.standing.known,
            standing=self._standing(),
            doubts=tuple(self._doubt(doubt) for doubt in self._source.standing.doubts),
            usage=tuple(self._usage()),
            fields=tuple(self._fields()),
            overview=self._overview(),
            tables=tuple(table for table in self._known.tables() if table.rows),
            openings=tuple(self._opened()),
            phases=tuple(self._phases()),
            result=tuple(self._result()),
            home=self._home(),
        )

    def _facts(self, printed: str) -> Iterator[tuple[str, str]]:
        say, plan, objectives = self._say, self._plan, self._plan.objectives
        service = self._configuration.services.get(plan.service)
        yield say("Service"), plan.service
        yield say("Tier"), "" if service is None or service.tier is None else str(service.tier)
        for label, promised in (
            (say("RTO: back within"), objectives.rto),
            (say("RPO: data lost at most"), objectives.rpo),
            (say("Longest tolerable outage"), objectives.mtpd),
        ):
            yield label, self._language.duration(promised) if promised else say("nothing promised")
        yield say("Runs afterwards at"), plan.site
        yield say("Owner of the runbook"), self._source.runbook.owner
        due = self._source.standing.due_at
        yield say("Next drill due"), self._language.moment(due, plan.timezone) if due else ""
        yield say("Printed"), printed
        yield say("Printed by"), f"drorch {self._source.version}"

    def _standing(self) -> str:
        standing, zone = self._source.standing, self._plan.timezone
        if not standing.known:
            return self._say("Not known: the journal could not be read when this was printed.")
        if standing.passed_at is None:
            return self._say("Needs verification: it has never been shown to work.")
        at = self._language.moment(standing.passed_at, zone)
        run = standing.passed_run
        if standing.doubts:
            return self._say(
                "Needs verification. Its last drill that passed began on {at}: run {run}.",
                at=at,
                run=run,
            )
        return self._say("Proven by a drill that began on {at}: run {run}.", at=at, run=run)

    def _doubt(self, doubt: Doubt) -> str:
        kind, _, name = doubt.subject.partition(" ")
        target = doubt.reason in (Reason.CHANGED, Reason.GONE)
        sentence = words.TARGETS.get(kind) if target else None
        subject = self._say(sentence, name=name) if sentence else doubt.subject
        return self._say(words.DOUBTS[doubt.reason], subject=subject)

    def _usage(self) -> Iterator[str]:
        say = self._say
        verb = "failback" if self._source.homeward else "failover"
        command = f"drorch {verb} {self._source.runbook.name} --declare …"
        yield say(
            "As long as drorch works, “{command}” does all of this, asks whoever must be asked, and "
            "keeps the record. Use this paper when it does not.",
            command=command,
        )
        yield say(
            "First fill in who leads and when it was declared: the declaration starts the clock."
        )
        yield say(
            "At each step write when it began and ended, tick what came of it, and initial it."
        )
        yield say(
            "What stands in braces is a blank: an input of the table below, or what an earlier step "
            "gave and you wrote down there."
        )
        yield say(
            "Relative paths start at {folder}. Elsewhere, choose a folder and write it here.",
            folder=str(self._configuration.folder),
        )
        yield say(
            "By hand nothing keeps an exercise away from production: look at every target before "
            "you press Enter."
        )
        if self._source.drill_refused:
            yield say(
                "With the inputs printed here drorch refuses an exercise: {why}.",
                why="; ".join(self._source.drill_refused),
            )

    def _fields(self) -> Iterator[str]:
        say = self._say
        yield say("Exercise, or for real")
        yield say("What has happened")
        yield say("Declared by")
        yield say("Declared on, at")
        if self._plan.objectives.rto:
            length = self._language.duration(self._plan.objectives.rto)
            yield say("To be back by (declaration + {length})", length=length)
        yield say("Led by")
        yield say("Carried out by")

    def _overview(self) -> Table:
        say = self._say
        return Table(
            say("All steps"),
            say(
                "Steps of the same part and wave may be done at the same time, by several people. "
                "Those without a number under “After” begin with their part."
            ),
            (say("No."), say("Wave"), say("Step"), say("After"), say("At most")),
            tuple(self._overview_row(one) for one in self._placed),
            (0, 0, 6, 1, 0),
        )

    def _overview_row(self, one: Placed) -> tuple[str, ...]:
        shown = self._steps.on_paper(one)
        timeout = self._language.duration(one.step.timeout) if one.step.timeout else "–"
        tags = f" ({', '.join(shown.tags)})" if shown.tags else ""
        after = ", ".join(ranges(one.needs)) or "–"
        wave = "–" if one.step.undoes else str(one.wave)
        return str(one.number), wave, f"{shown.title or shown.id}{tags}", after, timeout

    def _found_openings(self) -> dict[str, tuple[tuple[str, str], Opening]]:
        """Each repository that steps open, by its label: R1, R2 and so on."""
        found: dict[tuple[str, str], Opening] = {}
        for one in self._placed:
            hand = self._source.hands.get(one.step.id)
            if hand is not None and hand.opening is not None:
                found.setdefault((hand.opening.dataset, hand.opening.region), hand.opening)
        return {f"R{n}": (key, opening) for n, (key, opening) in enumerate(found.items(), 1)}

    def _opened(self) -> Iterator[OpeningOnPaper]:
        for label, ((dataset, region), opening) in self._openings.items():
            heading = self._say(
                "Open {dataset} in {region} by restic alone", dataset=dataset, region=region
            )
            yield OpeningOnPaper(label, heading, opening.lines)

    def _phases(self) -> Iterator[PhaseOnPaper]:
        for phase, group in groupby(self._placed, key=lambda one: one.step.phase):
            members = list(group)
            yield PhaseOnPaper(
                self._say(words.PHASES[Phase(phase)]),
                self._say(words.INTRODUCTIONS[Phase(phase)]),
                self._waves(members),
                tuple(self._steps.on_paper(one) for one in members),
            )

    def _waves(self, members: Sequence[Placed]) -> tuple[tuple[str, ...], ...]:
        waves: dict[int, list[int]] = {}
        for one in members:
            if not one.step.undoes:
                waves.setdefault(one.wave, []).append(one.number)
        alone = self._plan.parallel == 1 or all(len(wave) == 1 for wave in waves.values())
        return () if alone else tuple(tuple(ranges(waves[wave])) for wave in sorted(waves))

    def _result(self) -> Iterator[str]:
        say = self._say
        yield say("Service back on, at")
        yield say("Recovery time (back on, less declared)")
        yield say("Time of the oldest snapshot restored")
        yield say("Data lost (declared less that time)")
        yield say("What did not go as written")
        yield say("Verified by (name, signature)")
        yield say("Approved by (name, signature)")

    def _home(self) -> str:
        if self._source.homeward or not self._plan.service:
            return ""
        if self._source.runbook.failback is not None:
            command = f"drorch runbook show {self._source.runbook.name} --failback"
            return self._say(
                "The way home is a part of the same runbook; print it, too: {command}",
                command=command,
            )
        return self._say("This runbook does not say how the service comes home.")
