"""How long a search may go on: a machine that is busy with other programs does not shorten it."""

from __future__ import annotations

from math import inf
from time import monotonic, process_time  # held here, they stay the real ones in a search

_BY_THE_CLOCK = 10  # times its seconds, whatever it computes: it may wait for a server


class Budget:
    """So many seconds of this process's computing; by the clock, at most ten times as many."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = inf if seconds is None else seconds
        self._computed, self._clock = process_time(), monotonic()

    def left(self) -> float:
        """Return how many seconds it may go on; 0 or less: it is spent."""
        if self._seconds in (0.0, inf):
            return self._seconds  # no clock is asked: a search asks this at every state
        computed = process_time() - self._computed
        passed = (monotonic() - self._clock) / _BY_THE_CLOCK
        return self._seconds - max(computed, passed)

    def spend(self) -> None:
        """Leave nothing of it."""
        self._seconds = 0.0
