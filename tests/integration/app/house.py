"""One dataset in one region and its journal, without region and restic: what was recorded is made up,
what is read, decided and told is real. Time passes when it is let pass.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from drorch.app import alarms
from drorch.app.posture import status
from drorch.app.program import Program
from drorch.app.runs import Control, RunView, view
from drorch.core.events import AttemptFinished, Event, RunFinished, Stamped
from drorch.core.facts import Fact
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, RunKind, Verdict
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.runbook import Retry
from drorch.sealing.keys import new_key
from tests.fakes.clock import FakeClock
from tests.fakes.facts import begun, started

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


#: How often a channel is tried in one run of a test.
RETRY = Retry(attempts=2, delay=timedelta(milliseconds=5))


class RunningClock(FakeClock):
    """Time that passes, and can be let pass."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._begun = time.monotonic()

    def now(self) -> Moment:
        """The present moment."""
        return super().now().later(timedelta(seconds=time.monotonic() - self._begun))


class House:
    """The installation; `settings` is what its configuration says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock: FakeClock = FakeClock()
        self.runs = 0
        self.settings: dict[str, Any] = {
            "organization": "Sainte-Rive",
            "state": "sqlite:///drorch.db",
            "secrets": {"key": {"env": "KEY"}},
            "regions": {
                "mtl": {
                    "endpoint": "http://127.0.0.1:9",
                    "bucket": "drorch",
                    "jurisdiction": "CA-QC",
                }
            },
            "datasets": {
                "docs": {
                    "paths": ["src"],
                    "password": "key",
                    "primary": "mtl",
                    "objectives": {"rpo": "30m"},
                }
            },
            "notify": [],
        }
        (folder / "runbooks").mkdir()

    def channel(self, name: str, address: str, **rule: object) -> None:
        """A channel whose address is a secret of that name."""
        (self.folder / name).write_text(address)
        self.settings["secrets"][name] = {"file": name}
        way = {} if "ping" in rule or "command" in rule else {"to": name}
        self.settings["notify"].append({**way, **rule})

    def seals(self) -> None:
        """It has a key to seal evidence with."""
        key = new_key()
        (self.folder / "seal").write_text(key.pem)
        (self.folder / "seal").chmod(0o600)
        (self.folder / "seal.pub").write_text(key.public.pem)
        self.settings["secrets"]["seal"] = {"file": "seal"}
        self.settings["evidence"] = {"key": "seal", "public_key": "seal.pub"}

    def program(self) -> Program:
        """A new process, as it were."""
        (self.folder / "drorch.yaml").write_text(json.dumps(self.settings))
        made = Program.open(self.folder / "drorch.yaml", {"PATH": "/usr/bin:/bin"})
        made.clock = self.clock
        return made

    @property
    def dataset(self) -> dict[str, Any]:
        """The dataset's settings."""
        found: dict[str, Any] = self.settings["datasets"]["docs"]
        return found

    def region(self, name: str, jurisdiction: str = "CA-QC") -> None:
        """A further region."""
        place = {"endpoint": f"http://{name}.example", "bucket": "drorch"}
        self.settings["regions"][name] = {**place, "jurisdiction": jurisdiction}

    def attend(self, extra: Sequence[Any] = ()) -> RunView | None:
        """Look and tell; the run that told, if any."""
        program = self.program()
        try:
            return alarms.attend(program, control=Control(), extra=extra, retry=RETRY)
        finally:
            program.journal.close()

    def after(self, run: str) -> RunView | None:
        """What follows from a run."""
        program = self.program()
        try:
            ended = view(program, run)
            return alarms.after_run(program, ended, control=Control(), retry=RETRY)
        finally:
            program.journal.close()

    def alarms(self) -> list[tuple[str, str]]:
        """What is alarming, and about what."""
        return [(str(a["what"]), str(a["subject"])) for a in self.status()["alarms"]]

    def status(self) -> Any:
        """The document of `status`."""
        program = self.program()
        try:
            return status(program)
        finally:
            program.journal.close()

    def record(
        self,
        *copies: CopyFact,
        facts: Sequence[Fact] = (),
        took: timedelta = timedelta(),
        kind: RunKind = RunKind.BACKUP,
        name: str = "docs",
        ended: RunFinished | None = None,
        also: Sequence[Event] = (),
    ) -> str:
        """A run that ends now, took so long, and learned this; its id."""
        self.runs += 1
        now = self.clock.now()
        then = replace(now, at=now.at - took, ticks=now.ticks - took.total_seconds())
        first = started(name, f"{name}-{self.runs}")
        plan = replace(first.plan, kind=kind, mode=Mode.LIVE)
        learned = AttemptFinished(
            "step-0", 1, Verdict.PASS, took, copies=copies, facts=tuple(facts)
        )
        run = f"{then.at:%Y-%m-%dT%H-%M-%SZ}-{name}-{self.runs:04x}"
        events = [Stamped(then, replace(first, plan=plan))]
        events += [*(Stamped(then, event) for event in also)]
        events.append(Stamped(then, begun()))
        events += [Stamped(now, learned), Stamped(now, ended or RunFinished(Outcome.PASSED))]
        program = self.program()
        program.journal.begin(run, events, lambda row: None)
        program.journal.close()
        return run

    def held(
        self,
        number: int,
        region: str = "mtl",
        *,
        fact: CopyFactKind = CopyFactKind.HELD,
        old: timedelta = timedelta(),
    ) -> CopyFact:
        """A snapshot of this number, made now or so long ago."""
        at = self.clock.now().at - old
        return CopyFact(fact, "docs", region, f"{number:064x}", at)

    def back_up(self, number: int, *regions: str, took: timedelta = timedelta()) -> None:
        """A backup that brought this snapshot into the regions."""
        self.record(*(self.held(number, region) for region in regions or ("mtl",)), took=took)
