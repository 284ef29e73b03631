"""Redis pub-sub as the search sees it.

SUBSCRIBE is sent in one step and takes effect on the server in another. A
published message is put in line for every subscription in effect, first in,
first out; taking it is a step of the subscriber. A connection that breaks loses
its line, and subscribes again when it is next used, as redis-py does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from raceproof.trace.command_text import command_text, literal
from raceproof.wire.calls import Ask, Call, Outcome, Performed

_sentinels = itertools.count()


@dataclass
class Subscription:
    """One subscriber's connection: what it asked for, what is in effect, what is in line."""

    asked: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    line: list[tuple[str, str, Any]] = field(default_factory=list)

    def view(self) -> Hashable:
        return (tuple(self.asked), tuple(self.active), repr(self.line))


class Channels:
    """All subscriptions of one world."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._subscribers: dict[tuple[str, int], Subscription] = {}
        self._tap: Any = None

    def publish(self, channel: str, data: Any) -> int:
        """Put a message in line for every subscription in effect; return how many."""
        receivers = [s for s in self._subscribers.values() if channel in s.active]
        for receiver in receivers:
            receiver.line.append(("message", channel, data))
        return len(receivers)

    def perform(self, actor: str, call: Call) -> Performed | None:
        _, verb, number, names = call.data
        key = (actor, number)
        subscription = self._subscribers.setdefault(key, Subscription())
        if verb == "subscribe":
            subscription.asked += [n for n in names if n not in subscription.asked]
        elif verb == "effect":
            for name in subscription.asked:
                subscription.active.append(name)
                subscription.line.append(("subscribe", name, len(subscription.active)))
            subscription.asked.clear()
        elif verb == "unsubscribe":
            gone = names or subscription.active
            subscription.active = [n for n in subscription.active if n not in gone]
        elif verb == "close":
            self._subscribers.pop(key, None)
        elif verb == "break":
            subscription.asked = [*subscription.active, *subscription.asked]
            subscription.active, subscription.line = [], []
        elif not subscription.line:
            return None
        else:
            message = subscription.line.pop(0)
            return Performed(Outcome.value(message, _message_text(message)))
        return Performed(Outcome.value(None, ""))

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return the subscriptions that can take effect now."""
        return [
            (actor, _channel_call(self._store, "effect", number, tuple(subscription.asked)))
            for (actor, number), subscription in sorted(self._subscribers.items())
            if subscription.asked
        ]

    def leave(self, actor: str) -> None:
        """Drop the subscriptions of an actor."""
        for key in [key for key in self._subscribers if key[0] == actor]:
            del self._subscribers[key]

    def snapshot(self) -> Hashable:
        return tuple((key, s.view()) for key, s in sorted(self._subscribers.items()))

    def overhear(self, client: Any, run: Callable[[], Any]) -> Any:
        """Run something on the server, and put in line whatever it published."""
        if self._tap is None:
            self._tap = client.pubsub(ignore_subscribe_messages=False)
            self._tap.psubscribe("*")
            while self._tap.get_message(timeout=5) is None:
                pass
        value = run()
        end = f"explore:end:{next(_sentinels)}"
        client.publish(end, "")
        while (message := self._tap.get_message(timeout=5)) is not None:
            if message["channel"] in (end, end.encode()):
                break
            if message["type"] == "pmessage":
                self.publish(_text(message["channel"]), message["data"])
        return value

    def close(self) -> None:
        """Stop listening to the real server."""
        if self._tap is not None:
            self._tap.close()
            self._tap = None


@dataclass(frozen=True)
class SubscriptionCalls:
    """How the proxies of one client reach the search."""

    store: str
    ask: Ask
    tell: Callable[[Call], None]


