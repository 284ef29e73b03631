"""What goes into a chat room and comes out of it, and what can be wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

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
        shown = repr(payload)
        shown = shown if len(shown) <= 60 else shown[:59] + "…"
        super().__init__(f"{place} holds {shown}, which no room wrote")
        self.place, self.payload = place, payload


class KeyAlreadyUsed(ValueError):
    """A key names one message; here it was given to a second, different one."""

    def __init__(self, key: str, message: Message) -> None:
        super().__init__(f"key {key!r} names message {message.number}; take a new key")
        self.key, self.message = key, message


def log_error(error: Exception) -> None:
    """Report what a room survived, as a warning in this package's log."""
    _log.warning("%s: %s", type(error).__name__, error)
