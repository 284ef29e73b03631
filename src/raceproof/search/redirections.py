"""Standard streams and warnings that a client redirects: so only while it runs, and to its end.

A process of its own would have them for itself; here all clients and the search are in one.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import is_
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
    same = not _usual or _same(own, _usual[0])
    if not same:
        _put(_usual[0])
    yield
    if not same:
        _put(own)


def _same(some: list[Any], others: list[Any]) -> bool:
    """Whether the same objects are there, and the filters of warnings are equal."""
    return some[-1] == others[-1] and all(map(is_, some[:-1], others[:-1]))


def end() -> None:
    """Let everybody have what is usual, now that a client has ended."""
    if _usual:
        _put(_usual[0])


def _now() -> list[Any]:
    return [*(getattr(owner, name, None) for owner, name in _PLACES), warnings.filters[:]]


def _put(values: list[Any]) -> None:
    *objects, filters = values
    before, had = warnings.filters, warnings.filters[:]
    for (owner, name), value in zip(_PLACES, objects, strict=True):
        setattr(owner, name, value)
    if had != filters or warnings.filters is not before:
        warnings.filters[:] = filters  # type: ignore[index]
        with warnings.catch_warnings():  # else Python goes by what it remembers of others
            pass


def _kept() -> Callable[[], None]:
    _usual.append(_now())
    return lambda: _put(_usual.pop())


stand_ins.patch(_kept)
