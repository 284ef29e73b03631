"""A clock that only steps of the search move."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from time import monotonic
from typing import Any

from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import Ask, Call, Outcome, Performed
from raceproof.wire.exact import inexact


class Clock:
    """The wall clock of a world, in seconds.

    It stands still, but for `ticks`: each is a number of seconds that may pass,
    once and in this order, at any point of a schedule. With `step`, each reading
    moves it on by as much, so that no two readings are equal.

    `began` is when this world began to be made, on the machine's monotonic clock.
    """

    def __init__(
        self, start: float = 1000.0, *, ticks: Sequence[float] = (), step: float = 0.0
    ) -> None:
        self.now = float(start)
        self.step = float(step)
        self.ticks = tuple(map(float, ticks))
        self.began = monotonic()

    def time(self) -> float:
        """Return the time in seconds."""
        now = self.now
        self.now += self.step
        return now


def the_clock(values: Iterable[object]) -> Clock:
    """Return the clock among the fields of a world: one that stands still if there is none."""
    clocks = [value for value in values if isinstance(value, Clock)]
    if len(clocks) > 1:
        raise TypeError("a world has one Clock at most, by which all of it goes: give it its ticks")
    return clocks[0] if clocks else Clock(0.0)


class ClockAdapter(PlainAdapter):
    """Makes reading the clock a step, and each tick a move of the clock."""

    def __init__(self, store: str, clock: Clock) -> None:
        super().__init__(store)
        self.clock = clock
        self._stands = not clock.ticks and not clock.step

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        """Return a clock whose reading is a call."""
        return _ClockProxy(self.store, ask, self.clock.now if self._stands else None)

    def perform(self, actor: str, call: Call) -> Performed | None:
        """Return the time for a reading; for a tick, move the clock on."""
        if call.fate == "tick":
            passed, *rest = self.clock.ticks
            self.clock.now += passed
            self.clock.ticks = tuple(rest)
            return Performed(Outcome.value(None, ""))
        now = self.clock.time()
        return Performed(Outcome.value(now, f"{now:g}"), changed=bool(self.clock.step))

    def snapshot(self) -> Hashable:
        """Return the time and the ticks to come."""
        return (self.clock.now, self.clock.ticks)

    def put_back(self, snapshot: Any) -> bool:
        """Set the time and the ticks to come."""
        self.clock.now, self.clock.ticks = inexact(snapshot)
        return True

    def stored(self, snapshot: Any) -> Hashable:
        """Return nothing: a clock that is read stores nothing."""
        return ()

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return the next tick, if there is one to come."""
        if not self.clock.ticks:
            return ()
        seconds = self.clock.ticks[0]
        return [(self.store, Call(self.store, "tick", f"{seconds:g} s pass", seconds, fate="tick"))]

    def disturbed(self) -> bool:
        """Return whether reading the clock moves it."""
        return bool(self.clock.step)


class _ClockProxy:
    def __init__(self, store: str, ask: Ask, stands_at: float | None) -> None:
        self._store = store
        self._ask = ask
        self._stands_at = stands_at

    def time(self) -> float:
        now: float = self._ask(Call(self._store, "time", "what time is it?", travels=False))
        return now

    def wall_clock(self) -> float:
        """Return what Python's own clock shows: a step only where it may be another later."""
        return self.time() if self._stands_at is None else self._stands_at
