"""Sentences of drorch's own that a document holds in English, said in the report's language.

What people typed and what other programs said is quoted as it is; so is a sentence that is not here.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Final

from drorch.core.durations import parse_duration
from drorch.reports.language import SOURCE, Language, later
from drorch.reports.paper.words import TARGETS

#: As core/findings.py, core/decide.py, core/drafts.py, core/notices.py, core/quarter_findings.py and
#: actions that restore, or drill the loss of drorch's own records, say them. The more particular come first.
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
    later(
        "{by} took it over on {host} at {time} UTC, saying that the process that carried the run, elsewhere, was gone"
    ),
    later("the wall clock was set forward by {length} at {time} UTC"),
    later("the wall clock was set back by {length} at {time} UTC"),
    later(
        "at {time} UTC, under another boot, the wall clock read {length} less than it had before"
    ),
    later("{step} was of unknown outcome; {by} said that it happened"),
    later("{step} was of unknown outcome; {by} said that it did not happen"),
    later("{by} answered {step} at {time} UTC, which changed nothing: {why}"),
    later("{by} settled {step} at {time} UTC, which changed nothing: {why}"),
    later("{by} wanted to try again {step} at {time} UTC, which changed nothing: {why}"),
    later("{by} wanted to leave out {step} at {time} UTC, which changed nothing: {why}"),
    later("{by} wanted to pause the run at {time} UTC, which changed nothing: {why}"),
    later("{by} wanted to let go on the run at {time} UTC, which changed nothing: {why}"),
    later("{step} was not tested: {why}"),
    later("{step} failed and the run went on: {why}"),
    later("step {step} failed"),
    later("{step} failed: {why}"),
    later("scripts cannot be looked into for what is protected: {names}"),
    later("{step} touches what is protected: {what}"),
    later("{runbook} was not proven as it is now: {why}"),
    # what restores report
    later("{region} was damaged ({why}); {count} object(s) were brought back: {names}"),
    later("{region} was damaged; {count} object(s) were brought back: {names}"),
    later("{region} could not give it: {why}"),
    later("an older snapshot came back: {why}"),
    later("the snapshot does not hold {names}"),
    later("{count} of {all} files look encrypted, such as {what}"),
    later("nobody was told: no channel is configured"),
    later("nobody was told: {why}"),
    # what programs and checks came to
    later("{program} ended with exit code {code}: {said}"),
    later("{program} ended with exit code {code}"),
    later("{program} was not done within {length} and was ended"),
    later("the newest snapshot of {dataset} in {region} is {length} old, more than {promised}"),
    later("region {region} holds no snapshot of {dataset} that the journal knows"),
    later("{path} is not empty: it holds {names}"),
    later("{path} is not what snapshot {snapshot} holds: {said}"),
    later("{url} did not answer within {length}"),
    later("{url} cannot be reached: {said}"),
    later("the primary is up: {said}"),
    later("whether the primary is down is unknown: nothing says how to find out"),
    later("whether the primary is down is unknown: {said}"),
    # what a quarter adds up to
    later(
        "{region} ({place}) holds snapshots of {dataset}, which may lie in {names} only; no assessment and agreement are named"
    ),
    later(
        "{region} ({place}) is to hold snapshots of {dataset}, which may lie in {names} only; no assessment and agreement are named"
    ),
    later("no snapshot of {dataset} was ever brought back"),
    later("{region} never held a snapshot of {dataset}"),
    later("{region} held no snapshot of {dataset} for {length}"),
    later(
        "the newest snapshot of {dataset} in {region} became {length} old; promised are {promised}"
    ),
    later("of {due} due in the quarter {missed} were missed and {failed} failed"),
    later("{service} has no runbook: it was never drilled"),
    later("{service} was never drilled"),
    later("nobody has said that these secrets survive the loss of this machine: {secrets}"),
    later("1 event of the last {length} would be lost, of 1 run: {runs}"),
    later("{count} events of the last {length} would be lost, of 1 run: {runs}"),
    later("{count} events of the last {length} would be lost, of {all} runs: {runs}"),
    later("the configuration that came back is other than the one here"),
    later("runbooks that came back otherwise than they are here: {runbooks}"),
    later("1 evidence file did not come back, the oldest of {length} ago"),
    later("{count} evidence files did not come back, the oldest of {length} ago"),
    later("of the copy in region {region} is damaged: {flaw}"),
    later("the loss of drorch's own records was not drilled in the quarter"),
    later("no drill of the loss of drorch's own records is on record in the last nine quarters"),
    later("{service} was not drilled in the quarter"),
    later("since the last drill of {runbook} that passed have changed: {changed}"),
    later("the configuration names no key under `evidence:`"),
    # what to do
    later("practise it in another way, or the first try is in earnest"),
    later("the critical path names the steps to shorten; otherwise promise what can be kept"),
    later("back up more often, or find out why the newest snapshot was not in this region"),
    later("remove it by hand, then look again"),
    later("run it by hand with the same arguments; its output is kept with the step"),
    later("look at what it last said, or give the step a longer timeout"),
    later("back it up with: {command}"),
    later("choose a folder that does not exist yet or is empty"),
    later("compare with the source; restore again from another region if it is damaged"),
    later("compare with the source at the time of the snapshot"),
    later("restore it anew into another folder, from another region if need be"),
    later("try it from this machine with curl; look at the service's log"),
    later("stop it or fence it (cut its power, its network), then declare again"),
    later("find out at the primary itself; if you know better, --force-unfenced REASON goes on"),
    later(
        "write `fence:` into the runbook (or `unfenced: REASON` if nothing can write twice), or go on by --force-unfenced REASON"
    ),
    later("make sure that the old primary cannot come back by itself and write"),
    later("do by hand what it was for, or make sure that it was not needed"),
    later("check at the target that this is so"),
    later("find out why it ended; the times before are those that its journal holds"),
    later("durations here are by the boot clock and hold; times of day before it are off by that"),
    later("how long nobody carried the run is not known; times of day before it are off"),
    later("see that it is: what it had begun may have gone on until its next record"),
    later("nothing was done for it; see whether it is still wanted"),
    later("find out what damaged it, and see that nothing else is: {command}"),
    later("the dataset's paths have changed since; what the snapshot holds came back"),
    later("open it, to be sure; keys, archives and compressed data may look so"),
    later("write `notify:` into the configuration, or name a secret by `to:`"),
    later("name the papers under `transfer:`, or have the copy deleted there"),
    later("try it: {command}"),
    later("see why its backups were missed or failed, or its copies owed"),
    later("drorch schedule list tells of each slot, drorch run list of each run"),
    later(
        "drill it: drorch drill control-plane-lost, and have the daemon repeat it under `drills:`"
    ),
    later("keep them in the safe (drorch kit), and name those that lie there: {words}"),
    later("copy it now, and see why it was not: {command}"),
    later("copy it anew: {command}"),
    later("practise it, and have the daemon repeat it under `drills:`"),
    later("write a runbook for it, practise it, and have the daemon repeat it under `drills:`"),
    later("practise it when there is time again: {command}"),
    later("practise it: {command}"),
)

_FIELD = re.compile(r"\\\{(\w+)\\\}")
_LENGTHS: Final = frozenset({"promised", "actual", "length"})
_COUNTS: Final = frozenset({"count", "all", "due", "missed", "failed", "code"})
_NAMES: Final = frozenset({"step", "by", "host", "objective", "time", "place"})
_THINGS: Final = frozenset({"dataset", "region", "service", "runbook"})
_WORDS: Final = _NAMES | _THINGS | _COUNTS


def recorded(text: str, language: Language) -> str:
    """The text, in the language if it is one of drorch's own sentences."""
    if language.code == SOURCE or not text:
        return text
    for sentence, form in _forms():
        found = form.fullmatch(text)
        if found:
            told = found.groupdict().items()
            return language.say(sentence, **{name: _value(name, t, language) for name, t in told})
    return text


def _value(name: str, text: str, language: Language) -> str:
    if name in _LENGTHS:
        return length_in(text, language)
    if name == "secrets":
        return text.replace("(a file)", f"({language.say('a file')})").replace(
            "(the environment)", f"({language.say('the environment')})"
        )
    if name == "changed":
        return ", ".join(_target(one, language) for one in text.split(", "))
    return recorded(text, language) if name == "why" else text


def length_in(text: str, language: Language) -> str:
    """A duration as the journal has it (`1d 2h`), in the language."""
    try:
        length: timedelta = parse_duration(text.replace(" ", ""))
    except ValueError:
        return text
    return language.duration(length)


def _target(text: str, language: Language) -> str:
    """`dataset ehr-db`: a part of a runbook's world that may change."""
    kind, _, name = text.partition(" ")
    return language.say(TARGETS[kind], name=name) if kind in TARGETS and name else text


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
    kind = (
        r"[^:;]+?"
        if name in _LENGTHS
        else r"\d+"
        if name in _COUNTS
        else r"\S+?"
        if name in _WORDS
        else r".+"
    )
    return f"(?P<{name}>{kind})"
