"""What the clients of one answer do after which replies, remembered from search to search.

An answer is searched several times, in peace and with faults, by the same clients: the same
function of the same name. It does the same after the same replies, and where it does not, the
search finds out when it makes schedules again, by clients that remember nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raceproof.search import exploration
from raceproof.search.client import Client
from raceproof.search.client_thread import ClientThread
from raceproof.wire.calls import time_of

_known: dict[tuple[str, Callable[[Any], object], bool, bool], Client] = {}


def begin() -> None:
    """Forget the clients of the answer before: no other has the same."""
    _known.clear()


def client(
    name: str,
    code: Callable[[Any], object],
    make_world: Callable[[ClientThread], Any],
    ran: Callable[[], None],
) -> Client:
    """Make a client for a search; one that looks at each state once begins with what is known."""
    states: Any = make_world
    if not states.__self__.merge:
        return Client(name, code, make_world, ran)
    world = states.__self__._world  # where time passes, it may look at it: see time_of
    key = (name, code, world._time_passes, time_of(name) in world._closer)
    before = _known.get(key)
    if before is None:
        before = _known[key] = Client(name, code, make_world, ran)
        return before
    before.close()
    before._make_world, before._ran = make_world, ran
    return before


def use() -> None:
    """Remember, in this process, from now on."""
    vars(exploration)["Client"] = client
