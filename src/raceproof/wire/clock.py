"""A clock that only steps of the search move."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from raceproof.wire.calls import Ask, Call, Outcome, Performed, PlainAdapter


class Clock:
    """The wall clock of a world, in seconds.

    It stands still, but for `ticks`: each is a number of seconds that may pass,
    once and in this order, at any point of a schedule. With `step`, each reading
    moves it on by as much, so that no two readings are equal.
    """

    def __init__(
        self, start: float = 1000.0, *, ticks: Sequence[float] = (), step: float = 0.0
    ) -> None:
        self.now = start
        self.step = step
        self.ticks = tuple(ticks)

    def time(self) -> float:
        """Return the time in seconds."""
        now = self.now
        self.now += self.step
        return now


class ClockAdapter(PlainAdapter):
    """Makes reading the clock a step, and each tick a move of the clock."""

    def __init__(self, store: str, clock: Clock) -> None:
        super().__init__(store)
        self.clock = clock
        self._known = self.snapshot()

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        return _ClockProxy(self.store, ask)

    def perform(self, actor: str, call: Call) -> Performed | None:
        if call.key == "tick":
            passed, *rest = self.clock.ticks
            self.clock.now += passed
            self.clock.ticks = tuple(rest)
            self._known = self.snapshot()
            return Performed(Outcome.value(None, ""))
        if call.key == "time":
            now = self.clock.time()
            self._known = self.snapshot()
            return Performed(Outcome.value(now, f"{now:g}"), changed=bool(self.clock.step))
        return Performed(Outcome.value(None, ""), changed=False)

    def snapshot(self) -> Hashable:
        return (self.clock.now, self.clock.ticks)

    def stored(self, snapshot: Any) -> Hashable:
        """Return nothing: a clock that is read stores nothing."""
        return ()

    def disturbed(self) -> bool:
        """Return whether somebody moved the clock."""
        return self.snapshot() != self._known

    def moves(self) -> Sequence[tuple[str, Call]]:
        if not self.clock.ticks:
            return ()
        return [(self.store, Call(self.store, "tick", f"{self.clock.ticks[0]:g} s pass"))]


class _ClockProxy:
    def __init__(self, store: str, ask: Ask) -> None:
        self._store = store
        self._ask = ask

    def time(self) -> float:
        now: float = self._ask(Call(self._store, "time", "what time is it?"))
        return now
