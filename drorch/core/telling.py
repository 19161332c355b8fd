"""What people are told, and what became of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath

from drorch.core.model import NotifyRule

#: How an exercise says that it is one, by the configuration's language: before a title, and as
#: the first line of what is told.
_EXERCISE = {
    "en": ("EXERCISE", "This is an exercise. Nothing has happened."),
    "fr": ("EXERCICE", "Ceci est un exercice. Il ne s'est rien passé."),
}


class Tone(StrEnum):
    """How a message is meant; a channel may show it as a colour or a sign."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: plain text. No value of a secret may stand in it."""

    title: str
    body: str
    tone: Tone = Tone.INFO


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message on one channel; `why` is empty where the channel took it."""

    channel: str
    why: str = ""
    hint: str = ""

    @property
    def done(self) -> bool:
        """Whether the channel took it."""
        return not self.why


def as_exercise(message: Message, language: str) -> Message:
    """The message, unmistakably of an exercise."""
    mark, sentence = _EXERCISE.get(language, _EXERCISE["en"])
    return replace(message, title=f"[{mark}] {message.title}", body=f"{sentence}\n\n{message.body}")


def channel_named(rule: NotifyRule) -> str:
    """How a channel is called: by its secret, or its program. Never what the secret holds."""
    if rule.command:
        return PurePath(rule.command[0]).name
    return rule.to or rule.ping or ""


def for_people(rules: tuple[NotifyRule, ...]) -> tuple[NotifyRule, ...]:
    """The channels that reach people, each once; a dead man's switch is not one of them."""
    found = {(r.to, r.command): r for r in rules if r.to or r.command}
    return tuple(found.values())
