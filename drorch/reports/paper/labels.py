"""The fixed words of the paper version, for both templates."""

from collections.abc import Mapping

from drorch.reports.language import Language


def labels(language: Language) -> Mapping[str, str]:
    """By the name that the templates know them by."""
    say = language.say
    return {
        "usage": say("How to use it"),
        "standing": say("Is it proven?"),
        "facts": say("What it is for"),
        "head": say("To be filled in first"),
        "fingerprint": say("Fingerprint of the text (SHA-256)"),
        "openings": say("Repositories by restic alone"),
        "openings_how": say(
            "Steps name these by their label. “read” asks for a secret and shows nothing. Do it in "
            "the terminal in which the step’s own command is typed next."
        ),
        "waves": say("Side by side, wave by wave"),
        "start": say("Began"),
        "end": say("Ended"),
        "initials": say("Initials"),
        "done": say("done"),
        "passed": say("passed"),
        "failed": say("failed"),
        "skipped": say("left out"),
        "yes": say("yes"),
        "no": say("no"),
        "with": say("With"),
        "expected": say("Expected"),
        "type": say("Type"),
        "first": say("First open the repository {label}", label="{label}"),
        "write": say("Write down"),
        "name": say("Name"),
        "signature": say("Signature"),
        "time": say("Time"),
        "notes": say("Notes"),
        "result": say("What came of it"),
        "home": say("The way home"),
        "page": say("page"),
        "of": say("of"),
    }
