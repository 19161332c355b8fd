"""The sheet of one holder: the words of a share, and what is to be done with them."""

from collections.abc import Sequence

from drorch.reports.blocks import Code, Points, Text
from drorch.reports.kit.source import Shared, Source
from drorch.reports.kit.told import Blanks
from drorch.reports.kit.view import Kit, KitSection
from drorch.reports.language import Language

#: Words in a row of the sheet.
_COLUMNS = 3


def share_sheet(
    source: Source, shared: Shared, number: int, words: Sequence[str], language: Language
) -> Kit:
    """One sheet; it tells nothing of where anything lies."""
    say = language.say
    organization = source.configuration.organization
    printed = language.moment(source.printed, source.configuration.timezone)
    kind = say("Share of a recovery kit")
    title = say("Share {number} of {holders}", number=number, holders=shared.holders)
    banner = (
        say("Keep this sheet to yourself."),
        say(
            "Any {needed} of the {holders} holders open the recovery kit together. One sheet alone opens "
            "nothing, but keep it where nobody finds it together with the kit or with another sheet.",
            needed=shared.needed,
            holders=shared.holders,
        ),
    )
    return Kit(
        language=language.code,
        labels={"page": say("page"), "of": say("of"), "facts": say("Of this kit")},
        kind=kind,
        title=title,
        organization=organization,
        banner=banner,
        grave=True,
        facts=((say("Printed"), printed), (say("Kit made by"), source.by)),
        sections=_sections(words, language),
        foot=" · ".join(part for part in (kind, organization, title, printed) if part),
    )


def _sections(words: Sequence[str], language: Language) -> tuple[KitSection, ...]:
    say = language.say
    orders = (
        say("Type the words in the order of their numbers; the first four letters are enough."),
        say("Type them yourself, on the machine that recovers."),
        say("Say nothing of them on the telephone, and photograph them for nobody."),
        say("Destroy this sheet when a new kit has been made."),
    )
    return (
        KitSection("holder", say("Who holds it"), (Blanks((say("Name"), say("Received on"))),)),
        KitSection("words", say("The words"), (Code(_grid(words)),)),
        KitSection(
            "how",
            say("When it is needed"),
            (
                Text(
                    say("Whoever leads the recovery has the kit, and calls the holders together.")
                ),
                Points(tuple(("", text) for text in orders)),
            ),
        ),
    )


def _grid(words: Sequence[str]) -> tuple[str, ...]:
    """Numbered, row by row."""
    cells = [f"{n:2} {word:<18}" for n, word in enumerate(words, 1)]
    return tuple(
        "".join(cells[at : at + _COLUMNS]).rstrip() for at in range(0, len(cells), _COLUMNS)
    )
