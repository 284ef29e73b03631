"""Redis worlds: one for the enumerator, one for the search, alike and made anew each time."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import redis
from fakeredis import FakeServer
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.fuzz.programs import Program, Script, Subscribe, every, words
from tests.raceproof.fuzz.redis_clients import RedisClient
from tests.raceproof.fuzz.redis_gates import GatedFake, GatedUnix
from tests.raceproof.fuzz.redis_servers import Server, options_of
from tests.raceproof.fuzz.redis_time import START
from tests.raceproof.fuzz.stepping import Gate, Request

from raceproof import Clock, Journal


@dataclass
class SearchWorld:
    """What the search gets."""

    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)

    def now(self) -> float:
        return self.clock.time()

    def sleep(self) -> None:
        time.sleep(1)


class View:
    """What one client of a stepped world gets."""

    def __init__(self, redis_: redis.Redis, gate: Gate, world: StepWorld) -> None:
        self.redis, self._gate, self._world = redis_, gate, world
        self.journal = self

    def note(self, value: Any) -> None:
        self._gate.notes.append(value)

    def asks_for_ever(self, now: bool) -> None:
        self._gate.asks_for_ever = now

    def now(self) -> Any:
        return self._gate.step(
            Request("what time is it?", lambda: self._world.now, lambda: OSError(), to="clock")
        )

    def sleep(self) -> Any:
        return self._gate.step(Request("sleep", lambda: None, lambda: OSError(), to=""))


class StepWorld:
    """What the enumerator gets: every client with connections of its own."""

    def __init__(self, source: Server, program: Program) -> None:
        options = options_of(program)
        server = source.fresh(stepped=True)
        self._time = source.time
        self._time.set(START)
        self.plain = source.client(server, {**options, "retry": Retry(NoBackoff(), 0)})
        fill(self.plain, program)
        sources = [op.source.encode() for op in every(program) if isinstance(op, Script)]
        self.scripts = {hashlib.sha1(text).hexdigest().encode(): text for text in sources}
        self._talks = any(isinstance(op, Subscribe) for op in every(program))
        self._past = "'990'" in repr(program)
        self._pops = "LMPOP'" in repr(program)
        self.now = START
        self._ticks = list(program.ticks)
        self._gates: dict[str, Gate] = {}
        self._views: dict[str, View] = {}
        for name, operations in program.clients.items():
            gate = Gate(name, self._code(name, operations))
            pool = pool_for(gate, server, self, options)
            client = redis.Redis(connection_pool=pool)
            self._gates[name], self._views[name] = gate, View(client, gate, self)

    def _code(self, name: str, operations: Any) -> Any:
        return lambda world: RedisClient(operations)(self._views[name])

    def gates(self) -> list[Gate]:
        return list(self._gates.values())

    def moves(self) -> list[str]:
        """Return the subscriptions that can take effect, and the next tick."""
        asked = [f"subscribed {at}" for at, c in enumerate(self._connections()) if c.asked]
        return asked + ([f"tick {self._ticks[0]:g}"] if self._ticks else [])

    def move(self, name: str) -> None:
        what, _, which = name.partition(" ")
        if what == "subscribed":
            self._connections()[int(which)].take_effect()
            self.settle()
            return
        self.now += self._ticks.pop(0)
        self._time.set(self.now)
        self.plain.exists("k", "l")  # what has expired goes when somebody comes for it
        await_fields(self.plain)

    def left(self, gate: Gate) -> None:
        for close in gate.closers:
            close()

    def settle(self) -> None:
        """Wait until the server has done what it was sent before, and sent what it says.

        It may answer the first PING before it looks at another connection, but not the second.
        """
        if self._talks:
            self.plain.ping()
            self.plain.ping()
        if self._past:
            self.plain.exists("k", "l")
        for key in ("k", "l") * self._pops:  # fakeredis keeps a list that LMPOP has emptied
            if self.plain.type(key) in (b"list", "list") and not self.plain.llen(key):
                self.plain.rpush(key, "")
                self.plain.delete(key)

    def peek(self, notes: dict[str, list[Any]]) -> str:
        return self.look(notes)

    def look(self, notes: dict[str, list[Any]]) -> str:
        return seen(self.plain, notes)

    def close(self) -> None:
        """Let the server have the real time again: every client has closed its connections."""
        self._time.set(None)

    def _connections(self) -> list[Any]:
        closers = [close for gate in self._gates.values() for close in gate.closers]
        return [close.__self__ for close in closers]  # type: ignore[attr-defined]


def pool_for(gate: Gate, server: FakeServer | str, world: Any, options: Any) -> Any:
    """Return a pool of gated connections."""
    common = dict(gate=gate, world=world, driver_info=None, **options)
    if isinstance(server, str):
        return redis.ConnectionPool(connection_class=GatedUnix, path=server, **common)
    return redis.ConnectionPool(connection_class=GatedFake, server=server, **common)


def search_world(source: Server, program: Program) -> SearchWorld:
    """Make the world of a program for the search."""
    server = source.fresh()
    plain = {**options_of(program), "retry": Retry(NoBackoff(), 0)}
    fill(source.client(server, plain), program)
    client = source.client(server, options_of(program), kept=False)
    return SearchWorld(client, Clock(START, ticks=program.ticks))


def fill(client: redis.Redis, program: Program) -> None:
    """Put in place what is there before the clients begin."""
    for args in program.setup:
        client.execute_command(*args)


def await_fields(client: redis.Redis) -> None:
    """Wait until a real server has removed the fields of hashes that have expired."""
    for key in client.keys("*"):
        while words(client.type(key)) == "hash" and client.hlen(key) != len(client.hgetall(key)):
            time.sleep(0.001)


def groups(client: redis.Redis, key: Any) -> list[Any]:
    """Return what can be seen of a stream's consumer groups."""
    found = client.xinfo_groups(key)
    names = [words(group["name"]) for group in found]
    return [*found, *(client.xpending_range(key, name, "-", "+", 9) for name in names)]


def seen(client: redis.Redis, notes: dict[str, list[Any]]) -> str:
    """Return all that can be seen at the end, as text."""
    parts = []
    for key in sorted(client.keys("*")):
        kind = words(client.type(key))
        read = {
            "string": lambda k: client.get(k),
            "list": lambda k: client.lrange(k, 0, -1),
            "set": lambda k: client.smembers(k),
            "hash": lambda k: client.hgetall(k),
            "zset": lambda k: client.zrange(k, 0, -1, withscores=True),
            "stream": lambda k: [client.xrange(k), groups(client, k)],
        }[kind]
        if kind == "list" and client.llen(key) == 0:
            continue  # fakeredis keeps a list that LMPOP has emptied; Redis has none
        left = client.pttl(key)
        expires = f" for {left} ms" if left >= 0 else ""
        try:
            parts.append(f"{words(key)}={words(read(key))}{expires}")
        except UnicodeDecodeError:
            parts.append(f"{words(key)}={client.strlen(key)} bytes{expires}")
    said = [f"{name}: {' '.join(map(words, found))}" for name, found in notes.items()]
    return "; ".join([*parts, *said])
