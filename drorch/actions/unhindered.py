"""Work that restic refuses because of a lock is done again once the locks that are stale are gone.

restic looks at other locks and never removes one by itself: what a killed check left behind would
stop every backup of the dataset until somebody unlocks it, and a restore at the worst of times.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from drorch.actions.staleness import free_of_stale_locks
from drorch.core.errors import ResticError
from drorch.core.model import Dataset
from drorch.core.values import Result, failed
from drorch.ports import Tools
from drorch.restic.failure import Cause


def unhindered(
    tools: Tools, dataset: Dataset, regions: Sequence[str], work: Callable[[], Result]
) -> Result:
    """What the work comes to; where a lock stood in its way that is proven stale, without that lock.

    A lock that may live stays, and what is known of it is noted so that the next look can tell.
    """
    done = _attempted(work)
    if done.cause != Cause.LOCKED:
        return done
    findings, facts = free_of_stale_locks(tools, dataset, regions)
    if any(finding.what == "lock.removed" for finding in findings):
        done = _attempted(work)
    return replace(done, findings=(*findings, *done.findings), facts=(*facts, *done.facts))


def _attempted(work: Callable[[], Result]) -> Result:
    """A refusal by a lock is a result here; whatever else is raised is raised."""
    try:
        return work()
    except ResticError as error:
        if error.cause != Cause.LOCKED:
            raise
        return failed(error.cause, error.message, error.hint)
