"""The composition root: everything the program is made of, built once, each part when first used."""

import os
import random
import secrets as entropy
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from drorch.core.errors import UsageError
from drorch.core.events import Owner
from drorch.core.facts import F, Known
from drorch.core.model import Configuration, Dataset, Region
from drorch.core.posture import KnownCopy
from drorch.ports import (
    ActionTable,
    Clock,
    Commands,
    Creations,
    EvidenceStore,
    Messenger,
    Tools,
)

if TYPE_CHECKING:
    from drorch.adapters.secrets import ConfiguredSecrets
    from drorch.config.runbooks import Runbooks
    from drorch.journal.store import SqlJournal

Named = TypeVar("Named")


class Program:
    """One configuration, and the parts that work on it."""

    def __init__(
        self, configuration: Configuration, environment: Mapping[str, str] | None = None
    ) -> None:
        self.configuration = configuration
        self.environment = dict(os.environ if environment is None else environment)
        self.token = entropy.token_hex(16)
        #: The runs that this process has in its hands at this moment.
        self.carrying: set[str] = set()
        #: Whether this process lives for years: what takes much memory, another one does.
        self.lasting = False

    @classmethod
    def open(cls, option: Path | None, environment: Mapping[str, str] | None = None) -> "Program":
        """Find and load the configuration; raises ConfigurationError with all its problems."""
        from drorch.config.load import find_configuration, load_configuration

        environ = os.environ if environment is None else environment
        return cls(load_configuration(find_configuration(option, environ)), environ)

    def renewed(self, configuration: Configuration) -> "Program":
        """The same process on another configuration of the same state: journal, owner and children
        stay what they are.
        """
        other = Program(configuration, self.environment)
        other.token, other.carrying, other.lasting = self.token, self.carrying, self.lasting
        for part in ("clock", "commands", "journal", "owner"):
            other.__dict__[part] = getattr(self, part)
        return other

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        from drorch.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def commands(self) -> Commands:
        """The one place that starts processes; its children carry this program's token."""
        from drorch.adapters.commands import SystemCommands

        return SystemCommands(self.token)

    @cached_property
    def secrets(self) -> "ConfiguredSecrets":
        """The configured secrets, fetched when asked for."""
        if self.configuration.exercise is not None:
            from drorch.adapters.exercised import HandedOver

            return HandedOver(self.configuration, self.commands, self.environment)
        from drorch.adapters.secrets import ConfiguredSecrets

        return ConfiguredSecrets(self.configuration, self.commands, self.environment)

    @cached_property
    def evidence(self) -> EvidenceStore:
        """The folder of evidence files."""
        from drorch.adapters.evidence import EvidenceFolder

        return EvidenceFolder(self.configuration.work / "evidence")

    @cached_property
    def messenger(self) -> Messenger:
        """How people are told."""
        from drorch.notify.messenger import ConfiguredMessenger

        return ConfiguredMessenger(
            self.configuration.folder, self.secrets, self.commands, self.environment
        )

    @cached_property
    def creations(self) -> Creations:
        """What runs have created on disk."""
        from drorch.adapters.creations import CreationsFolder

        return CreationsFolder(self.configuration.work / "created")

    @cached_property
    def journal(self) -> "SqlJournal":
        """The journal; JournalUntrusted when it cannot be opened."""
        from drorch.journal.store import SqlJournal

        return SqlJournal(self.configuration.state, folder=self.configuration.folder)

    @cached_property
    def actions(self) -> ActionTable:
        """What steps can do."""
        from drorch.actions.table import TABLE

        return TABLE

    @cached_property
    def owner(self) -> Owner:
        """This process, as runs name it."""
        from drorch.adapters.ownership import this_owner

        return this_owner(self.token)

    @cached_property
    def tools(self) -> Tools:
        """What actions may touch."""
        return Tools(
            configuration=self.configuration,
            clock=self.clock,
            commands=self.commands,
            secrets=self.secrets,
            evidence=self.evidence,
            messenger=self.messenger,
            creations=self.creations,
            knowledge=_Known(self),
            environment=self.environment,
            random=random.Random(),  # noqa: S311 - spreads waits, guards nothing
            restic_binary=self.environment.get("DRORCH_RESTIC", "restic"),
        )

    def dataset(self, name: str) -> Dataset:
        """A dataset by name; UsageError with the names there are."""
        return _named(self.configuration.datasets, name, "dataset")

    def region(self, name: str) -> Region:
        """A region by name; UsageError with the names there are."""
        return _named(self.configuration.regions, name, "region")

    @cached_property
    def runbooks(self) -> "Runbooks":
        """The runbooks of the configured folder, each read when asked for."""
        from drorch.config.runbooks import Runbooks

        return Runbooks(self.configuration.runbooks)


class _Known:
    """ports.Knowledge: the journal's, opened when first asked, so that a look at a region or at
    restic needs no journal.
    """

    def __init__(self, program: Program) -> None:
        self._program = program

    def copies(self, dataset: str) -> Sequence[KnownCopy]:
        """See ports.Knowledge.copies."""
        return self._program.journal.copies(dataset)

    def facts(self, wanted: type[F], dataset: str) -> Sequence[Known[F]]:
        """See ports.Knowledge.facts."""
        return self._program.journal.facts(wanted, dataset)

    def recorded(self, run: str) -> bool:
        """See ports.Knowledge.recorded."""
        return self._program.journal.recorded(run)


def _named(there: Mapping[str, Named], name: str, what: str) -> Named:
    if name in there:
        return there[name]
    from drorch.core.nearest import did_you_mean

    raise UsageError(f"there is no {what} {name!r}", did_you_mean(name, there, f"{what}s"))
