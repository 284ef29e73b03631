"""What clients share in Python's memory, where no order of their calls can be told apart.

A client's code runs once for all schedules in which it hears the same. What it finds in a dict
that another client fills is then of some schedule, and of none in particular; and what it keeps
there itself, it finds when the next search begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from raceproof.search.contents import CONTAINERS
from raceproof.search.memory import Memory
from raceproof.search.mocks import calls_of, is_mock
from raceproof.search.reach import Reach
from raceproof.search.spots import Spot, itself
from raceproof.wire.calls import NotDeterministicError, Unsearchable

_FEW = 2000  # things that are looked at whenever a client has run; more, only at the end


class SharedMemoryError(Unsearchable):
    """Something that clients look at in Python's memory was changed: at which name is `changed`."""

    def __init__(self, changed: str) -> None:
        super().__init__(
            f"clients look at {changed!r}, which they or world() change, and which is no service. "
            "They share nothing else: what others shall see must be in a service, and what is a "
            "client's own in a variable of its function. What is worked out once and always the "
            "same, make before the search"
        )
        self.changed = changed


class SharedMemory:
    """What more than one client of a search can look at: none may change it."""

    def __init__(self, clients: Iterable[Reach]) -> None:
        seen = [_by_place(client.spots) for client in clients]
        every = {place: spot for spots in seen for place, spot in spots.items()}
        self._all = Memory(every.values())
        self._shared = Memory(_shared(seen))
        self._of_world = Memory(())
        self._often: list[Memory] = []
        self._state: Literal["new", "looks", "ended"] = "new"

    def begin(self, fields: Mapping[str, Any]) -> None:
        """Take what is there now, with a world made, as what has to stay.

        `fields`: those of the world that are no service, which all clients have in common.
        """
        if self._state == "new":
            self._state = "looks"
            self._all.keep()
            self._shared.keep()
        elif self._state == "looks":
            self._refuse()
        else:
            return
        of_world = [Spot(f"world.{n}", partial(itself, held)) for n, held in fields.items()]
        mocks = [spot for spot in of_world if is_mock(spot.get())]
        of_world += [spot._replace(get=partial(calls_of, spot.get())) for spot in mocks]
        self._of_world = Memory(of_world)
        self._often = [_small(self._shared), _small(self._of_world)]

    def __enter__(self) -> SharedMemory:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Refuse what was changed; where that is an error, put everything back as it was."""
        try:
            if error is None:
                self._refuse()
        finally:
            self._state = "ended"
            if isinstance(error, NotDeterministicError):
                if name := self._all.changed():
                    error.add_note(f"({name!r} is not in the world, and was changed meanwhile)")
                    error.changed = name
                self._all.put_back()

    def refuse_changed(self) -> None:
        """Raise SharedMemoryError if something is not as it was; after the search, never."""
        if self._state == "looks" and not all(memory.is_untouched() for memory in self._often):
            self._refuse()

    def _refuse(self) -> None:
        for memory in (self._shared, self._of_world):
            if name := memory.changed():
                self._all.put_back()  # else the next search would begin with it, and not notice
                memory.put_back()
                raise SharedMemoryError(name)


def _by_place(spots: Iterable[Spot]) -> dict[tuple[object, ...], Spot]:
    """Return one spot for each place, which reads if some code of the client reads there."""
    found: dict[tuple[object, ...], Spot] = {}
    for spot in spots:
        if spot.reads or spot.place not in found:
            found[spot.place] = spot
    return found


def _shared(seen: Sequence[Mapping[tuple[object, ...], Spot]]) -> list[Spot]:
    """Return what more than one client can look at and one of them does, by whatever name."""
    places = Counter(place for spots in seen for place in spots)
    things: Counter[int] = Counter()
    shared: dict[object, Spot] = {}
    read: dict[int, Spot] = {}
    for spots in seen:
        here: set[int] = set()
        for place, spot in spots.items():
            reads = spot.reads or type(spot.get()) not in CONTAINERS
            within = Memory([spot]).within()
            here |= within.keys()
            if reads and (places[place] > 1 or spot.get.func is calls_of):
                shared[place] = spot
            elif reads:
                read |= {i: Spot(spot.name, partial(itself, within[i])) for i in within}
        things.update(here)
    return [*shared.values(), *(spot for i, spot in read.items() if things[i] > 1)]


def _small(memory: Memory) -> Memory:
    """Return the memory of the smallest spots, of no more than are quickly looked at."""
    if memory.size <= _FEW:
        return memory
    left, chosen = _FEW, []
    sizes = [(Memory([spot]).size, at) for at, spot in enumerate(memory.spots)]
    for size, at in sorted(sizes):
        left -= size
        if left >= 0:
            chosen.append(memory.spots[at])
    return Memory(chosen)
