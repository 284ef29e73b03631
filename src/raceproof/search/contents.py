"""What is in a container or an object of Python: to look into it, and to fill it again."""

from __future__ import annotations

import gc
import sys
from array import array
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from collections.abc import Callable, Iterable, Iterator
from functools import _lru_cache_wrapper, partial
from operator import attrgetter
from queue import LifoQueue, PriorityQueue, Queue
from threading import Event, Lock
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from raceproof.search.arrays import contents_of_array, is_of_an_array
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.iterators import how_far
from raceproof.search.spots import ABSENT

CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType, partial)
ATOMS = (str, bytes, int, float, complex, bool, range, type(None))
CONTAINERS = (dict, list, set, deque)
_CONTAINERS = (*CONTAINERS, tuple, frozenset)
_PYTHONS = ("builtins", "collections")
_LOCK = type(Lock())
_QUEUES = (Queue, LifoQueue, PriorityQueue)
_PEEKS: dict[type, Callable[[Any], Iterable[Any]]] = {  # how to see what is in these
    ChainMap: attrgetter("maps"),
    Event: lambda event: [event.is_set()],
    _LOCK: lambda lock: [lock.locked()],
    MappingProxyType: lambda view: [*view, *view.values()],
    UserDict: lambda of: [of.data],
    UserList: lambda of: [of.data],
    WeakKeyDictionary: lambda weak: [*weak, *weak.values()],
    WeakSet: list,
    WeakValueDictionary: lambda weak: [*weak, *weak.values()],
    **dict.fromkeys(_QUEUES, lambda queue: list(queue.queue)),
}


def contents_of(value: Any) -> list[Any] | None:
    """Return what is in a container or an object; None if nobody looks into this."""
    kind = type(value)
    if kind in ATOMS or isinstance(value, CODE):
        return None
    if kind is bytearray or kind is array:
        return [bytes(value)]
    if kind is _lru_cache_wrapper:
        return _remembered(value)
    if kind in _PEEKS:
        return list(_PEEKS[kind](value))
    if kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        return how_far(value)
    if is_of_an_array(kind):
        return contents_of_array(value)
    if kind.__module__ not in _PYTHONS and kind is not SimpleNamespace:
        if not is_a_learners_class(kind):
            return None
        items = contents_of_array(value) or _items(value)  # it may be derived from one of those
        return [_names_of(value), *(_in_slot(slot, value) for slot in _slots(kind)), *items]
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
    if is_a_learners_class(kind):
        slots = _slots(kind)
        for slot, before in zip(slots, contents[1:], strict=False):
            if before is not ABSENT:
                slot.__set__(value, before)
            elif _in_slot(slot, value) is not ABSENT:
                slot.__delete__(value)
        contents = contents[1 + len(slots) :]
    if isinstance(value, dict):
        base: Any = OrderedDict if isinstance(value, OrderedDict) else dict
        base.clear(value)
        half = len(contents) // 2
        for key, item in zip(contents[:half], contents[half:], strict=True):
            base.__setitem__(value, key, item)
    elif isinstance(value, list):
        list.__setitem__(value, slice(None), contents)
    elif isinstance(value, set):
        set.clear(value)
        set.update(value, contents)
    elif isinstance(value, deque) or kind in _QUEUES:
        held = value.queue if kind in _QUEUES else value
        held.clear()
        held.extend(contents)
    elif kind is bytearray:
        value[:] = contents[0]
    elif kind is _LOCK and value.locked() and not contents[0]:
        value.release()
    elif kind is Event:
        (value.set if contents[0] else value.clear)()


def is_a_learners_class(kind: type) -> bool:
    """Return whether a class is neither a library's nor the search's own."""
    module = sys.modules.get(kind.__module__)
    return is_a_learners(vars(module) if module else {"__name__": kind.__module__})


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    return list(value) if isinstance(value, _CONTAINERS) else []


def _names_of(value: Any) -> dict[str, Any]:
    """Return the attributes of an object, without asking a `__getattr__` of its own."""
    try:
        names: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return names


def _slots(kind: type) -> list[Any]:
    every = (slot for one in kind.__mro__ for slot in vars(one).values())
    return [slot for slot in every if isinstance(slot, MemberDescriptorType)]


def _in_slot(slot: Any, value: Any) -> Any:
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
