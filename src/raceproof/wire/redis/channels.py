"""Pub-sub: each subscriber's connection is really subscribed.

SUBSCRIBE and its like are sent in one step and take effect on the server in another. After every
step that may have published, whatever the server has sent is put in line, connection by
connection; taking the first in line is a step of the subscriber.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from raceproof.trace.command_text import command_text, literal
from raceproof.wire.calls import Call, Outcome, Performed
from raceproof.wire.redis.commands import Args
from raceproof.wire.redis.outsiders import outsiders_hear, refuse_outsiders, refuse_server_events
from raceproof.wire.redis.server import Server

Key = tuple[str, int]  # an actor, and the number of one of its connections
_END = b"raceproof: end"


@dataclass
class Subscriber:
    """One subscriber's connection: what it asked for, what is in effect, what is in line."""

    connection: Any
    asked: list[Args] = field(default_factory=list)
    active: set[tuple[bytes, bytes]] = field(default_factory=set)
    line: list[Any] = field(default_factory=list)

    def view(self) -> Hashable:
        """Return all that tells what this subscriber will be sent."""
        return (tuple(self.asked), tuple(sorted(self.active)), repr(self.line))


class Channels:
    """All subscribers of one world."""

    def __init__(self, store: str, server: Server) -> None:
        self._store = store
        self._server = server
        self.subscribers: dict[Key, Subscriber] = {}

    def subscribe(self, key: Key, requests: Sequence[Args]) -> Performed:
        """Note what is asked for: it takes effect in a move."""
        if key not in self.subscribers:
            self.subscribers[key] = Subscriber(self._server.open())
        self.subscribers[key].asked += requests
        return Performed(Outcome.value(None, ""))

    def take_effect(self, key: Key) -> Performed:
        """Send what was asked for."""
        subscriber = self.subscribers[key]
        for args in subscriber.asked:
            refuse_server_events(self._server, args[1:])
            subscriber.connection.send_command(*args)
        subscriber.asked.clear()
        self._hear(subscriber)
        return Performed(Outcome.value(None, ""))

    def take(self, key: Key, waits: bool) -> Performed | None:
        """Hand out the first message in line; if there is none, who waits goes on waiting."""
        subscriber = self.subscribers.get(key)
        if subscriber is None or not subscriber.line:
            return None if waits else Performed(Outcome.value(None, "(nil)"), False)
        message = subscriber.line.pop(0)
        return Performed(Outcome.value(message, _message_text(message)))

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return the subscriptions that can take effect now."""
        return [
            (actor, effect_call(self._store, number, tuple(subscriber.asked)))
            for (actor, number), subscriber in sorted(self.subscribers.items())
            if subscriber.asked
        ]

    def drain(self) -> int:
        """Put in line whatever was published; return how many messages that is, in all lines."""
        before = sum(len(subscriber.line) for subscriber in self.subscribers.values())
        for _, subscriber in sorted(self.subscribers.items()):
            if subscriber.active:
                self._hear(subscriber)
        return sum(len(subscriber.line) for subscriber in self.subscribers.values()) - before

    def active(self) -> list[tuple[bytes, bytes]]:
        """Return what is in effect: the kind and the name of each subscription."""
        return [name for subscriber in self.subscribers.values() for name in subscriber.active]

    def published(self, told: Sequence[Any], *, by_script: bool, alone: bool) -> None:
        """Put in line what was published; refuse a number of receivers that were not all here.

        `alone`: a script has seen for itself that no pattern matched what it published.
        """
        if not (told or by_script):
            return
        heard = self.drain() if self.active() else 0
        if by_script:
            self.refuse_outsiders(patterns=not alone)
        elif heard != sum(number for number in told if isinstance(number, int)):
            raise outsiders_hear()

    def refuse_outsiders(self, *, patterns: bool) -> None:
        """Raise Unsearchable if anybody outside of the world has subscribed, see outsiders.py."""
        refuse_outsiders(self._server, self.active(), patterns=patterns)

    def close(self, actor: str, number: int | None = None) -> None:
        """Close a connection of an actor, or all of them."""
        for key in list(self.subscribers):
            if key[0] == actor and number in (None, key[1]):
                subscriber = self.subscribers.pop(key)
                for word in (b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"):
                    subscriber.connection.send_command(word)
                self._hear(subscriber)  # the server hears of a closed connection only later
                self._server.close(subscriber.connection, clean=True)

    def close_all(self) -> None:
        """Close all connections."""
        for actor in {key[0] for key in self.subscribers}:
            self.close(actor)

    def snapshot(self) -> Hashable:
        """Return all that is asked for, in effect and in line."""
        return tuple((key, s.view()) for key, s in sorted(self.subscribers.items()))

    def _hear(self, subscriber: Subscriber) -> None:
        """Put in line what the server has sent to a subscriber."""
        connection = subscriber.connection
        connection.send_command(b"PING", _END)
        while True:
            message = connection.read_response(disable_decoding=True, push_request=True)
            if message in (_END, [b"pong", _END]):
                return
            kind, name = message[:2]
            if kind.endswith(b"unsubscribe"):
                subscriber.active.discard((kind.replace(b"un", b""), name))
            elif kind.endswith(b"subscribe"):
                subscriber.active.add((kind, name))
            subscriber.line.append(message)


def subscribe_call(store: str, number: int, args: Args) -> Call:
    """Return the sending of SUBSCRIBE or one of its like."""
    data = ("subscribe", number, (args,))
    return Call(store, (number, args), command_text(args), data, holds=True)


def effect_call(store: str, number: int, asked: tuple[Args, ...]) -> Call:
    """Return the move in which subscriptions take effect."""
    names = ", ".join(command_text([name]) for args in asked for name in args[1:])
    ends = all(b"UNSUB" in args[0].upper() for args in asked)
    text = f"{'end of the ' if ends else ''}subscription to {names or 'all'} takes effect"
    return Call(store, ("effect", number, asked), text, ("effect", number, asked))


def take_call(store: str, number: int, names: Sequence[bytes], timeout: float | None) -> Call:
    """Return the taking of a message; a time-out of 0 only looks whether there is one."""
    text = f"next message of {', '.join(command_text([name]) for name in names)}"
    return Call(
        store,
        ("take", number, timeout),
        text,
        ("take", number, ()),
        waits=timeout != 0,
        timeout=timeout,
        holds=True,
        delivers=timeout != 0,
    )


def close_call(store: str, number: int) -> Call:
    """Return the closing of a connection, of which the client awaits no reply."""
    return Call(store, ("close", number), "close", ("close", number, ()))


def _message_text(message: list[Any]) -> str:
    kind, name = message[0].decode(), message[1]
    if kind.endswith("unsubscribe"):
        return f"unsubscribed from {command_text([name])}" if name else "unsubscribed"
    if kind.endswith("subscribe"):
        return f"subscribed to {command_text([name])}"
    return literal(message[-1])
