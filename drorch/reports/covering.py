"""The message that the quarterly report is sent with: its first lines, and what is attached."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drorch.reports.language import Language, language
from drorch.reports.quarter.reading import Reading
from drorch.reports.quarter.summary import verdict


@dataclass(frozen=True, slots=True)
class Cover:
    """Subject and text, plain."""

    title: str
    body: str


def cover(
    document: Mapping[str, Any], languages: Sequence[str], files: Sequence[str], *, sealed: bool
) -> Cover:
    """In each of the languages, one after the other; the subject in the first. A quarter without a
    drill says so in both.
    """
    spoken = [language(code) for code in languages]
    parts = ["\n".join(_part(document, one, files, sealed=sealed)) for one in spoken]
    return Cover(_title(document, spoken[0]), "\n\n-- \n\n".join(parts))


def _title(document: Mapping[str, Any], spoken: Language) -> str:
    title = spoken.say("Disaster recovery report of {quarter}", quarter=document["quarter"])
    if document["organization"]:
        title = f"{document['organization']}: {title}"
    if not document["headline"]["no_drill"]:
        return title
    return f"{title}: {_first_lines(document, spoken)[0]}"


def _part(
    document: Mapping[str, Any], spoken: Language, files: Sequence[str], *, sealed: bool
) -> Iterator[str]:
    yield from _first_lines(document, spoken)
    totals = document["totals"]
    if totals["actions_open"]:
        yield spoken.say(
            "Corrective actions: {open} open, {overdue} of them overdue.",
            open=spoken.number(totals["actions_open"]),
            overdue=spoken.number(totals["actions_overdue"]),
        )
    yield ""
    yield spoken.say("Attached: {files}.", files=spoken.listed(files))
    if sealed:
        yield spoken.say("The same files are sealed as a bundle, and kept in the regions.")
    else:
        yield spoken.say("No key is configured: nothing is sealed.")


def _first_lines(document: Mapping[str, Any], spoken: Language) -> Sequence[str]:
    """As in the report itself."""
    return verdict(Reading(document, spoken))[1:]
