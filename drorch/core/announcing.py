"""Messages about alarms, in the configuration's language. Pure.

What frames an alarm is in that language; the sentence about it is the one that `status` says.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from drorch.core.alarms import Alarm, AlarmTold, Severity, headline, severity_of
from drorch.core.lifecycle import Telling
from drorch.core.telling import Message, Tone

#: How many alarms of each part a message spells out; a mail of ten thousand helps nobody.
SPELLED_OUT: Final = 20

_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "new": "New:",
        "again": "Still wrong:",
        "cleared": "Over:",
        "since": "since {at}",
        "more": "… and {count} more: drorch status",
        "standing": "Beside these {count} alarm(s) stand that were told before: drorch status",
        "failing": "Since {at} this channel took no message. What has come and gone since then "
        "was not told here.",
        "hint": "what to do: {hint}",
        "title-new": "{count} alarms",
        "title-again": "{count} alarms stand",
        "title-cleared": "{count} alarms are over",
        "over": "over: {headline}: {subject}",
        "still": "still: {headline}: {subject}",
        "works": "this channel works again",
    },
    "fr": {
        "new": "Nouveau :",
        "again": "Dure encore :",
        "cleared": "Terminé :",
        "since": "depuis le {at}",
        "more": "… et {count} de plus : drorch status",
        "standing": "À part cela, {count} alarme(s) déjà annoncée(s) durent : drorch status",
        "failing": "Depuis le {at}, ce canal ne prenait aucun message. Ce qui est apparu puis a "
        "disparu entre-temps n'a pas été annoncé ici.",
        "hint": "que faire : {hint}",
        "title-new": "{count} alarmes",
        "title-again": "{count} alarmes durent",
        "title-cleared": "{count} alarmes terminées",
        "over": "terminé : {headline} : {subject}",
        "still": "dure encore : {headline} : {subject}",
        "works": "ce canal fonctionne de nouveau",
    },
}
_ONE: Final[Mapping[str, str]] = {
    "en": "{headline}: {subject}",
    "fr": "{headline} : {subject}",
}


def announcement(told: Telling, organization: str, language: str, zone: tzinfo) -> Message:
    """The message of a telling. `organization` begins its title; times are those of `zone`."""
    said = _SAID.get(language, _SAID["en"])
    text = _Text(said, language if language in _SAID else "en", zone)
    parts = [
        list(text.alarms("new", told.new)),
        list(text.alarms("again", told.again)),
        list(text.over(told.cleared)),
    ]
    lines = [line for part in parts for line in part]
    if told.standing:
        lines += [said["standing"].format(count=told.standing), ""]
    if told.failing_since is not None:
        lines += [said["failing"].format(at=text.moment(told.failing_since)), ""]
    title = text.title(told)
    return Message(
        f"{organization}: {title}" if organization else f"drorch: {title}",
        "\n".join(lines).rstrip(),
        _tone(told),
    )


def _tone(told: Telling) -> Tone:
    if any(a.severity is Severity.CRITICAL for a in (*told.new, *told.again)):
        return Tone.FAILURE
    if told.new or told.again:
        return Tone.WARNING
    return Tone.SUCCESS


class _Text:
    """Parts of a message in one language."""

    def __init__(self, said: Mapping[str, str], language: str, zone: tzinfo) -> None:
        self._said = said
        self._language = language
        self._zone = zone

    def moment(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%Y-%m-%d %H:%M %Z}"

    def one(self, what: str, subject: str) -> str:
        named = headline(what, self._language)
        return _ONE[self._language].format(headline=named, subject=subject)

    def title(self, told: Telling) -> str:
        if told.new:
            return self._counted("title-new", [self.one(a.what, a.subject) for a in told.new])
        if told.again:
            return self._counted("title-again", [self._of("still", a) for a in told.again])
        if told.cleared:
            return self._counted("title-cleared", [self._of("over", a) for a in told.cleared])
        return self._said["works"]

    def _of(self, key: str, one: Alarm | AlarmTold) -> str:
        named = headline(one.what, self._language)
        return self._said[key].format(headline=named, subject=one.subject)

    def _counted(self, key: str, titles: Sequence[str]) -> str:
        return titles[0] if len(titles) == 1 else self._said[key].format(count=len(titles))

    def alarms(self, key: str, alarms: Sequence[Alarm]) -> Iterator[str]:
        if not alarms:
            return
        yield self._said[key]
        for alarm in alarms[:SPELLED_OUT]:
            since = f" ({self._since(alarm.since)})" if alarm.since else ""
            yield f"- {self.one(alarm.what, alarm.subject)}{since}"
            yield f"  {alarm.message}"
            if alarm.hint:
                yield f"  {self._said['hint'].format(hint=alarm.hint)}"
        yield from self._more(len(alarms))
        yield ""

    def over(self, cleared: Sequence[AlarmTold]) -> Iterator[str]:
        if not cleared:
            return
        ordered = sorted(
            cleared, key=lambda a: (severity_of(a.what) is not Severity.CRITICAL, a.what, a.subject)
        )
        yield self._said["cleared"]
        for alarm in ordered[:SPELLED_OUT]:
            since = f" ({self._since(alarm.since)})" if alarm.since else ""
            yield f"- {self.one(alarm.what, alarm.subject)}{since}"
        yield from self._more(len(cleared))
        yield ""

    def _since(self, at: datetime) -> str:
        return self._said["since"].format(at=self.moment(at))

    def _more(self, count: int) -> Iterator[str]:
        if count > SPELLED_OUT:
            yield self._said["more"].format(count=count - SPELLED_OUT)
