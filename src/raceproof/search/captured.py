"""Functions of time and chance that a client holds itself: in closures, defaults, attributes."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any

from raceproof.search import stand_ins
from raceproof.search.held_in_modules import is_a_learners


def look_into(client: Any) -> None:
    """Let a client, and the functions of its own that it calls, hold stand-ins for this search."""
    seen: set[int] = set()
    held = [client]
    while held:
        found = held.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, partial):
            held.append(found.func)
        elif isinstance(found, FunctionType):
            held += _of_function(found)
        elif isinstance(found, MethodType):
            held.append(found.__func__)
            held += _in_dict(getattr(found.__self__, "__dict__", None))
        elif isinstance(called := getattr(found, "__call__", None), MethodType):  # noqa: B004
            held.append(called)


def _of_function(function: FunctionType) -> list[Any]:
    names = function.__globals__
    if not is_a_learners(names):
        return []
    held = [names[name] for name in function.__code__.co_names if name in names]
    held += _in_dict(function.__kwdefaults__)
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
        if stand_in := stand_ins.stand_in_for(value):
            cell.cell_contents = stand_in
            stand_ins.take_back(partial(setattr, cell, "cell_contents", value))
        held.append(value)
    return [one for one in (*held, *before) if isinstance(one, FunctionType | MethodType | partial)]


def _in_dict(names: Any) -> list[Any]:
    if not isinstance(names, dict):
        return []
    for name, value in list(names.items()):
        if stand_in := stand_ins.stand_in_for(value):
            names[name] = stand_in
            stand_ins.take_back(partial(names.__setitem__, name, value))
    return [one for one in names.values() if isinstance(one, FunctionType | MethodType | partial)]
