"""What a transfer costs: the post's two versions, Bank, and one SQL transaction a transfer.

    python benches/transfers.py [--rounds 5] [--transfers 160] [--clients 1 8] [--accounts 20]

Many clients at once on the CouchDB that a notebook would get, on SQLite and on PostgreSQL; then one
client on a ledger that grows. Only ratios of one round can be compared. A whole run takes two and
a half minutes; what it finds is written to benches/results/transfers.*, and on the Apache CouchDB
of COUCHDB_URL to transfers_apache.*.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benches.compared import databases, pages
from benches.compared.ratios import rounds
from benches.money_moved import results, trials
from benches.money_moved.versions import NAIVE, OURS, PENDING

from workshop import services


def main() -> None:
    """Measure everything; print and write it."""
    parser = argparse.ArgumentParser(description="Transfers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transfers", type=int, default=160, help="of each version in each round")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    how = parser.parse_args()
    on = pages.machine()
    services.couch("bench", fresh=True)
    on |= {"couch": services.about("couch").split(",")[0]}
    rows: list[pages.Row] = []
    with databases.engines() as sql:
        on |= {name.lower(): databases.version(engine) for name, engine in sql.items()}
        for clients in how.clients:
            each = trials.trials(sql, clients, how.accounts, how.transfers)
            rows += results.summary(clients, rounds(how.rounds, each))
    growth = {}
    for version in (PENDING, NAIVE, OURS) if how.sizes else ():
        took = trials.growth(version, how.sizes, count=20)
        growth[version] = [round(ms, 2) for ms in took]
    found = {"machine": on, "how": vars(how), "rows": rows, "growth": growth}
    for table in results.tables(found):
        print(table)
    results.write(found)
    [best] = [r for r in rows if (r["version"], r["clients"]) == (OURS, max(how.clients))]
    print(f"{best['clients']} clients: Bank is {best['times']:.1f} times pending (needed: 4)")
    if best["times"] < results.WANTED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
