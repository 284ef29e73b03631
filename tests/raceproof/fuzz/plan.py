"""Which program a seed stands for, on which servers it runs, and how it is searched."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.raceproof.fuzz.choices import Seeded
from tests.raceproof.fuzz.couch_programs import couch_program
from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.redis_programs import redis_program
from tests.raceproof.fuzz.sql_programs import sql_program

# What makes programs of each kind, and the servers that they run on.
KINDS: dict[str, tuple[Callable[..., Program], tuple[str, ...]]] = {
    "redis": (redis_program, ("fakeredis", "redis-server")),
    "sql": (sql_program, ("sqlite", "postgresql")),
    "couch": (couch_program, ("couch",)),
}
# Schedules to aim at, at most.
SIZES = {
    "fakeredis": (6, 6, 6, 12, 12, 12, 24, 24, 60, 100),
    "redis-server": (6, 6, 6, 12, 12, 12, 24, 24, 60, 100),
    "sqlite": (12, 20, 40, 60, 60),
    "postgresql": (6, 6, 12, 20),
    "couch": (6, 6, 12, 20),
}
FULL = {"redis": 12, "sql": 8, "couch": 8}  # one in so many is searched with merge=False, too
REAL = 3  # one Redis program in so many runs on a real server, which takes longer
REPLAYS = 5  # one in so many has schedules made again at the end of its search
BOTH = 10  # one Redis program in so many runs on both servers
# On fakeredis fields never expire, EXEC does not fail when a watched key has expired or when LMPOP
# or XDEL have changed it, and who wants a member of a sorted set waits at a stream without entries,
# where Redis says WRONGTYPE.
FAKEREDIS_LACKS = re.compile(
    r"HP?EXPIRE|H[GS]ETEX|Watch\(.*ticks=|MKSTREAM.*BZM?POP|BZM?POP.*MKSTREAM"
    r"|Watch\(.*(?:LMPOP|XDEL)|(?:LMPOP|XDEL).*Watch\("
)


@dataclass(frozen=True)
class Planned:
    """One program on one server."""

    program: Program
    on: str
    full: bool
    replays: bool  # whether the search makes some schedules again, as it does for everybody else


def planned(kind: str, seed: int, first: str = "", small: bool = False) -> list[Planned]:
    """Return what a seed stands for; `first` names a set of seeds of its own."""
    chance = random.Random(f"plan {first} {kind} {seed}")
    generate, servers = KINDS[kind]
    at = (
        seed % len(servers)
        if kind == "sql"
        else int(chance.randrange(REAL) == 0 and kind == "redis")
    )
    sizes = SIZES[servers[at]][: 1 if small else None]
    size, full = chance.choice(sizes), chance.randrange(FULL[kind]) == 0
    program = generate(Seeded(f"{first} {kind} {seed}".strip()), servers[at], size)
    on = [servers[at]]
    if kind == "redis":
        if chance.randrange(BOTH) == 0:
            on = list(servers)
        if FAKEREDIS_LACKS.search(repr(program)):
            on = ["redis-server"]
    replays = full or chance.randrange(REPLAYS) == 0
    return [Planned(program, server, full, replays) for server in on]
