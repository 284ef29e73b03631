"""Async functions as clients and checks: they are run where the world has something to await."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from raceproof.search.onlooking import onlooking
from raceproof.wire.calls import Unsearchable, hearing

ASYNC = "an async function"


def kind_of(code: Callable[..., object]) -> str:
    """Return what a function is of which a call runs nothing, or ""."""
    inner: Any = code
    while isinstance(inner, functools.partial):
        inner = inner.func
    if not inspect.isroutine(inner) and not isinstance(inner, type):
        inner = type(inner).__call__
    if inspect.iscoroutinefunction(inner):
        return ASYNC
    if inspect.isasyncgenfunction(inner):
        return "an async generator"
    return "a generator" if inspect.isgeneratorfunction(inner) else ""


def nothing_runs(what: str, kind: str) -> TypeError:
    """Return the refusal of a function of which a call runs nothing."""
    return TypeError(
        f"{what} is {kind}: called, it would do nothing, and a search of nothing always "
        "holds. Make it an ordinary function that does its work itself"
    )


def ordinary(what: str, code: Callable[[Any], object], *, awaits: bool) -> Callable[[Any], object]:
    """Return a function that does all that this one does, in an event loop of its own if need be.

    `awaits`: whether the world has a client of asyncio. Raises TypeError for an async function if
    it has none: what would it await?
    """
    if kind_of(code) != ASYNC:
        return code
    if not awaits:
        raise nothing_runs(what, ASYNC)

    context = contextvars.copy_context()  # a task sees that of whoever starts it

    @functools.wraps(code)
    def run(world: Any) -> object:
        return context.copy().run(lambda: _run(code(world)))

    return run


def _run(made: Any) -> object:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # whatever is usual
            return runner.run(made)
    return _run_beside(made)


def _run_beside(made: Any) -> object:
    """Run what a check awaits in another thread: in this one a loop runs, as in a notebook."""
    refusals: list[Unsearchable] = []

    def run() -> object:
        with hearing(refusals.append), onlooking():
            return _run(made)

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(run)
        done.exception()
        if refusals:
            raise refusals[0]
        return done.result()
