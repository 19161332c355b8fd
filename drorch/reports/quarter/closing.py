"""What the quarter did not test, how all of this can be checked, and room to sign it."""

from collections.abc import Iterator

from drorch.reports.quarter.blocks import (
    Block,
    Bullets,
    Code,
    Facts,
    Paragraph,
    Section,
    Signature,
)
from drorch.reports.quarter.reading import NONE, Reading
from drorch.reports.recorded import recorded


def not_tested(reading: Reading) -> Section:
    """What no figure of this report speaks for."""
    return Section(
        "not-tested", reading.say("What was not tested"), (Bullets(tuple(_untested(reading))),)
    )


def _untested(reading: Reading) -> Iterator[str]:
    say, document = reading.say, reading.document
    coverage = document["coverage"]
    if document["headline"]["no_drill"]:
        yield say("No drill: nothing shows in this quarter that a service can be brought back.")
    never = [n for t in coverage["tiers"] for n in (*t["never"], *t["no_runbook"])]
    if never:
        yield say("Never drilled: {names}.", names=reading.listed(never, 60))
    before = [n for t in coverage["tiers"] for n in t["before"]]
    if before and not document["headline"]["no_drill"]:
        yield say("Not drilled in this quarter: {names}.", names=reading.listed(before, 60))
    if coverage["never_restored"]:
        yield say("Never restored: {names}.", names=reading.listed(coverage["never_restored"], 60))
    changed = [r["runbook"] for r in coverage["runbooks"] if r["changed"] or r["gone"]]
    if changed:
        yield say("Changed since their last drill: {names}.", names=reading.listed(changed, 60))
    skipped = list(dict.fromkeys(step for d in document["drills"] for step in d["not_tested"]))
    if skipped:
        yield say("Steps that drills left out: {names}.", names=reading.listed(skipped, 60))
    if any(d["kind"] == "drill" for d in document["drills"]):
        yield say(
            "A drill shows the recovery at the other place. What it leaves to people (who is told, how the service performs under load, the return home) stands in each run’s report, “not tested” where nothing is said."
        )
    yield say(
        "A backup that passed shows that data was stored; only a restore shows that it can be brought back."
    )
    yield say(
        "What drorch does not run or protect is not in its journal, and so not in this report."
    )


def checking(reading: Reading) -> Section:
    """How somebody who trusts nobody looks at it."""
    say, verifying = reading.say, reading.document["verifying"]
    head = verifying["ledger_head"]
    quarter = reading.document["quarter"]
    blocks: list[Block] = [
        Paragraph(
            say(
                "Every figure comes from the journal, in which each entry carries the hash of the one before. These look at all of it, and write the figures out again:"
            )
        ),
        Code((verifying["command"], f"drorch report quarter {quarter} --format json")),
        Facts(
            (
                (say("Where the ledger ends (SHA-256)"), head or NONE),
                (say("Entries in it"), reading.count(verifying["ledger_entries"])),
                (say("Made by"), f"drorch {reading.document['version']}"),
            )
        ),
    ]
    if verifying["sealed"]:
        blocks.append(
            Paragraph(
                say(
                    "What drorch keeps as evidence is signed with the organisation’s key: runs, the end of the ledger, and the reports that it writes by itself, each in a bundle."
                )
            )
        )
    else:
        why = recorded(verifying["why_not"], reading.language)
        because = say("Nothing is sealed ({why}).", why=why) if why else say("Nothing is sealed.")
        blocks.append(
            Paragraph(
                because
                + " "
                + say(
                    "Who can change the journal and everything kept beside it could change this."
                ),
                "warn",
            )
        )
    return Section("checking", say("How to check this report"), tuple(blocks))


def signing(reading: Reading) -> Section:
    """Until when it is to be kept, and who signs it."""
    say, document = reading.say, reading.document
    until = document["retention_until"]
    labels = (
        say("Name"),
        say("Role"),
        say("Decision (accepted, accepted with reservations, rejected)"),
        say("Remarks"),
        say("Date"),
        say("Next review"),
        say("Signature"),
    )
    signers = document["sign_off"] or [{"name": "", "role": ""}]
    blocks: list[Block] = [
        Facts(((say("To be kept until"), reading.day(until) if until else say("not named")),)),
        Paragraph(
            say(
                "A signature says that the report was read and what was decided. It does not say that a law or standard is met: that is for its reader to judge."
            )
        ),
        *(Signature(one["name"], one["role"], labels) for one in signers),
    ]
    return Section("sign-off", say("Sign-off"), tuple(blocks))
