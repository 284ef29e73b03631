"""What is wrong in a world: the two checks of a search, asked once for each state."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from raceproof.search.endings import came_from_the_search, never_run, words_of
from raceproof.search.graph import Node, way_to
from raceproof.search.journal import Journal, note_text
from raceproof.search.looked_at import LookedAt
from raceproof.search.onlooking import onlooking
from raceproof.search.service_states import ServiceStates
from raceproof.trace.steps import Run
from raceproof.wire.calls import Unsearchable, Violation, hearing

Check = Callable[[Any], object]


class Checks:
    """Asks `always` in every state and `check` at the end; a client's own error is wrong too."""

    def __init__(
        self,
        states: ServiceStates,
        names: Sequence[str],
        check: Check,
        always: Check | None,
        allow: tuple[type[BaseException], ...],
    ) -> None:
        self._states = states
        self._names = names
        self._check = check
        self._always = always
        self._allow = allow
        self._failed: tuple[Exception | None, Node | None] = None, None
        self._looked_at = LookedAt((check, always))
        self._known: dict[tuple[Check, int, tuple[str, ...]], str | None] = {}

    def now(self, node: Node) -> str | None:
        """Return what is wrong already, or None."""
        for name, place in zip(self._names, node.places, strict=True):
            error = place.history.situation.error
            if place.alive and error is not None and self._unexpected(error):
                return f"{name} {place.history.situation.ended}"
        return None if self._always is None else self._asked(self._always, node)

    def at_the_end(self, node: Node) -> str | None:
        """Return what is wrong now that nobody goes on, or None."""
        return self._asked(self._check, node)

    def refuse_shared(self) -> None:
        """Raise Unsearchable if a client has changed what a check looks at beside the world."""
        self._looked_at.refuse_changed()

    def world_at(self, node: Node) -> Any:
        """Return the world at a node, with its journal filled."""
        world = self._states.seen(node.state)
        for value in vars(world).values():
            if isinstance(value, Journal):
                for name, place in zip(self._names, node.places, strict=True):
                    value.fill(name, place.history.notes())
        return world

    def tell_where(self, error: Exception, root: Node) -> None:
        """Add the schedule to an error that a check raised: no violation, and no refusal."""
        failed, node = self._failed
        if failed is error and not isinstance(error, Unsearchable):
            from raceproof.draw import transcript

            steps = tuple(way_to(root, node or root))
            run = Run(tuple(self._names), self._states.stores, steps)
            error.add_note(f"A check raised this after these steps:\n{transcript(run)}")

    def _asked(self, check: Check, node: Node) -> str | None:
        said = tuple(note_text(place.history.notes()) for place in node.places)
        key = (check, node.state.id, said)
        if key not in self._known:
            world = self.world_at(node)
            try:
                self._known[key] = self._ask(check, world)
            except Exception as error:
                self._failed = error, node
                raise
        return self._known[key]

    def _ask(self, check: Check, world: Any) -> str | None:
        self.refuse_shared()
        refusals: list[Unsearchable] = []
        try:
            with hearing(refusals.append), onlooking():
                returned = check(world)
        except BaseException as found:
            if not isinstance(found, Violation | AssertionError) and not _is_pytests(found):
                raise
            return words_of(found) or "the check failed"
        finally:
            self._looked_at.keep()
            self._states.disturbed()
            if refusals:
                raise refusals[0]
        if returned is not None:
            raise TypeError(_not_a_check(returned))
        return None

    def _unexpected(self, error: BaseException) -> bool:
        return not isinstance(error, self._allow) and not came_from_the_search(error)


def _is_pytests(found: BaseException) -> bool:
    """Whether this is what `pytest.fail` raises."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(found, outcomes.Failed)


def _not_a_check(returned: object) -> str:
    return never_run("a check", returned) or (
        f"a check returned {returned!r}, which says nothing: let it raise Violation, in words, "
        "when the world is wrong, and return nothing when it is right"
    )
