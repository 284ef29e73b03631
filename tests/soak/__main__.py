"""Kill clients and servers, and compare what was acknowledged: make soak SECONDS=600

Prints a table, a row for each helper; exit status 1 if anything is lost or doubled beyond the
guarantee that its docstring gives, or a client failed in another way than by being killed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from workshop import services

from .banks import banks
from .helpers import on_redis
from .rounds import Helper, play
from .servers import Places, running

RESULTS = Path("benches/results/soak.md")
COLUMNS = ["kills", "server kills", "acknowledged", "lost", "doubled", "failed"]


def soak(
    places: Places, servers: dict[str, Any], *, seconds: float, kills: int, seed: int, every: int
) -> list[Helper]:
    """Play rounds of all helpers in turn until the time is up or there were enough kills."""
    chance = random.Random(seed)
    helpers = [*on_redis(), *banks()]
    for helper in helpers:
        helper.prepare(places)
    end = time.monotonic() + seconds
    while time.monotonic() < end and sum(h.counts["kills"] for h in helpers) < kills:
        for helper in helpers:
            there = [servers[name].kill for name in helper.uses if name in servers]
            kill = chance.choice(there) if there and chance.randrange(every) == 0 else None
            play(helper, places, chance, kill)
    for helper in helpers:
        helper.counts["acknowledged"], lost, doubled = helper.check(places, helper.told)
        for word, found in (("lost", lost), ("doubled", doubled)):
            helper.counts[word] = len(found)
            for one in found[:10]:
                print(f"{helper.name}: {word}: {one}", file=sys.stderr)
    return helpers


def table(helpers: list[Helper]) -> str:
    """What happened, as a table in Markdown."""
    rows = [[helper.name, *(f"{helper.counts[c]:,}" for c in COLUMNS)] for helper in helpers]
    total = [f"{sum(h.counts[c] for h in helpers):,}" for c in COLUMNS]
    lines = [["helper", *COLUMNS], ["---"] + ["---:"] * len(COLUMNS), *rows, ["all", *total]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak as told; return the exit status."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--kills", type=int, default=10**9, help="stop after so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=30, help="rounds to one kill of a server")
    parser.add_argument("--write", action="store_true", help=f"the table into {RESULTS}")
    how = parser.parse_args(arguments)
    began = time.monotonic()
    with running() as (places, servers):
        helpers = soak(
            places, servers, seconds=how.seconds, kills=how.kills, seed=how.seed, every=how.every
        )
        with places.sql("PostgreSQL").connect() as sql:
            version = ".".join(map(str, sql.dialect.server_version_info or ()))
        about = [f"Redis {places.redis().info('server')['redis_version']}", f"PostgreSQL {version}"]
        about += [services.about("couch").partition(",")[0], f"Python {sys.version.split()[0]}"]
    took = time.monotonic() - began
    said = f"{date.today()}, {took:,.0f} seconds, seed {how.seed}: {', '.join(about)}."
    print(f"{table(helpers)}\n\n{said}")
    if how.write:
        RESULTS.write_text(
            f"{RESULTS.read_text().partition('| helper')[0]}{table(helpers)}\n\n{said}\n"
        )
    return int(any(h.counts[c] for h in helpers for c in ("lost", "doubled", "failed")))


if __name__ == "__main__":
    sys.exit(main())
