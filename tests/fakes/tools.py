"""Tools for trying one action: real processes and files, the rest working fakes."""

import random
from pathlib import Path

from drorch.adapters.creations import CreationsFolder
from drorch.core.model import Configuration
from drorch.core.names import Mode
from drorch.core.values import Result
from drorch.ports import Action, Call, Cancellation, Commands, Tools
from tests.fakes.clock import FakeClock
from tests.fakes.evidence import FakeEvidence
from tests.fakes.messenger import FakeMessenger
from tests.fakes.secrets import FakeSecrets


class NothingKnown:
    """A journal that knows no snapshot."""

    def copies(self, dataset: str) -> tuple:
        """None."""
        return ()

    def facts(self, wanted: type, dataset: str) -> tuple:
        """None."""
        return ()

    def recorded(self, run: str) -> bool:
        """Never."""
        return False


class Place:
    """A configuration's folder and the tools there; `do` carries out one attempt of an action."""

    def __init__(self, folder: Path, commands: Commands, secrets=None, environment=None) -> None:
        self.folder = folder
        self.evidence = FakeEvidence()
        self.messenger = FakeMessenger()
        self.tools = Tools(
            configuration=Configuration(folder),
            clock=FakeClock(),
            commands=commands,
            secrets=FakeSecrets(secrets),
            evidence=self.evidence,
            messenger=self.messenger,
            creations=CreationsFolder(folder / "created"),
            knowledge=NothingKnown(),
            environment={"PATH": "/usr/bin:/bin", **(environment or {})},
            random=random.Random(1),
        )

    def do(
        self,
        action: Action,
        *,
        run="run-1",
        step="a-step",
        attempt=1,
        step_timeout=None,
        run_mode=Mode.DRILL,
        cancel=None,
        progress=lambda p: None,
        **arguments,
    ) -> Result:
        """One attempt; a trailing underscore in an argument's name is dropped (`with_`)."""
        given = {name.removesuffix("_"): value for name, value in arguments.items()}
        call = Call(
            run, step, attempt, run_mode, given, cancel or Cancellation(), progress, step_timeout
        )
        return action.run(call, self.tools)
