"""Threads in which a check looks at a world: sleeping there takes no time, for nothing happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Onlooker:
    """A check: its clocks go on by what it slept."""

    slept = 0.0


_onlookers: dict[int, Onlooker] = {}


def current() -> Onlooker | None:
    """Return the onlooker that this thread is, if it is one."""
    return _onlookers.get(threading.get_ident())


@contextmanager
def onlooking() -> Iterator[None]:
    """Let the current thread be an onlooker, another one than it may have been."""
    me = threading.get_ident()
    before = _onlookers.get(me)
    _onlookers[me] = Onlooker()
    try:
        yield
    finally:
        del _onlookers[me]
        if before is not None:
            _onlookers[me] = before
