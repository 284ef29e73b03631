"""What services answer, remembered from one search of an exercise to all later ones.

The answers to an exercise are searched in the same few worlds, by clients of which all but one are
the same. A state that one search has found need not be found again by the next; and whatever is
remembered is compared with what really happens, where a search makes schedules again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from raceproof.search import exploration, service_states
from raceproof.search.actions import Action
from raceproof.search.state import State
from raceproof.wire.calls import Outcome
from raceproof.wire.clock import Clock

_known: dict[Hashable, ServiceMemory] = {}
_exercise: Hashable = None


def begin(exercise: Hashable) -> None:
    """Begin to mark an answer to an exercise."""
    global _exercise
    _exercise = exercise


class ServiceMemory(service_states.ServiceStates):
    """The states of a search that begins with those of all before it, in worlds like this one."""

    def __init__(
        self, make_world: Callable[[], Any], *, merge: bool = True, closer: Any = ()
    ) -> None:
        super().__init__(make_world, merge=merge, closer=closer)
        self._expiring: dict[int, set[tuple[str, str]]] = {}  # by state, where anything is
        if not merge:
            return
        steps = [c.step for c in vars(self._world.world).values() if isinstance(c, Clock)]
        place = (_exercise, self.stores, self.root.view, *steps)
        before = _known.setdefault(place, self)
        if before is not self:
            self._states, self._known, self._moves = before._states, before._known, before._moves
            self._count, self.root = before._count, before.root
            self._live, self._returns = self.root, before._returns
            self._expiring = before._expiring
            _known[place] = self

    def execute(self, state: State, actor: str, action: Action) -> tuple[Outcome | None, State]:
        """Return the outcome of a call and the state after it, with what would expire there."""
        outcome, after = super().execute(state, actor, action)
        if self._expiring and after.id in self._expiring:
            self.would_expire |= self._expiring[after.id]
        return outcome, after

    def _execute(self, state: State, actor: str, action: Action) -> tuple[Outcome | None, State]:
        before, self.would_expire = self.would_expire, set()
        try:
            outcome, after = super()._execute(state, actor, action)
            if self.would_expire:
                self._expiring[after.id] = self.would_expire
        finally:
            self.would_expire = self.would_expire | before
        return outcome, after


def use() -> None:
    """Remember, in this process, from now on."""
    vars(exploration)["ServiceStates"] = ServiceMemory
