"""What the clients of a world say they did or saw, for the checks to read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from raceproof.search.endings import without_addresses


class Journal:
    """What the clients of a world say they did or saw, in order, a list for each.

    Notes are JSON-like values. Writing one is not a step: it belongs to the call
    before it. `journal["reader"]` is the reader's list, empty if it said nothing.
    """

    def __init__(self) -> None:
        self._notes: dict[str, list[Any]] = {}

    def note(self, value: object) -> None:
        """Write down a value for the client that is running."""
        self._notes.setdefault(threading.current_thread().name, []).append(value)

    def __getitem__(self, client: str) -> list[Any]:
        return list(self._notes.get(client, []))

    def __iter__(self) -> Iterator[Any]:
        raise TypeError('a Journal has a list for each client: name one, as in journal["reader"]')

    def fill(self, client: str, notes: Sequence[Any]) -> None:
        """Set all that a client has said."""
        self._notes[client] = list(notes)


def note_text(value: object) -> str:
    """Return a note as text: a string as it is, the rest as JSON, or else as Python shows it.

    It does not say where an object is, as in `<C object at 0x7f…>`: that is nobody's choice.
    """
    if isinstance(value, str):
        return value
    try:
        return without_addresses(json.dumps(value, sort_keys=True, default=repr))
    except (TypeError, ValueError):  # keys that are no texts, a circle
        return without_addresses(repr(value))
