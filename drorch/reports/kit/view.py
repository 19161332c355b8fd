"""What the recovery kit shows, in words: HTML and PDF show the same, only the form is theirs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from drorch.reports.blocks import Block
from drorch.reports.kit.places import data_tables, region_table
from drorch.reports.kit.sheets import commands_by_drorch, commands_by_restic, openings
from drorch.reports.kit.source import Source
from drorch.reports.kit.told import Blanks, banner, beginning, genuine, people, secrets
from drorch.reports.language import Language

#: How many digits of the fingerprint stand at the foot of each page.
_SHORT = 12

KitBlock: TypeAlias = Block | Blanks


@dataclass(frozen=True, slots=True)
class KitSection:
    """A section; `id` is the same in every language."""

    id: str
    heading: str
    blocks: tuple[KitBlock, ...]


@dataclass(frozen=True, slots=True)
class Kit:
    """The whole document. `banner` says first what this paper is worth; `grave`: it opens everything."""

    language: str
    labels: Mapping[str, str]
    kind: str
    title: str
    organization: str
    banner: tuple[str, ...]
    grave: bool
    facts: tuple[tuple[str, str], ...]
    sections: tuple[KitSection, ...]
    foot: str


def kit(source: Source, language: Language) -> Kit:
    """The kit in a language."""
    say = language.say
    organization = source.configuration.organization
    printed = language.moment(source.printed, source.configuration.timezone)
    short = source.fingerprint[:_SHORT]
    kind = say("Recovery kit")
    return Kit(
        language=language.code,
        labels={"page": say("page"), "of": say("of"), "facts": say("This kit")},
        kind=kind,
        title=say("When everything is gone: the way back"),
        organization=organization,
        banner=banner(source, language),
        grave=bool(source.values),
        facts=tuple(_facts(source, language, printed)),
        sections=tuple(_sections(source, language)),
        foot=" · ".join(
            part
            for part in (kind, organization, say("fingerprint {short}", short=short), printed)
            if part
        ),
    )


def _facts(source: Source, language: Language, printed: str) -> Iterator[tuple[str, str]]:
    say = language.say
    yield say("Printed"), printed
    yield say("Kit made by"), source.by
    yield (
        say("Made with"),
        f"drorch {source.version}" + (f", restic {source.restic}" if source.restic else ""),
    )
    yield say("Configuration (SHA-256)"), source.configuration.digest[:_SHORT]
    yield say("Fingerprint of what it says"), source.fingerprint[:_SHORT]


def _sections(source: Source, language: Language) -> Iterator[KitSection]:
    say = language.say
    yield KitSection("do", say("1. What to do"), beginning(language))
    yield KitSection("people", say("2. Who to call"), people(source, language))
    yield KitSection(
        "places",
        say("3. What lies where"),
        (region_table(source, language), *data_tables(source, language)),
    )
    yield KitSection("secrets", say("4. The secrets"), secrets(source, language))
    yield KitSection("open", say("5. Open one region"), openings(source, language))
    yield KitSection(
        "drorch", say("6. The way back by drorch"), commands_by_drorch(source, language)
    )
    yield KitSection(
        "restic", say("7. The way back by restic alone"), commands_by_restic(source, language)
    )
    yield KitSection("genuine", say("8. To tell what is genuine"), genuine(source, language))
