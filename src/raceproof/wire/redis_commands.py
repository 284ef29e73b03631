"""redis-py clients: a command, a transaction or a script is one step.

Commands run on the real server, with three exceptions. Time is the world's:
expiry happens when its clock ticks. Blocking commands are made as their
non-blocking twins, once they can return. And published messages wait in
`channels` until the subscriber takes them.

WATCH is the server's own: whether a command that changed nothing fails the
transaction (`SET` of the same value does, `LREM` of nothing does not) is asked of
the server, not guessed. fakeredis has its own opinion of a few commands (it fails
the transaction after `SADD` of a member); a search on it follows it, since that is
what code on it meets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import redis
from redis.exceptions import ConnectionError as RedisConnectionError

from raceproof.trace.command_text import reply_text
from raceproof.wire.calls import Ask, Call, Outcome, Performed, PlainAdapter
from raceproof.wire.clock import Clock
from raceproof.wire.redis_channels import Channels, SubscriptionCalls
from raceproof.wire.redis_clients import RedisProxy
from raceproof.wire.redis_grammar import BLOCKING, READS, SCRIPTS, keys_of
from raceproof.wire.redis_keyspace import Keyspace, answer_with_clock, at_the_clock

_FORBIDDEN = ("FLUSHDB", "FLUSHALL", "SELECT", "SWAPDB", "MONITOR")


class RedisAdapter(PlainAdapter):
    """One Redis client of one world."""

    def __init__(self, store: str, client: Any, clock: Clock) -> None:
        super().__init__(store)
        self._client = client
        self._clock = clock
        self._keys = Keyspace(client, clock)
        self._channels = Channels(store)
        self._pipes: dict[tuple[str, int], Any] = {}
        self._watched: dict[tuple[str, int], tuple[Any, ...]] = {}
        self._aborted: set[tuple[str, int]] = set()

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        return RedisProxy(self._client, SubscriptionCalls(self.store, ask, tell))

    def perform(self, actor: str, call: Call) -> Performed | None:
        kind = call.data[0]
        if kind == "channel":
            return self._channels.perform(actor, call)
        if kind == "command":
            return self._command(call)
        if kind == "watch":
            return self._watch((actor, call.data[1]), call)
        if kind == "unwatch":
            self._forget((actor, call.data[1]))
            return Performed(Outcome.value(True, "OK"))
        return self._transaction((actor, call.data[1]), call.data[2])

    def snapshot(self) -> Hashable:
        watches = tuple(
            (pipe, "aborted" if self._aborts(pipe) else keys)
            for pipe, keys in sorted(self._watched.items())
        )
        return (self._keys.snapshot(), self._channels.snapshot(), watches)

    def stored(self, snapshot: Any) -> Hashable:
        """Return the keys and the messages in line; who subscribes or watches is not stored."""
        keys, subscriptions, _ = snapshot
        return (keys, tuple(line for _, (_, _, line) in subscriptions if line != "[]"))

    def moves(self) -> Sequence[tuple[str, Call]]:
        return self._channels.moves()

    def leave(self, actor: str) -> None:
        self._channels.leave(actor)
        for pipe in [pipe for pipe in self._pipes if pipe[0] == actor]:
            self._forget(pipe)

    def time_passed(self, now: float) -> None:
        self._keys.expire()

    def connection_error(self, call: Call) -> Exception:
        return RedisConnectionError("Connection closed by server.")

    def close(self) -> None:
        for pipe in list(self._pipes):
            self._forget(pipe)
        self._channels.close()

    # --- one command --------------------------------------------------------------

    def _command(self, call: Call) -> Performed | None:
        _, args, options = call.data
        name = str(args[0]).upper()
        if name in _FORBIDDEN:
            raise NotImplementedError(f"{name} cannot be searched: it reaches beyond the world")
        if name == "PUBLISH":
            count = self._channels.publish(str(args[1]), args[2])
            return Performed(Outcome.value(count, reply_text(count)), changed=count > 0)
        answered = answer_with_clock(self._client, self._clock, args)
        if answered is not None:
            return Performed(Outcome.value(answered, reply_text(answered)), changed=False)
        try:
            if name in SCRIPTS:
                value = self._channels.overhear(self._client, lambda: self._run(args, options))
            else:
                value = self._run(args, options)
        except redis.RedisError as error:
            if name in SCRIPTS:  # it may have failed halfway
                self._adopt(name, args)
            return Performed(Outcome.error(error, f"(error) {error}"), changed=name in SCRIPTS)
        if call.waits and not value:
            return None
        changed = name not in READS
        if changed:
            self._adopt(name, args)
        return Performed(Outcome.value(value, reply_text(value)), changed)

    def _run(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        name = str(args[0]).upper()
        if name in ("BLPOP", "BRPOP"):
            for key in args[1:-1]:
                value = self._client.execute_command(name[1:], key)
                if value is not None:
                    return (key, value)
            return None
        if name in BLOCKING:
            args = BLOCKING[name](args)
        sent = self._keys.streams.sent(at_the_clock(self._client, self._clock, args))
        return self._keys.streams.answered(args, self._client.execute_command(*sent, **options))

    # --- WATCH, MULTI, EXEC ---------------------------------------------------------

    def _watch(self, key: tuple[str, int], call: Call) -> Performed | None:
        _, _, args, options = call.data
        name = str(args[0]).upper()
        if name == "UNWATCH":
            self._forget(key)
        elif name == "WATCH":
            self._pipe(key).watch(*args[1:])
            self._watched[key] = (*self._watched.get(key, ()), *args[1:])
        else:  # sent at once, before MULTI
            return self._command(dataclasses.replace(call, data=("command", args, options)))
        return Performed(Outcome.value(True, "OK"))

    def _aborts(self, key: tuple[str, int]) -> bool:
        """Return whether EXEC would be refused now; an empty one tells, and WATCH is renewed."""
        if key not in self._aborted:
            pipe = self._pipe(key)
            pipe.multi()
            try:
                pipe.execute()
                pipe.watch(*self._watched[key])
            except redis.WatchError:
                self._aborted.add(key)
        return key in self._aborted

    def _transaction(
        self, key: tuple[str, int], commands: list[tuple[tuple[Any, ...], dict[str, Any]]]
    ) -> Performed:
        if key in self._aborted:
            self._forget(key)
            return Performed(Outcome.error(redis.WatchError("Watched variable changed."), "(nil)"))
        pipe: Any = self._pipe(key)
        if pipe.watching:
            pipe.multi()
        sent = [c for c in commands if str(c[0][0]).upper() != "PUBLISH"]
        for args, options in sent:
            timed = self._keys.streams.sent(at_the_clock(self._client, self._clock, args))
            pipe.execute_command(*timed, **options)
        try:
            scripts = any(str(args[0]).upper() in SCRIPTS for args, _ in sent)
            run = partial(pipe.execute, raise_on_error=False)
            replies = iter(self._channels.overhear(self._client, run) if scripts else run())
        except redis.RedisError as error:
            self._forget(key)
            return Performed(
                Outcome.error(error, "(nil)" if isinstance(error, redis.WatchError) else str(error))
            )
        self._forget(key)
        values: list[Any] = []
        for args, _ in commands:
            name = str(args[0]).upper()
            if name == "PUBLISH":
                values.append(self._channels.publish(str(args[1]), args[2]))
                continue
            values.append(self._keys.streams.answered(args, next(replies)))
            if name not in READS:
                self._adopt(name, args)
        return Performed(Outcome.value(values, ", ".join(reply_text(value) for value in values)))

    def _pipe(self, key: tuple[str, int]) -> Any:
        if key not in self._pipes:
            self._pipes[key] = self._client.pipeline(transaction=True)
        return self._pipes[key]

    def _forget(self, key: tuple[str, int]) -> None:
        self._watched.pop(key, None)
        self._aborted.discard(key)
        pipe = self._pipes.pop(key, None)
        if pipe is not None:
            pipe.reset()

    def _adopt(self, name: str, args: tuple[Any, ...]) -> None:
        keys = keys_of(name, args)
        if "EX" in name or name in SCRIPTS or (name == "SET" and len(args) > 3):
            self._keys.adopt(keys)
        if self._keys.streams.may_deliver(name, args):
            self._keys.streams.adopt(keys)


def make(store: str, client: redis.Redis, clock: Clock) -> RedisAdapter:
    """Return the adapter for a Redis client."""
    return RedisAdapter(store, client, clock)
