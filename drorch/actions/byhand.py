"""Steps as a person does them where drorch is not there: action and arguments to lines of a shell.

What cannot be said honestly is not said: an action that is not in the table has no command.
Arguments are as far known as inputs are; `{step.output}` and inputs not given stay as blanks.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drorch.actions import byhand_data as data
from drorch.actions import byhand_databases as databases
from drorch.actions import byhand_networks as networks
from drorch.actions import byhand_planes as planes
from drorch.actions import byhand_programs as programs
from drorch.actions.byhand_given import Given
from drorch.core.byhand import NO_COMMAND, ByHand
from drorch.core.model import Configuration
from drorch.core.values import Value


def by_hand(
    action: str, arguments: Mapping[str, Value], configuration: Configuration, step: str
) -> ByHand:
    """What to type for a step of that name; NO_COMMAND where there is nothing."""
    work = _TABLE.get(action)
    return work(Given(arguments, configuration, step)) if work else NO_COMMAND


_TABLE: Mapping[str, Callable[[Given], ByHand]] = MappingProxyType(
    {
        "restore": data.restore,
        "snapshot.age": data.snapshot_age,
        "repository.check": data.check,
        "plane.recover": planes.recover,
        "plane.restore": planes.restore,
        "plane.plan": planes.plan,
        "region.reachable": data.reachable,
        "command": programs.command,
        "shell": programs.shell,
        "ssh.command": programs.ssh,
        "service.start": programs.start,
        "service.stop": programs.stop,
        "http.check": networks.look,
        "http.request": networks.request,
        "tcp.check": networks.tcp,
        "dns.check": networks.dns_check,
        "dns.update": networks.dns_update,
        "sql.check": databases.sql,
        "sql.execute": databases.sql,
        "postgres.load": databases.load,
        "postgres.is_primary": databases.is_primary,
        "postgres.lag": databases.lag,
        "postgres.promote": databases.promote,
        "files.verify": data.verify,
        "files.write": data.write,
        "files.remove": data.remove,
        "fence.check": networks.fence,
    }
)
