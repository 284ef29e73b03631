"""Redis on the search's side: each request is made for real, on the world's own server.

What a server ties to a connection (WATCH, MULTI, a subscription, a name) is tied to a real one,
which ends when the client's does. All other requests share one connection: no server can tell.
Whether a WATCH fails is asked of the server: a search on fakeredis follows fakeredis.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import redis

from raceproof.trace.command_text import reply_text
from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import Ask, Call, Outcome, Performed
from raceproof.wire.clock import Clock
from raceproof.wire.redis.channels import Channels, Key
from raceproof.wire.redis.clients import blocking, client_on
from raceproof.wire.redis.commands import QUIET, Args, name_of, publishes
from raceproof.wire.redis.connection import Wire
from raceproof.wire.redis.keyspace import Keyspace, KeyView, expiring
from raceproof.wire.redis.looking import Looking
from raceproof.wire.redis.putting_back import put_back
from raceproof.wire.redis.replies import as_text, words_of_reply
from raceproof.wire.redis.server import Server, SharedConnection
from raceproof.wire.redis.sessions import TIED, TiedConnection, TiedConnections
from raceproof.wire.redis.settling import settle
from raceproof.wire.redis.translation import Translation


class RedisAdapter(PlainAdapter):
    """One Redis client of one world."""

    def __init__(self, store: str, client: redis.Redis, clock: Clock) -> None:
        super().__init__(store)
        self._given, self._client = client, blocking(store, client)
        self._server = Server(self._client)
        self.database = self._server.place
        self._line = SharedConnection(self._server)
        self._channels = Channels(store, self._server)
        self._translation = Translation(self._line, clock, self._channels)
        self._keys = Keyspace(self._line, clock, self._translation.streams)
        self._connections = TiedConnections(self._server)
        self._settle = partial(settle, self._translation, self._keys, self._channels)
        self._seen: tuple[KeyView, ...] | None = None  # the keys, if nothing was done since
        self._looking = Looking()
        self._clock, self._time = clock, clock.now

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        """Return a client like the world's, whose requests are asked of the search."""
        return client_on(self._given, Wire(self.store, ask, tell))

    def perform(self, actor: str, call: Call) -> Performed | None:
        """Make the requests of a call on the server; None: they would have to wait."""
        (kind, number, requests), seen, self._seen = call.data, self._seen, None
        self._line.forget_ahead()
        key = (actor, number)
        own = self._connections.get(key)
        if kind == "take":
            return self._channels.take(key, call.waits)
        if kind == "arrive":
            return Performed(Outcome.value(self._translation.last_ids(requests[0]), ""), False)
        if kind == "subscribe":
            performed: Performed | None = self._channels.subscribe(key, requests)
        elif kind == "effect":
            performed = self._channels.take_effect(key)
        elif kind == "close":
            self._channels.close(*key)
            self._connections.close(key)
            performed = Performed(Outcome.value(None, ""))
        elif kind == "transaction":
            performed = self._transaction(key, requests[1:-1])
        elif name_of(requests[0]) in TIED or (own and own.queued is not None):
            performed = self._tied(key, requests[0])
        else:
            performed = self._command(key, requests[0], call.waits)
        if performed is not None and performed.changed:
            self._connections.note(actor, call.key)
        elif performed is not None:
            self._seen = seen
        return performed

    def snapshot(self) -> Hashable:
        """Return keys, subscriptions, what is tied to connections, loaded scripts."""
        tied, scripts = self._connections.snapshot(), self._translation.scripts.snapshot()
        self._seen = self._keys.snapshot()
        return (self._seen, self._channels.snapshot(), tied, scripts)

    def stored(self, snapshot: Any) -> Hashable:
        """Return the keys and the messages in line; who subscribes or watches is not stored."""
        keys, subscriptions, _, _ = snapshot
        return (keys, tuple(line for _, (_, _, line) in subscriptions if line != "[]"))

    def put_back(self, snapshot: Any) -> bool:
        """Bring the server to what a snapshot says; False: only the same calls can."""
        seen, self._seen, self._time = self._seen, None, self._clock.now
        scripts = self._translation.scripts
        return put_back(self._keys, seen, self._channels, self._connections, scripts, snapshot)

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return the subscriptions that can take effect now."""
        return self._channels.moves()

    def holds(self, snapshot: Any, actor: str) -> bool:
        """Return whether something is tied to a connection of the actor: it subscribes, watches."""
        return any(key[0] == actor for key, _ in (*snapshot[1], *snapshot[2]))

    def leave(self, actor: str) -> None:
        """Close the actor's connections: its subscriptions and its WATCH end."""
        self._channels.close(actor)
        self._connections.close_all(actor)

    def detach(self, actor: str, call: Call, late: str) -> None:
        """Hand what is tied to the connection of the call to the actor `late`."""
        _, number, _ = call.data
        if (actor, number) in self._connections:
            self._connections[late, number] = self._connections.pop((actor, number))

    def would_expire(self) -> Sequence[str]:
        """Return what would be gone if only time passed: `key lock:a`."""
        return expiring(self._keys.snapshot() if self._seen is None else self._seen)

    def time_passed(self, now: float) -> None:
        """Remove the keys that expire by `now`."""
        self._time, self._seen = now, None
        self._keys.expire()

    def connection_error(self, call: Call) -> Exception:
        """Return redis-py's error for a connection that the server closed."""
        return redis.ConnectionError("Connection closed by server.")

    def look(self) -> Any:
        """Return a client whose every request is made at once, with time as it is in the world."""
        self._looking.begin()
        return self.proxy(self._at_once, self._at_once)

    def disturbed(self) -> bool:
        """Close the check's connections; return whether it may have changed anything."""
        self.leave("check")
        return self._looking.changed()

    def _at_once(self, call: Call) -> Any:
        if self._clock.now != self._time:  # the check has moved it
            self.time_passed(self._clock.now)
        return self._looking.note(call, lambda: self.perform("check", call))

    def close(self) -> None:
        """Close every connection of this world to the server."""
        self._connections.close_all()
        self._channels.close_all()
        self._line.close()

    def _command(self, key: Key, args: Args, waits: bool) -> Performed | None:
        sent, after = self._translation.sent(args)
        value = after(self._translation.wait(args, sent) if waits else self._asked(key, args, sent))
        if isinstance(value, redis.ResponseError):
            self._settle([args], (), alone=self._translation.alone())
            halfway = name_of(args).startswith("EVAL")  # it may have failed there
            return Performed(Outcome.error(value, f"(error) {value}"), halfway)
        if waits and not value:
            return None
        changed = bool(value) if publishes(args) else name_of(args) not in QUIET
        if changed:
            self._settle([args], [value], alone=self._translation.alone())
        elif name_of(args).startswith("PUBSUB "):
            self._channels.refuse_outsiders(patterns=name_of(args) == "PUBSUB NUMPAT")
        return Performed(Outcome.value(value, words_of_reply(self._client, args, value)), changed)

    def _asked(self, key: Key, args: Args, sent: Args) -> Any:
        """Return the reply to one request. What changes something will be looked at next."""
        if own := self._connections.get(key):
            return self._server.ask(own.connection, [sent])[0]
        if key[0] == "check" or name_of(args) in QUIET or self._translation.marks_time(args):
            return self._keys.ask([sent])[0]
        return self._keys.then_read(sent)

    def _tied(self, key: Key, args: Args) -> Performed:
        value, made = self._connections[key].request(self._server, args, self._translation)
        self._settle(made, value if isinstance(value, list) else (), alone=False)
        if isinstance(value, redis.ResponseError):
            return Performed(Outcome.error(value, f"(error) {value}"))
        return Performed(Outcome.value(value, reply_text(as_text(value))))

    def _transaction(self, key: Key, commands: Sequence[Args]) -> Performed:
        connection = self._connections.get(key) or TiedConnection(self._line.connection)
        *_, made = replies = connection.transaction(self._server, commands, self._translation)
        if not isinstance(made, list):
            text = "(nil)" if made is None else f"(error) {made}"
            return Performed(Outcome.value(replies, text))
        self._settle(commands, made, alone=False)
        pairs = zip(commands, made, strict=True)
        text = ", ".join(words_of_reply(self._client, *pair) for pair in pairs)
        return Performed(Outcome.value(replies, text))


make = RedisAdapter
