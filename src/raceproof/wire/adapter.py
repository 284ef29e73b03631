"""What an adapter is: all that the search knows of one service of one world."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from raceproof.wire.calls import Ask, Call, Performed


class Adapter(Protocol):
    """One service of one world, made anew for each new world.

    An adapter that is `closer` describes in its snapshots also what is seldom asked
    for; one that is not raises LooksCloser when it is asked for that. Two with one
    `database` (None: it is nobody else's) are refused.
    """

    store: str
    closer: bool
    database: Hashable

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        """Return what a client gets as this service: it asks for each call.

        `tell` is for what needs no answer: a connection that a client has closed.
        """

    def perform(self, actor: str, call: Call) -> Performed | None:
        """Make the call for real; None: it would have to wait."""

    def snapshot(self) -> Hashable:
        """Return all that later calls can see."""

    def stored(self, snapshot: Any) -> Hashable:
        """Return the part of a snapshot that outlives connections."""

    def put_back(self, snapshot: Any) -> bool:
        """Bring the service to what a snapshot says; False: only the same calls can.

        Then the world is made anew, and the calls are made once more.
        """

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return what the store can do by itself now: who does it, and the call."""

    def leave(self, actor: str) -> None:
        """Close the actor's connections."""

    def holds(self, snapshot: Any, actor: str) -> bool:
        """Return whether anything in this snapshot may change when the actor leaves."""

    def detach(self, actor: str, call: Call, late: str) -> None:
        """Give the actor `late` the connection on which `actor` has sent this call.

        The call stays on its way when its sender dies or gives up; `late` performs it,
        then leaves.
        """

    def release(self) -> None:
        """Let go of what clients hold: somebody will look at the world, which is then made anew."""

    def remark(self) -> str:
        """Return what a reader of the report should know (an isolation level), or ""."""

    def time_passed(self, now: float) -> None:
        """Do what is due: the clock now says `now` (seconds)."""

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks in this call."""

    def look(self) -> Any:
        """Return what a check sees of the service; None: the world's own client."""

    def disturbed(self) -> bool:
        """Return whether checks may have changed the service since this was last asked."""

    def would_expire(self) -> Sequence[str]:
        """Return what would be gone if only time passed ("key lock:a").

        A search says so in a world without time.
        """

    def close(self) -> None:
        """Close all connections: the world is no longer needed."""


class PlainAdapter:
    """The parts of an adapter that most stores do without."""

    closer = False
    database: Hashable = None

    def __init__(self, store: str) -> None:
        self.store = store

    def stored(self, snapshot: Any) -> Hashable:
        """Return the part of a snapshot that is stored: all of it."""
        found: Hashable = snapshot
        return found

    def put_back(self, snapshot: Any) -> bool:
        """Return that only the same calls bring the store back to what a snapshot says."""
        return False

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return what the store does by itself: nothing."""
        return ()

    def leave(self, actor: str) -> None:
        """The actor's connections close."""

    def holds(self, snapshot: Any, actor: str) -> bool:
        """Return whether anything in a snapshot may change when the actor's connections close."""
        return type(self).leave is not PlainAdapter.leave

    def detach(self, actor: str, call: Call, late: str) -> None:
        """A connection of the actor is now that of `late`; nothing hangs on connections here."""

    def release(self) -> None:
        """Somebody will look at the world: let go of what clients hold open."""

    def remark(self) -> str:
        """Return what a reader of the report should know of how the store was used."""
        return ""

    def time_passed(self, now: float) -> None:
        """The clock now says `now` (seconds)."""

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks."""
        return ConnectionError("connection reset: no reply")

    def look(self) -> Any:
        """Return what a check sees of the service; None: the world's own client."""
        return None

    def disturbed(self) -> bool:
        """Return whether a check may have changed something since this was last asked."""
        return True

    def would_expire(self) -> Sequence[str]:
        """Return the names of what would be gone if only time passed: nothing."""
        return ()

    def close(self) -> None:
        """The world is no longer needed."""
