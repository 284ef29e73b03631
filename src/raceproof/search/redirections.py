"""Standard streams and warnings that a client redirects: so only while it runs, and to its end.

A process of its own would have them for itself; here all clients and the search are in one.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from raceproof.search import stand_ins

_PLACES: tuple[tuple[Any, str], ...] = (
    (sys, "stdin"),
    (sys, "stdout"),
    (sys, "stderr"),
    (warnings, "filters"),
    (warnings, "showwarning"),
    (warnings, "_showwarnmsg_impl"),
)
_usual: list[list[Any]] = []  # what everybody else has, while a search runs


@contextmanager
def set_aside() -> Iterator[None]:
    """Let everybody else have what is usual; the client that comes back has its own again."""
    own = _now()
    same = not _usual or all(one is other for one, other in zip(own, _usual[0], strict=True))
    if not same:
        _put(_usual[0])
    yield
    if not same:
        _put(own)


def end() -> None:
    """Let everybody have what is usual, now that a client has ended."""
    if _usual:
        _put(_usual[0])


def _now() -> list[Any]:
    return [getattr(owner, name, None) for owner, name in _PLACES]


def _put(values: list[Any]) -> None:
    filters = warnings.filters
    for (owner, name), value in zip(_PLACES, values, strict=True):
        setattr(owner, name, value)
    mutated = getattr(warnings, "_filters_mutated", None)
    if mutated and warnings.filters is not filters:
        mutated()  # else Python goes by what it remembers of the filters before


def _kept() -> Callable[[], None]:
    _usual.append(_now())
    return lambda: _put(_usual.pop())


stand_ins.patch(_kept)
