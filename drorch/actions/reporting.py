"""The quarterly report: it is written by a process of its own, and sent with its files.

Drawing and typesetting take more memory than a daemon should hold for a quarter of a year.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drorch.actions.alarms import tried
from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.ourselves import by_ourselves, printed, trouble
from drorch.actions.patience import Stopped, limit_of
from drorch.actions.telling import handed_over
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.reported import ReportSent
from drorch.core.telling import Channel, Message, channels
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Ended, Tools

_WRITING, _SENDING = timedelta(hours=1), timedelta(minutes=2)


def _write(call: Call, tools: Tools) -> Result:
    words = ("report", "write", Arguments.of(call, tools).text("quarter"))
    done = by_ourselves(tools, words, limit_of(_WRITING, call.timeout), call.cancel)
    if done.ended is Ended.CANCELLED:
        return errored("cancelled", "stopped while the report was being written")
    redact = tools.secrets.redact
    wrong = trouble(done, words)
    if wrong is not None:
        return failed("not-written", redact(wrong[0]), redact(wrong[1]))
    found = printed(replace(done, stdout=redact(done.stdout)))
    return passed({name: found.get(name) for name in _WRITTEN})


def _send(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    channel = _channel(tools, arguments.text("channel"))
    files = {str(n): str(d) for n, d in arguments.mapping("files").items()}
    folder = arguments.path("folder")
    changed = next((name for name in files if _digest(folder / name) != files[name]), None)
    if changed is not None:
        message = f"{folder / changed} is not there as it was written"
        return failed("changed", message, "write it anew: drorch report write QUARTER --anew")
    redact = tools.secrets.redact
    message_ = Message(
        redact(arguments.text("title")),
        redact(arguments.text("message")),
        files=tuple(folder / name for name in files),
    )
    limit = limit_of(_SENDING, call.timeout)
    try:
        delivery = handed_over(call, tools, channel.rule, message_, limit)
    except Stopped as error:
        return errored("cancelled", f"stopped while sending: {error}")
    known = tried(tools, channel, delivery, first=call.attempt == 1)
    outputs: dict[str, Value] = {"channel": channel.name, "sent": delivery.done}
    if not delivery.done:
        why = f"{channel.name}: {delivery.why}"
        return failed("not-sent", why, delivery.hint, outputs=outputs, facts=(known,))
    sent = ReportSent(arguments.text("quarter"), channel.name, tools.clock.now().at, files)
    return passed(outputs, facts=(known, sent))


def _channel(tools: Tools, name: str) -> Channel:
    found = channels(tools.configuration.reports.quarterly.to)
    channel = next((one for one in found if one.name == name), None)
    if channel is None:
        raise WrongArgument(f"no recipient {name!r} is configured", "see `reports: quarterly: to`")
    return channel


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


_WRITTEN = ("folder", "files", "title", "message", "no_drill", "bundle", "sealed", "regions")

REPORT_WRITE = make_action(
    ActionSpec(
        "report.write",
        "Write the report of a quarter, seal it and keep it in the regions; used by the daemon",
        (Parameter("quarter", Kind.TEXT, doc="one that is over: 2026Q4"),),
        _WRITTEN,
        repeatable=True,
        own=True,
    ),
    _write,
)

REPORT_SEND = make_action(
    ActionSpec(
        "report.send",
        "Send the report of a quarter to one recipient; used by the daemon",
        (
            Parameter("channel", Kind.TEXT, doc="of the configuration's `reports: quarterly: to`"),
            Parameter("quarter", Kind.TEXT, doc="which: 2026Q4"),
            Parameter("title", Kind.TEXT, doc="the message's subject"),
            Parameter("message", Kind.TEXT, doc="plain text"),
            Parameter("folder", Kind.READ_PATH, doc="where the files lie"),
            Parameter("files", Kind.MAPPING, doc="each with its SHA-256: they are looked at"),
        ),
        ("channel", "sent"),
        repeatable=True,
        own=True,
    ),
    _send,
)
