"""The world that a client has for itself: what it writes there, no other client would see."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

from raceproof.wire.calls import Unsearchable


class OwnWorld:
    """Tells whether a client writes to its world in place of a service."""

    def __init__(self, who: str, world: Any) -> None:
        self._who, self.world, self._held = who, world, held(world)
        attributes = [getattr(value, "__dict__", {}) for value in self._held.values()]
        self._before_each_call = [
            some["before_each_call"] for some in attributes if "before_each_call" in some
        ]

    def before_a_call(self) -> None:
        """Raise Unsearchable if it was written to, or for what a service says of this client."""
        self.refuse_written()
        for refuse in self._before_each_call:
            refuse()

    def refuse_written(self) -> None:
        """Raise Unsearchable if something in it was set, or is not there any more."""
        now = held(self.world)
        if now.keys() == self._held.keys() and all(now[n] is self._held[n] for n in now):
            return
        for name in sorted({*now, *self._held}):
            is_kept = isinstance(getattr(type(self.world), name, None), cached_property)
            if now.get(name, self) is not self._held.get(name, self) and not is_kept:
                raise Unsearchable(
                    f"client {self._who!r} sets world.{name}, which cannot be searched: each "
                    "client has a world of its own. Let it keep what is its own in a variable, "
                    "write what others shall see into a service, and what a check shall see into "
                    "a Journal"
                )


def held(world: Any) -> dict[str, Any]:
    """Return all attributes of an instance of a dataclass, be they in slots."""
    fields = {field.name for field in dataclasses.fields(world) if hasattr(world, field.name)}
    return {**getattr(world, "__dict__", {}), **{name: getattr(world, name) for name in fields}}
