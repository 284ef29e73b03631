"""Runs the clients of a Redis program through `world.redis`, whatever that is."""

from __future__ import annotations

from typing import Any

import redis
from tests.raceproof.fuzz.programs import (
    Cmd,
    Forever,
    If,
    Next,
    Now,
    Pipe,
    Reply,
    Script,
    Sleep,
    Subscribe,
    Sum,
    Try,
    Until,
    Watch,
    words,
)


class RedisClient:
    """Runs one client's operations, blocking, through `world.redis`."""

    def __init__(self, operations: tuple[Any, ...]) -> None:
        self._operations = operations

    def __call__(self, world: Any) -> None:
        self._copy()._run(self._operations, world)

    def _copy(self) -> RedisClient:
        copy = RedisClient(self._operations)
        copy._replies = []
        copy._subscriber = None
        return copy

    _replies: list[Any]
    _subscriber: Any

    def _run(self, operations: tuple[Any, ...], world: Any) -> None:
        for op in operations:
            if isinstance(op, If):
                there = bool(self._replies) and bool(self._replies[-1])
                self._run(op.then if there else op.other, world)
            elif isinstance(op, Until):
                for _ in range(op.times):
                    self._run((op.command,), world)
                    if self._replies[-1]:
                        break
            elif isinstance(op, Forever):
                asks = getattr(world, "asks_for_ever", lambda _: None)
                asks(True)
                self._run((op.command,), world)
                while not self._replies[-1]:
                    self._run((op.command,), world)
                asks(False)
            elif isinstance(op, Try):
                try:
                    self._run(op.body, world)
                except redis.ConnectionError:
                    self._replies.append(None)
                    world.journal.note("lost")
            else:
                note = getattr(op, "note", True)
                try:
                    reply = self._one(op, world)
                except (redis.ResponseError, redis.WatchError) as error:
                    reply = error
                self._replies.append(reply)
                if note:
                    world.journal.note(words(reply))

    def _one(self, op: Any, world: Any) -> Any:
        if isinstance(op, Cmd):
            return in_order(op, world.redis.execute_command(*self._filled(op)))
        if isinstance(op, Pipe):
            pipe = world.redis.pipeline(transaction=op.multi)
            for command in op.commands:
                pipe.execute_command(*self._filled(command))
            replies = pipe.execute(raise_on_error=False)
            return [in_order(*each) for each in zip(op.commands, replies, strict=True)]
        if isinstance(op, Watch):
            return self._watch(op, world)
        if isinstance(op, Script):
            args = [self._value(arg) for arg in op.args]
            return world.redis.register_script(op.source)(keys=list(op.keys), args=args)
        if isinstance(op, Subscribe):
            if self._subscriber is None:
                self._subscriber = world.redis.pubsub()
            verb = ("p" if op.patterns else "") + ("unsubscribe" if op.ends else "subscribe")
            return getattr(self._subscriber, verb)(*op.names)
        if isinstance(op, Next):
            if not self._subscriber.subscribed:
                return None  # redis-py would sleep: no request
            message = self._subscriber.get_message(timeout=op.timeout)
            return message and (message["type"], message["channel"], message["data"])
        if isinstance(op, Now):
            return int(world.now())
        if isinstance(op, Sleep):
            return world.sleep()
        raise TypeError(op)

    def _watch(self, op: Watch, world: Any) -> Any:
        pipe = world.redis.pipeline()
        for left in reversed(range(op.tries)):
            try:
                pipe.watch(*op.keys)
                for command in op.reads:
                    reply = pipe.execute_command(*self._filled(command))
                    self._replies.append(in_order(command, reply))
                    if command.note:
                        world.journal.note(words(self._replies[-1]))
                pipe.multi()
                for command in op.commands:
                    pipe.execute_command(*self._filled(command))
                replies = pipe.execute(raise_on_error=False)
                return [in_order(*each) for each in zip(op.commands, replies, strict=True)]
            except redis.WatchError:
                if not left:
                    raise
            finally:
                pipe.reset()
        raise AssertionError("unreachable")

    def _filled(self, command: Cmd) -> tuple[Any, ...]:
        return tuple(self._value(arg) for arg in command.args)

    def _value(self, arg: Any) -> Any:
        if isinstance(arg, Reply):
            return words(self._replies[arg.at]) if arg.at < len(self._replies) else "-"
        if isinstance(arg, Sum):
            try:
                return int(words(self._replies[arg.at])) + arg.more
            except (ValueError, IndexError):
                return arg.more
        return arg


def in_order(command: Any, reply: Any) -> Any:
    """A reply, but for KEYS, whose order is chance: sorted."""
    keys = getattr(command, "args", ("",))[0] == "KEYS" and isinstance(reply, list)
    return sorted(reply) if keys else reply
