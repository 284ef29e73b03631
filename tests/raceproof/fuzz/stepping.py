"""A client as a greenlet that stops before each request until it is told to go on.

The client's library and its connection to the server are the real ones. Where the library is
about to send a request, the connection (see `redis_gates.py` and its neighbours) hands a
`Request` to `Gate.step`, which stops there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

PATIENCE = 20.0  # seconds that a server may take for an answer


class Killed(BaseException):
    """Ends a client that dies; no `except Exception` stops it."""


@dataclass
class Request:
    """One request that a client is about to send.

    `make` sends it on the client's own connection and returns what the client gets. `lose`
    breaks the connection and returns the exception that the client sees. `ready` says of a
    request that may block whether the server would answer at once; `timeout` is how long it
    waits in seconds (None: for ever) and `gives_up` what the client gets after that. `late`
    returns, with the connection taken from the client, how to make the request later on.
    """

    text: str
    make: Callable[[], Any]
    lose: Callable[[], BaseException]
    ready: Callable[[], bool] | None = None
    timeout: float | None = None
    gives_up: Any = None
    to: str = "server"  # or "clock", or "" for a sleep
    late: Callable[[], Callable[[], None]] | None = None
    again: Callable[[], Any] | None = None  # what would be answered now; for what only reads
    patient: bool = False  # it gives up only where nobody else can move


class Gate:
    """One client: started, then told what befalls each of its requests."""

    def __init__(self, name: str, code: Callable[[Any], object]) -> None:
        self.name = name
        self.request: Request | None = None
        self.error: BaseException | None = None
        self.notes: list[Any] = []
        self.dead = False  # or done: what its objects still send when they go reaches nobody
        self.elapsed = 0.0
        self.said: list[tuple[str, Any]] = []  # its requests so far, each with what it got
        self.asks_for_ever = False  # whether it now asks the same until it gets another answer
        self.closers: list[Callable[[], None]] = []  # what ends its connections
        self._code = code
        self._fate = ""
        self._client = greenlet(self._run)
        self._player: Any = None

    # --- called by whoever plays the schedule ---------------------------------------------

    def start(self, world: Any) -> None:
        """Run up to the first request."""
        self._resume(world)

    def go(self, fate: str) -> None:
        """Let the request meet its fate, and run up to the next one."""
        self._fate = fate
        self._resume()

    def kill(self) -> None:
        """Let the client die where it is; its `finally` blocks reach nobody."""
        if self.request is not None:
            self.dead = True
            self.go("dies")

    def _resume(self, *given: Any) -> None:
        self._player = getcurrent()
        self._client.switch(*given)

    # --- called in the client's greenlet --------------------------------------------------

    def step(self, request: Request) -> Any:
        """Stop before a request; then make it, or lose it, or die."""
        if self.dead:
            raise Killed
        self.request = request
        self._player.switch()
        self.request = None
        if self._fate == "dies":
            raise Killed
        self.said.append((request.text, self._fate))
        if self._fate == "timed-out":
            self.elapsed += request.timeout or 0.0
            return request.gives_up
        if self._fate == "request-lost":
            raise caused_by_the_search(request.lose())
        reply = request.make()
        if self._fate == "reply-lost":
            raise caused_by_the_search(request.lose())
        self.said[-1] = (request.text, reply)
        return reply

    def asks_in_vain(self, polls: int) -> bool:
        """Whether it has asked this so often in a row for nothing, and would get nothing again."""
        assert self.request is not None
        again = self.request.again
        if not self.asks_for_ever or again is None or len(self.said) < polls:
            return False
        [answer] = again()
        return not answer and self.said[-polls:] == [(self.request.text, [answer])] * polls

    def _run(self, world: Any) -> None:
        try:
            self._code(world)
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.request, self.dead = None, True


def caused_by_the_search(error: BaseException) -> BaseException:
    """Mark a connection error as ours: a client that ends with it has not gone wrong."""
    error.ours = True  # type: ignore[attr-defined]
    return error


def is_ours(error: BaseException | None) -> bool:
    """Whether a client's exception comes from a connection that we broke."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if getattr(error, "ours", False):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
