"""What the kit says before the commands and after them: what to do, who to call, what is secret."""

from collections.abc import Iterator
from dataclasses import dataclass

from drorch.core.kit import NeededSecret, kit_regions
from drorch.reports.blocks import Block, Code, Facts, Points, Row, Table, Text, code, row, table
from drorch.reports.kit.source import Shared, Source
from drorch.reports.language import Language
from drorch.reports.paper.known import taken_from


@dataclass(frozen=True, slots=True)
class Blanks:
    """Lines to be filled in by hand."""

    labels: tuple[str, ...]


def banner(source: Source, language: Language) -> tuple[str, ...]:
    """What this paper is worth to whoever holds it."""
    say = language.say
    if source.shared is not None:
        return (
            say("{needed} people together open this kit.", needed=source.shared.needed),
            say(
                "Its secrets are sealed in section 4. Of {holders} people who hold a share of the key, "
                "any {needed} open it together; fewer can do nothing with it.",
                holders=source.shared.holders,
                needed=source.shared.needed,
            ),
        )
    if source.values:
        return (
            say("This paper opens everything."),
            say(
                "Whoever holds it can read all data in every region named here. Keep it sealed in a "
                "safe, and note who opened it. If it is lost, change every secret of section 4."
            ),
        )
    return (
        say("This paper holds no secrets."),
        say(
            "It is of no use without the passwords and keys that section 4 names: keep those in a "
            "safe too, where whoever needs them can get at them when this site is gone."
        ),
    )


def beginning(language: Language) -> tuple[Block, ...]:
    """The whole way, in a few steps."""
    say = language.say
    steps = [
        say("Read sections 1 to 4 before you type. You need not have seen drorch before."),
        say(
            "See that the machines that were lost stay off while you work: cut their power or their "
            "network. Two that both look after the same data get in each other’s way."
        ),
        say(
            "Take any Linux machine that reaches one of the regions of section 3 over the network."
        ),
        say("In a terminal (bash), give it the secrets: section 4."),
        say("Open one region that answers: section 5. Any one will do; if it fails, the next one."),
        say(
            "Go on with section 6: drorch brings everything back and starts the failover. If drorch "
            "cannot be installed, go on with section 7: restic alone brings back the data."
        ),
    ]
    return (
        Points(tuple((f"{n}", text) for n, text in enumerate(steps, 1))),
        Text(
            say(
                "Recovering and restoring only read in the regions, and write into a folder of this "
                "machine: nothing gets worse by trying. All commands are typed in one terminal, in "
                "the folder that section 4 makes. A backslash at the end of a line means that the "
                "command goes on in the next one: type it as it stands, or leave it out and go on "
                "in the same line."
            )
        ),
    )


def people(source: Source, language: Language) -> tuple[Block | Blanks, ...]:
    """Lines to fill in: nobody's number lies in a configuration."""
    say = language.say
    stores = (
        say("Store of region {name}", name=region.name)
        for region in kit_regions(source.configuration)
    )
    return (
        Text(say("Fill these in by hand when the kit goes into the safe.")),
        Blanks(
            (
                say("Leads the recovery"),
                say("May declare a disaster"),
                say("Knows drorch"),
                *stores,
                say("Where the secrets are kept"),
                say("Where drorch’s wheel lies"),
            )
        ),
    )


def secrets(source: Source, language: Language) -> tuple[Block | Blanks, ...]:
    """Which secrets there are, and how the commands come to them."""
    return (
        _table(source, language),
        *(_sealed(source.shared, source, language) if source.shared else _open(source, language)),
        Text(
            language.say(
                "When all is done, remove the folder drorch-kit and what was restored into it, and "
                "change the secrets that were in many hands."
            ),
            "note",
        ),
    )


def _open(source: Source, language: Language) -> Iterator[Block | Blanks]:
    say = language.say
    if source.values:
        yield Text(say("These lines write the secrets into files that the commands below read."))
    else:
        yield Text(
            say(
                "These lines ask for each secret in turn, show nothing of it, and leave it in a file "
                "of that name that nobody else can read. The commands below read them there."
            )
        )
    yield Code((*source.preparing, *source.giving))
    yield from _left_out(source, language)


