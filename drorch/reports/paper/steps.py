"""One step on paper: when it begins, what it does, how by hand, what must come of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from drorch.core.byhand import NO_COMMAND, ByHand
from drorch.core.drafts import LEFT_STANDING
from drorch.core.durations import parse_duration
from drorch.core.names import OnFailure, Otherwise, Phase, Requester
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import as_text, preview, references
from drorch.core.runbook import When, WhenTest
from drorch.core.values import Value
from drorch.reports.language import Language
from drorch.reports.paper import words
from drorch.reports.paper.order import Placed, ranges
from drorch.reports.paper.source import Source
from drorch.reports.paper.values import covered, outputs_in, rows


@dataclass(frozen=True, slots=True)
class Question:
    """What people are asked: under which terms, and how many sign."""

    prompt: str
    terms: tuple[str, ...]
    signatures: int


@dataclass(frozen=True, slots=True)
class StepOnPaper:
    """One step. `orders` are sentences in the order they are needed; `kind` is step, check or person.

    `opening` names the repository to open first; `writes` are the outputs that later steps ask for,
    each with a line that shows it, if the step's own lines do not.
    """

    number: int
    id: str
    title: str
    kind: str
    does: str
    action: str
    tags: tuple[str, ...]
    begins: str
    orders: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    expected: tuple[tuple[str, str], ...]
    opening: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    writes: tuple[tuple[str, str], ...]
    question: Question | None


class Steps:
    """Puts steps into words. `openings` are the labels of repositories by dataset and region."""

    def __init__(
        self,
        source: Source,
        language: Language,
        openings: Mapping[tuple[str, str], str],
        numbers: Mapping[str, int],
    ) -> None:
        self._source = source
        self._plan: Plan = source.plan
        self._language = language
        self._say = language.say
        self._openings = openings
        self._numbers = numbers
        self._known = known_inputs(source)
        self._asked_for = _asked_for(source)

    def on_paper(self, one: Placed) -> StepOnPaper:
        """The step in words."""
        step = one.step
        hand = self._source.hands.get(step.id, NO_COMMAND)
        arguments, expected = self._split(step, hand)
        opening = hand.opening
        return StepOnPaper(
            number=one.number,
            id=step.id,
            title=self._title(step),
            kind="person" if step.person else "check" if step.check else "step",
            does=self._does(step),
            action=step.do,
            tags=tuple(self._tags(step)),
            begins=self._begins(one),
            orders=tuple(self._orders(step)),
            arguments=tuple(arguments),
            expected=tuple(expected),
            opening=self._openings[opening.dataset, opening.region] if opening else "",
            lines=tuple(covered(line) for text in hand.lines for line in text.splitlines()),
            notes=() if step.person or step.do == "wait" else tuple(self._notes(hand)),
            writes=tuple(self._writes(step, hand)),
            question=self._question(step) if step.person else None,
        )

    def _writes(self, step: PlannedStep, hand: ByHand) -> Iterator[tuple[str, str]]:
        for output in self._asked_for:
            of, _, name = output.partition(".")
            if of == step.id:
                yield output, covered(hand.finding.get(name, ""))

    def _title(self, step: PlannedStep) -> str:
        if step.undoes:
            return self._say("Take back step {number}", number=self._numbers[step.undoes])
        return covered(step.title)

    def _does(self, step: PlannedStep) -> str:
        sentence = words.ACTIONS.get(step.do)
        return self._say(sentence) if sentence else self._source.summaries.get(step.do, step.do)

    def _tags(self, step: PlannedStep) -> Iterator[str]:
        if step.person:
            yield self._say("Decision") if step.do == "approve" else self._say("By hand")
        if step.phase is Phase.FENCE or step.id in self._source.not_drilled:
            yield self._say("For real only")
        if step.phase is Phase.CLEANUP:
            left = step.skip == LEFT_STANDING
            yield self._say("Exercise only") if left else self._say("Also for real")

    def _begins(self, one: Placed) -> str:
        sentences = []
        if one.step.undoes:
            number = self._numbers[one.step.undoes]
            sentences.append(self._say("Only if step {number} was begun.", number=number))
        elif one.needs:
            sentences.append(
                self._language.say_many(
                    "Begin when step {steps} is done.",
                    "Begin when steps {steps} are done.",
                    len(one.needs),
                    steps=self._language.listed(ranges(one.needs)),
                )
            )
        if one.beside:
            sentences.append(
                self._language.say_many(
                    "Step {steps} may go on meanwhile.",
                    "Steps {steps} may go on meanwhile.",
                    len(one.beside),
                    steps=self._language.listed(ranges(one.beside)),
                )
            )
        return " ".join(sentences)

    def _orders(self, step: PlannedStep) -> Iterator[str]:
        if step.when is not None and not _holds(step.when):
            yield self._condition(step.when)
        yield from self._again(step)
        if step.timeout is not None:
            yield self._say("Give an attempt up after {length}.", length=self._length(step.timeout))
        if step.phase is Phase.STEPS and step.on_failure in words.ON_FAILURE:
            yield self._say(words.ON_FAILURE[OnFailure(step.on_failure)])
        if not step.repeatable and not step.check and not step.person:
            yield self._say("Not to be done twice: before another try look what the first one did.")

    def _condition(self, when: When) -> str:
        if not references([when.value, when.operand]):
            # Nothing can change it any more: what holds is not said, see `_orders`.
            return self._say("Left out here: what it depends on is not so.")
        value = as_text(when.value)
        if when.test is WhenTest.IN and isinstance(when.operand, Sequence):
            operand = ", ".join(as_text(item) for item in when.operand)
            return self._say("Only if {value} is one of: {operand}.", value=value, operand=operand)
        operand = as_text(when.operand)
        if operand == "":
            if when.test is WhenTest.IS:
                return self._say("Only if {value} is not given.", value=value)
            return self._say("Only if {value} is given.", value=value)
        if when.test is WhenTest.IS:
            return self._say("Only if {value} is {operand}.", value=value, operand=operand)
        return self._say("Only if {value} is not {operand}.", value=value, operand=operand)

    def _again(self, step: PlannedStep) -> Iterator[str]:
        retry, until = step.retry, step.until
        if until is not None:
            yield self._language.say_many(
                "Look again every {every} until it has passed; give up after {within}.",
                "Look again every {every} until it has passed {count} times in a row; give up "
                "after {within}.",
                until.successes,
                every=self._length(until.every),
                within=self._length(until.within),
            )
        if retry.attempts > 1:
            yield self._language.say_many(
                "If it fails, try again after {delay}, {count} attempt in all.",
                "If it fails, try again after {delay}, {count} attempts in all.",
                retry.attempts,
                delay=self._length(retry.delay),
            )

    def _split(
        self, step: PlannedStep, hand: ByHand
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Arguments: those that say what is done, and those that say what is expected.

        What the lines by hand or the question say already is not repeated.
        """
        names = words.EXPECTATIONS.get(step.do, ())
        values = {name: preview(value, self._known) for name, value in step.arguments.items()}
        expected = list(rows({n: v for n, v in values.items() if n in names}))
        others = {
            name: value
            for name, value in values.items()
            if name not in (*names, *_SAID) and not _in_lines(name, value, hand)
        }
        expected = expected or list(self._by_default(step, values))
        return ([] if step.person else list(rows(others))), expected

    def _by_default(
        self, step: PlannedStep, values: Mapping[str, Value]
    ) -> Iterator[tuple[str, str]]:
        """What is expected where nothing is written."""
        if step.do in words.EXPECTED:
            yield words.EXPECTED[step.do]
        dataset = self._source.configuration.datasets.get(as_text(values.get("dataset")))
        if step.do == "snapshot.age" and dataset and dataset.objectives.rpo:
            yield "max", self._length(dataset.objectives.rpo)

    def _notes(self, hand: ByHand) -> Iterator[str]:
        yield from (self._say(words.NOTES[note]) for note in hand.notes)

    def _question(self, step: PlannedStep) -> Question:
        given = {name: preview(value, self._known) for name, value in step.arguments.items()}
        quorum = as_text(given.get("quorum", 1))
        people = int(quorum) if quorum.isdecimal() else 1
        terms = [self._who(given), *self._quorum(step, given, people)]
        if "within" in given:
            otherwise = Otherwise(as_text(given.get("otherwise", Otherwise.FAIL)))
            length = self._written_length(as_text(given["within"]))
            terms.append(self._say(words.OTHERWISE[otherwise], length=length))
        return Question(covered(as_text(given.get("prompt", ""))), tuple(terms), people)

    def _who(self, given: Mapping[str, Value]) -> str:
        accounts, groups = _names(given.get("by")), _names(given.get("groups"))
        listed = self._language.listed
        if accounts and groups:
            return self._say(
                "May answer: {accounts}, and the members of {groups}.",
                accounts=listed(accounts),
                groups=listed(groups),
            )
        if accounts:
            return self._say("May answer: {accounts}.", accounts=listed(accounts))
        if groups:
            return self._say("May answer: the members of {groups}.", groups=listed(groups))
        return self._say("Everybody may answer.")

    def _quorum(self, step: PlannedStep, given: Mapping[str, Value], people: int) -> Iterator[str]:
        if people > 1:
            yield self._language.say_many(
                "{count} person must agree.", "{count} different people must agree.", people
            )
        default = Requester.NOT_ALONE if step.do == "approve" else Requester.ALONE
        requester = Requester(as_text(given.get("requester", default)))
        if requester is Requester.NOT_ALONE:
            yield self._say("Whoever declared it cannot agree alone.")
        if requester is Requester.NEVER:
            yield self._say("Whoever declared it does not count.")

    def _length(self, length: timedelta) -> str:
        return self._language.duration(length)

    def _written_length(self, text: str) -> str:
        try:
            return self._length(parse_duration(text))
        except ValueError:
            return text


