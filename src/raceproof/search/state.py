"""A state of the services, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Hashable

from raceproof.search.actions import Action
from raceproof.wire.calls import Call, Outcome

View = tuple[Hashable, ...]


class State:
    """A state of all services, known by what can be seen of it and by one way to get there."""

    __slots__ = ("action", "actor", "id", "outcome", "parent", "passed", "view")

    def __init__(self, id: int, view: View | None, parent: State | None = None) -> None:
        self.id = id
        self.view = view
        self.parent = parent
        self.actor: str = ""
        self.action: Action | None = None
        self.outcome: Outcome | None = None
        self.passed: float = parent.passed if parent else 0.0  # seconds that ticks took until now

    def reached_by(self, actor: str, action: Action, outcome: Outcome | None) -> None:
        """Set what led here from the state before; no time passes when the clock is set back."""
        self.actor, self.action, self.outcome = actor, action, outcome
        if isinstance(action, Call) and action.fate == "tick":
            self.passed += max(0.0, action.data)
