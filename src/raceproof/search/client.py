"""What a client does next, given the replies it has had so far.

A client's code is deterministic, so the replies decide its next call: they are
remembered, and a client runs again only where it has not been.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from raceproof.search.client_thread import ClientThread
from raceproof.search.histories import History, Situation
from raceproof.wire.calls import (
    Call,
    LooksCloser,
    NoCallError,
    NotDeterministicError,
    Outcome,
    time_of,
)


class Client:
    """One client of the search: its code, and all situations found so far.

    `ran` is called when some of its code has run. One that `sees_ticks` measures time in a world
    where some may pass.
    """

    def __init__(
        self,
        name: str,
        code: Callable[[Any], object],
        make_world: Callable[[ClientThread], Any],
        ran: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.reaches_a_service = self.sees_ticks = False
        self.endless: History | None = None
        self._code = code
        self._make_world = make_world
        self._ran = ran
        self._count = 0
        self._thread: ClientThread | None = None
        self.start = History(0, None, None, None)
        try:
            self._begin()
            self._ran()
            if self.start.situation.ended == "done":
                raise NoCallError(name)
        except BaseException:
            self.close()
            raise

    def after(self, history: History, outcome: Outcome, passed: float) -> History:
        """Return the history that follows when the pending call has this outcome.

        `passed`: the seconds that ticks took until then, which most clients do not look at.
        """
        outcome = outcome.at(passed if self.sees_ticks else 0.0)
        child = history.children.get(outcome)
        if child is None:
            self._count += 1
            child = History(self._count, history, history.situation.call, outcome)
            self._found(child, self._find_out(child))
            history.children[outcome] = child
            self._ran()
        return child

    def repeats(
        self, history: History, asked: list[tuple[Call, Outcome]], passed: float, depth: int
    ) -> bool:
        """Whether it asks this round again and again, to a depth, while it hears the same."""
        at = 0
        while history.depth < depth:
            call, outcome = asked[at]
            if history.situation.call != call:
                return False
            history = self.after(history, outcome, passed)
            at = (at + 1) % len(asked)
        return True

    def close(self) -> None:
        """End the client's thread."""
        if self._thread is not None:
            self._thread.kill()
            self._thread = None

    def refuse_late(self) -> None:
        """Raise the refusal that a thread of the client's own met while nobody listened."""
        if self._thread is not None:
            self._thread.raise_refusal()

    def _begin(self) -> None:
        self._thread = ClientThread(self.name, self._code, self._make_world)
        self._thread.history = self.start
        self.sees_ticks = self._thread.ticks == "seen"
        self._found(self.start, self._thread.begin()[0])

    def _found(self, history: History, situation: Situation) -> None:
        history.situation = situation
        if self._thread is not None and self._thread.ticks == "measured":
            raise LooksCloser(time_of(self.name))
        if situation.call is not None and situation.call.travels:
            self.reaches_a_service = True
        if situation.endless:
            self.endless = history

    def _find_out(self, child: History) -> Situation:
        thread = self._thread
        if thread is None or thread.history is not child.parent:
            self.refuse_late()
            self.close()
            thread = self._thread = ClientThread(self.name, self._code, self._make_world)
            situation = self._retraced(thread, [self.start, *child.path()])
        else:
            situation = thread.answer(child.outcome)
        thread.history = child
        return situation

    def _retraced(self, thread: ClientThread, nodes: list[History]) -> Situation:
        """Run to the last of these histories, by way of the others; return where it stands."""
        pairs = pairwise(nodes)
        known = [(node.situation, then.outcome) for node, then in pairs if then.outcome is not None]
        situation, calls = thread.begin(known)
        if calls < len(known):
            raise NotDeterministicError(differs(self.name, nodes[calls].situation, situation))
        return situation


def differs(name: str, before: Situation, now: Situation) -> str:
    """Return in words that a client did something else after the same replies."""
    first, second = before.words(), now.words()
    if first == second:
        first, second = f"{first}, noting {before.said}", f"{second}, noting {now.said}"
    return (
        f"client {name!r} behaved differently on replay: after the same replies it first did "
        f"{first}, now {second}. Clients must not depend on global state, real time or chance, "
        "nor share anything but the world."
    )
