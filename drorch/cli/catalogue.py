"""Every verb by section, with its one line of help: all that `drorch --help` needs to know.

A test holds each line equal to what the verb itself says.
"""

from drorch.cli.verb import Entry, Section

CATALOGUE = (
    Section(
        "Set up",
        (Entry("config", "Check drorch.yaml, or print its JSON Schema."),),
    ),
    Section(
        "Recover and practise",
        (Entry("run", "Look at runs, answer them, carry them on, end them."),),
    ),
    Section(
        "See and prove",
        (Entry("completion", "Print the script that completes words in your shell."),),
    ),
)
