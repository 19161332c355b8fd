"""What a step by hand is made from: its arguments as text, and words as a shell takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote as shell_quote

from drorch.actions.places import password_name
from drorch.core.byhand import Note, Opening
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.render import as_text
from drorch.core.values import Value
from drorch.restic import byhand as restic


@dataclass(frozen=True, slots=True)
class Given:
    """A step's arguments, as text."""

    values: Mapping[str, Value]
    configuration: Configuration
    step: str

    def text(self, name: str, default: str = "") -> str:
        """One argument."""
        value = self.values.get(name)
        return default if value is None else as_text(value)

    def words(self, name: str) -> list[str]:
        """A list; one value is a list of one."""
        value = self.values.get(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [as_text(word) for word in value]
        return [] if value is None else [as_text(value)]

    def pairs(self, name: str) -> Mapping[str, Value]:
        """A mapping; empty if there is none."""
        value = self.values.get(name)
        return value if isinstance(value, Mapping) else {}

    def secret(self, name: str) -> str:
        """The name of the secret that the argument stands for, if it does."""
        return secret_in(self.values.get(name))

    @property
    def dataset(self) -> Dataset | None:
        """The dataset that is named, if it is known yet."""
        return self.configuration.datasets.get(self.text("dataset"))

    @property
    def region(self) -> Region | None:
        """The region that is named, else the dataset's first, if it is known yet."""
        first = self.dataset.primary if self.dataset else ""
        return self.configuration.regions.get(self.text("region", first))

    def opening(self) -> Opening:
        """How the repository is opened that is meant."""
        dataset, region = self.dataset, self.region
        known = password_name(dataset, region.name) if dataset and region else restic.PASSWORD
        called = self.text("region", "{region}")
        return restic.opening(self.text("dataset"), region, known, called)

    @property
    def blanks(self) -> tuple[Note, ...]:
        """What must be said if it is not known yet which dataset or region it will be."""
        return () if self.dataset and self.region else (Note.PLACES,)


def secret_in(value: Value) -> str:
    """The name of the secret that a value stands for; empty if it stands for itself."""
    name = value.get("secret") if isinstance(value, Mapping) else None
    return name if isinstance(name, str) else ""


def quote(word: str) -> str:
    """The word as the shell takes it; in double quotes where those are easier to read and to type."""
    if "'" in word and not any(letter in word for letter in '"$`\\!'):
        return f'"{word}"'
    return shell_quote(word)


def join(words: Sequence[str]) -> str:
    """A command of these words."""
    return " ".join(quote(word) for word in words)


def environment(wanted: Mapping[str, Value]) -> tuple[list[str], list[str]]:
    """Lines that set variables, and the secrets they ask for."""
    lines, secrets = [], []
    for name, value in wanted.items():
        if secret := secret_in(value):
            lines += [restic.asking(name, secret), f"export {name}"]
            secrets.append(secret)
        else:
            lines.append(f"export {name}={quote(as_text(value))}")
    return lines, secrets


def piped(given: Given, line: str) -> tuple[list[str], list[str]]:
    """The line, fed with what the argument `stdin` says, and the secrets that are asked for."""
    value = given.values.get("stdin")
    if value is None:
        return [line], []
    if secret := secret_in(value):
        asked = [restic.asking("INPUT", secret), f'printf %s "$INPUT" | {line}']
        return asked, [secret]
    return [f"printf %s {quote(as_text(value))} | {line}"], []
