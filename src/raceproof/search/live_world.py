"""The one world that is real at a time: its services, and what can be seen of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Hashable
from time import monotonic
from typing import Any

from raceproof.search.actions import Action, Detaching, Leaving
from raceproof.search.client_thread import ClientThread
from raceproof.search.journal import Journal
from raceproof.search.own_world import held
from raceproof.search.putting_back import can_put_back, unchanged
from raceproof.search.state import View
from raceproof.wire import adapt
from raceproof.wire.adapter import Adapter
from raceproof.wire.calls import Call, Outcome, Unsearchable, time_of
from raceproof.wire.clock import Clock, ClockAdapter, the_clock
from raceproof.wire.exact import exact


class LiveWorld:
    """The services of a world that is made anew again and again, and what was done to them."""

    def __init__(self, make_world: Callable[[], Any], closer: Container[str] = ()) -> None:
        self._make_world = make_world
        self._closer = closer
        self.calls_made = 0
        self._adapters: dict[str, Adapter] = {}
        self.make()
        self.fields = held(self.world)
        self._template = self._adapters

    @property
    def stores(self) -> tuple[str, ...]:
        """The names of the services, in the order of the world's fields."""
        return tuple(self._adapters)

    @property
    def awaits(self) -> bool:
        """Whether one of the services is reached by a client of asyncio."""
        return any(hasattr(self.fields[name], "__aenter__") for name in self._template)

    def make(self) -> None:
        """Make a fresh world in place of this one."""
        self.close()
        began = monotonic()
        self.world = self._make_world()
        if not dataclasses.is_dataclass(self.world) or isinstance(self.world, type):
            raise TypeError("world() must return an instance of a dataclass of service clients")
        self._made = held(self.world)
        self._adapters = {}
        values = {f.name: getattr(self.world, f.name) for f in dataclasses.fields(self.world)}
        clock = the_clock(values.values())
        clock.began = began
        self._time_passes = any(seconds > 0 for seconds in clock.ticks)
        self.time_stands = not clock.ticks and not clock.step
        for name, value in values.items():
            if isinstance(value, list | dict | set):
                raise TypeError(
                    f"world.{name} is a {type(value).__name__}, which clients would share "
                    "without a step; let them write into a Journal"
                )
            adapter = _adapter(name, value, clock)
            if adapter is not None:
                adapter.closer = name in self._closer
                self._adapters[name] = adapter
                self._refuse_twice(name, adapter)

    def _refuse_twice(self, name: str, adapter: Adapter) -> None:
        """Raise where two fields are one database: what is done to one would change the other."""
        place = adapter.database
        for other, before in self._adapters.items():
            if before is not adapter and place is not None and place == before.database:
                raise Unsearchable(
                    f"world.{other} and world.{name} are on one database or server, which cannot "
                    "be searched: give the world one; clients can make the other from it"
                )

    def put_back(self, view: View) -> bool:
        """Bring the services to what can be seen in a view; False: only the same calls can."""
        if not unchanged(self.world, self._made, self._adapters):
            return False
        parts = list(zip(self._adapters.values(), view, strict=True))
        parts.sort(key=lambda part: not isinstance(part[0], ClockAdapter))  # time first
        return (
            all(can_put_back(a) and a.put_back(part) for a, part in parts) and view == self.view()
        )

    def seen_by(self, client: ClientThread) -> Any:
        """Return the world as a client sees it: every service replaced by a proxy."""
        changes: dict[str, Any] = {}
        for name, value in self.fields.items():
            if name in self._template:
                changes[name] = self._template[name].proxy(client.ask, client.tell)
                if isinstance(value, Clock):
                    client.wall_clock = changes[name].wall_clock
                    if self._time_passes:
                        client.ticks = "seen" if time_of(client.name) in self._closer else "unseen"
            elif isinstance(value, Journal):
                changes[name] = _JournalProxy(client)
        return dataclasses.replace(self.world, **changes)

    def perform(self, actor: str, action: Action) -> tuple[Outcome | None, bool]:
        """Do something for real: return the outcome, and whether anything may have changed.

        No outcome: the call has to wait.
        """
        self.calls_made += 1
        if action.store == "":
            return Outcome.value(None, ""), False
        adapter = self._adapters[action.store]
        if isinstance(action, Leaving):
            adapter.leave(actor)
            return Outcome.value(None, ""), True
        if isinstance(action, Detaching):
            adapter.detach(actor, action.call, action.late)
            return Outcome.value(None, ""), True
        performed = adapter.perform(actor, action)
        if performed is None:
            return None, False
        if action.fate == "tick":
            assert isinstance(adapter, ClockAdapter)
            for other in self._adapters.values():
                other.time_passed(adapter.clock.now)
        return performed.outcome, performed.changed

    def view(self) -> View:
        """Return all that can be seen of the services."""
        return tuple(exact(adapter.snapshot()) for adapter in self._adapters.values())

    def view_after(self, before: View, action: Action) -> View:
        """Return all that can be seen after an action, which changes one service or the time."""
        if isinstance(action, Call) and action.fate == "tick":
            return self.view()
        return tuple(
            exact(adapter.snapshot()) if store == action.store else old
            for (store, adapter), old in zip(self._adapters.items(), before, strict=True)
        )

    def moves(self) -> list[tuple[str, Call]]:
        """Return what the services can do by themselves."""
        return [move for adapter in self._adapters.values() for move in adapter.moves()]

    def would_expire(self) -> set[tuple[str, str]]:
        """Return what would be gone if only time passed, by store and name."""
        if not self.time_stands:
            return set()
        return {
            (s, name) for s, adapter in self._adapters.items() for name in adapter.would_expire()
        }

    def seen_by_checks(self) -> Any:
        """Return the world as a check sees it: afterwards it may have to be made anew."""
        for adapter in self._adapters.values():
            adapter.release()
        views = {store: adapter.look() for store, adapter in self._adapters.items()}
        seen = {store: view for store, view in views.items() if view is not None}
        return dataclasses.replace(self.world, **seen) if seen else self.world

    def disturbed(self) -> bool:
        """Whether somebody who looked at the world may have changed it."""
        disturbed = [adapter.disturbed() for adapter in self._adapters.values()]  # ask them all
        return any(disturbed)

    def remarks(self) -> tuple[str, ...]:
        """Return what a reader should know of how the clients used the services."""
        return tuple(said for a in self._template.values() if (said := a.remark()))

    def stored(self, view: View, store: str) -> Hashable:
        """Return the part of a view that a service stores."""
        return self._template[store].stored(view[self.stores.index(store)])

    def holds(self, view: View, store: str, actor: str) -> bool:
        """Return whether a service holds something of an actor that ends with its connections."""
        return self._template[store].holds(view[self.stores.index(store)], actor)

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks in this call."""
        return self._template[call.store].connection_error(call)

    def close(self) -> None:
        """Let go of the services."""
        for adapter in self._adapters.values():
            adapter.close()


class _JournalProxy:
    def __init__(self, client: ClientThread) -> None:
        self._client = client

    def note(self, value: object) -> None:
        self._client.note(value)


def _adapter(name: str, value: Any, clock: Clock) -> Adapter | None:
    if isinstance(value, Clock):
        return ClockAdapter(name, value)
    return None if isinstance(value, Journal) else adapt(name, value, clock)
