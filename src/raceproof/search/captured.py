"""Functions of time and chance that code holds itself: in closures, defaults, attributes, lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from raceproof.search import stand_ins
from raceproof.search.contents import is_a_learners_class, names_of
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.reach import Reach


def look_into(found: Iterable[Reach]) -> None:
    """Let clients, and all that they reach, hold stand-ins for this search."""
    for client in found:
        for code in client.code:
            if isinstance(code, FunctionType):
                _in_function(code)
            elif isinstance(code, type):
                _in_class(code)
            else:
                _in_object(code.__self__ if isinstance(code, MethodType) else code)
        for value in client.values:
            _in_object(value)


def _in_function(function: FunctionType) -> None:
    names = function.__globals__
    if not is_a_learners(names):
        return
    for name in function.__code__.co_names:
        if name in names:
            _replace(names[name], partial(names.__setitem__, name))
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
        _replace(value, partial(setattr, cell, "cell_contents"))


def _in_class(kind: type) -> None:
    if not is_a_learners_class(kind):
        return
    for name, held in list(vars(kind).items()):
        inner = held.__func__ if isinstance(held, staticmethod) else held
        if stand_in := stand_ins.stand_in_for(inner):
            setattr(kind, name, staticmethod(stand_in))  # Python's own are not bound to objects
            stand_ins.take_back(partial(setattr, kind, name, held))


def _in_object(value: Any) -> None:
    """Look into a dict, a list, or the attributes of an object of the learner's."""
    if isinstance(value, list):
        _in_items(value, enumerate(value))
    elif isinstance(value, dict):
        _in_items(value, list(value.items()))
    elif is_a_learners_class(type(value)) and not isinstance(value, type):
        names = names_of(value)
        _in_items(names, list(names.items()))


def _in_items(holder: Any, items: Iterable[tuple[Any, Any]]) -> None:
    for place, held in items:
        if callable(held):
            _replace(held, partial(holder.__setitem__, place))


def _replace(held: Any, put: Callable[[Any], None]) -> None:
    if stand_in := stand_ins.stand_in_for(held):
        put(stand_in)
        stand_ins.take_back(partial(put, held))
