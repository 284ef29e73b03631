"""What Python's own memory holds at some names: kept, and compared with what it holds later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import _lru_cache_wrapper, partial
from operator import is_
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from raceproof.search.contents import ATOMS, CODE, contents_of, is_a_learners_class, refill
from raceproof.search.spots import Spot, in_cell

_NAMED = (ModuleType, BuiltinFunctionType)
_FIXED, _LISTS = (tuple, frozenset), (list, deque, set)


class Memory:
    """All that some spots hold, down through the containers and objects that are no library's.

    Of anything else, as functions and modules, it is kept which one it is: what is within it,
    nobody sees here. A client of a service, which `world()` may make anew, is as good as the one
    before.
    """

    def __init__(self, spots: Iterable[Spot]) -> None:
        self.spots = list(spots)
        self._gets = [spot.get for spot in self.spots]
        self.keep()

    @property
    def size(self) -> int:
        """How many things are compared to find out whether it is untouched."""
        return len(self.spots) + sum(len(contents) for _, contents in self._kept.values())

    def keep(self) -> None:
        """Remember what is there now."""
        self._values = self._now()
        self._kept: dict[int, tuple[Any, list[Any]]] = {}  # whose contents are remembered
        todo = list(self._values)
        while todo:
            value = todo.pop()
            if id(value) not in self._kept and (contents := contents_of(value)) is not None:
                self._kept[id(value)] = value, contents
                todo += contents

    def within(self) -> dict[int, Any]:
        """Return, by its id, each container and object whose contents are remembered."""
        return {i: value for i, (value, _) in self._kept.items() if type(value) not in _FIXED}

    def is_untouched(self) -> bool:
        """Whether the very same things are there, which is quickly found out."""
        return _identical(self._now(), self._values) and all(
            _identical(value if type(value) in _LISTS else contents_of(value) or [], contents)
            for value, contents in self._kept.values()
            if type(value) not in _FIXED
        )

    def changed(self) -> str | None:
        """Return the name of a spot that holds something else than was remembered, if one does."""
        if self.is_untouched():
            return None
        others = self._others()
        return others[0][0].name if others else None

    def put_back(self) -> None:
        """Bring everything back to what was remembered, and empty what functions remember."""
        others = self._others()
        for value, contents in self._kept.values():
            refill(value, contents)
        for spot, before in others:
            if spot.put is not None:
                spot.put(before)
        for value in self._values:
            if isinstance(value, _lru_cache_wrapper):
                value.cache_clear()

    def _others(self) -> list[tuple[Spot, Any]]:
        """Return the spots that hold something else now, each with what was there."""
        spots = zip(self.spots, self._now(), self._values, strict=True)
        return [(spot, kept) for spot, now, kept in spots if not self._same(now, kept, {})]

    def _now(self) -> list[Any]:
        return [get() for get in self._gets]

    def _same(self, now: Any, before: Any, seen: dict[int, tuple[Any, Any]]) -> bool:
        """Whether they hold equal things: what it holds now, and what the other one held then."""
        if issubclass(type(now), CODE) and issubclass(type(before), CODE):
            return _same_code(now, before)
        if type(now) is not type(before):
            return False
        if isinstance(now, ATOMS) and not (now == before or now is before):
            return False
        if id(before) not in self._kept:
            return isinstance(now, ATOMS) or now is before or _is_a_handle(now)
        if id(now) in seen:
            return seen[id(now)][1] is before
        seen[id(now)] = now, before  # kept, for its id to be its own
        contents, held = contents_of(now) or [], self._kept[id(before)][1]
        if isinstance(now, set | frozenset):
            kept = {id(one): one for one in held}
            both = ((one, kept[id(one)]) for one in contents if id(one) in kept)
            return set(contents) == set(held) and all(self._same(*one, seen) for one in both)
        return len(contents) == len(held) and all(
            self._same(one, other, seen) for one, other in zip(contents, held, strict=True)
        )


def _same_code(now: Any, before: Any) -> bool:
    """Whether these are one function or class, which a world may make anew."""
    if isinstance(now, FunctionType) and isinstance(before, FunctionType):
        return now.__code__ is before.__code__ and _plain(_held(now)) == _plain(_held(before))
    if isinstance(now, type) and isinstance(before, type):
        return now.__qualname__ == before.__qualname__
    if isinstance(now, MethodType) and isinstance(before, MethodType):
        same = _plain(_attributes(now)) == _plain(_attributes(before))
        return same and _same_code(now.__func__, before.__func__)
    if isinstance(now, partial) and isinstance(before, partial):
        return _same_code(now.func, before.func) and _plain(_given(now)) == _plain(_given(before))
    if isinstance(now, _NAMED) and type(now) is type(before):
        return str(now.__name__) == str(before.__name__)
    return now is before


def _given(part: partial[Any]) -> list[Any]:
    return [*part.args, *part.keywords.values()]


def _attributes(method: MethodType) -> list[Any]:
    return [*getattr(method.__self__, "__dict__", {}).values()]


def _held(function: FunctionType) -> list[Any]:
    return [in_cell(cell) for cell in function.__closure__ or ()]


def _plain(values: list[Any]) -> list[Any]:
    """Return those that are numbers and texts: a world may make any other anew."""
    return [one for one in values if isinstance(one, ATOMS)]


def _identical(some: Any, others: list[Any]) -> bool:
    """Whether these are the very same things; whole numbers need only be equal."""
    if len(some) != len(others) or all(map(is_, some, others)):
        return len(some) == len(others)
    return all(
        one is other or (type(one) is type(other) is int and one == other)
        for one, other in zip(some, others, strict=True)
    )


def _is_a_handle(value: Any) -> bool:
    """Whether this is an object of a library, of another kind than a value or an error is."""
    kind = type(value)
    equals: Any = kind.__eq__
    is_value = equals is not object.__eq__ or isinstance(value, BaseException)
    return not is_value and kind is not object and not is_a_learners_class(kind)
