"""How a client or a check ends, in words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any


def never_run(who: str, returned: object) -> str:
    """Return in words that a coroutine or generator was made and nothing of it ran, or ""."""
    lazy = (inspect.isawaitable, inspect.isgenerator, inspect.isasyncgen)
    if not any(is_one(returned) for is_one in lazy):
        return ""
    if inspect.iscoroutine(returned):
        returned.close()
    return (
        f"{who} returned a {type(returned).__name__}, of which nothing ran; make it an ordinary "
        "function that does its work itself"
    )


def run_to_the_end(code: Callable[[Any], object], world: Any) -> object:
    """Return what a client returns; one that exits with status 0 is done, as a process would be."""
    try:
        return code(world)
    except SystemExit as left:
        if left.code is None or left.code == 0:
            return None
        raise


def without_addresses(text: str) -> str:
    """Return a text without where objects are, as in `<C object at 0x7f…>`: nobody's choice."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def ending(error: BaseException) -> str:
    """Return in words how a client ended that raised this error."""
    if came_from_the_search(error):
        return f"gives up: {type(error).__name__}"
    text = without_addresses(str(error)).strip().splitlines()
    return f"raises {type(error).__name__}" + (f": {text[0]}" if text else "")


def came_from_the_search(error: BaseException | None) -> bool:
    """Whether this error is a connection error that the search itself caused."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if getattr(error, "injected_by_the_search", False):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