#: Arguments that stand elsewhere on the step.
_SAID = ("prompt", "by", "groups", "quorum", "requester", "within", "otherwise")
#: Arguments that the lines to type hold in another form.
_IN_LINES = (
    "argv",
    "command",
    "script",
    "stdin",
    "env",
    "content",
    "query",
    "tcp",
    "service",
    "values",
)
#: A shorter value may stand in a line by chance.
_TELLING = 4


def _in_lines(name: str, value: Value, hand: ByHand) -> bool:
    """Whether the lines to type say the argument already."""
    if not hand.lines:
        return False
    if name in _IN_LINES:
        return True
    text = as_text(value)
    return len(text) >= _TELLING and any(text in line for line in hand.lines)


def known_inputs(source: Source) -> Mapping[str, str]:
    """The inputs that have a value; one that is empty is a blank to be filled in."""
    return {name: value for name, value in source.plan.inputs.items() if value}


def _asked_for(source: Source) -> list[str]:
    """Outputs that steps or their lines refer to."""
    values: list[Value] = []
    for step in source.plan.steps:
        hand = source.hands.get(step.id, NO_COMMAND)
        values += hand.lines
        values += [v for n, v in step.arguments.items() if not _in_lines(n, v, hand)]
        if step.when is not None:
            values += [step.when.value, step.when.operand]
    return outputs_in(*values)


def _holds(when: When) -> bool:
    """Whether the condition is known to hold whatever comes."""
    if references([when.value, when.operand]):
        return False
    return when.holds(preview(when.value, {}), preview(when.operand, {}))


def _names(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [as_text(one) for one in value] if isinstance(value, Sequence) else []
