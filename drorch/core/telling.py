"""What people are told, and what became of it."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path, PurePath

from drorch.core.alarms import ALL
from drorch.core.settings import NotifyRule

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
    """What is told: plain text, and files that go with it. No value of a secret may stand in it."""

    title: str
    body: str
    tone: Tone = Tone.INFO
    files: tuple[Path, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go: `words` is what it is told of, `pause` the least time between two.

    `rule` is one of those that name it.
    """

    name: str
    rule: NotifyRule
    words: frozenset[str]
    pause: timedelta

    @property
    def switch(self) -> bool:
        """Whether it is a dead man's switch, which reaches nobody by being called."""
        return self.rule.ping is not None

    def wants(self, what: str) -> bool:
        """Whether it is told of that word."""
        return what in self.words or ALL in self.words


def channels(rules: Sequence[NotifyRule]) -> tuple[Channel, ...]:
    """Every channel once, in the rules' order; several rules for one go together."""
    found: dict[tuple[object, ...], list[NotifyRule]] = {}
    for rule in rules:
        found.setdefault((rule.to, rule.ping, rule.command), []).append(rule)
    called = Counter(channel_named(group[0]) for group in found.values())
    return tuple(
        Channel(
            _told_apart(group[0], called),
            group[0],
            frozenset(word for rule in group for word in rule.when),
            min(rule.pause for rule in group),
        )
        for group in found.values()
    )


def _told_apart(rule: NotifyRule, called: Counter[str]) -> str:
    """Its name; two programs of one name have a mark of their arguments."""
    name = channel_named(rule)
    if called[name] == 1 or rule.command is None:
        return name
    return f"{name}#{hashlib.sha256(repr(rule.command).encode()).hexdigest()[:4]}"
