"""What a service answers to a call, given its state.

States are found by making calls on real services and looking at the result. A
call is made once from each state; after that the answer is known. To come back
to a state, the stage makes a fresh world and repeats the calls that led there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any

from raceproof.search.client import Puppet
from raceproof.search.journal import Journal
from raceproof.wire import adapt
from raceproof.wire.calls import Adapter, Call, NotDeterministicError, Outcome
from raceproof.wire.clock import Clock, ClockAdapter

_LEAVE = "leave"


class State:
    """A state of all services, known by what can be seen of it and by one way to get there."""

    __slots__ = ("actor", "call", "depth", "id", "outcome", "parent", "view")

    def __init__(self, id: int, view: tuple[Hashable, ...], parent: State | None = None) -> None:
        self.id = id
        self.view = view
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.actor: str = ""
        self.call: Call | None = None
        self.outcome: Outcome | None = None


class Stage:
    """The services of one search, and all that is known of them.

    `merge=False` treats every call as leading to a state of its own, so that each
    schedule is made for real from its beginning; it exists to check `merge=True`.
    """

    def __init__(self, make_world: Callable[[], Any], *, merge: bool = True) -> None:
        self._make_world = make_world
        self._merge = merge
        self.calls_made = 0
        self.worlds_made = 0
        self._known: dict[tuple[int, str, Call], tuple[Outcome | None, State]] = {}
        self._moves: dict[int, list[tuple[str, Call]]] = {}
        self._states: dict[tuple[Hashable, ...], State] = {}
        self._adapters: dict[str, Adapter] = {}
        self.world: Any = None
        self._fresh()
        self.fields: dict[str, Any] = dict(vars(self.world))
        self.root = State(0, self._view())
        self._states[self.root.view] = self.root
        self._count = 1
        self._live: State | None = self.root
        self._template = self._adapters

    @property
    def stores(self) -> tuple[str, ...]:
        """The names of the services, in the order of the world's fields."""
        return tuple(self._adapters)

    @property
    def size(self) -> int:
        """How many states are known."""
        return self._count

    def world_for(self, puppet: Puppet) -> Any:
        """Return the world as a client sees it: every service replaced by a proxy."""
        changes: dict[str, Any] = {}
        for name, value in self.fields.items():
            if name in self._template:
                changes[name] = self._template[name].proxy(puppet.ask, puppet.tell)
                if isinstance(value, Clock):
                    puppet.wall_clock = changes[name].time
            elif isinstance(value, Journal):
                changes[name] = _JournalProxy(puppet)
        return dataclasses.replace(self.world, **changes)

    def execute(self, state: State, actor: str, call: Call) -> tuple[Outcome | None, State]:
        """Return the outcome of a call and the state after it; no outcome: it has to wait."""
        key = (state.id, actor, call)
        known = self._known.get(key) if self._merge else None
        if known is None:
            known = self._execute(state, actor, call)
            self._known[key] = known
        return known

    def leave(self, state: State, actor: str) -> State:
        """Return the state after all connections of an actor have closed."""
        for store in self._adapters:
            _, state = self.execute(state, actor, Call(store, _LEAVE, "closes its connections"))
        return state

    def moves(self, state: State) -> list[tuple[str, Call]]:
        """Return what the services can do by themselves in this state."""
        if state.id not in self._moves:
            self.bring_to(state)
            self._moves[state.id] = [m for a in self._adapters.values() for m in a.moves()]
        return self._moves[state.id]

    def bring_to(self, state: State) -> Any:
        """Return the world in this state, remade where needed."""
        if self._live is state:
            return self.world
        path: list[State] = []
        node = state
        while node.parent is not None and node is not self._live:
            path.append(node)
            node = node.parent
        if node is not self._live:
            self._fresh()
        self._live = None
        for node in reversed(path):
            assert node.call is not None
            outcome = self._perform(node.actor, node.call)
            if outcome != node.outcome:
                raise NotDeterministicError(
                    f"{node.call.store} answered {node.call.text!r} differently on replay: first "
                    f"{_words(node.outcome)}, now {_words(outcome)}"
                )
        if self._merge and self._view() != state.view:
            raise NotDeterministicError(
                f"the same calls on {', '.join(self.stores)} led to another state on replay; "
                "a world must be made anew, the same each time"
            )
        self._live = state
        return self.world

    def changed(self, before: State, after: State, store: str) -> bool | None:
        """Return whether what a service stores differs between two states; None: nobody looked."""
        if store not in self._template or not self._merge:
            return None
        at, stored = self.stores.index(store), self._template[store].stored
        return before is not after and stored(before.view[at]) != stored(after.view[at])

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks in this call."""
        return self._template[call.store].connection_error(call)

    def seen(self, state: State) -> Any:
        """Return the world in this state, for somebody to look at."""
        world = self.bring_to(state)
        views = {store: adapter.look() for store, adapter in self._adapters.items()}
        seen = {store: view for store, view in views.items() if view is not None}
        return dataclasses.replace(world, **seen) if seen else world

    def disturbed(self) -> None:
        """Say that somebody looked at the world: if it may be changed, it must be remade."""
        for adapter in self._adapters.values():
            if adapter.disturbed():
                self._live = None

    def close(self) -> None:
        """Let go of the services."""
        for adapter in self._adapters.values():
            adapter.close()

    # --- making calls -----------------------------------------------------------

    def _execute(self, state: State, actor: str, call: Call) -> tuple[Outcome | None, State]:
        self.bring_to(state)
        self._changed = False
        outcome = self._perform(actor, call)
        if self._merge and not self._changed:
            return outcome, state
        if self._merge:
            view = self._view_after(state, call)
            known = self._states.get(view)
            if known is not None:
                self._live = known
                return outcome, known
        else:
            view = ()
        new = State(self._count, view, state)
        new.actor, new.call, new.outcome = actor, call, outcome
        self._count += 1
        self._states[view] = new
        self._live = new
        return outcome, new

    def _perform(self, actor: str, call: Call) -> Outcome | None:
        self.calls_made += 1
        if call.store == "":
            return Outcome.value(None, "")
        adapter = self._adapters[call.store]
        if call.key == _LEAVE:
            adapter.leave(actor)
            self._changed = True
            return Outcome.value(None, "")
        performed = adapter.perform(actor, call)
        if performed is None:
            return None
        self._changed = performed.changed
        if call.key == "tick":
            now = adapter.clock.now  # type: ignore[attr-defined]
            for other in self._adapters.values():
                other.time_passed(now)
        return performed.outcome

    def _fresh(self) -> None:
        self.close()
        self.world = self._make_world()
        self.worlds_made += 1
        if not dataclasses.is_dataclass(self.world) or isinstance(self.world, type):
            raise TypeError("world() must return an instance of a dataclass of service clients")
        self._adapters = {}
        clock = next((v for v in vars(self.world).values() if isinstance(v, Clock)), Clock(0.0))
        for field in dataclasses.fields(self.world):
            value = getattr(self.world, field.name)
            if isinstance(value, Clock):
                self._adapters[field.name] = ClockAdapter(field.name, value)
            elif isinstance(value, list | dict | set):
                raise TypeError(
                    f"world.{field.name} is a {type(value).__name__}, which clients would share "
                    "without a step; let them write into a Journal"
                )
            elif not isinstance(value, Journal):
                adapter = adapt(field.name, value, clock)
                if adapter is not None:
                    self._adapters[field.name] = adapter

    def _view(self) -> tuple[Hashable, ...]:
        return tuple(adapter.snapshot() for adapter in self._adapters.values())

    def _view_after(self, state: State, call: Call) -> tuple[Hashable, ...]:
        if call.key == "tick":
            return self._view()
        return tuple(
            adapter.snapshot() if store == call.store else old
            for (store, adapter), old in zip(self._adapters.items(), state.view, strict=True)
        )


class _JournalProxy:
    def __init__(self, puppet: Puppet) -> None:
        self._puppet = puppet

    def note(self, value: object) -> None:
        self._puppet.note(value)


def _words(outcome: Outcome | None) -> str:
    return "nothing" if outcome is None else repr(outcome.text or outcome.kind)
