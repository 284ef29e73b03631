"""A state of the services, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Hashable

from raceproof.search.actions import Action
from raceproof.wire.calls import Outcome

View = tuple[Hashable, ...]


class State:
    """A state of all services, known by what can be seen of it and by one way to get there."""

    __slots__ = ("action", "actor", "id", "outcome", "parent", "view")

    def __init__(self, id: int, view: View | None, parent: State | None = None) -> None:
        self.id = id
        self.view = view
        self.parent = parent
        self.actor: str = ""
        self.action: Action | None = None
        self.outcome: Outcome | None = None
