"""What ends a schedule or a search: violations, refusals, and behaviour that nobody can trust."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Violation(Exception):
    """Raised by a check: what is wrong, in words and with the numbers."""


class ExplorerError(Exception):
    """The search cannot be trusted or cannot go on; the message says why and what to do."""


class NotDeterministicError(ExplorerError):
    """A client or a service behaved differently when the same schedule was replayed.

    `changed`: the name at which clients have changed something in Python's memory, if they did.
    """

    changed = ""


class NoCallError(ExplorerError):
    """A client ended without a call on a service of the world: nothing of it was searched."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"client {client!r} ended without a call on a service of the world, so nothing of it "
            "can be searched. Use the clients in the world that it is given, not others"
        )


class Unsearchable(NotImplementedError):
    """Something that cannot be searched soundly; the message names it and what to use instead.

    Wherever it is raised, it ends the search with its message: by an adapter in the
    thread of the search, by a wire in the thread of a client. It counts as soon as it
    is made, so code that swallows it (`except Exception: pass`) changes nothing.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        hear = _hearing.get(threading.get_ident())
        if hear is not None:
            hear(self)


class LooksCloser(Exception):
    """A client asks a store for what its states leave out, so that they are few.

    The search then begins again, with adapters of this store that are `closer`: their
    snapshots describe that, too. Or a client looks at a stopwatch, see `time_of`.
    """

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.store = store


def time_of(client: str) -> str:
    """Return the name for what one client sees of the ticks of the world's clock."""
    return f"the time of {client}"


_hearing: dict[int, Callable[[Unsearchable], None]] = {}


@contextmanager
def hearing(hear: Callable[[Unsearchable], None]) -> Iterator[None]:
    """Let `hear` be told of every refusal made in this thread, swallowed or not."""
    me = threading.get_ident()
    before = _hearing.get(me)
    _hearing[me] = hear
    try:
        yield
    finally:
        del _hearing[me]
        if before is not None:
            _hearing[me] = before


class Crash(BaseException):
    """Ends a client that the schedule lets die; not an Exception, so that nothing handles it."""
