"""redis-py clients that tell a live session what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import redis
from redis.client import Pipeline, PubSub
from redis.exceptions import NoScriptError

from raceproof.trace.command_text import command_text, literal
from raceproof.trace.redis_commands import command_of

if TYPE_CHECKING:
    from raceproof.record.recorder import Recorder

_ARRIVED = dict.fromkeys(("message", "pmessage", "smessage"), "message")
_ACKNOWLEDGED = {
    "subscribe": "subscribed to",
    "psubscribe": "subscribed to",
    "ssubscribe": "subscribed to",
    "unsubscribe": "unsubscribed from",
    "punsubscribe": "unsubscribed from",
    "sunsubscribe": "unsubscribed from",
}


class RecordedRedis(redis.Redis):
    """A client on the connections of another one; every command and reply is recorded."""

    def __init__(self, client: redis.Redis, recorder: Recorder, **options: Any) -> None:
        super().__init__(connection_pool=client.connection_pool, **options)
        self.response_callbacks = client.response_callbacks
        self._recorder = recorder

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Make the call and record it."""
        make: Callable[..., Any] = super().execute_command
        words = _words(args)
        if words[0] == "SCRIPT":
            return make(*args, **options)
        return self._recorder.call(
            command_text(words),
            lambda: make(*args, **options),
            blocks=_may_block(words),
            silent=(NoScriptError,),  # redis-py then loads the script and asks again
        )

    def client(self) -> RecordedRedis:
        """Return a client with a connection of its own; what it does is recorded, too."""
        return RecordedRedis(self, self._recorder, single_connection_client=True)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> RecordedPipeline:
        """Return a pipeline; its EXEC is one call."""
        made = RecordedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        made.recorder = self._recorder
        return made

    def pubsub(self, **options: Any) -> RecordedPubSub:
        """Return a subscriber; each message is recorded when it is read."""
        made = RecordedPubSub(self.connection_pool, **options)
        made.recorder = self._recorder
        return made


class RecordedPipeline(Pipeline):
    """A pipeline: what it sends at once is one call, what it asks after WATCH another."""

    recorder: Recorder

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Make a call after WATCH, and record it."""
        make: Callable[..., Any] = super().immediate_execute_command
        if str(args[0]).startswith("SCRIPT"):
            return make(*args, **options)
        return self.recorder.call(command_text(_words(args)), lambda: make(*args, **options))

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all commands as one call, and record it."""
        make: Callable[..., list[Any]] = super().execute
        if not self.command_stack:
            return make(raise_on_error)
        told = [command_text(_words(args)) for args, _ in self.command_stack]
        if bool(self.transaction) or self.explicit_transaction:
            told = ["MULTI", *told, "EXEC"]
        return self.recorder.call("; ".join(told), lambda: make(raise_on_error))


class RecordedPubSub(PubSub):
    """A subscriber: SUBSCRIBE is a call without a reply; what arrives is a delivery."""

    recorder: Recorder

    def execute_command(self, *args: Any) -> Any:
        """Send SUBSCRIBE and the like, and record it."""
        make: Callable[..., Any] = super().execute_command
        return self.recorder.call(
            command_text(_words(args)), lambda: make(*args), reply=lambda _: ""
        )

    def handle_message(self, response: Any, ignore_subscribe_messages: bool = False) -> Any:
        """Record what has arrived, acknowledgements too, before a handler or the caller sees it."""
        if isinstance(response, list | tuple):
            kind, *rest = [_text(part) for part in response]
            if kind in _ARRIVED:
                self.recorder.add(f"{_ARRIVED[kind]} {literal(rest[-1])}", fate="delivery")
            elif kind in _ACKNOWLEDGED:
                self.recorder.add(f"{_ACKNOWLEDGED[kind]} {rest[0]}", fate="delivery")
        handle: Callable[..., Any] = super().handle_message
        return handle(response, ignore_subscribe_messages)


def _may_block(words: list[str]) -> bool:
    if words[0] in ("XREAD", "XREADGROUP"):
        return "BLOCK" in words[: words.index("STREAMS")]
    command = command_of(words)
    return command is not None and command.blocks


def _words(args: tuple[Any, ...]) -> list[str]:
    words = " ".join(_text(arg) for arg in args[:1]).split() + [_text(arg) for arg in args[1:]]
    if words[0].startswith("EVAL"):
        words[1] = "script"
    return words


def _text(part: Any) -> str:
    return part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else str(part)
