"""A process that records runs until it is killed, and says each event after it is durable.

writer.py URL PREFIX RUNS     (RUNS 0: for ever)
"""

import itertools
import sys
from datetime import timedelta

from drorch.core.events import AttemptStarted, PersonAnswered, SlotTaken
from drorch.core.posture import CopyFactKind
from drorch.journal.store import SqlJournal
from tests.fakes.facts import DAWN, begun, copy, ended, finished, stamped, started


def main(url: str, prefix: str, runs: int) -> None:
    with SqlJournal(url) as journal:
        for number in range(runs) if runs else itertools.count():
            run = f"{prefix}-{number}"
            slot = SlotTaken(f"backup:{prefix}", DAWN + timedelta(hours=number))
            head = journal.begin(run, stamped(started(run), slot, begun()), lambda _: None)
            print(run, head.seq, flush=True)
            journal.post(run, PersonAnswered("go", True, "a"))
            for attempt in range(1, 4):
                fact = copy(CopyFactKind.HELD, "abc"[attempt - 1], region=run, hours=number)
                events = (
                    ended(attempt=attempt, copies=[fact]),
                    AttemptStarted("step-0", attempt + 1),
                )
                head = journal.append(run, head.seq, stamped(*events, second=number), taken=attempt)
                print(run, head.seq, flush=True)
            head = journal.append(run, head.seq, stamped(ended(attempt=4), finished()))
            print(run, head.seq, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
