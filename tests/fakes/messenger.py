"""A messenger that keeps what it was told; channels can be dead, or take a message late."""

import threading
from datetime import timedelta

from drorch.core.settings import NotifyRule
from drorch.core.telling import Delivery, Message, channel_named


class FakeMessenger:
    """`dead` channels fail so many times before they take a message; others take one when they are
    let.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, Message]] = []
        self.dead: dict[str, int] = {}
        self.waits: dict[str, threading.Event] = {}

    def send(self, channel: NotifyRule, message: Message, limit: timedelta) -> Delivery:
        """See ports.Messenger.send."""
        name = channel_named(channel)
        if name in self.waits:
            self.waits[name].wait()
        if self.dead.get(name, 0) > 0:
            self.dead[name] -= 1
            return Delivery(name, "connection refused", "look at it")
        self.told.append((name, message))
        return Delivery(name)
