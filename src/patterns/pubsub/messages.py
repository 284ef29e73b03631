"""What goes into a chat room and comes out of it, and what a room refuses."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger("patterns.pubsub")

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
    """Report what a room survived, as a warning in the log `patterns.pubsub`."""
    _log.warning("%s: %s", type(error).__name__, error)


def check_room(name: str, poll: float) -> None:
    """Raise unless a room can have this name, and look again every `poll` seconds."""
    _check_name("name", name)
    _check_seconds("poll", poll)
    if not 0 < poll < math.inf:
        raise ValueError(f"poll must be over zero and finite, not {poll}")


def check_message(author: str, text: str, key: str) -> None:
    """Raise unless every database stores these exactly: str, no NUL, no lone surrogates."""
    _check_name("author", author)
    _check_text("text", text)
    _check_name("key", key)


def check_number(after: int) -> None:
    """Raise unless this is the number of a message, or 0, the place before the first."""
    if isinstance(after, bool) or not isinstance(after, int):
        raise TypeError(f"after must be the number of a message, not {type(after).__name__}")
    if not 0 <= after < 2**63:
        raise ValueError(f"after must be the number of a message, not {after}")


def check_reading(timeout: float, after: int) -> None:
    """Raise unless a reader can wait this long (math.inf: for ever), and begin after `after`."""
    _check_seconds("timeout", timeout)
    check_number(after)


def is_number(payload: str | bytes) -> bool:
    """Return whether a payload is a decimal number, as a room's own are."""
    return payload.isascii() and payload.isdigit()


def _check_text(what: str, value: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} contains NUL, which PostgreSQL cannot store")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{what} contains a lone surrogate, which UTF-8 cannot encode")


def _check_name(what: str, value: str) -> None:
    _check_text(what, value)
    if not 1 <= len(value) <= 200:  # an index of PostgreSQL holds 2,704 bytes
        raise ValueError(f"{what} must have 1 to 200 characters, not {len(value)}")


def _check_seconds(what: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number of seconds, not {type(value).__name__}")
    if math.isnan(value) or value < 0:
        raise ValueError(f"{what} must be zero or more seconds, not {value}")
