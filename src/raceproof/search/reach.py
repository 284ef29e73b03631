"""What code can reach beside the world: in closures, globals, defaults, classes and arguments."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import _lru_cache_wrapper, cached_property, partial
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, NamedTuple

from raceproof.search.code_names import all_names, imported, named, only_by_name, read
from raceproof.search.contents import CONTAINERS, is_a_learners_class, reached
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.mocks import asked_of, is_mock
from raceproof.search.spots import (
    Spot,
    held_by,
    in_cell,
    in_names,
    itself,
    on_owner,
    put_in,
    put_on,
)

_OURS = ("patterns", "workshop")


class Reach(NamedTuple):
    """Where some code can look, its functions and classes, and all values that are there."""

    spots: list[Spot]
    code: list[Any]
    values: list[Any]


def reach(codes: Iterable[Any], named_so: Mapping[str, Any] = MappingProxyType({})) -> Reach:
    """Return what these can reach, and what the functions can that they name.

    `named_so`: what stands under these names in the place of functions of Python, for all.
    """
    todo: list[Any] = [*named_so.values(), *codes]
    seen: dict[tuple[int, ...], Any] = {}
    within: set[int] = set()
    found_all = Reach(list(_of_names(named_so)), [], [])
    while todo:
        found = todo.pop()
        spots: list[Spot] = []
        which: tuple[int, ...] = (id(found),)
        if isinstance(found, MethodType):  # made anew each time that it is looked up
            which = (id(found.__self__), id(found.__func__))
        if which in seen or is_mock(found):
            continue
        seen[which] = found
        if isinstance(found, partial):
            spots = [Spot("an argument", partial(itself, a)) for a in found.args]
            spots += [Spot(name, partial(itself, a)) for name, a in found.keywords.items()]
            todo.append(found.func)
        elif isinstance(found, MethodType):
            spots, more = _of_method(found)
            todo += [found.__func__, *more]
        elif isinstance(found, FunctionType):
            spots = list(_of_function(found)) if is_a_learners(found.__globals__) else []
            todo.append(getattr(found, "__wrapped__", None))
        elif isinstance(found, type):
            functions = list(_functions_of(found))
            spots = list(_of_class(found, functions))
            todo += functions
        elif isinstance(called := getattr(found, "__call__", None), MethodType):  # noqa: B004
            todo.append(called)
        found_all.spots.extend(spots)
        values = [spot.get() for spot in spots]
        values += reached(values, within)
        found_all.values.extend(values)
        values += [v.__wrapped__ for v in values if isinstance(v, _lru_cache_wrapper)]
        todo += [v for v in values if isinstance(v, FunctionType | MethodType | partial)]
        todo += [kind for value in values for kind in _owners(value) if _is_followed(kind)]
    found_all.code.extend(seen.values())
    found_all.spots.extend(asked_of(filter(is_mock, found_all.values), seen.values()))
    return found_all


def _of_names(named_so: Mapping[str, Any]) -> Iterator[Spot]:
    for name, value in named_so.items():
        yield Spot(name, partial(itself, value))
        owner = getattr(value, "__self__", None)
        if owner is not None and not isinstance(value, MethodType):
            yield Spot(name, partial(itself, owner), reads=False)


def _of_method(method: MethodType) -> tuple[list[Spot], list[Any]]:
    """Return what a method can look at in its object, and the object's methods that it names."""
    owner, function = method.__self__, method.__func__
    code = getattr(function, "__code__", None)
    if code is None or isinstance(owner, type) or not only_by_name(code):
        return [Spot("self", partial(itself, owner))], []
    spots: list[Spot] = []
    more = []
    for name in all_names(code):
        put = partial(put_in, getattr(owner, "__dict__", {}), name)
        get = partial(held_by, owner, name)
        spots.append(Spot(f"self.{name}", get, put, name in read(code)))
        kept = inspect.getattr_static(type(owner), name, None)
        if isinstance(kept, FunctionType):
            more.append(MethodType(kept, owner))
        elif isinstance(kept, property) and kept.fget is not None:
            more.append(MethodType(kept.fget, owner))
    return spots, more


def _of_function(function: FunctionType) -> Iterator[Spot]:
    code = function.__code__
    of_code, modules = named(code)
    there = function.__globals__
    spots = []
    for name in of_code:
        if name in there or not hasattr(builtins, name):
            spots.append(Spot(name, partial(in_names, there, name), partial(put_in, there, name)))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        spots.append(Spot(name, partial(in_cell, cell), partial(setattr, cell, "cell_contents")))
    defaults = function.__defaults__ or ()
    given = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    values = [*(function.__kwdefaults__ or {}).items(), *zip(given, defaults, strict=True)]
    spots += [Spot(name, partial(itself, value)) for name, value in values]
    spots = [spot._replace(reads=spot.name in read(code)) for spot in spots]
    own: Any = vars(function)
    if is_mock(mock := own.get("mock")):  # of create_autospec: it counts its calls in `own`
        own = mock
    spots.append(Spot(str(function.__name__), partial(itself, own)))
    yield from spots
    values = [(spot.name, spot.get()) for spot in spots]
    values += [(module.__name__, module) for module in imported(modules, there)]
    within: set[int] = set()
    for name, value in values:
        if isinstance(value, ModuleType) and id(value) in within:
            continue
        within.add(id(value))
        for owner in _owners(value):
            for attribute in all_names(code):
                if not attribute.startswith("__"):
                    get = partial(on_owner, owner, attribute)
                    put = partial(put_on, owner, attribute)
                    shown = owner.__name__ if name == "__class__" else name
                    spot = Spot(f"{shown}.{attribute}", get, put, attribute in read(code))
                    yield spot
                    if isinstance(module := spot.get(), ModuleType):
                        values.append((spot.name, module))


def _is_followed(owner: Any) -> bool:
    """Whether it is a class whose methods are looked through: those of `patterns` keep nothing."""
    return isinstance(owner, type) and owner.__module__.partition(".")[0] not in _OURS


def _functions_of(kind: type) -> Iterator[FunctionType]:
    for value in list(vars(kind).values()):
        parts = [value]
        if isinstance(value, property):
            parts = [value.fget, value.fset, value.fdel]
        elif isinstance(value, classmethod | staticmethod):
            parts = [value.__func__]
        elif isinstance(value, cached_property):
            parts = [value.func]
        yield from (part for part in parts if isinstance(part, FunctionType))


def _of_class(kind: type, functions: Iterable[FunctionType]) -> Iterator[Spot]:
    """Yield what a class holds: all its objects share it. What an Enum holds, Python does."""
    codes = [function.__code__ for function in functions]
    used = frozenset().union(*map(read, codes))
    namings = frozenset().union(*map(all_names, codes))
    for name, value in [] if issubclass(kind, Enum) else list(vars(kind).items()):
        if name.startswith("__") or hasattr(type(value), "__get__"):
            continue
        if type(value) in CONTAINERS or isinstance(value, dict) or name in namings:
            get, put = partial(on_owner, kind, name), partial(put_on, kind, name)
            yield Spot(f"{kind.__name__}.{name}", get, put, name in used)


def _owners(value: Any) -> list[Any]:
    """Return the modules and classes in which an attribute of this may be."""
    if isinstance(value, ModuleType):
        return [value] if is_a_learners(vars(value)) else []
    kinds = [*type(value).__mro__, *(value.__mro__ if isinstance(value, type) else ())]
    return [kind for kind in kinds if is_a_learners_class(kind)]
