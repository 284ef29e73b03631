"""Redis worlds: one for the enumerator, one for the search, alike and made anew each time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import fakeredis
import redis
from fakeredis._clients._sync import FakeRedisConnection
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.fuzz.programs import Program, RedisClient, Script, Subscribe, every, words
from tests.raceproof.fuzz.redis_gates import pool_for
from tests.raceproof.fuzz.stepping import Gate, Request

from raceproof import Clock, Journal
from workshop import services

START = 1000.0  # what the clock of a world says first


def options_of(program: Program) -> dict[str, Any]:
    """How the clients of a program talk."""
    given = dict(program.options)
    return {
        "decode_responses": given.get("decode", True),
        "protocol": given.get("protocol", 2),
        "socket_timeout": None,
        "retry": Retry(NoBackoff(), given.get("retries", 0)),
    }


class Server:
    """Where worlds of Redis come from: fakeredis, or a private redis-server, emptied each time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = ""
        if name == "redis-server":
            self._path = services.redis_url("fuzz").removeprefix("unix://")
            self._clients: dict[str, redis.Redis] = {}

    def fresh(self) -> Any:
        """Return an empty server: a FakeServer, or the path of the real one."""
        if not self._path:
            return fakeredis.FakeServer(version=(8, 2))
        control = self.client(self._path, {"protocol": 2})
        control.flushall()
        control.script_flush()
        return self._path

    def client(self, server: Any, options: dict[str, Any], kept: bool = True) -> redis.Redis:
        """Return a plain client of it."""
        if not self._path:
            pool = redis.ConnectionPool(
                connection_class=FakeRedisConnection, server=server, **options
            )
            return redis.Redis(connection_pool=pool)  # FakeRedis would drop the retries
        if not kept:
            return redis.Redis(unix_socket_path=server, **options)
        known = repr(
            sorted((name, str(value)) for name, value in options.items() if name != "retry")
        )
        if known not in self._clients:
            self._clients[known] = redis.Redis(unix_socket_path=server, **options)
        return self._clients[known]


@dataclass
class SearchWorld:
    """What the search gets."""

    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)

    def now(self) -> float:
        return self.clock.time()

    def sleep(self) -> None:
        import time

        time.sleep(1)


class View:
    """What one client of a stepped world gets."""

    def __init__(self, redis_: redis.Redis, gate: Gate, world: StepWorld) -> None:
        self.redis, self._gate, self._world = redis_, gate, world
        self.journal = self

    def note(self, value: Any) -> None:
        self._gate.notes.append(value)

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
        server = source.fresh()
        self.plain = source.client(server, {**options, "retry": Retry(NoBackoff(), 0)})
        fill(self.plain, program)
        sources = [op.source.encode() for op in every(program) if isinstance(op, Script)]
        self.scripts = {hashlib.sha1(text).hexdigest().encode(): text for text in sources}
        self._talks = any(isinstance(op, Subscribe) for op in every(program))
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
        seconds = self._ticks.pop(0)
        self.now += seconds
        tick(self.plain, seconds)

    def left(self, gate: Gate) -> None:
        for close in gate.closers:
            close()

    def settle(self) -> None:
        """Wait until the server has sent on what was published."""
        if self._talks:
            self.plain.ping()

    def look(self, notes: dict[str, list[Any]]) -> str:
        return seen(self.plain, notes)

    def close(self) -> None:
        """Nothing is left: every client has closed its connections."""

    def _connections(self) -> list[Any]:
        closers = [close for gate in self._gates.values() for close in gate.closers]
        return [close.__self__ for close in closers]  # type: ignore[attr-defined]


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


def tick(client: redis.Redis, seconds: float) -> None:
    """Let time pass for real keys: what ends within it goes, the rest has less time left."""
    for key in client.keys("*"):
        left = client.pttl(key)
        if 0 <= left <= seconds * 1000:
            client.delete(key)
        elif left > 0:
            client.pexpire(key, left - round(seconds * 1000))


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
            "stream": lambda k: client.xrange(k),
        }[kind]
        if kind == "list" and client.llen(key) == 0:
            continue  # fakeredis keeps a list that LMPOP has emptied; Redis has none
        expires = " expires" if client.ttl(key) >= 0 else ""
        try:
            parts.append(f"{words(key)}={words(read(key))}{expires}")
        except UnicodeDecodeError:
            parts.append(f"{words(key)}={client.strlen(key)} bytes{expires}")
    said = [f"{name}: {' '.join(map(words, found))}" for name, found in notes.items()]
    return "; ".join([*parts, *said])
