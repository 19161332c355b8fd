"""What an action promises: its name, arguments and outputs, so that a runbook is refused early."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of value an argument takes."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DURATION = "duration"
    TIME = "time"
    ARGV = "argv"
    MAPPING = "mapping"
    LIST = "list"
    ANY = "any"
    URL = "url"
    HOST = "host"
    READ_PATH = "read-path"
    WRITE_PATH = "write-path"
    DATASET = "dataset"
    REGION = "region"
    SECRET = "secret"  # noqa: S105 - the kind of a name, not a password
    STEP_OUTPUT = "step-output"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an action. `choices` are the only words it takes, if any are given;
    `minimum` is the least number.
    """

    name: str
    kind: Kind
    required: bool = True
    doc: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action as the compiler sees it.

    `check`: it only looks. `repeatable`: doing it again after an unknown outcome is harmless.
    `person`: it is a question to a person, carried out by nobody else. `outputs` are the names
    later steps may refer to; `open_outputs` says that more may come (a command's JSON). `own`:
    only drorch's own plans may hold it, as they alone see to what it relies on; no runbook may.
    """

    name: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    outputs: tuple[str, ...] = ()
    check: bool = False
    repeatable: bool = False
    person: bool = False
    open_outputs: bool = False
    own: bool = False
