"""How a client or a check ends, in words."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterator
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
    """Return what a client returns; one that exits with status 0 is done, as a process would be.

    When one fails, all that only its frames hold goes first, as with a thread that ends: a
    generator is closed, and its `finally` may make a call, which is the client's.
    """
    try:
        return code(world)
    except SystemExit as left:
        if left.code is None or left.code == 0:
            return None
        raise
    except Exception as error:
        for failed in _chain(error):
            traceback.clear_frames(failed.__traceback__)
        raise


def without_addresses(text: str) -> str:
    """Return a text without where objects are, as in `<C object at 0x7f…>`: nobody's choice."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def words_of(error: BaseException) -> str:
    """Return what an error says; nothing if it cannot be asked."""
    try:
        return without_addresses(str(error))
    except Exception:
        return ""


def ending(error: BaseException) -> str:
    """Return in words how a client ended that raised this error."""
    if came_from_the_search(error):
        return f"gives up: {type(error).__name__}"
    text = words_of(error).strip().splitlines()
    return f"raises {type(error).__name__}" + (f": {text[0]}" if text else "")


def came_from_the_search(error: BaseException | None) -> bool:
    """Whether this error is a connection error that the search itself caused."""
    return any(getattr(one, "injected_by_the_search", False) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised from or while handling, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
