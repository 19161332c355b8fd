"""The quarterly report in a language, made from the quarter's document alone."""

from drorch.reports.language import Language
from drorch.reports.quarter import (
    closing,
    datasets,
    loss,
    mapping,
    places,
    practice,
    records,
    services,
    summary,
)
from drorch.reports.quarter.blocks import Report
from drorch.reports.quarter.reading import Document, Reading


def report(document: Document, language: Language) -> Report:
    """Everything in the order it is read: the verdict, summaries, tables, what was not tested."""
    reading = Reading(document, language)
    say = reading.say
    year, number = document["quarter"].split("Q")
    title = say("Recovery evidence, quarter {number} of {year}", number=number, year=year)
    tone, first, second = summary.verdict(reading)
    return Report(
        language=language.code,
        title=title,
        organization=document["organization"],
        over=" · ".join(filter(None, [document["organization"], say("Quarterly report")])),
        tone=tone,
        first=first,
        second=second,
        foot=" · ".join(
            filter(
                None,
                [
                    document["organization"],
                    document["quarter"],
                    say("made {at}", at=reading.when(document["made_at"])),
                ],
            )
        ),
        sections=(
            summary.summary(reading),
            summary.promises(reading),
            services.services(reading),
            services.trends(reading),
            practice.covered(reading),
            practice.drills(reading),
            loss.own_records(reading),
            datasets.datasets(reading),
            datasets.copies(reading),
            datasets.restore_tests(reading),
            records.findings(reading),
            records.actions(reading),
            places.residency(reading),
            places.restores(reading),
            mapping.mapping(reading),
            closing.not_tested(reading),
            closing.checking(reading),
            closing.signing(reading),
        ),
        labels={"contents": say("Contents"), "page": say("page"), "of": say("of")},
    )
