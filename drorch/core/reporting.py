"""The plan of the quarterly report: it is written, sealed and kept, and sent to whoever is to have it. Pure."""

from collections.abc import Collection
from datetime import timedelta

from drorch.core.model import Configuration
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.runbook import Retry
from drorch.core.telling import channels
from drorch.core.values import Value

#: The name of such runs, and what one at a time is about.
NAME, SUBJECT = "last-quarter", "report:quarter"

#: A million runs are read in less, and on a slow machine.
_WRITING = timedelta(hours=1)
#: How long one recipient may take, and how often he is tried in one run.
SENDING = timedelta(minutes=2)
RETRY = Retry(attempts=4, delay=timedelta(minutes=1), backoff=3)


def compile_report(
    quarter: str,
    configuration: Configuration,
    *,
    sent: Collection[str] = (),
    retry: Retry = RETRY,
    nothing: str = "",
) -> Plan:
    """The plan for a quarter that is over. Recipients in `sent` have it already; `nothing` says why
    there is nothing to report, and nothing is done.
    """
    write = PlannedStep(
        "write",
        Phase.STEPS,
        "report.write",
        {"quarter": quarter},
        repeatable=True,
        timeout=_WRITING,
    )
    names = [one.name for one in channels(configuration.reports.quarterly.to)]
    sending = (_send(name, quarter, retry) for name in names if name not in sent)
    steps = () if nothing else (write, *sending)
    return Plan(
        kind=RunKind.REPORT,
        name=NAME,
        mode=Mode.LIVE,
        subject=SUBJECT,
        steps=steps,
        inputs={"quarter": quarter},
        parallel=max(1, len(steps)),
        title=f"No report of {quarter}: {nothing}" if nothing else f"Report of {quarter}",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )


def _send(channel: str, quarter: str, retry: Retry) -> PlannedStep:
    arguments: dict[str, Value] = {
        "channel": channel,
        "quarter": quarter,
        **{name: f"{{write.{name}}}" for name in ("title", "message", "folder", "files")},
    }
    return PlannedStep(
        f"send-{channel}",
        Phase.STEPS,
        "report.send",
        arguments,
        needs=("write",),
        repeatable=True,
        on_failure=OnFailure.ISOLATE,
        retry=retry,
        timeout=SENDING,
    )
