"""Why a promise was broken or could not be judged, and why work was missed, in the reader's language.

The journal and the document have these in English. What is not among them stays as it was recorded.
"""

import re

from drorch.reports.language import later
from drorch.reports.quarter.reading import Reading
from drorch.reports.recorded import length_in

_REASONS = {
    r"nothing is known to have lain there": later("nothing is known to have lain there"),
    r"for (?P<time>.+) nothing lay there": later("for {time} nothing lay there"),
    r"for (?P<time>.+) it was older than promised": later("for {time} it was older than promised"),
    r"(?P<missed>\d+) missed, (?P<failed>\d+) failed": later("{missed} missed, {failed} failed"),
    r"(?P<missed>\d+) missed": later("{missed} missed"),
    r"(?P<failed>\d+) failed": later("{failed} failed"),
    r"none was due": later("none was due"),
    r"the drill did not measure it": later("the drill did not measure it"),
    r"it was not recovered": later("it was not recovered"),
    r"it did not pass: data that was not proven usable meets nothing": later(
        "it did not pass: data that was not proven usable meets nothing"
    ),
    r"when it was last changed is not known": later("when it was last changed is not known"),
    r"the region is not in the configuration any more": later(
        "the region is not in the configuration any more"
    ),
    r"no assessment is named": later("no assessment is named"),
    r"by (?P<assessment>.+) and (?P<agreement>.+)": later("by {assessment} and {agreement}"),
    r"(?P<count>\d+) left": later("{count} left behind"),
    r"it was never drilled": later("it was never drilled"),
    r"it was not drilled": later("it was not drilled in the quarter"),
    r"no drill was held against it": later("no drill was held against it"),
    r"no daemon was running": later("no daemon was running"),
    r"the run before was under way": later("the run before was under way"),
    r"control plane (?P<other>\w+) on (?P<host>.+) \(term (?P<term>\d+)\) (is|was) in charge": later(
        "control plane {other} on {host} (term {term}) was in charge"
    ),
    r"a copy of this very one on (?P<host>.+) \(term (?P<term>\d+)\) (is|was) in charge": later(
        "a copy of this very control plane on {host} (term {term}) was in charge"
    ),
    r"nobody looked: .*": later(
        "nobody looked: the machine slept, its clock was set, or the job was not configured"
    ),
}


def reason(reading: Reading, why: str) -> str:
    """The reason in words."""
    for pattern, sentence in _REASONS.items():
        if found := re.fullmatch(pattern, why):
            told = found.groupdict()
            if "time" in told:
                told["time"] = length_in(told["time"], reading.language)
            return reading.say(sentence, **told)
    return why
