"""Queues side by side: ours, and rq, Celery, dramatiq, huey, arq and saq, on one private server.

    python benches/queues.py [--jobs 1500] [--rounds 5] [--kills 100] [--together 3]

Each engine is one worker process, in the setting that its documentation recommends where no job may
be lost. How many empty jobs a second; how long from put to start; which jobs are lost or doubled
when the worker is killed with SIGKILL again and again, amid its jobs. Speeds are compared with the
bare commands of the same round: only ratios of one run can be compared. Where workers are killed
nothing is timed, and most of it is waiting for leases to end: some engines have their turn
together, each with a server of its own. Engines that do not live in our environment get one of
their own in build/bench, the first time from the network. A whole run takes half an hour; what it
finds is written to benches/results/queues.*.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benches.compared.pages import machine
from benches.compared.ratios import rounds, share
from benches.queue_engines import results, trials
from benches.queue_engines.engines import BARE, ENGINES, make_environments

ENOUGH = 0.5  # times the bare commands


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Queues side by side")
    parser.add_argument("--jobs", type=int, default=1500, help="empty jobs in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spaced", type=int, default=200, help="jobs that come one by one")
    parser.add_argument("--a-second", type=float, default=20, help="how many of them a second")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--together", type=int, default=3, help="engines whose workers are killed")
    parser.add_argument("--kills-of", metavar="ENGINE", help="only these kills anew, in the file")
    return parser.parse_args()


def killed(name: str, kills: int) -> dict[str, int]:
    """Kill the worker of one engine so often; it has a name, for another process does this."""
    [engine] = [engine for engine in ENGINES if engine.name == name]
    return trials.killed(engine, kills)


def all_killed(kills: int, together: int) -> dict[str, Any]:
    """Kill the worker of each engine so often, of some engines together."""
    names = [engine.name for engine in ENGINES]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(together, mp_context=fresh, max_tasks_per_child=1) as pool:
        found: dict[str, Any] = {}
        for name, became in zip(names, pool.map(killed, names, repeat(kills)), strict=True):
            print(name, became, flush=True)
            found[name] = became
    return found


def main() -> None:
    """Measure everything; print and write it."""
    how = asked()
    make_environments()
    if how.kills_of:
        results.replace(how.kills_of, killed(how.kills_of, how.kills))
        return
    on = machine()
    ways = {engine.name: partial(trials.speed, engine, how.jobs) for engine in ENGINES}
    speeds = rounds(how.rounds, ways)
    soon: dict[str, Any] = {}
    for engine in ENGINES if how.spaced else ():
        found = trials.waiting(engine, how.spaced, how.a_second)
        parts = {"p50": share(found, 0.5), "p99": share(found, 0.99)}
        soon[engine.name] = {name: round(value, 2) for name, value in parts.items()}
        print(engine.name, soon[engine.name], flush=True)
    kills = all_killed(how.kills, how.together) if how.kills else {}
    rows = results.summary(speeds, soon, kills)
    asked_for = {name: value for name, value in vars(how).items() if value is not None}
    results.write(rows, asked_for, on)
    print(results.table(rows))
    by_name = {row["engine"]: row for row in rows}
    for name in ("ReliableQueue", "StreamQueue"):
        ratio = by_name[name]["times bare"]
        print(f"{name}: {ratio:.2f} times {BARE} (needed: {ENOUGH})")
        if ratio < ENOUGH or ratio < by_name["huey"]["times bare"] or by_name[name].get("lost"):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
