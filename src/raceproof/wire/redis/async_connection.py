"""Connections of ours for redis-py's asyncio clients: each request is that of a blocking one.

The event loop stands still while the search decides. So a client is one task: what another task
would do meanwhile is another client's to do, and more than one is refused.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from typing import Any

import redis
from redis.asyncio.connection import AbstractConnection
from redis.backoff import NoBackoff

from raceproof.wire.calls import Unsearchable
from raceproof.wire.redis.connection import Wire, WireConnection

_ENCODING = ("db", "encoding", "encoding_errors", "decode_responses", "protocol")


class AsyncWireConnection(AbstractConnection):
    """A connection of redis-py's asyncio to the search."""

    def __init__(self, *, wire: Wire, **options: Any) -> None:
        super().__init__(**options)
        self.retry._backoff = NoBackoff()  # between two tries no time passes
        given = {name: options[name] for name in _ENCODING if name in options}
        made: Any = WireConnection
        self._requests: WireConnection = made(wire=wire, **given)

    def repr_pieces(self) -> list[tuple[str, Any]]:
        """Return what redis-py shows of the connection: the store, the database."""
        return self._requests.repr_pieces()

    def _host_error(self) -> str:
        return self._requests._host_error()

    async def _connect(self) -> None:
        raise NotImplementedError("connect_check_health does it")

    @property
    def is_connected(self) -> bool:
        """Whether it is open."""
        return self._requests.is_connected

    async def connect_check_health(
        self, check_health: bool = True, retry_socket_connect: bool = True
    ) -> None:
        """Connect: the handshake is no step, and what is subscribed to anew is sent with it."""
        if self.is_connected:
            return
        self.next_health_check = asyncio.get_running_loop().time() + self.health_check_interval
        with self._requests.connecting():
            for callback in filter(None, [ref() for ref in self._connect_callbacks]):
                if inspect.isawaitable(returned := callback(self)):
                    await returned

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close: what the server ties to this connection ends."""
        self._requests.disconnect()

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Make each request a step, or all of a transaction that is sent together one."""
        _refuse_others()
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        self.next_health_check = asyncio.get_running_loop().time() + self.health_check_interval
        self._requests.send_packed_command(command, check_health=False)

    async def can_read(self) -> bool:
        """Return whether there is a reply that nobody has read."""
        return bool(self._requests.replies)

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
    ) -> Any:
        """Return the next reply, or raise it if it is an error; None after so many seconds."""
        if not self.is_connected:
            raise redis.ConnectionError("Connection closed by server.")
        if not self._requests.replies:
            _refuse_others()
            waits = None if timeout == math.inf else timeout
            if not self._requests.can_read(waits) and waits is not None:
                return None
        return self._requests.read_response(disable_decoding)


def _refuse_others() -> None:
    """Raise Unsearchable where anything else of this event loop could go on during a request."""
    loop: Any = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    if not hasattr(loop, "_scheduled"):  # as what asyncio itself makes has
        others = f"is of the class {type(loop).__qualname__}, of which nobody knows what it does"
        instead = "let the search run it: make the client an async function"
    elif len(asyncio.all_tasks(loop)) > 1:
        others = "has several tasks (asyncio.gather, a TaskGroup, wait_for before Python 3.12)"
        instead = "make each task a client of the search; in a check, await one after the other"
    elif not all(timer.cancelled() for timer in loop._scheduled) or (task and task.cancelling()):
        others = "may end it at any moment (asyncio.timeout, wait_for, call_later, cancel)"
        instead = "give the command a time-out of its own, or let the search lose its reply"
    elif loop._ready or len(loop._selector.get_map()) > 1:  # it listens to itself
        others = "has something else to do (a callback, a reader, a generator that was not closed)"
        instead = "let that be done before, or make it a client of the search"
    else:
        return
    raise Unsearchable(
        f"a request is made while its event loop {others}: that would go on meanwhile, and cannot "
        f"be searched; {instead}"
    )
