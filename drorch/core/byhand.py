"""What a person types where drorch is not there to do a step, for the paper version of a runbook.

Lines are for bash. A secret's value never stands in them: `read` asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Note(StrEnum):
    """What must be known of a step done by hand; the reports have the sentences."""

    NOTHING = "nothing"
    ANSWERS_ONLY = "answers-only"
    AGE = "age"
    PLACES = "places"
    WHOLE_PATH = "whole-path"
    MOVED = "moved"
    AT_A_TIME = "at-a-time"
    WHOLE_SNAPSHOT = "whole-snapshot"
    STAYS = "stays"
    ONLY_OURS = "only-ours"
    SILENCE = "silence"
    PRIMARY_IS_F = "primary-is-f"
    FENCED = "fenced"
    SQL_CLIENT = "sql-client"
    NEW_CLUSTER = "new-cluster"
    KEY_FILE = "key-file"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a dataset's repository in a region is opened by restic alone, once for several steps.

    `secrets` are the names of what `read` asks for in `lines`.
    """

    dataset: str
    region: str
    lines: tuple[str, ...]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ByHand:
    """One step by hand: lines to type after `opening`, if there is one; no lines: nothing to type.

    `finding` has a line that shows an output of the step, by its name, where the step's own lines
    do not.
    """

    lines: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    opening: Opening | None = None
    secrets: tuple[str, ...] = ()
    finding: Mapping[str, str] = field(default_factory=dict)


#: A step for which there is no command of its own.
NO_COMMAND = ByHand(notes=(Note.NOTHING,))
