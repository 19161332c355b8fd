"""Sentences of drorch's own that a document holds in English, said in the report's language.

What people typed and what other programs said is quoted as it is; so is a sentence that is not here.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Final

from drorch.core.durations import parse_duration
from drorch.reports.language import SOURCE, later
from drorch.reports.pen import Pen

#: As core/findings.py, core/decide.py and core/drafts.py say them. The more particular come first.
_SENTENCES: Final = (
    # why a step was left out or ended
    later("live only: not done in a drill"),
    later("the fencing gate is for failing over for real: not done in a drill"),
    later("left standing: this is a live run"),
    later("its condition does not hold"),
    later("it needs {step}, which failed"),
    later("nothing to undo: {step} did not run"),
    later("nothing was started"),
    later("left out by {by}: {reason}"),
    later("the run was aborted"),
    later("a precondition failed"),
    later("the primary is not known to be down or fenced"),
    later("nobody answered within {length}"),
    # findings
    later("the {objective} of {promised} was missed: the service was not recovered in that time"),
    later("the {objective} of {promised} was missed: it came to {actual}"),
    later("cleanup did not finish; what these were to remove may still be there: {names}"),
    later("{by} let the fencing gate be passed: {reason} (it would have opened by itself)"),
    later("{by} let the fencing gate be passed: {reason} (found: {found})"),
    later("{by} let the fencing gate be passed: {reason}"),
    later("{by} had {step} tried again: {reason}"),
    later("{by} had {step} left out: {reason}"),
    later("{step} was of unknown outcome; {by} said that it happened: {reason}"),
    later("{step} was of unknown outcome; {by} said that it did not happen: {reason}"),
    later("the process that carried the run was gone; {by} took it over on {host} at {time} UTC"),
    later("the wall clock was set forward by {length} at {time} UTC"),
    later("the wall clock was set back by {length} at {time} UTC"),
    later("{step} was not tested: {why}"),
    later("{step} failed and the run went on: {why}"),
    later("step {step} failed"),
    later("{step} failed: {why}"),
    # what to do
    later("practise it in another way, or the first try is in earnest"),
    later("the critical path names the steps to shorten; otherwise promise what can be kept"),
    later("back up more often, or find out why the newest snapshot was not in this region"),
    later("remove it by hand, then look again"),
    later("make sure that the old primary cannot come back by itself and write"),
    later("do by hand what it was for, or make sure that it was not needed"),
    later("check at the target that this is so"),
    later("find out why it ended; the times before are those that its journal holds"),
    later("durations here are by the boot clock and hold; times of day before it are off by that"),
)

_FIELD = re.compile(r"\\\{(\w+)\\\}")
_LENGTHS: Final = frozenset({"promised", "actual", "length"})
_WORDS: Final = frozenset({"step", "by", "host", "objective", "time", *_LENGTHS})


def recorded(text: str, pen: Pen) -> str:
    """The text, in the language if it is one of drorch's own sentences."""
    if pen.language.code == SOURCE or not text:
        return text
    for sentence, form in _forms():
        found = form.fullmatch(text)
        if found:
            values = {name: _value(name, value, pen) for name, value in found.groupdict().items()}
            return pen.say(sentence, **values)
    return text


def _value(name: str, text: str, pen: Pen) -> str:
    if name in _LENGTHS:
        return _length(text, pen)
    return recorded(text, pen) if name == "why" else text


def _length(text: str, pen: Pen) -> str:
    try:
        length: timedelta = parse_duration(text.replace(" ", ""))
    except ValueError:
        return text
    return pen.duration(length.total_seconds())


@cache
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[tuple[str, re.Pattern[str]]]:
    for sentence in _SENTENCES:
        pattern = _FIELD.sub(_group, re.escape(sentence))
        yield sentence, re.compile(pattern, re.DOTALL)


def _group(field: re.Match[str]) -> str:
    # A name of a step or an account has no space; a duration has.
    name = field[1]
    kind = r"[^:;]+?" if name in _LENGTHS else r"\S+?" if name in _WORDS else r".+"
    return f"(?P<{name}>{kind})"
