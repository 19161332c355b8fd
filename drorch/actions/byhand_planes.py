"""By hand: drorch on another machine, with its own records recovered from one region."""

from pathlib import PurePosixPath

from drorch.actions.byhand_given import Given, join
from drorch.core.byhand import ByHand, Note


def recover(given: Given) -> ByHand:
    """`recover`, with what lies in the safe; see docs/recovering.md."""
    region = given.region
    words = ["drorch", "recover", "--endpoint", region.endpoint if region else "{endpoint}"]
    words += ["--bucket", region.bucket if region else "{bucket}"]
    words += ["--prefix", region.prefix] if region and region.prefix else []
    words += ["--access-key-env", "AK", "--secret-key-env", "SK", "--password-file", "password"]
    notes = () if region else (Note.PLACES,)
    return ByHand((join([*words, "--to", given.text("to")]),), notes)


def restore(given: Given) -> ByHand:
    """`restore`, by the configuration that came back."""
    words = [*_there(given), "restore", given.text("dataset"), "--region", given.text("region")]
    return ByHand((join([*words, "--to", given.text("to"), "--verify"]),))


def plan(given: Given) -> ByHand:
    """`runbook plan`, by the configuration that came back."""
    return ByHand((join([*_there(given), "runbook", "plan", given.text("runbook"), "--failover"]),))


def _there(given: Given) -> list[str]:
    return ["drorch", "--config", str(PurePosixPath(given.text("path")) / "drorch.yaml")]
