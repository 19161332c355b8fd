"""Finds actions by name: the built-in ones in one table, others by the entry points `drorch.actions`.

A family's module is imported when one of its actions is first asked for.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from types import MappingProxyType

from drorch.core.errors import ConfigurationError, Problem
from drorch.ports import Action

GROUP = "drorch.actions"

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        # Copies and regions
        "backup": "backups:BACKUP",
        "replicate": "replicating:REPLICATE",
        "restore": "restores:RESTORE",
        "restore.verify": "comparing:VERIFY",
        "repository.check": "checks:REPOSITORY_CHECK",
        "repository.unlock": "unlocking:REPOSITORY_UNLOCK",
        "repository.renew": "renewing:REPOSITORY_RENEW",
        "lock.extend": "locks:LOCK_EXTEND",
        "rewind": "rewinds:REWIND",
        "scrub": "scrubs:SCRUB",
        "heal": "heals:HEAL",
        "copies.adopt": "adopting:COPIES_ADOPT",
        "region.reachable": "regions:REGION_REACHABLE",
        "region.versioned": "regions:REGION_VERSIONED",
        "snapshot.age": "regions:SNAPSHOT_AGE",
        "retention.decide": "retention:RETENTION_DECIDE",
        "retention.prepare": "pruning:RETENTION_PREPARE",
        "retention.delete": "deleting:RETENTION_DELETE",
        "retention.release": "deleting:RETENTION_RELEASE",
        "snapshot.hold": "holds:SNAPSHOT_HOLD",
        "snapshot.accept": "guarding:SNAPSHOT_ACCEPT",
        # drorch's own records, their loss drilled
        "plane.recover": "planes:RECOVER",
        "plane.compare": "planes:COMPARE",
        "plane.restore": "planes_used:RESTORE",
        "plane.plan": "planes_used:PLAN",
        # Keys
        "key.add": "keys:KEY_ADD",
        "key.revoke": "keys:KEY_REVOKE",
        "key.delete": "keys:KEY_DELETE",
        "key.rotate": "keys:KEY_ROTATE",
        # Programs and services
        "command": "programs:COMMAND",
        "shell": "programs:SHELL",
        "ssh.command": "ssh:COMMAND",
        "service.start": "services:START",
        "service.stop": "services:STOP",
        # Networks
        "http.check": "web:CHECK",
        "http.request": "web:REQUEST",
        "tcp.check": "network:TCP",
        "dns.check": "network:DNS",
        "dns.update": "names:UPDATE",
        # Databases
        "sql.check": "sql:CHECK",
        "sql.execute": "sql:EXECUTE",
        "postgres.load": "postgres:LOAD",
        "postgres.is_primary": "postgres_roles:IS_PRIMARY",
        "postgres.lag": "postgres_roles:LAG",
        "postgres.promote": "postgres_roles:PROMOTE",
        # Files
        "files.verify": "files:VERIFY",
        "files.inspect": "signs:INSPECT",
        "files.write": "files:WRITE",
        "files.remove": "files:REMOVE",
        # People
        "notify": "telling:NOTIFY",
        "alarm.tell": "alarms:ALARM_TELL",
        "report.write": "reporting:REPORT_WRITE",
        "report.send": "reporting:REPORT_SEND",
        "corrective.open": "corrective:CORRECTIVE_OPEN",
        "corrective.change": "corrective:CORRECTIVE_CHANGE",
        # Which control plane is in charge
        "term.begin": "terms:TERM_BEGIN",
        "term.others": "terms:TERM_OTHERS",
        "kit.record": "kits:KIT_RECORD",
        # Before a failover
        "fence.check": "fence:CHECK",
        # The course of a run
        "wait": "course:WAIT",
        "approve": "course:APPROVE",
        "confirm": "course:CONFIRM",
        "runbook": "course:RUNBOOK",
    }
)


class Actions:
    """Every action there is; see ports.ActionTable."""

    def find(self, name: str) -> Action | None:
        """The action, or None.

        Raises ConfigurationError if a package that brings it cannot be loaded.
        """
        place = BUILT_IN.get(name)
        return _load(f"drorch.actions.{place}") if place is not None else _third_party(name)

    def names(self) -> Sequence[str]:
        """Every name, sorted."""
        return sorted({*BUILT_IN, *_entry_points()})


TABLE = Actions()


@cache
def _load(place: str) -> Action:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, Action):
        raise TypeError(f"{place} is a {type(found).__name__}, not an Action")
    return found


def _third_party(name: str) -> Action | None:
    place = _entry_points().get(name)
    if place is None:
        return None
    try:
        return _load(place)
    except Exception as error:
        problem = Problem(
            f"action {name} cannot be loaded from {place}: {error}",
            "update or remove the package that brings it",
        )
        raise ConfigurationError([problem]) from error


@cache
def _entry_points() -> Mapping[str, str]:
    # Looking through all installed packages takes time; built-in actions never need it.
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=GROUP)}
