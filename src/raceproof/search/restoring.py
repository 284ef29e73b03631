"""Python's memory as it was, after a search in which a client did not do the same again.

A client that remembers something in a dict of its module, or in a function that is cached, makes
another call the first time than ever after. What it has remembered is still there when the search
ends: a second one would begin with it, notice nothing, and say that none breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from raceproof.search.looked_at import spots_of
from raceproof.search.memory import Memory
from raceproof.wire.calls import NotDeterministicError


@contextmanager
def begun_anew(clients: Iterable[Callable[..., object]]) -> Iterator[None]:
    """On NotDeterministicError, put back what the clients can look at in Python's memory."""
    memory = Memory(spots_of(clients))
    try:
        yield
    except NotDeterministicError as error:
        if name := memory.changed():
            error.add_note(f"({name!r} is not in the world, and was changed meanwhile)")
        memory.put_back()
        raise
