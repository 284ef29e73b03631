"""Hits a second that are all counted: buffered in Redis, bare commands, and a transaction a hit.

    python benches/counters.py [--rounds 5] [--seconds 1.5]

One writer, in one process. Direct: an UPSERT in a transaction of its own for each hit, on SQLite
and on PostgreSQL. Buffered: hits in Redis and a flush each second, which counts. Only ratios of one
round can be compared. A whole run takes a minute and a half; what it finds is written to
benches/results/counters.*.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benches.compared import databases, pages
from benches.compared.ratios import rounds
from benches.counted_hits import results, ways

from workshop import services

ENOUGH = 10  # times a transaction a hit on SQLite as it comes
MOST = 2  # times the processor time of the bare command in a pipeline


def main() -> None:
    """Measure everything; print and write it."""
    parser = argparse.ArgumentParser(description="Counters")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each way in each round")
    how = parser.parse_args()
    on = pages.machine()
    client = services.redis("bench", fresh=True)
    with databases.engines() as sql:
        on |= {name.lower(): databases.version(engine) for name, engine in sql.items()}
        found = rounds(how.rounds, ways.trials(how.seconds, client, sql))
    rows = results.summary(found)
    print(results.table(rows))
    results.write(rows, vars(how), on)
    [best] = [row for row in rows if row["way"] == ways.BUFFER_PIPED]
    fast, dear = best["times direct"]["times"], best["cpu times bare"]["times"]
    print(f"{best['way']}: {fast:,.0f} times a transaction a hit (needed: {ENOUGH})")
    print(f"{best['way']}: {dear:.1f} times the CPU of {ways.PIPED} (wanted: {MOST})")
    if fast < ENOUGH:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
