"""What a service answers to a call, given its state.

States are found by making calls on real services and looking at the result. A
call is made once from each state; after that the answer is known. To come back
to a state, it is written where that can be done; where not, and now and then all
the same, a fresh world is made and the calls that led there are repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from raceproof.search.actions import Action, Detaching, Leaving
from raceproof.search.client_thread import ClientThread
from raceproof.search.live_world import LiveWorld
from raceproof.search.state import State, View
from raceproof.wire.calls import Call, NotDeterministicError, Outcome

REMADE_FIRST, REMADE_LATER = 3, 10  # so often the world is made anew, then once in so many times


class ServiceStates:
    """The states of the services of one search, and all that is known of them.

    `merge=False` treats every call as leading to a state of its own, so that each
    schedule is made for real from its beginning; it exists to check `merge=True`.
    """

    def __init__(
        self, make_world: Callable[[], Any], *, merge: bool = True, closer: Container[str] = ()
    ) -> None:
        self.merge = merge
        self._world = LiveWorld(make_world, closer)
        self._known: dict[tuple[int, str, Action], tuple[Outcome | None, State]] = {}
        self._moves: dict[int, list[tuple[str, Call]]] = {}
        self.root = State(0, self._world.view())
        self._states: dict[View | None, State] = {self.root.view: self.root}
        self._live: State | None = self.root
        self._count, self._returns = 1, 0
        self.would_expire: set[tuple[str, str]] = self._world.would_expire()
        self.looks_for_expiry = True  # whether it is found out what would expire
        self.stores, self.awaits = self._world.stores, self._world.awaits
        self.fields = {n: f for n, f in self._world.fields.items() if n not in self.stores}

    @property
    def calls_made(self) -> int:
        """How many calls were made on the services."""
        return self._world.calls_made

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of how the clients used the services."""
        return self._world.remarks()

    def world_for(self, client: ClientThread) -> Any:
        """Return the world as a client sees it: every service replaced by a proxy."""
        return self._world.seen_by(client)

    def execute(self, state: State, actor: str, action: Action) -> tuple[Outcome | None, State]:
        """Return the outcome of a call and the state after it; no outcome: it has to wait."""
        key = (state.id, actor, action)
        known = self._known.get(key) if self.merge else None
        if known is None:
            known = self._known[key] = self._execute(state, actor, action)
        return known

    def leave(self, state: State, actor: str) -> State:
        """Return the state after all connections of an actor have closed."""
        for store in self.stores:
            if state.view is None or self._world.holds(state.view, store, actor):
                _, state = self.execute(state, actor, Leaving(store))
        return state

    def detach(self, state: State, actor: str, call: Call, late: str) -> State:
        """Return the state in which the connection of a late call is no longer its sender's."""
        return self.execute(state, actor, Detaching(call.store, call, late))[1]

    def same_again(self, state: State, actor: str, call: Call, outcome: Outcome) -> bool:
        """Whether a call has this outcome in this state, and leaves everything as it is."""
        found, after = self.execute(state, actor, call)
        return found == outcome and (after is state or self.view(after) == self.view(state))

    def moves(self, state: State) -> list[tuple[str, Call]]:
        """Return what the services can do by themselves in this state."""
        if state.id not in self._moves:
            self.bring_to(state)
            self._moves[state.id] = self._world.moves()
        return self._moves[state.id]

    def view(self, state: State) -> View:
        """Return all that can be seen of the services in this state."""
        if state.view is None:
            self.bring_to(state)
            state.view = self._world.view()
        return state.view

    def bring_to(self, state: State) -> Any:
        """Return the world in this state, remade where needed."""
        if self._live is state:
            return self._world.world
        path: list[State] = []
        node = state
        while node.parent is not None and node is not self._live:
            path.append(node)
            node = node.parent
        written = False
        if node is not self._live:
            path, written = self._begin_again(path)
        self._live = None
        for node in reversed(path):
            assert node.action is not None
            outcome, _ = self._world.perform(node.actor, node.action)
            if outcome != node.outcome:
                raise NotDeterministicError(
                    f"{node.action.store} answered {node.action.text!r} differently on replay: "
                    f"first {_words(node.outcome)}, now {_words(outcome)}. A world must be made "
                    "anew, the same each time"
                )
        if state.view is not None and (path or not written):
            self.compare(state.view, self._world.view())
        self._live = state
        return self._world.world

    def _begin_again(self, path: list[State]) -> tuple[list[State], bool]:
        """Bring the world to the last state of a path that can be written, else to the root.

        Return the rest of the path, and whether it was written. Now and then all is made again.
        """
        self._returns += 1
        if self.merge and self._returns > REMADE_FIRST and self._returns % REMADE_LATER:
            for at, state in enumerate([*path, self.root]):
                if state.view is not None and self._world.put_back(state.view):
                    return path[:at], True
        self._world.make()
        return path, False

    def compare(self, before: View, now: View) -> None:
        """Raise NotDeterministicError if the services hold something else than before."""
        for store, first, second in zip(self.stores, before, now, strict=True):
            if first != second:
                raise NotDeterministicError(
                    f"the same calls led to another state of {store} on replay: first {first!r}, "
                    f"now {second!r}. A world must be made anew, the same each time"
                )

    def changed(self, before: State, after: State, store: str) -> bool | None:
        """Return whether what a service stores differs between two states; None: nobody looked."""
        if store not in self.stores or not self.merge:
            return None
        assert before.view is not None
        assert after.view is not None
        stored = self._world.stored
        return before is not after and stored(before.view, store) != stored(after.view, store)

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks in this call."""
        return self._world.connection_error(call)

    def seen(self, state: State) -> Any:
        """Return the world in this state, for somebody to look at."""
        self.bring_to(state)
        return self._world.seen_by_checks()

    def disturbed(self) -> None:
        """Say that somebody looked at the world: if it may be changed, it must be remade."""
        if self._world.disturbed():
            self._live = None

    def close(self) -> None:
        """Let go of the services."""
        self._world.close()

    def _execute(self, state: State, actor: str, action: Action) -> tuple[Outcome | None, State]:
        self.bring_to(state)
        outcome, changed = self._world.perform(actor, action)
        if self.merge and not changed:
            return outcome, state
        view = None
        if self.merge:
            assert state.view is not None
            view = self._world.view_after(state.view, action)
            known = self._states.get(view)
            if known is not None:
                self._live = known
                return outcome, known
        new = State(self._count, view, state)
        new.reached_by(actor, action, outcome)
        self._count += 1
        self._states[view] = new
        self._live = new
        if self.merge:
            self._moves[new.id] = self._world.moves()  # while this world is there
        if changed and self.looks_for_expiry:
            self.would_expire |= self._world.would_expire()
        return outcome, new


def _words(outcome: Outcome | None) -> str:
    return "nothing" if outcome is None else repr(outcome.text or outcome.kind)