def _sealed(shared: Shared, source: Source, language: Language) -> Iterator[Block | Blanks]:
    say = language.say
    yield Text(say("They hold the shares; {needed} of them are needed:", needed=shared.needed))
    yield Blanks(tuple(say("Share {number}", number=n) for n in range(1, shared.holders + 1)))
    yield Text(
        say(
            "Each types the words of the sheet into a file: “cat > share-1”, the words, then Enter and Ctrl-D; "
            "the next one into share-2, and so on. The first four letters of a word are enough. Make "
            "the folder first, and bring the file {file} there. If it is gone, type the lines below "
            "into it: every line has a checksum at its end, blanks and capitals do not matter.",
            file=shared.file,
        )
    )
    yield Code(source.preparing[:1])
    yield Code(shared.lines)
    yield Text(
        say(
            "With drorch, go on with section 6: it takes the shares. Without it this gives the files "
            "that section 5 and section 7 read; {program} lies beside the kit, and needs Python with "
            "“pip install cryptography shamir-mnemonic”.",
            program=shared.program,
        )
    )
    yield Code(shared.opened)
    yield from _left_out(source, language)


def _left_out(source: Source, language: Language) -> Iterator[Block]:
    if source.left_out:
        names = language.listed(tuple(source.left_out))
        yield Text(language.say("Not in this kit: {names}.", names=names), "note")


def _table(source: Source, language: Language) -> Table:
    say = language.say
    columns = (say("File"), say("What it is"), say("Where it came from"))
    return table(columns, [_secret(one, language) for one in source.secrets])


def _secret(one: NeededSecret, language: Language) -> Row:
    say = language.say
    if one.source is not None:
        return row(code(one.file), _what(one, language), taken_from(one.source, language))
    came = say("not named in drorch.yaml: ask the store’s operator for a key that may read")
    return row(code(one.file), _what(one, language), came)


def _what(one: NeededSecret, language: Language) -> str:
    names = language.listed([name for name in one.opens if name])
    if one.kind == "access":
        return language.say("access key of region {names}", names=names)
    if one.kind == "secret":
        return language.say("secret key of region {names}", names=names)
    if "" not in one.opens:
        return language.say("password of {names}", names=names)
    if not names:
        return language.say("password of drorch’s own records")
    return language.say("password of drorch’s own records, and of {names}", names=names)


def genuine(source: Source, language: Language) -> tuple[Block, ...]:
    """Fingerprints, and when this paper is out of date."""
    say = language.say
    facts = tuple(_fingerprints(source, language))
    return (
        *((Facts(facts, code=True),) if facts else ()),
        Text(
            say(
                "restic shows the beginning of a key’s ID with “restic key list --no-lock”; a key "
                "that does not stand here was added later, or by somebody else. Bundles of evidence "
                "are checked with “python3 verify.py”, which lies in each of them, and the public "
                "key whose ID stands here."
            )
        ),
        Text(
            say(
                "Print the kit anew when regions, datasets, passwords or keys have changed: “drorch "
                "doctor” says so. A changed access key of a store is not noticed: change it here by "
                "hand, or print anew. Destroy the old one."
            )
        ),
    )


def _fingerprints(source: Source, language: Language) -> Iterator[tuple[str, tuple[str, ...]]]:
    say = language.say
    for (dataset, region), keys in source.known.keys.items():
        shown = tuple(key[:16] for key in keys)
        yield say("restic keys of {dataset}, from {region}", dataset=dataset, region=region), shown
    if source.known.plane is not None:
        plane = source.known.plane
        yield say("drorch’s own records"), (f"control-plane/{plane.id}/{plane.vault}",)
    if source.known.public_keys:
        yield say("public key of the evidence (SHA-256)"), source.known.public_keys
