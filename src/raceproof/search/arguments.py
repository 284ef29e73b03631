"""What a search is asked to do, and what cannot be asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raceproof.search.bounds import Bounds
from raceproof.search.checks import Check
from raceproof.search.coroutines import ASYNC, kind_of, nothing_runs

Code = Callable[[Any], object]


@dataclass(frozen=True)
class Task:
    """The arguments of `explore`, looked through: what can be told to be wrong is refused.

    `closer` is of what LooksCloser was raised, as a search finds out.
    """

    world: Callable[[], Any]
    clients: Mapping[str, Code]
    check: Check
    always: Check | None
    afterwards: Mapping[str, Code]
    bounds: Bounds
    allow: tuple[type[BaseException], ...]
    daemons: Sequence[str]
    seconds: float | None
    closer: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name, codes in (("clients", self.clients), ("afterwards", self.afterwards)):
            if not isinstance(codes, Mapping):
                raise TypeError(
                    f"{name} must be a dict of names and functions, not a {type(codes).__name__}"
                )
        if not self.clients:
            raise ValueError("clients is empty: nothing to search")
        if both := self.clients.keys() & self.afterwards.keys():
            raise ValueError(f"a client and one of afterwards have one name: {_listed(both)}")
        if isinstance(self.daemons, str):
            raise TypeError(
                f"daemons must be names of clients in a list or tuple: {self.daemons!r}"
            )
        if unknown := set(self.daemons) - self.clients.keys():
            raise ValueError(
                f"daemons names no client: {_listed(unknown)}; there are {_listed(self.clients)}"
            )
        for kind in self.allow:
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError(f"allow must be a tuple of exception classes, not {kind!r}")
        _check_seconds(self.seconds)
        _check_function("world", self.world)
        for name, code in {**self.clients, **self.afterwards}.items():
            if not isinstance(name, str) or not name:
                raise TypeError(f"the name of a client must be a text: {name!r}")
            _check_function(f"client {name!r}", code, may_await=True)
        _check_function("check", self.check, may_await=True)
        if self.always is not None:
            _check_function("always", self.always, may_await=True)


def _check_seconds(seconds: object) -> None:
    if seconds is None:
        return
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or math.isnan(seconds) or seconds <= 0:  # type: ignore[arg-type, operator]
        raise ValueError(f"seconds must be a number above 0, or None for no limit: {seconds!r}")


def _check_function(what: str, code: Any, *, may_await: bool = False) -> None:
    if not callable(code):
        raise TypeError(f"{what} must be a function, not a {type(code).__name__}")
    kind = kind_of(code)
    if kind and not (may_await and kind == ASYNC):
        raise nothing_runs(what, kind)


def _listed(names: Any) -> str:
    return ", ".join(map(repr, sorted(names)))
