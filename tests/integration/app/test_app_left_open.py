"""Backups that a daemon's death left open, in the middle of what cannot simply be done again."""

import io
from dataclasses import replace

from drorch.adapters.logs import open_log
from drorch.adapters.ownership import this_host
from drorch.app.once import once
from drorch.app.runs import Control
from drorch.core.events import RunStarted
from drorch.core.names import RunState
from drorch.core.policy import compile_backup
from tests.fakes.facts import OWNER, begun, stamped


def test_a_backup_that_nobody_can_speak_for_is_ended_and_holds_nothing_up(premises):
    premises.configuration["datasets"]["docs"]["before"] = [["./freeze"]]
    premises.program_file("freeze", "true")
    premises.save()
    with premises.program() as program:
        plan = compile_backup("docs", program.configuration)
        owner = replace(OWNER, host=this_host(), boot="the boot before")
        started = RunStarted(plan, owner, "drorch", "schedule")
        program.journal.begin("left", stamped(started, begun("before-1")), lambda _: None)
        log = open_log("json", program.secrets.redact, stream=io.StringIO(), environment={})
        try:
            once(program, log, control=Control())
        finally:
            log.close()
        left = program.journal.find("left")
    assert (left.state, left.outcome) == (RunState.FINISHED, "aborted")
    assert premises.back_up()["outcome"] == "passed"
