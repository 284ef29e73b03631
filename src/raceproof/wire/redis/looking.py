"""What a check does: it looks, at once, as often as is sensible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raceproof.wire.calls import Call, Performed, Violation

MOST = 2_000  # requests that one check may make


class Looking:
    """Counts the requests of a check, and notes whether one changed anything."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = False

    def begin(self) -> None:
        """Another check begins."""
        self._count = 0

    def note(self, call: Call, perform: Callable[[], Performed | None]) -> Any:
        """Make a request and return its reply; what would have to wait gets nothing."""
        self._count += 1
        if self._count > MOST:
            raise Violation(f"the check is still going after {MOST:,} requests: {call.text}")
        performed = perform()
        if performed is None:
            return None
        self._changed = self._changed or performed.changed
        return performed.outcome.deliver()

    def changed(self) -> bool:
        """Return whether anything may have changed since this was last asked."""
        changed, self._changed = self._changed, False
        return changed
