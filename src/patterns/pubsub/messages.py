"""What goes into a chat room and comes out of it, and what can be wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from reprlib import repr as shown

from redis import exceptions

_log = logging.getLogger(__package__)

_SERVER_GONE = (exceptions.ConnectionError, exceptions.TimeoutError)
UNREACHABLE = (*_SERVER_GONE, exceptions.ClusterError, exceptions.RedisClusterException)
Hook = Callable[[Exception], None]  # told of what a room survived


@dataclass(frozen=True)
class Message:
    """One message; `number` is its place in the room: 1, 2, 3, the same for all readers."""

    number: int
    author: str
    text: str


class MalformedMessage(ValueError):
    """Another program wrote something to the room that no room writes."""

    def __init__(self, place: str, payload: object) -> None:
        super().__init__(place, payload)
        self.place, self.payload = place, payload

    def __str__(self) -> str:
        return f"{self.place} holds {shown(self.payload)}, which no room wrote"


class KeyAlreadyUsed(ValueError):
    """A key names one message; here it was given to a second, different one."""

    def __init__(self, key: str, message: Message) -> None:
        super().__init__(key, message)
        self.key, self.message = key, message

    def __str__(self) -> str:
        return f"key {self.key!r} names message {self.message.number}; take a new key"


def log_error(error: Exception) -> None:
    """Report what a room survived, as a warning in this package's log."""
    _log.warning("%s: %s", type(error).__name__, error)
