"""Two searches on eight small programs, some right and some wrong: ours, and frontrun.

    python benches/searches.py [--rounds 3] [--only ours]

Found or not, a wrong "holds", and seconds. Redis is our private server, SQL a private PostgreSQL.
frontrun gets an environment of its own in build/bench, the first time from the network. A whole run
takes about three minutes; what it finds is written to benches/results/searches.*.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import sqlalchemy as sa
from benches.compared import databases, pages
from benches.search_programs import results, trials
from benches.search_programs.programs import PROGRAMS

from workshop import services


def main() -> None:
    """Search everything; print and write it."""
    parser = argparse.ArgumentParser(description="Searches side by side")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["ours"], help="ours alone, and nothing is written")
    how = parser.parse_args()
    on = pages.machine()
    services.redis("bench", fresh=True)
    searches = trials.searches()[:1] if how.only else trials.searches()
    if not how.only:
        trials.make_peer()
    rows = []
    with databases.addresses(waits=False) as found:
        url = found[databases.POSTGRESQL]
        for program in PROGRAMS:
            ours: list[trials.Found] = []
            for search in searches:
                told = trials.run(search, program, how.rounds, [services.redis_url("bench"), url])
                ours = ours or told  # the first is ours
                rows.append(results.judge(program, search, told, ours))
                print(" · ".join(str(value) for value in rows[-1].values()), flush=True)
        engine = sa.create_engine(url)
        on |= {"postgresql": databases.version(engine), "frontrun": "0.7.0"}
        engine.dispose()
    print(results.table(rows))
    for search in searches:
        print(search.name, results.counts(rows, search.name))
    if not how.only:
        results.write(rows, {"rounds": how.rounds}, on)
    if results.counts(rows, "raceproof") != {"right": len(PROGRAMS)}:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
