"""Who we are, and whether somebody else who began a run still lives.

A process is known by host name, boot, pid and start time; in a container also by its pid
namespace, since a pid means nothing outside its own. Hosts that share a journal need different
names; the journal's fence holds even where they have not.
"""

import grp
import os
import pwd
import socket
from collections.abc import Iterable
from pathlib import Path

from drorch import __version__
from drorch.adapters.reaper import boot_id, read_stat
from drorch.core.events import Owner


def this_owner(token: str) -> Owner:
    """This process, as owner of runs whose children carry `token`."""
    found = read_stat(os.getpid())
    return Owner(
        host=this_host(),
        pid=os.getpid(),
        started=found.started if found else 0,
        boot=_place(),
        user=_user(),
        token=token,
        version=__version__,
    )


#: Tokens of processes that are known to be dead, however little can be seen of them. What is dead
#: stays so: this only grows.
_DEAD: set[str] = set()


def buried(tokens: Iterable[str]) -> None:
    """The processes with these tokens are dead: that has been proven in another way."""
    _DEAD.update(tokens)


def alive(owner: Owner) -> bool | None:
    """Whether the owner still lives; None if that cannot be known from here.

    On this host another boot means dead. On another host, or in another pid namespace of this
    boot, nothing can be known but what was proven otherwise.
    """
    if owner.token in _DEAD:
        return False
    if owner.host != this_host():
        return None
    boot, _, namespace = owner.boot.partition("/")
    here, _, our_namespace = _place().partition("/")
    if boot != here:
        return False
    if namespace != our_namespace:
        return None
    found = read_stat(owner.pid)
    return found is not None and found.alive and found.started == owner.started


def this_host() -> str:
    """This machine's name as runs record it."""
    return socket.gethostname()


#: The inode of the first pid namespace, fixed in the kernel (PROC_PID_INIT_INO in proc_ns.h).
_FIRST_NAMESPACE = 0xEFFFFFFC


def _place() -> str:
    """Where a pid means something: the boot, and the pid namespace unless it is the first."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return boot_id()
    return boot_id() if namespace == _FIRST_NAMESPACE else f"{boot_id()}/{namespace}"


def _user() -> str:
    """The account, by the kernel; of sudo the one behind it. Not $USER, which anybody can set."""
    account = os.getuid()
    behind = os.environ.get("SUDO_UID", "")
    if account == 0 and behind.isdecimal():
        account = int(behind)
    try:
        return pwd.getpwuid(account).pw_name
    except (KeyError, OverflowError):
        return str(account)


def groups_of(user: str) -> frozenset[str]:
    """The names of the system's groups that an account belongs to; none if it is not known."""
    try:
        account = pwd.getpwnam(user)
        numbers = os.getgrouplist(user, account.pw_gid)
    except (KeyError, OSError):
        return frozenset()
    return frozenset(_group_name(number) for number in numbers)


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
