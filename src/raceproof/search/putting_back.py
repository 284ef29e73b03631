"""Whether a world can be brought back to a state without being made anew.

Each of its services must be able to, and nothing else in it may change.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from raceproof.search.journal import Journal
from raceproof.search.own_world import held
from raceproof.wire.adapter import Adapter

_CONSTANT = (str, bytes, int, float, type(None), Journal)


def unchanged(world: Any, made: dict[str, Any], services: Container[str]) -> bool:
    """Return whether what is no service in a world is as it was made, and cannot change."""
    now = held(world)
    return now.keys() == made.keys() and all(
        now[name] is value and (name in services or isinstance(value, _CONSTANT))
        for name, value in made.items()
    )


def can_put_back(adapter: Adapter) -> bool:
    """Return whether an adapter says how, which one that was written by others need not."""
    return hasattr(adapter, "put_back")
