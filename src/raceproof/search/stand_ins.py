"""What a client's thread gets in place of functions of Python; every other thread: the real ones.

Each module that replaces something names it here once; while a search runs, it is
replaced, also where other modules hold it (`from time import time`), and afterwards
everything is as it was.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from typing import Any, Protocol

from raceproof.search import onlooking as onlookers
from raceproof.search.held_in_modules import Holders
from raceproof.search.put_there import is_put_there
from raceproof.wire.calls import Unsearchable


class Deterministic(Protocol):
    """What a client thread answers in place of the operating system."""

    chance: random.Random

    def wall_clock(self) -> float:
        """Return the client's time in seconds since 1970, in place of `time.time`."""

    def stopwatch(self, measures: bool = True) -> float:
        """Return what the client slept and waited so far and what ticks took, in seconds.

        `measures`: what it does next may depend on that.
        """

    def sleep(self, seconds: float) -> None:
        """Let everybody else go on; the client's time is then so many seconds later."""

    def refuse(self, refusal: Unsearchable) -> None:
        """End the search with this refusal, even if the client swallows it."""


# Called in place of a function, with the client or onlooker, the real one, and the arguments.
Instead = Callable[..., Any]

_clients: dict[int, Deterministic] = {}
_active = 0
_lock = threading.Lock()
_functions: dict[int, tuple[Any, Any]] = {}  # id of a real function -> it, and what stands for it
_methods: dict[tuple[type, str], Any] = {}
_restore: list[Callable[[], None]] = []
_holders = Holders()
_bound: list[Callable[[Any], Any]] = []
put_by_tests: dict[str, Any] = {}  # what stands at these names during this search, and stays
_preparations: list[Callable[[], None]] = []
_patches: list[Callable[[], Callable[[], None]]] = []


def current() -> Deterministic | None:
    """Return the client that this thread runs, or belongs to, if it does."""
    return _clients.get(threading.get_ident())


def enter(client: Deterministic) -> None:
    """Give the current thread this client's time and chance."""
    _clients[threading.get_ident()] = client


def leave() -> None:
    """Give the current thread the real ones back."""
    _clients.pop(threading.get_ident(), None)


def preparation(prepare: Callable[[], None]) -> None:
    """Run this before each search: it names what is to be replaced, once it is imported."""
    _preparations.append(prepare)


def patch(apply: Callable[[], Callable[[], None]]) -> None:
    """Apply this for each search; it returns how to take it back."""
    _patches.append(apply)


def function(module: Any, name: str, instead: Instead, onlooking: Instead | None = None) -> None:
    """Replace a function of a module, also where other modules hold it under any name.

    One that a test has put in its place stays: what it says is the test's own choice.
    A client calls `instead`; an onlooker `onlooking`, if that is given.
    """
    original = getattr(module, name, None)
    stands_there = "_stands_for" in getattr(original, "__dict__", {})
    if original is None or id(original) in _functions or stands_there:
        return
    if is_put_there(original):
        put_by_tests[f"{module.__name__}.{name}"] = original
        return
    _functions[id(original)] = (original, _standing_for(original, instead, onlooking))


def method(cls: type, name: str, instead: Instead) -> None:
    """Replace a method of a class that was written in Python."""
    original = getattr(cls, name, None)
    if original is not None and (cls, name) not in _methods:
        _methods[cls, name] = _standing_for(original, instead)


def _standing_for(original: Any, instead: Instead, onlooking: Instead | None = None) -> Any:
    @wraps(original)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        if (client := current()) is not None:
            return instead(client, original, *args, **kwargs)
        if onlooking is not None and (onlooker := onlookers.current()) is not None:
            return onlooking(onlooker, original, *args, **kwargs)
        return original(*args, **kwargs)

    stand_in._stands_for = original  # type: ignore[attr-defined]
    return stand_in


@contextmanager
def standing_in() -> Iterator[None]:
    """Replace the functions for the duration of a search; searches may nest."""
    global _active
    try:
        with _lock:
            _active += 1
            if _active == 1:
                _replace()
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0:
                with ExitStack() as all_of_it:  # goes on, whatever goes wrong with one
                    for restore in _restore:
                        all_of_it.callback(restore)
                    _restore.clear()


def once_more() -> None:
    """Replace also what has been imported since the search began."""
    with _lock:
        if _active:
            _replace()
            _holders.forget()  # what is replaced already was not seen this time


def _replace() -> None:
    known = len(_functions)
    put_by_tests.clear()
    for prepare in _preparations:
        prepare()
    if len(_functions) != known:
        _holders.forget()
    for names, held in _holders.of(_functions.keys()):
        _replace_in(names, held)
    for (cls, name), stand_in in _methods.items():
        own = vars(cls).get(name)
        setattr(cls, name, stand_in)
        _restore.append(
            (lambda c=cls, n=name: delattr(c, n))  # type: ignore[misc]
            if own is None
            else (lambda c=cls, n=name, o=own: setattr(c, n, o))  # type: ignore[misc]
        )
    _restore.extend(apply() for apply in _patches)


def _replace_in(names: dict[str, Any], held: list[str]) -> None:
    for name in held:
        original, stand_in = _functions.get(id(names.get(name)), (None, None))
        if original is not None:
            names[name] = stand_in
            _restore.append(lambda n=name, o=original: names.__setitem__(n, o))  # type: ignore[misc]


def stand_in_for(value: Any) -> Any:
    """Return what stands for a function during this search, None if nothing does."""
    if isinstance(value, partial):
        inner = stand_in_for(value.func)
        return inner and partial(inner, *value.args, **value.keywords)
    if stand_in := _functions.get(id(value), (None, None))[1]:
        return stand_in
    return next(filter(None, (look(value) for look in _bound)), None)


def bound(look: Callable[[Any], Any]) -> None:
    """Ask this, too, what stands for a value: a method that Python binds anew for each who asks."""
    _bound.append(look)


def take_back(restore: Callable[[], None]) -> None:
    """Call this after the search."""
    _restore.append(restore)
