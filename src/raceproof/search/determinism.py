"""Time, chance and sleep inside a client thread: the same on every replay.

While a search runs, the functions below ask the running client first; every
other thread of the process gets the real ones.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Deterministic(Protocol):
    """What a client thread answers in place of the operating system."""

    chance: random.Random

    def wall_clock(self) -> float: ...
    def stopwatch(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


_clients: dict[int, Deterministic] = {}
_active = 0
_lock = threading.Lock()
_originals: list[tuple[Any, str, Any]] = []

_RANDOM = ("random", "randint", "randrange", "choice", "choices", "shuffle", "sample", "uniform")


def enter(client: Deterministic) -> None:
    """Give the current thread this client's time and chance."""
    _clients[threading.get_ident()] = client


def leave() -> None:
    """Give the current thread the real ones back."""
    _clients.pop(threading.get_ident(), None)


def _replace(module: Any, name: str, make: Callable[[Deterministic], Callable[..., Any]]) -> None:
    original = getattr(module, name)

    def function(*args: Any, **kwargs: Any) -> Any:
        client = _clients.get(threading.get_ident())
        return (original if client is None else make(client))(*args, **kwargs)

    _originals.append((module, name, original))
    setattr(module, name, function)


@contextmanager
def deterministic() -> Iterator[None]:
    """Replace the functions for the duration of a search; searches may nest."""
    global _active
    with _lock:
        _active += 1
        if _active == 1:
            _replace(time, "time", lambda c: c.wall_clock)
            _replace(time, "time_ns", lambda c: lambda: int(c.wall_clock() * 1e9))
            _replace(time, "monotonic", lambda c: c.stopwatch)
            _replace(time, "perf_counter", lambda c: c.stopwatch)
            _replace(time, "sleep", lambda c: c.sleep)
            _replace(os, "urandom", lambda c: c.chance.randbytes)
            _replace(random, "_urandom", lambda c: c.chance.randbytes)
            _replace(uuid, "uuid1", lambda c: lambda *_: uuid.UUID(int=c.chance.getrandbits(128)))
            for name in _RANDOM:
                _replace(random, name, lambda c, name=name: getattr(c.chance, name))  # type: ignore[misc]
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0:
                while _originals:
                    module, name, original = _originals.pop()
                    setattr(module, name, original)
