"""What Python's own memory holds at some names: kept, and compared with what it holds later."""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from functools import _lru_cache_wrapper, partial
from operator import is_
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from raceproof.search.held_in_modules import is_a_learners

_CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType, partial)
_ATOMS = (str, bytes, int, float, complex, bool, type(None))
CONTAINERS = (dict, list, set, deque)
_CONTAINERS = (*CONTAINERS, tuple, frozenset)
_FIXED, _LISTS = (tuple, frozenset), (list, deque, set)
_PYTHONS = ("builtins", "collections")


class Spot(NamedTuple):
    """The name of something, how to get what is there, and how to put something there.

    `reads`: whether the code that can look there may, and not only add something.
    """

    name: str
    get: partial[Any]
    put: Callable[[Any], object] | None = None
    reads: bool = True

    @property
    def place(self) -> tuple[object, ...]:
        """Which one it is: the same for all whose code can look there."""
        args = (arg if isinstance(arg, str) else id(arg) for arg in self.get.args)
        return (self.get.func, *args)


class Memory:
    """All that some spots hold, down through the containers and objects that are no library's.

    Of anything else it is kept which one it is: what is within it, nobody sees here. Functions,
    classes and modules are taken to be there for good. A client of a service, which `world()`
    may make anew, is as good as the one before.
    """

    def __init__(self, spots: Iterable[Spot]) -> None:
        self._spots = [spot for spot in spots if not isinstance(spot.get(), _CODE)]
        self._gets = [spot.get for spot in self._spots]
        self.keep()

    @property
    def size(self) -> int:
        """How many things are compared to find out whether it is untouched."""
        return len(self._spots) + sum(len(contents) for _, contents in self._kept.values())

    def keep(self) -> None:
        """Remember what is there now."""
        self._values = self._now()
        self._kept: dict[int, tuple[Any, list[Any]]] = {}  # whose contents are remembered
        todo = list(self._values)
        while todo:
            value = todo.pop()
            if id(value) not in self._kept and (contents := _contents(value)) is not None:
                self._kept[id(value)] = value, contents
                todo += contents

    def is_untouched(self) -> bool:
        """Whether the very same things are there, which is quickly found out."""
        return _identical(self._now(), self._values) and all(
            _identical(value if type(value) in _LISTS else _contents(value) or [], contents)
            for value, contents in self._kept.values()
            if type(value) not in _FIXED
        )

    def changed(self) -> str | None:
        """Return the name of a spot that holds something else than was remembered, if one does."""
        if self.is_untouched():
            return None
        for spot, _ in self._others():
            return spot.name
        return None

    def put_back(self) -> None:
        """Bring everything back to what was remembered, and empty what functions remember."""
        others = self._others()
        for value, contents in self._kept.values():
            _refill(value, contents)
        for spot, before in others:
            if spot.put is not None:
                spot.put(before)
        for value in self._values:
            if isinstance(value, _lru_cache_wrapper):
                value.cache_clear()

    def _others(self) -> list[tuple[Spot, Any]]:
        """Return the spots that hold something else now, each with what was there."""
        spots = zip(self._spots, self._now(), self._values, strict=True)
        return [(spot, kept) for spot, now, kept in spots if not self._same(now, kept, {})]

    def _now(self) -> list[Any]:
        return [get() for get in self._gets]

    def _same(self, now: Any, before: Any, seen: dict[int, Any]) -> bool:
        """Whether they hold equal things: what it holds now, and what the other one held then."""
        if isinstance(now, _CODE) and isinstance(before, _CODE):  # deep within
            return True
        if type(now) is not type(before):
            return False
        if isinstance(now, _ATOMS):
            return bool(now == before or now is before)
        if id(before) not in self._kept:
            return now is before or _is_a_handle(now)
        if id(now) in seen:
            return seen[id(now)] is before
        seen[id(now)] = before
        contents, held = _contents(now) or [], self._kept[id(before)][1]
        if isinstance(now, set | frozenset):
            return set(contents) == set(held)
        return len(contents) == len(held) and all(
            self._same(one, other, seen) for one, other in zip(contents, held, strict=True)
        )


def _identical(some: Any, others: list[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def _contents(value: Any) -> list[Any] | None:
    """Return what is in a container or an object; None if nobody looks into this."""
    kind = type(value)
    if kind in _ATOMS or isinstance(value, _CODE):
        return None
    if kind is bytearray or kind is array:
        return [bytes(value)]
    if kind.__module__ not in _PYTHONS and kind is not SimpleNamespace:
        if not is_a_learners_class(kind):
            return None
        return [getattr(value, "__dict__", {}), *_in_slots(value), *_items(value)]
    if isinstance(value, SimpleNamespace):
        return [vars(value)]
    return _items(value) if isinstance(value, _CONTAINERS) else None


def _refill(value: Any, contents: list[Any]) -> None:
    """Let a container hold again what it held; a value that cannot change is left as it is."""
    if type(value) is dict:
        half = len(contents) // 2
        value.clear()
        value.update(zip(contents[:half], contents[half:], strict=True))
    elif type(value) in (list, deque):
        value.clear()
        value.extend(contents)
    elif type(value) is set:
        value.clear()
        value.update(contents)
    elif type(value) is bytearray:
        value[:] = contents[0]


def _is_a_handle(value: Any) -> bool:
    """Whether this is an object of a library, of another kind than a value or an error is."""
    kind = type(value)
    equals: Any = kind.__eq__
    is_value = equals is not object.__eq__ or isinstance(value, BaseException)
    return not is_value and kind is not object and not is_a_learners_class(kind)


def is_a_learners_class(kind: type) -> bool:
    """Return whether a class is neither a library's nor the search's own."""
    module = sys.modules.get(kind.__module__)
    return is_a_learners(vars(module) if module else {"__name__": kind.__module__})


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    return list(value) if isinstance(value, _CONTAINERS) else []


def _in_slots(value: Any) -> list[Any]:
    names = [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())]
    return [getattr(value, name) for name in names if hasattr(value, name)]
