"""Connections of ours for redis-py: each hands requests to the search, and gets replies from it.

All that redis-py does above its connections is its own: retries, WatchError, locks, pub-sub.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection

from raceproof.wire.calls import Ask, Call, Unsearchable
from raceproof.wire.redis.channels import close_call, subscribe_call, take_call
from raceproof.wire.redis.commands import SUBSCRIBES, Args, name_of, unsearchable
from raceproof.wire.redis.requests import (
    KnownScripts,
    arrival_call,
    parsed,
    request_call,
    resolved,
    transaction_call,
)


class Wire:
    """How the connections of one client of one world reach the search."""

    def __init__(self, store: str, ask: Ask, tell: Callable[[Call], None]) -> None:
        self.store = store
        self.ask, self.tell = ask, tell
        self.opened, self.scripts = 0, KnownScripts()


class WireConnection(AbstractConnection):
    """A redis-py connection to the search."""

    def __init__(self, *, wire: Wire, **options: Any) -> None:
        self._wire = wire
        self._number = 0
        self.replies: deque[Any] = deque()
        self._names: dict[bytes, None] = {}  # what it is subscribed to, in order
        self._holds = False  # whether the server ties anything to this connection
        self._begins = False  # whether it is being connected
        super().__init__(**options)
        self.retry._backoff = NoBackoff()  # between two tries no time passes

    def repr_pieces(self) -> list[tuple[str, Any]]:
        """Return what redis-py shows of the connection: the store, the database."""
        return [("search", self._wire.store), ("db", self.db)]

    def _host_error(self) -> str:
        return self._wire.store

    def fileno(self) -> int:
        """Refuse: who asks waits for the socket in a loop of its own, past the search."""
        raise Unsearchable(
            "a library waits for the socket of a connection (kombu's drain_events does), which "
            "cannot be searched; let it ask for one message at a time (kombu: Queue.get)"
        )

    def _connect(self) -> Any:
        self._wire.opened += 1
        self._number = self._wire.opened
        self.next_health_check = time.monotonic() + self.health_check_interval  # type: ignore[assignment]
        return self

    def connect_check_health(
        self, check_health: bool = True, retry_socket_connect: bool = True
    ) -> None:
        """Connect: the handshake is no step, and what is subscribed to anew is sent with it."""
        if self.is_connected:
            return
        with self.connecting():
            for callback in filter(None, [ref() for ref in self._connect_callbacks]):
                callback(self)

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Open it: what is subscribed to meanwhile is sent with the handshake, and is no step."""
        self._sock = self._connect()
        self._begins = True
        try:
            yield
        finally:
            self._begins = False

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close: what the server ties to this connection ends."""
        if self._sock is not None and self._holds:
            self._wire.tell(close_call(self._wire.store, self._number))
        self._sock, self._holds = None, False
        self.replies.clear()
        self._names.clear()
        self._wire.scripts.missing()
        self._should_reconnect = False

    def __del__(self) -> None:
        """Nothing to release."""

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Make each request a step, or all of a transaction that is sent together one."""
        if self._sock is None:
            self.connect_check_health(check_health=False)
        if check_health:
            self.check_health()  # type: ignore[no-untyped-call]
        self.next_health_check = time.monotonic() + self.health_check_interval  # type: ignore[assignment]
        packed = command if isinstance(command, str | bytes) else b"".join(command)
        requests = list(parsed(packed.encode() if isinstance(packed, str) else packed))
        try:
            if [name_of(requests[0]), name_of(requests[-1])] == ["MULTI", "EXEC"]:
                wire = self._wire
                call = transaction_call(wire.store, self._number, requests, wire.scripts)
                self.replies.extend(self._wire.ask(call))
            else:
                for args in requests:
                    self._send(args)
        except BaseException:
            self.disconnect()
            raise

    def can_read(self, timeout: float | None = 0) -> bool:
        """Return whether there is a reply; who is subscribed waits for the next message."""
        if self._sock is None:
            self.connect()  # type: ignore[no-untyped-call]
        waits = not self.replies and self._names
        if waits and (message := self._wire.ask(self._take(timeout))) is not None:
            self.replies.append(message)
        return bool(self.replies)

    def read_response(
        self, disable_decoding: bool = False, *, timeout: Any = None, **options: Any
    ) -> Any:
        """Return the next reply, or raise it if it is an error."""
        if not self.replies:
            if not self._names:
                raise redis.ConnectionError("Connection closed by server.")
            self.replies.append(self._wire.ask(self._take(None)))
        reply = self.replies.popleft()
        if isinstance(reply, redis.RedisError):
            try:
                raise reply
            finally:
                del reply  # else it would hold itself, by its traceback
        return reply if disable_decoding else self._decoded(reply)

    def _send(self, args: Args) -> None:
        name = name_of(args)
        if name == "UNWATCH" and _in_a_destructor():
            raise redis.ConnectionError("an abandoned pipeline: its connection is closed")
        if name == "PING" and self._names:
            raise unsearchable("PING of a subscriber", "messages may come before its answer")
        if name in SUBSCRIBES:
            self._subscribe(name, args)
            return
        if arrival := arrival_call(self._wire.store, self._number, args):
            args = resolved(args, self._wire.ask(arrival))
        call = request_call(self._wire.store, self._number, args, self._wire.scripts)
        self._holds = self._holds or call.holds
        self._wire.scripts.missing()
        try:
            self.replies.append(self._wire.ask(call))
        except redis.ResponseError as error:
            if isinstance(error, redis.exceptions.NoScriptError):
                self._wire.scripts.missing(args[1])
            self.replies.append(error)

    def _subscribe(self, name: str, args: Args) -> None:
        call = subscribe_call(self._wire.store, self._number, args)
        self._holds = True
        if self._begins or name.endswith("UNSUBSCRIBE"):
            self._wire.tell(call)
        else:
            self._wire.ask(call)
        if not name.endswith("UNSUBSCRIBE"):
            self._names.update(dict.fromkeys(args[1:]))

    def _take(self, timeout: float | None) -> Call:
        return take_call(self._wire.store, self._number, tuple(self._names), timeout)

    def _decoded(self, reply: Any) -> Any:
        if isinstance(reply, list):
            return [self._decoded(item) for item in reply]
        if isinstance(reply, dict):
            return {self._decoded(key): self._decoded(item) for key, item in reply.items()}
        encoder: Any = self.encoder
        return encoder.decode(reply) if isinstance(reply, bytes) else reply


def _in_a_destructor() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None
