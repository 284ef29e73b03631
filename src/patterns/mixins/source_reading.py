"""What the code of one method says about its call of `super()`; nothing is run.

The source is read as a syntax tree and every path through it is followed. Without source only
a method that does not name itself can be told. `inner` finds the function that decorators,
properties, classmethods and the like hide.
"""

from __future__ import annotations

import builtins
import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from .paths import Calls, Paths
from .super_calls import syntax_tree

_LAYERS = ("__wrapped__", "__func__", "fget", "func")
_UNKNOWN = object()
NOT_PYTHON = "its code is not Python"
LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@dataclass(frozen=True)
class Reading:
    """Does the method call the next one? `why` says what else the reader should know.

    `odd`: the call reaches the next class by luck, by name or from a wrong start. `shows`: a run
    would show a call of it; not so of C, and of what runs later.
    """

    calls: Calls
    why: str = ""
    odd: bool = False
    shows: bool = True


def inner(owner: type, method: str) -> FunctionType | None:
    """Return the Python function at the heart of `owner`'s own `method`, None if there is none."""
    attribute: Any = vars(owner)[method]
    seen: set[int] = set()
    while id(attribute) not in seen and not isinstance(attribute, type):
        seen.add(id(attribute))
        layers = [at for at in _LAYERS if inspect.getattr_static(attribute, at, None) is not None]
        name = f"{owner.__qualname__}.{method}"
        attribute = getattr(attribute, layers[0]) if layers else _closed_over(attribute, name)
    return attribute if isinstance(attribute, FunctionType) else None


def _closed_over(wrapper: Any, qualname: str) -> Any:
    """Return the method that a plain wrapper (no functools.wraps) keeps in its closure."""
    kept = map(_content, getattr(wrapper, "__closure__", None) or ())
    return next((one for one in kept if getattr(one, "__qualname__", None) == qualname), wrapper)


def read(owner: type, method: str) -> Reading:
    """Say whether `owner`'s own `method` passes the call on, as far as the code tells."""
    function = inner(owner, method)
    if function is None:
        return Reading("cannot tell", NOT_PYTHON, shows=False)
    if function.__code__.co_flags & LATER:
        why = "it is a generator or coroutine, which runs later or never"
        return Reading("cannot tell", why, shows=False)
    if node := syntax_tree(function):
        paths = Paths(owner, method, lambda name: _resolve(function, name), node)
        reading = Reading(*paths.verdict(), odd=bool(paths.notes))
    elif method in _loaded(function.__code__):
        return Reading("cannot tell", "its source is not available, and it names the method")
    else:
        reading = Reading("never")
    if reading.calls == "never" and (helper := _helper(owner, method, function)):
        return Reading("cannot tell", f"it may call super() through {helper}()")
    return reading


def _helper(owner: type, method: str, function: FunctionType) -> str | None:
    """Return a method of `owner` or a function that this one mentions and that calls `super()`."""
    for name in (*function.__code__.co_names, *function.__code__.co_freevars):
        at = next((cls for cls in owner.__mro__ if name in vars(cls) and name != method), None)
        other = inner(at, name) if at else _resolve(function, name)
        if isinstance(other, FunctionType) and {"super", method} <= set(_loaded(other.__code__)):
            return name
    return None


def _loaded(code: CodeType) -> Iterator[object]:
    """Yield the names and constants that the code, and the code inside it, loads."""
    for instruction in dis.get_instructions(code):
        if isinstance(instruction.argval, CodeType):
            yield from _loaded(instruction.argval)
        elif "LOAD" in instruction.opname and isinstance(instruction.argval, str):
            yield instruction.argval


def _resolve(function: FunctionType, name: str) -> object:
    """Return what a free or global name means in the function now, `_UNKNOWN` if nothing."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
    if name in cells:
        return _content(cells[name])
    if name in function.__code__.co_varnames or name in function.__code__.co_cellvars:
        return _UNKNOWN
    return function.__globals__.get(name, vars(builtins).get(name, _UNKNOWN))


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _UNKNOWN
