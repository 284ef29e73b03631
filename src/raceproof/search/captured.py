"""Functions of time and chance that code holds itself: in closures, defaults, attributes, lists.

Each is put back where the stand-in still is: what a client has done meanwhile stays done.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

from raceproof.search import stand_ins
from raceproof.search.code_names import named
from raceproof.search.contents import in_slot, is_a_learners_class, names_of, slots_of
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.reach import Reach
from raceproof.wire.calls import Unsearchable


def look_into(found: Iterable[Reach]) -> None:
    """Let clients, and all that they reach, hold stand-ins for this search."""
    for client in found:
        for code in client.code:
            if type(code) is FunctionType:
                _in_function(code)
            elif issubclass(type(code), type):
                _in_class(code)
            else:
                _in_object(code.__self__ if type(code) is MethodType else code)
        for value in client.values:
            _in_object(value)


def _in_function(function: FunctionType) -> None:
    names = function.__globals__
    if not is_a_learners(names):
        return
    for name in named(function.__code__)[0]:
        if name in names:
            _replace(names[name], *_of_dict(names, name))
    _in_object(function.__kwdefaults__)
    before = function.__defaults__ or ()
    now = tuple(stand_ins.stand_in_for(value) or value for value in before)
    if any(one is not other for one, other in zip(before, now, strict=True)):
        function.__defaults__ = now
        stand_ins.take_back(partial(setattr, function, "__defaults__", before))
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # empty so far
            continue
        get = partial(getattr, cell, "cell_contents")
        _replace(value, get, partial(setattr, cell, "cell_contents"))


def _in_class(kind: type) -> None:
    if not is_a_learners_class(kind):
        return
    for name, held in list(vars(kind).items()):
        inner = held.__func__ if type(held) is staticmethod else held
        if stand_in := stand_ins.stand_in_for(inner):
            put = staticmethod(stand_in)  # Python's own functions are not bound to objects
            type.__setattr__(kind, name, put)
            get = partial(vars(kind).get, name)
            stand_ins.take_back(partial(_back, held, put, get, partial(_on_class, kind, name)))


def _on_class(kind: type, name: str, value: Any) -> None:
    type.__setattr__(kind, name, value)


def _in_object(value: Any) -> None:
    """Look into a container, or the attributes of an object of the learner's."""
    kind = type(value)
    if issubclass(kind, list | deque):
        for held in list(value):
            if callable(held) and (stand_in := stand_ins.stand_in_for(held)):
                _swap(value, held, stand_in)
                stand_ins.take_back(partial(_swap, value, stand_in, held))
    elif issubclass(kind, dict):
        _in_names(value)
    elif kind is MappingProxyType:
        _in_object(gc.get_referents(value)[0])
    elif issubclass(kind, partial):
        _in_names(value.keywords)
        _refuse_fixed("an argument of a partial", value.args)
    elif issubclass(kind, tuple | frozenset):
        _refuse_fixed("a tuple or a frozenset", value)
    elif is_a_learners_class(kind) and not issubclass(kind, type):
        _in_names(names_of(value))
        for slot in slots_of(kind):
            get, put = partial(in_slot, slot, value), partial(slot.__set__, value)
            _replace(get(), get, put)


def _refuse_fixed(what: str, items: Iterable[Any]) -> None:
    """Refuse a function in something that nobody can change: it would go on with the real time."""
    for held in items:
        if callable(held) and stand_ins.stand_in_for(held):
            raise Unsearchable(
                f"{what} holds {getattr(held, '__qualname__', held)}, which the search cannot "
                "replace there; keep it in a function, a list or an attribute"
            )


def _swap(items: Any, one: Any, other: Any) -> None:
    for at, held in enumerate(items):
        if held is one:
            items[at] = other
            return


def _in_names(names: dict[Any, Any]) -> None:
    for name, held in list(dict.items(names)):
        if callable(held):
            _replace(held, *_of_dict(names, name))


def _of_dict(names: dict[Any, Any], name: Any) -> tuple[partial[Any], partial[None]]:
    return partial(dict.get, names, name), partial(dict.__setitem__, names, name)


def _replace(held: Any, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
    if stand_in := stand_ins.stand_in_for(held):
        put(stand_in)
        stand_ins.take_back(partial(_back, held, stand_in, get, put))


def _back(held: Any, stand_in: Any, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
    if get() is stand_in:
        put(held)
