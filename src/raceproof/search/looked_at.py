"""What code can look at beside the world: in closures, globals and arguments.

A client's code runs once for all schedules in which it hears the same, and a check once for
each state: what a client leaves in Python's memory is not of the schedule that is looked at.
"""

from __future__ import annotations

import builtins
import dis
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import _lru_cache_wrapper, lru_cache, partial
from itertools import chain
from types import CellType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.memory import Memory, Spot, is_a_learners_class
from raceproof.wire.calls import Unsearchable

ABSENT: Any = object()
_PYTESTS = ("_saferepr", "_should_repr_global_name")  # of an assertion that failed


class LookedAt:
    """What some checks look at in Python's memory: only they may change it."""

    def __init__(self, checks: Iterable[Callable[..., object] | None]) -> None:
        self._memory = Memory(spots_of(checks))

    def refuse_changed(self) -> None:
        """Raise Unsearchable if somebody else has changed something of it."""
        name = self._memory.changed()
        if name is not None:
            raise Unsearchable(
                f"a check looks at {name!r}, which clients or world() change. A client's code runs "
                "once for all schedules in which it hears the same, so what a check sees must be "
                "in a service, or in a Journal: world.journal.note(...). What is worked out once "
                "and always the same, make before the search"
            )

    def keep(self) -> None:
        """Take what a check has changed as it is now."""
        if not self._memory.is_untouched():
            self._memory.keep()


def spots_of(codes: Iterable[Any]) -> Iterator[Spot]:
    """Yield all that these can look at, and what the functions can that they name."""
    todo: list[Any] = list(codes)
    seen: dict[int, Any] = {}
    spots: list[Spot]
    while todo:
        found = todo.pop()
        if id(found) in seen:
            continue
        seen[id(found)] = found
        if isinstance(found, partial):
            spots = [Spot("an argument", partial(_itself, a)) for a in found.args]
            spots += [Spot(name, partial(_itself, a)) for name, a in found.keywords.items()]
            todo.append(found.func)
        elif isinstance(found, MethodType):
            spots, more = _of_method(found)
            todo += [found.__func__, *more]
        elif isinstance(found, FunctionType):
            spots = list(_of_function(found)) if is_a_learners(found.__globals__) else []
            todo.append(getattr(found, "__wrapped__", None))
        else:
            spots = []
            if isinstance(called := getattr(found, "__call__", None), MethodType):  # noqa: B004
                todo.append(called)
        yield from spots
        values = [spot.get() for spot in spots]
        values += [v.__wrapped__ for v in values if isinstance(v, _lru_cache_wrapper)]
        todo += [v for v in values if isinstance(v, FunctionType | MethodType | partial)]


def _of_method(method: MethodType) -> tuple[list[Spot], list[Any]]:
    """Return what a method can look at in its object, and the object's methods that it names."""
    owner, function = method.__self__, method.__func__
    code = getattr(function, "__code__", None)
    if code is None or isinstance(owner, type) or not _only_by_name(code):
        return [Spot("self", partial(_itself, owner))], []
    spots: list[Spot] = []
    more = []
    for name in _all_names(code):
        put = partial(_put_in, getattr(owner, "__dict__", {}), name)
        spots.append(Spot(f"self.{name}", partial(_held_by, owner, name), put))
        kept = inspect.getattr_static(type(owner), name, None)
        if isinstance(kept, FunctionType):
            more.append(MethodType(kept, owner))
        elif isinstance(kept, property) and kept.fget is not None:
            more.append(MethodType(kept.fget, owner))
    return spots, more


def _only_by_name(code: CodeType) -> bool:
    """Whether all that some code does with its first argument is to look up what it names."""
    first = {*code.co_varnames[:1]}
    steps = [step for step in dis.get_instructions(code) if step.opname != "PUSH_NULL"]
    return not first & {*code.co_cellvars} and all(
        (after.opname in ("LOAD_ATTR", "LOAD_METHOD") and not first & {*_all_but_last(step.argval)})
        or before.argval in _PYTESTS
        for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
        if "FAST" in step.opname and first & {*_each(step.argval)}
    )


def _each(names: Any) -> tuple[Any, ...]:
    return names if isinstance(names, tuple) else (names,)


def _all_but_last(names: Any) -> tuple[Any, ...]:
    """Of two names that one instruction loads, what follows looks at the last."""
    return _each(names)[:-1]


def _held_by(owner: Any, name: str) -> Any:
    kept = inspect.getattr_static(owner, name, None)
    return getattr(owner, name) if isinstance(kept, MemberDescriptorType) else kept


def _of_function(function: FunctionType) -> Iterator[Spot]:
    code = function.__code__
    named, modules = _named(code)
    there = function.__globals__
    names = [name for name in named if name in there or not hasattr(builtins, name)]
    spots = [Spot(n, partial(there.get, n, ABSENT), partial(_put_in, there, n)) for n in names]
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        spots.append(Spot(name, partial(_in_cell, cell), partial(setattr, cell, "cell_contents")))
    spots += [Spot(n, partial(_itself, v)) for n, v in (function.__kwdefaults__ or {}).items()]
    defaults = function.__defaults__ or ()
    given = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    spots += [Spot(n, partial(_itself, v)) for n, v in zip(given, defaults, strict=True)]
    spots.append(Spot(function.__name__, partial(_itself, vars(function))))
    yield from spots
    values = [(spot.name, spot.get()) for spot in spots]
    values += [(module, sys.modules.get(module)) for module in modules]
    for name, value in values:
        for owner in _owners(value):
            for attribute in _all_names(code):
                if not attribute.startswith("__"):
                    get = partial(vars(owner).get, attribute, ABSENT)
                    yield Spot(f"{name}.{attribute}", get, partial(_put_on, owner, attribute))


def _owners(value: Any) -> list[Any]:
    """Return the modules and classes in which an attribute of this may be."""
    if isinstance(value, ModuleType):
        return [value] if is_a_learners(vars(value)) else []
    kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
    return [kind for kind in kinds if is_a_learners_class(kind)]


@lru_cache(4096)
def _named(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the globals that some code names, and the modules that it imports."""
    steps = [step for one in _codes(code) for step in dis.get_instructions(one)]
    names = (step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return frozenset(names), frozenset(s.argval for s in steps if s.opname == "IMPORT_NAME")


@lru_cache(4096)
def _all_names(code: CodeType) -> frozenset[str]:
    return frozenset(chain.from_iterable(one.co_names for one in _codes(code)))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for within in code.co_consts:
        if isinstance(within, CodeType):
            yield from _codes(within)


def _itself(value: Any) -> Any:
    return value


def _put_in(names: dict[str, Any], name: str, value: Any) -> None:
    if value is ABSENT:
        names.pop(name, None)
    else:
        names[name] = value


def _put_on(owner: Any, name: str, value: Any) -> None:
    if value is ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def _in_cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty so far
        return None
