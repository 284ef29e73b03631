"""One who waits for a board, and the one future that ends the wait, whatever comes first."""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass, field

from ..notices import Notice


@dataclass(eq=False)
class Watcher:
    """One who waits for a board to show something else than `after`."""

    after: str | None
    found: Future[Notice | None] = field(default_factory=Future)

    def look(self, seen: Notice | Exception | None) -> None:
        """Be shown what is on the board, or why it cannot be read."""
        if isinstance(seen, Exception) and not self.found.done():
            self.found.set_exception(seen)
        elif isinstance(seen, Notice) and seen.version != self.after:
            self.leave(seen)

    def leave(self, notice: object = None) -> None:
        """Wait no longer."""
        if not self.found.done():
            self.found.set_result(notice if isinstance(notice, Notice) else None)
