"""Hands a message to one of the configured channels, and says what became of it.

Knows which kinds of channel there are. What a channel answers is told without any value of a
secret: the address of a channel is one, and so is each part of it that could be a key.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drorch import __version__
from drorch.core.encoding import utf8
from drorch.core.errors import DrorchError
from drorch.core.settings import NotifyRule
from drorch.core.telling import Delivery, Message, channel_named
from drorch.notify.addresses import without_secrets
from drorch.ports import Command, Commands, Completed, Ended, Secrets

#: What a command finds of drorch's own environment, beside what the message is.
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR")
_SAID = 300


class ConfiguredMessenger:
    """ports.Messenger: `folder` is where commands run, `environment` drorch's own."""

    def __init__(
        self,
        folder: Path,
        secrets: Secrets,
        commands: Commands,
        environment: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._secrets = secrets
        self._commands = commands
        self._environment = environment

    def send(self, channel: NotifyRule, message: Message, limit: timedelta) -> Delivery:
        """See ports.Messenger.send."""
        name = channel_named(channel)
        told = replace(message, title=_encodable(message.title), body=_encodable(message.body))
        try:
            why, hint = self._sent(channel, told, limit)
        except DrorchError as error:
            why, hint = error.message, error.hint
        redact = self._secrets.redact
        return Delivery(name, redact(why)[:_SAID], redact(hint))

    def _sent(self, channel: NotifyRule, message: Message, limit: timedelta) -> tuple[str, str]:
        """Why not, and what to do; both empty where it was taken."""
        if channel.command:
            return self._by_command(channel.command, message, limit)
        if channel.ping:
            return self._pinged(self._secrets.get(channel.ping), channel.ping, limit)
        address = self._secrets.get(channel.to or "")
        from drorch.notify.by_apprise import tell

        why = without_secrets(tell(address, message, limit), address)
        return why, f"look at the address in secret {channel.to}: {_DOCUMENTED}" if why else ""

    def _by_command(
        self, argv: tuple[str, ...], message: Message, limit: timedelta
    ) -> tuple[str, str]:
        inherited = {n: v for n, v in self._environment.items() if n in _INHERITED}
        program = str(self._folder / argv[0]) if "/" in argv[0] else argv[0]
        done = self._commands.run(
            Command(
                (program, *argv[1:]),
                {**inherited, **_told(message)},
                cwd=self._folder,
                stdin=message.body.encode(),
                timeout=limit,
            )
        )
        if done.ended is Ended.EXITED and done.exit_code == 0:
            return "", ""
        return _ending(argv[0], done), f"try it by hand: {shlex.join(argv)}"

    def _pinged(self, address: str, secret: str, limit: timedelta) -> tuple[str, str]:
        """Call a dead man's switch; it is silence that raises its alarm."""
        from http.client import HTTPException  # both take long to load, and few runs tell anybody
        from urllib.request import Request, urlopen

        hint = f"look at the address in secret {secret}"
        if not address.startswith(("http://", "https://")):
            return "its address is not one of http or https", hint
        asked = Request(address, headers={"User-Agent": f"drorch/{__version__}"})  # noqa: S310 - looked at above
        try:
            with urlopen(asked, timeout=limit.total_seconds()):  # noqa: S310 - looked at above
                return "", ""
        except (OSError, HTTPException, ValueError) as error:
            return without_secrets(f"it cannot be called: {error}", address), hint


_DOCUMENTED = "how each service's is written stands at https://github.com/caronc/apprise/wiki"


def _encodable(text: str) -> str:
    """Names of files that are not UTF-8 go by no mail."""
    return utf8(text).decode()


def _told(message: Message) -> dict[str, str]:
    """What a command finds in its environment; its standard input is the text. Files: one a line."""
    told = {"DRORCH_TITLE": message.title, "DRORCH_TONE": str(message.tone)}
    files = "\n".join(str(path) for path in message.files)
    return {**told, "DRORCH_FILES": files} if files else told


def _ending(program: str, done: Completed) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    how = f"ended with {done.exit_code}" if done.ended is Ended.EXITED else f"was {done.ended}"
    said = done.message or (lines[-1].strip() if lines else "")
    return f"{program} {how}" + (f": {said}" if said else "")
