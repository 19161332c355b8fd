"""What a step's process finds around it: environment, and what is kept of what it said."""

from collections.abc import Mapping

from drorch.core.values import Evidence
from drorch.ports import Call, Completed, Tools

#: Passed on from drorch's own environment; nothing else is, so that no secret slips through.
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
#: How much of a process's output is an output of the step; more is kept as evidence.
SHOWN = 4096
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def child_environment(call: Call, tools: Tools, given: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a step's process; `given` values win, except over drorch's."""
    inherited = {
        name: value
        for name, value in tools.environment.items()
        if name in INHERITED or name.startswith("LC_")
    }
    return {
        "PATH": DEFAULT_PATH,
        **inherited,
        **given,
        "DRORCH_RUN": call.run,
        "DRORCH_MODE": str(call.mode),
        "DRORCH_STEP": call.step,
    }


def last_lines(text: str, most: int = SHOWN) -> str:
    """The end of a text in whole lines, or in part if the last line alone is longer."""
    if len(text) <= most:
        return text
    end = text[-most:]
    return end[end.find("\n") + 1 :] or end


def last_words(completed: Completed) -> str:
    """The last line a process said, errors first; empty if it said nothing."""
    for text in (completed.stderr, completed.stdout):
        lines = text.strip().splitlines()
        if lines:
            return lines[-1].strip()[:300]
    return ""


def keep_output(call: Call, tools: Tools, completed: Completed) -> tuple[Evidence, ...]:
    """Keep as evidence what is too long to be an output; it is redacted already."""
    streams = (("stdout", completed.stdout), ("stderr", completed.stderr))
    step = call.step.replace("/", ".")
    return tuple(
        tools.evidence.keep(
            call.run,
            f"{step}-{call.attempt}-{name}.txt",
            text.encode(),
        )
        for name, text in streams
        if len(text) > SHOWN
    )
