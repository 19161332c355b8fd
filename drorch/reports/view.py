"""What a run report shows, made from the run's document: words chosen, figures written out.

HTML, PDF and Markdown show the same view; only the form is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from drorch.core.destroying import not_removed
from drorch.reports import words
from drorch.reports.afteraction import course, exercise, people, proof, recovered, summary
from drorch.reports.afteraction.summary import Box, Headline
from drorch.reports.blocks import Section
from drorch.reports.language import Language
from drorch.reports.pen import Pen

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything a template needs. `notes` follow the verdict: section to go to, and sentence."""

    language: str
    kind: str
    organization: str
    heading: str
    run: str
    headline: Headline
    notes: tuple[tuple[str, str], ...]
    boxes: tuple[Box, ...]
    sections: tuple[Section, ...]
    labels: Mapping[str, str]


def view(document: Document, language: Language) -> RunView:
    """The view of a run's document in a language."""
    pen = Pen(language, document["timezone"], document["started_at"])
    kind = pen.say(words.KINDS[document["kind"]])
    after_action = pen.say("After-action report: {kind}", kind=kind)
    title = after_action if summary.judged(document) else pen.say("Report: {kind}", kind=kind)
    return RunView(
        language=language.code,
        kind=title,
        organization=document["organization"],
        heading=document["title"] or document["name"],
        run=document["run"],
        headline=summary.headline(document, pen),
        notes=tuple(_notes(document, pen)),
        boxes=summary.boxes(document, pen),
        sections=_sections(document, pen),
        labels=_labels(pen),
    )


def _sections(document: Document, pen: Pen) -> tuple[Section, ...]:
    found = (
        summary.facts(document, pen),
        exercise.scope(document, pen),
        summary.measuring(document, pen),
        proof.findings(document, pen),
        people.people(document, pen),
        people.questions(document, pen),
        course.timeline(document, pen),
        recovered.restored(document, pen),
        recovered.compared(document, pen),
        course.deviations(document, pen),
        exercise.areas(document, pen),
        exercise.limits(document, pen),
        recovered.cleanup(document, pen),
        course.steps(document, pen),
        course.attempts(document, pen),
        proof.evidence(document, pen),
        proof.versions(document, pen),
        proof.check(document, pen),
        proof.sign_off(document, pen),
    )
    return tuple(section for section in found if section is not None)


def _notes(document: Document, pen: Pen) -> list[tuple[str, str]]:
    found = []
    if document["left_behind"] or not_removed(document):
        found.append(("cleanup", pen.say("Dirty: something was left behind.")))
    if document["findings"]:
        count = len(document["findings"])
        found.append(
            ("findings", pen.say_many("{count} finding to read", "{count} findings to read", count))
        )
    return found


def _labels(pen: Pen) -> Mapping[str, str]:
    return {
        "run": pen.say("Run"),
        "contents": pen.say("Contents"),
        "figures": pen.say("At a glance"),
        "page": pen.say("page"),
        "of": pen.say("of"),
    }
