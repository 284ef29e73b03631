"""What a check looks at beside the world: nobody else may change it.

A check is asked once for each state, and a client's code runs once for all schedules in which it
hears the same: what a client leaves in Python's memory is not of the schedule that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from raceproof.search.memory import Memory
from raceproof.search.reach import reach
from raceproof.wire.calls import Unsearchable


class LookedAt:
    """What some checks look at in Python's memory: only they may change it."""

    def __init__(self, checks: Iterable[Callable[..., object] | None]) -> None:
        self._memory = Memory(reach(checks).spots)

    def refuse_changed(self) -> None:
        """Raise Unsearchable if somebody else has changed something of it."""
        name = self._memory.changed()
        if name is not None:
            raise Unsearchable(
                f"a check looks at {name!r}, which clients or world() change. A client's code runs "
                "once for all schedules in which it hears the same, so what a check sees must be "
                "in a service, or in a Journal: world.journal.note(...). What is worked out once "
                "and always the same, make before the search"
            )

    def keep(self) -> None:
        """Take what a check has changed as it is now."""
        if not self._memory.is_untouched():
            self._memory.keep()
