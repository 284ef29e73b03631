"""Inside a client's thread: the world's time, the client's own chance, no way around the world.

stand_ins.py       replaces functions for the duration of a search, in clients only
held_in_modules.py where they are: which modules hold them, under which names
captured.py        the same where code holds them itself: in closures, defaults, attributes, lists
put_there.py       what a test has put in the place of one, which stays
client_time.py     clocks, sleeping, datetime, asyncio
client_chance.py   random, uuid, secrets, os.urandom
onlooking.py       sleeping in a check, which takes no time
client_threads.py  threads of a client's own, and waiting in Python itself
outside.py         connections that are not the world's, and processes
redirections.py    standard streams and warnings that a client redirects
files.py           files that are written, and the environment
"""

from __future__ import annotations

from raceproof.search import (
    client_chance,
    client_threads,
    client_time,
    files,
    outside,
    redirections,
    stand_ins,
)
from raceproof.search.stand_ins import Deterministic, enter

__all__ = ["Deterministic", "deterministic", "enter", "leave"]

for _module in (client_time, client_chance, client_threads, outside, files):
    stand_ins.preparation(_module.replace)
for _module in (client_time, client_chance):
    _module.replace()  # now, while nobody has put anything in the place of Python's functions
deterministic = stand_ins.standing_in


def leave() -> None:
    """Give the current thread, in which a client has ended, the real ones back."""
    client = stand_ins.current()
    stand_ins.leave()
    redirections.end()
    if client is not None:
        client_threads.wait_for_children(client)
