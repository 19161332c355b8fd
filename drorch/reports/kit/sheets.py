"""The kit's commands with what must be said of them."""

from collections.abc import Iterator

from drorch.core.model import failovers
from drorch.reports.blocks import Block, Code, Text
from drorch.reports.kit.source import Restoring, Source
from drorch.reports.language import Language


def openings(source: Source, language: Language) -> tuple[Block, ...]:
    """One block for each region."""
    return tuple(_openings(source, language))


def _openings(source: Source, language: Language) -> Iterator[Block]:
    regions = source.configuration.regions
    for one in source.regions:
        place = f"{one.region} · {regions[one.region].jurisdiction}"
        yield Text(language.say("Region {place}", place=place), "strong")
        yield Code(one.opening)


def commands_by_drorch(source: Source, language: Language) -> tuple[Block, ...]:
    """Recover, then fail over."""
    return tuple(_by_drorch(source, language))


def _by_drorch(source: Source, language: Language) -> Iterator[Block]:
    say = language.say
    recovering = [one for one in source.regions if one.recover]
    if not recovering:
        yield Text(
            say(
                "drorch’s own records are copied nowhere: no password is named for them, or no "
                "region may hold them. Go on with section 7."
            ),
            "strong",
        )
        return
    if source.known.plane is None:
        yield Text(
            say(
                "When this was printed, drorch’s own records had not been copied to any region yet. "
                "Unless that was done since, go on with section 7."
            ),
            "strong",
        )
    yield Text(
        say(
            "Install drorch {version} or newer with Python 3.11 or newer (its wheel, by “pipx "
            "install”), and restic 0.14 or newer.",
            version=source.version,
        )
    )
    if source.shared is not None:
        yield Text(say("With the shares, from whichever region answers:"))
        yield Code(source.shared.joined)
        yield Text(say("Or with the files of section 4, from the region that is open:"))
    else:
        yield Text(say("Then, from the region that is open:"))
    for one in recovering:
        yield Text(say("Region {place}", place=one.region), "strong")
        yield Code(one.recover)
    if failovers(source.configuration):
        then = say(
            "It says as of when the records are, whether they are whole, and which secrets are to be "
            "given back and how: do that. Then see how things stand, and start the failover of what "
            "is needed first. Put the reason in the place of WHY: it is what starts the clock."
        )
    else:
        then = say(
            "It says as of when the records are, whether they are whole, and which secrets are to be "
            "given back and how: do that. Then see how things stand, and restore what is needed first."
        )
    yield Text(then)
    yield Code(tuple(line for command in source.after for line in command))


def commands_by_restic(source: Source, language: Language) -> tuple[Block, ...]:
    """One block for each repository."""
    return tuple(_by_restic(source, language))


def _by_restic(source: Source, language: Language) -> Iterator[Block]:
    say = language.say
    yield Text(
        say(
            "restic is one program in one file: the system’s package “restic”, or the file of a "
            "release from github.com/restic/restic. 0.14 or newer will do."
        )
    )
    yield Text(
        say(
            "The lines bring back the newest state into a folder. For an older one look for its ID "
            "with “restic snapshots --no-lock”, and put it in the place of “latest”."
        )
    )
    for one in source.restoring:
        yield from _restored(one, language)


def _restored(one: Restoring, language: Language) -> Iterator[Block]:
    say = language.say
    where = language.listed(one.regions)
    name = one.dataset or say("drorch’s own records")
    heading = say("{name}, in region {where}", name=name, where=where)
    yield Text(heading if one.dataset else heading[:1].upper() + heading[1:], "strong")
    yield Code(one.lines)
    if not one.dataset:
        yield Text(
            say(
                "That is a copy at most a day older than the last one. In it, state.db is the journal "
                "(SQLite), drorch.yaml the configuration, and runbooks/ what has to be done."
            )
        )
        return
    if one.loading:
        yield Text(
            say(
                "The dump is {path}. To load it into an empty database (a server’s: there, as root):",
                path=one.path,
            )
        )
        yield Code(one.loading)
    else:
        yield Text(say("The data is then in {path}.", path=one.path))
