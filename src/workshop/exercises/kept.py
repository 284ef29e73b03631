"""What a function keeps in the program from one call to the next, where no search can see it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

_PLAIN = (type(None), bool, int, float, str, bytes, tuple)
_CONTAINERS = (list, dict, set)


class Kept:
    """The global variables and the default values of a function, as they are before it runs."""

    def __init__(self, function: object) -> None:
        self._function = function if isinstance(function, FunctionType) else None
        self._before = dict(self._values())

    def words(self, changed: str = "") -> str:
        """Return in a sentence what the function has kept since, empty if it has nothing.

        `changed`: the name at which a search saw a change, and has taken it back.
        """
        for where, value in self._values():
            kind, name = where
            if name == changed or where not in self._before or self._before[where] != value:
                if kind == "global":
                    return f" It keeps `{name}` in a global variable."
                return f" It keeps something in `{name}`, whose default value is made only once."
        return ""

    def _values(self) -> Iterator[tuple[tuple[str, str], Any]]:
        function = self._function
        if function is None:
            return
        for name in dict.fromkeys(_names(function.__code__, function.__globals__, set())):
            value = function.__globals__.get(name, self)
            if isinstance(value, (*_PLAIN, *_CONTAINERS)):
                yield ("global", name), copy.copy(value)
        code, defaults = function.__code__, function.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount]
        for name, value in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            if isinstance(value, _CONTAINERS):
                yield ("default", name), copy.copy(value)


def _names(code: CodeType, space: dict[str, Any], seen: set[CodeType]) -> Iterator[str]:
    """Yield the names that code may take from its module, with those of what it calls there."""
    if code in seen:
        return
    seen.add(code)
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for name in code.co_names:
        yield name
        called = getattr(space.get(name), "__code__", None)
        if isinstance(called, CodeType) and called.co_filename == code.co_filename:
            inner.append(called)
    for other in inner:
        yield from _names(other, space, seen)
