"""What clients share in Python's memory, where no order of their calls can be told apart.

A client's code runs once for all schedules in which it hears the same. What it finds in a dict
that another client fills is then of some schedule, and of none in particular; and what it keeps
there itself, it finds when the next search begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from raceproof.search.looked_at import spots_of
from raceproof.search.memory import CONTAINERS, Memory
from raceproof.wire.calls import NotDeterministicError, Unsearchable

_FEW = 2000  # things that are looked at whenever a client has run; more, only at the end


class SharedMemoryError(Unsearchable):
    """Something that clients look at in Python's memory was changed: at which name is `changed`."""

    def __init__(self, changed: str) -> None:
        super().__init__(
            f"clients look at {changed!r}, which they or world() change, and which is not in the "
            "world. They share nothing else: what others shall see must be in a service, and "
            "what is a client's own in a variable of its function. What is worked out once "
            "and always the same, make before the search"
        )
        self.changed = changed


class SharedMemory:
    """What more than one client of a search can look at: none may change it."""

    def __init__(self, clients: Sequence[Callable[[Any], object]]) -> None:
        seen = [{spot.place: spot for spot in spots_of([client])} for client in clients]
        count = Counter(place for spots in seen for place in spots)
        read = {
            place
            for spots in seen
            for place, spot in spots.items()
            if spot.reads or type(spot.get()) not in CONTAINERS
        }
        every = {place: spot for spots in seen for place, spot in spots.items()}
        self._all = Memory(every.values())
        self._shared = Memory(every[place] for place in read if count[place] > 1)
        self._looks = self._shared.size <= _FEW

    def __enter__(self) -> SharedMemory:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Refuse what was changed; where that is an error, put everything back as it was."""
        try:
            if error is None:
                self._refuse()
        finally:
            self._looks = False
            if isinstance(error, NotDeterministicError) and (name := self._all.changed()):
                error.add_note(f"({name!r} is not in the world, and was changed meanwhile)")
                error.changed = name
                self._all.put_back()

    def refuse_changed(self) -> None:
        """Raise Unsearchable if something is not as it was; after the search, never."""
        if self._looks:
            self._refuse()

    def _refuse(self) -> None:
        if name := self._shared.changed():
            self._all.put_back()  # else the next search would begin with it, and not notice
            raise SharedMemoryError(name)
