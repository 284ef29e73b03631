"""Call a method once and see which classes of the MRO it really passes through.

The classes are not touched: `sys.setprofile` reports the frames, and each is matched with its
class by the code it runs. A profiler that is active is put back after.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import walk_tb
from types import FunctionType
from typing import Any

from .frames import FrameWatcher, Visit
from .source_reading import inner

CallsMethod = Callable[[type], object]


@dataclass
class Sighting:
    """What one run showed: was the method called at all, had the caller been told how?"""

    visits: list[Visit] = field(default_factory=list)
    value: object = None
    error: Exception | None = None
    error_owner: type | None = None
    ran: bool = True
    told: bool = True

    @property
    def said(self) -> str:
        """What the error said, on one line."""
        return " ".join(str(self.error).split())

    def visit(self, owner: type) -> Visit | None:
        """Return the first call of this class's method, None if it was not seen."""
        return next((visit for visit in self.visits if visit.owner is owner), None)


def call_method(method: str) -> CallsMethod:
    """Return what calls the method of a class: on `cls()`, with no arguments."""

    def run(cls: type) -> object:
        kind = inspect.getattr_static(cls, method)
        subject = cls if isinstance(kind, classmethod | staticmethod) else cls()
        if method == "__init__":
            return subject
        value = getattr(subject, method)
        return value if isinstance(kind, property | functools.cached_property) else value()

    return run


def watch(cls: type, method: str, run: CallsMethod) -> Sighting:
    """Call `run(cls)` once and return what was seen of `method` in the classes of the MRO.

    An `Exception` is kept, not raised. Methods that are not Python or are shared are not seen.
    """
    functions = {owner: inner(owner, method) for owner in cls.__mro__ if method in vars(owner)}
    sighting = Sighting()
    with _own_code(functions) as owners:
        watcher = FrameWatcher(owners, sighting.visits)
        before = sys.getprofile()
        sys.setprofile(watcher)
        try:
            sighting.value = run(cls)
        except Exception as error:
            sighting.error, sighting.error_owner = error, _raised_in(error, owners)
        finally:
            sys.setprofile(before)
    called: Any = inspect.getattr_static(cls, method, None)
    for layer in ("__func__", "fget", "func"):
        called = getattr(called, layer, called)
    # It may have run without a sign of it only behind a wrapper, or if it is not Python.
    unseen = called not in functions.values() and not hasattr(called, "cache_info")
    sighting.ran = bool(sighting.visits) or (unseen and sighting.error is None)
    if inspect.iscoroutine(sighting.value):
        sighting.value.close()
    return sighting


@contextmanager
def _own_code(functions: dict[type, FunctionType | None]) -> Iterator[dict[int, type]]:
    """Tell functions apart that share one code object, as those of a class factory do."""
    alone = {o: f for o, f in functions.items() if f and [*functions.values()].count(f) == 1}
    original = {function: function.__code__ for function in alone.values()}
    try:
        for function, code in original.items():
            function.__code__ = code.replace()
        yield {id(function.__code__): owner for owner, function in alone.items()}
    finally:
        for function, code in original.items():
            function.__code__ = code


def _raised_in(error: Exception, owners: dict[int, type]) -> type | None:
    """Return the class whose method was the last of ours that the error came through."""
    came_through = [id(frame.f_code) for frame, _ in walk_tb(error.__traceback__)]
    return next((owners[code] for code in reversed(came_through) if code in owners), None)
