"""What a client of the search gets in place of redis-py's client and pipeline.

Both are real redis-py classes, so that every method is there and speaks as ever;
only the sending is replaced by a question to the search.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.exceptions import ConnectionError as RedisConnectionError

from raceproof.wire.calls import Call
from raceproof.wire.redis_channels import PubSubProxy, SubscriptionCalls
from raceproof.wire.redis_grammar import WAITING, block_of, timeout_of, words_of


class RedisProxy(redis.Redis):
    """A redis-py client whose every command is a step of the search."""

    def __init__(self, client: redis.Redis, calls: SubscriptionCalls) -> None:
        super().__init__(connection_pool=client.connection_pool)
        self.response_callbacks = client.response_callbacks
        self._calls = calls
        self._encoder: Any = client.get_encoder()
        self._tries = 1 + _retries(client)
        self._numbers = 0
        self._scripts: dict[str, str] = {}

    def register_script(self, script: Any) -> Any:
        """Return a callable script; each call is one step."""
        registered = super().register_script(script)
        self._scripts[registered.sha] = str(registered.script)
        return registered

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Make one command a step, repeated as often as the client's own retry policy says."""
        args = self.encoded(args)
        name = str(args[0]).upper()
        waits = name in WAITING and (
            name not in ("XREAD", "XREADGROUP") or block_of(args) is not None
        )
        call = Call(
            self._calls.store,
            (args, repr(sorted(options.items(), key=str))),
            words_of(args),
            ("command", args, options),
            waits=waits,
            timeout=timeout_of(name, args) if waits else None,
            gives_up={} if name in ("XREAD", "XREADGROUP") else None,
        )
        return self.ask(call)

    def ask(self, call: Call) -> Any:
        """Ask, and ask again after a connection error as often as the retry policy says."""
        for left in reversed(range(self._tries)):
            try:
                return self._calls.ask(call)
            except RedisConnectionError:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        """Return a pipeline: with `transaction` one step, otherwise a step for each command."""
        self._numbers += 1
        return PipelineProxy(self, self._calls, self._numbers, bool(transaction))

    def pubsub(self, **options: Any) -> Any:
        """Return a subscriber."""
        self._numbers += 1
        return PubSubProxy(self._calls, self._numbers, self._encoder, self._tries > 1, **options)

    def encoded(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments as they were, once the client's encoder has accepted them."""
        for arg in args:
            self._encoder.encode(arg)
        if str(args[0]).upper() == "EVALSHA" and args[1] in self._scripts:
            args = ("EVAL", self._scripts[args[1]], *args[2:])
        return tuple(bytes(arg) if isinstance(arg, bytearray | memoryview) else arg for arg in args)

    def close(self) -> None:
        """Nothing to close: the connections belong to the world."""

    def __del__(self) -> None:
        """Nothing to close: the connections belong to the world."""


class PipelineProxy(redis.client.Pipeline):
    """A pipeline of the search; WATCH and the reads after it are steps of their own."""

    def __init__(
        self, client: RedisProxy, calls: SubscriptionCalls, number: int, transaction: bool
    ) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, None)
        self._client = client
        self._calls = calls
        self._number = number
        self._whole = transaction

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Make WATCH, or what is sent after it and before MULTI, a step."""
        args = self._client.encoded(args)
        key = (self._number, args)
        data = ("watch", self._number, args, options)
        try:
            reply = self._calls.ask(Call(self._calls.store, key, words_of(args), data, holds=True))
        except RedisConnectionError:
            self._unwatch()
            raise
        self.watching = str(args[0]).upper() != "UNWATCH"
        return reply

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what is queued: MULTI … EXEC as one step, or each command as its own."""
        stack = [(self._client.encoded(args), options) for args, options in self.command_stack]
        self.command_stack = []
        if not stack and not self.watching:
            return []
        try:
            if self._whole or self.explicit_transaction:
                text = "; ".join(words_of(args) for args, _ in stack)
                key = ("exec", self._number, tuple(args for args, _ in stack))
                data = ("exec", self._number, stack)
                replies = self._client.ask(Call(self._calls.store, key, f"MULTI: {text}", data))
            else:
                replies = [self._attempt(args, options) for args, options in stack]
        except RedisConnectionError:
            self._unwatch()
            raise
        finally:
            self.watching = False
            self.explicit_transaction = False
        if raise_on_error:
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return list(replies)

    def _attempt(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            return self._client.execute_command(*args, **options)
        except redis.ResponseError as error:
            return error

    def reset(self) -> None:  # type: ignore[override]
        """Forget what is queued and stop watching."""
        self.command_stack = []
        if getattr(self, "watching", False):
            self._unwatch()
        self.watching = False
        self.explicit_transaction = False

    def _unwatch(self) -> None:
        """Let the server forget what was watched, as it does when the connection breaks."""
        self.watching = False
        data = ("unwatch", self._number)
        self._calls.tell(Call(self._calls.store, ("unwatch", self._number), "UNWATCH", data))

    def __del__(self) -> None:
        """Nothing to release."""


def _retries(client: redis.Redis) -> int:
    retry = client.get_connection_kwargs().get("retry")
    return max(0, int(retry.get_retries())) if retry is not None else 0
