"""What is in a container or an object of Python: to look into it, and to fill it again."""

from __future__ import annotations

import gc
import sys
from array import array
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, MutableMapping, MutableSequence, MutableSet
from enum import Enum
from functools import _lru_cache_wrapper, partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

from raceproof.search.arrays import contents_of_array, is_of_an_array
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.iterators import how_far
from raceproof.search.mocks import contents_of_mock, is_caplog, is_mock
from raceproof.search.spots import ABSENT
from raceproof.search.standard_objects import PEEKS, bring_back

CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType, partial)
ATOMS = (str, bytes, int, float, complex, bool, range, type(None))
CONTAINERS = (dict, list, set, deque)
_CONTAINERS = (*CONTAINERS, tuple, frozenset)
_PYTHONS = ("builtins", "collections")
_OF_A_LIBRARY = (MutableMapping, MutableSequence, MutableSet)
_FILLED_BY_AND_BY = "sqlalchemy."  # its containers remember what they worked out


def contents_of(value: Any) -> list[Any] | None:
    """Return what is in a container or an object; None if nobody looks into this."""
    kind = type(value)
    if kind in ATOMS or issubclass(kind, CODE):  # a mock may say that it is a function
        return None
    if kind is bytearray or kind is array:
        return [bytes(value)]
    if kind is _lru_cache_wrapper:
        return _remembered(value)
    if kind in PEEKS:
        return list(PEEKS[kind](value))
    if kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        return how_far(value)
    if is_of_an_array(kind):
        return contents_of_array(value)
    if is_mock(value):
        return contents_of_mock(value)
    if kind.__module__ not in _PYTHONS and kind is not SimpleNamespace:
        if is_caplog(kind):
            return [value.records]
        if not _is_looked_into(kind):
            return None
        if isinstance(value, Enum):  # Python keeps in a member what it has worked out
            return _of_member(value)
        items = contents_of_array(value) or _items(value)  # it may be derived from one of those
        return [names_of(value), *(in_slot(slot, value) for slot in slots_of(kind)), *items]
    if isinstance(value, SimpleNamespace):
        return [vars(value)]
    return _items(value) if isinstance(value, _CONTAINERS) else None


def reached(values: Iterable[Any], seen: set[int]) -> Iterator[Any]:
    """Yield what is in these containers and objects, and what is in that, once."""
    todo = list(values)
    while todo:
        value = todo.pop()
        if id(value) not in seen and (contents := contents_of(value)) is not None:
            seen.add(id(value))
            yield from contents
            todo += contents


def refill(value: Any, contents: list[Any]) -> None:
    """Let a container hold again what it held; a value that cannot change is left as it is."""
    kind = type(value)
    if kind in PEEKS:
        bring_back(value, contents)
    elif isinstance(value, Enum):
        now, half = _of_member(value), len(contents) // 2
        for name in {*now[: len(now) // 2]} - {*contents[:half]}:
            del vars(value)[name]
        vars(value).update(zip(contents[:half], contents[half:], strict=True))
    elif _is_looked_into(kind):
        slots = slots_of(kind)
        for slot, before in zip(slots, contents[1:], strict=False):
            if before is not ABSENT:
                slot.__set__(value, before)
            elif in_slot(slot, value) is not ABSENT:
                slot.__delete__(value)
        contents = contents[1 + len(slots) :]
    if isinstance(value, dict) or _is_of_c(value):
        bases = (one for one in (OrderedDict, dict) if isinstance(value, one))
        base: Any = next(bases, kind)
        base.clear(value)
        half = len(contents) // 2
        for key, item in zip(contents[:half], contents[half:], strict=True):
            base.__setitem__(value, key, item)
    elif isinstance(value, list):
        list.__setitem__(value, slice(None), contents)
    elif isinstance(value, set):
        set.clear(value)
        set.update(value, contents)
    elif isinstance(value, deque):
        value.clear()
        value.extend(contents)
    elif kind is bytearray:
        value[:] = contents[0]


def is_a_learners_class(kind: type) -> bool:
    """Return whether a class is neither a library's nor the search's own."""
    module = sys.modules.get(kind.__module__)
    return is_a_learners(vars(module) if module else {"__name__": kind.__module__})


def _is_looked_into(kind: type) -> bool:
    """Return whether objects of this class are: a learner's, and a container of a library's."""
    if kind.__module__ in _PYTHONS or kind.__module__.startswith(_FILLED_BY_AND_BY):
        return False
    return is_a_learners_class(kind) or issubclass(kind, _OF_A_LIBRARY)


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    if _is_of_c(value):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, _CONTAINERS) else []


def _of_member(member: Enum) -> list[Any]:
    names = {name: held for name, held in vars(member).items() if not name.startswith("_")}
    return [*names, *names.values()]


def _is_of_c(value: Any) -> bool:
    """Whether this is a library's mapping of which Python shows nothing but its items."""
    return issubclass(type(value), MutableMapping) and not hasattr(value, "__dict__")


def names_of(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, without asking a `__getattr__` of its own."""
    try:
        names: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return names


def slots_of(kind: type) -> list[Any]:
    """Return the slots of a class and of those it is derived from."""
    every = (slot for one in kind.__mro__ for slot in vars(one).values())
    return [slot for slot in every if isinstance(slot, MemberDescriptorType)]


def in_slot(slot: Any, value: Any) -> Any:
    """Return what an object has in a slot, ABSENT if that was not set."""
    try:
        return slot.__get__(value)
    except AttributeError:  # not set
        return ABSENT


def _remembered(function: Any) -> list[Any]:
    """Return what a cached function remembers that can change: all who ask get the same one."""
    held = gc.get_referents(function)
    at = next(i for i, one in enumerate(held) if one is function.__wrapped__)
    results = held[: at - 1]  # before it is the dict, and there all of them if it has no bound
    if function.cache_parameters()["maxsize"] is None:
        results = list(held[at - 1].values())
    return [one for one in results if type(one) in CONTAINERS or is_a_learners_class(type(one))]