class PubSubProxy:
    """A redis-py PubSub whose sends and receipts are steps of the search."""

    def __init__(
        self,
        calls: SubscriptionCalls,
        number: int,
        encoder: Any,
        reconnects: bool,
        ignore_subscribe_messages: bool = False,
        **options: Any,
    ) -> None:
        if options:
            raise NotImplementedError(f"pubsub({', '.join(options)}) is not part of the search")
        self._calls = calls
        self._number = number
        self._decode = bool(encoder.decode_responses)
        self._reconnects = reconnects
        self._ignore = ignore_subscribe_messages
        self._handlers: dict[str, Callable[[Any], Any]] = {}
        self.channels: dict[str, Any] = {}

    @property
    def subscribed(self) -> bool:
        """Whether any channel has been asked for."""
        return bool(self.channels)

    def subscribe(self, *names: Any, **handlers: Callable[[Any], Any]) -> None:
        """Send SUBSCRIBE; it takes effect later, and is then acknowledged by a message."""
        wanted = (*(_text(name) for name in names), *handlers)
        self._handlers.update(handlers)
        self.channels.update({name: handlers.get(name) for name in wanted})
        call = _channel_call(self._calls.store, "subscribe", self._number, wanted)
        self._calls.ask(call)

    def unsubscribe(self, *names: Any) -> None:
        """Stop receiving from these channels, or from all."""
        gone = tuple(_text(name) for name in names)
        for name in gone or tuple(self.channels):
            self.channels.pop(name, None)
        self._calls.tell(_channel_call(self._calls.store, "unsubscribe", self._number, gone))

    def get_message(
        self, ignore_subscribe_messages: bool = False, timeout: float | None = 0.0
    ) -> dict[str, Any] | None:
        """Take the next message; wait up to `timeout` seconds for it (None: for ever)."""
        if not self.subscribed:
            raise RuntimeError(
                "pubsub connection not set: did you forget to call subscribe() or psubscribe()?"
            )
        message = self._take(timeout)
        if message is None:
            return None
        kind, channel, data = message
        if kind == "subscribe" and (self._ignore or ignore_subscribe_messages):
            return None
        value = {"type": kind, "pattern": None, "channel": self._form(channel), "data": data}
        if kind == "message":
            value["data"] = self._form(data)
            if channel in self._handlers:
                self._handlers[channel](value)
                return None
        return value

    def listen(self) -> Iterator[dict[str, Any]]:
        """Yield messages for as long as something is subscribed to."""
        while self.subscribed:
            message = self.get_message(timeout=None)
            if message is not None:
                yield message

    def _take(self, timeout: float | None) -> tuple[str, str, Any] | None:
        call = _channel_call(self._calls.store, "take", self._number, tuple(self.channels), timeout)
        try:
            taken: tuple[str, str, Any] | None = self._calls.ask(call)
        except redis.ConnectionError:
            names = tuple(self.channels)
            self._calls.tell(_channel_call(self._calls.store, "break", self._number, names))
            if not self._reconnects:
                raise
            return self._take(timeout)
        return taken

    def _form(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode() if self._decode else value
        return str(value) if self._decode else str(value).encode()

    def close(self) -> None:
        """Close the connection; nothing more arrives."""
        if self.channels:
            self.channels = {}
            self._calls.tell(_channel_call(self._calls.store, "close", self._number, ()))

    reset = close

    def __enter__(self) -> PubSubProxy:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _channel_call(
    store: str, verb: str, number: int, names: tuple[str, ...], timeout: float | None = None
) -> Call:
    words = {
        "subscribe": command_text(("SUBSCRIBE", *names)),
        "effect": f"subscription to {', '.join(names)} takes effect",
        "take": f"next message of {', '.join(names)}",
        "unsubscribe": command_text(("UNSUBSCRIBE", *names)),
    }
    return Call(
        store,
        ("channel", verb, number, names, timeout),
        words.get(verb, verb),
        ("channel", verb, number, names),
        waits=verb == "take",
        timeout=timeout,
        holds=verb in ("subscribe", "take"),
        delivers=verb == "take",
    )


def _message_text(message: tuple[str, str, Any]) -> str:
    kind, channel, data = message
    return f"subscribed to {channel}" if kind == "subscribe" else literal(data)


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
