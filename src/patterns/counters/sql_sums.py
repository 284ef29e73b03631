"""The SQL side of counters: the sums, and what says which hits are in them already."""

from __future__ import annotations

import sqlalchemy as sa

from ._checks import check_transaction
from .counts import Counts

_TABLES = {
    "counter_hits": "counter TEXT, period BIGINT, start BIGINT, key TEXT, hits BIGINT NOT NULL,"
    " PRIMARY KEY (counter, period, start, key)",
    "counter_batches": "batch TEXT PRIMARY KEY, applied FLOAT NOT NULL",
    "counter_places": "stream TEXT PRIMARY KEY, last TEXT NOT NULL",
}
_ONCE = sa.text("""
    INSERT INTO counter_batches (batch, applied) VALUES (:batch, :applied)
    ON CONFLICT DO NOTHING""")
_ADD = sa.text("""
    INSERT INTO counter_hits (counter, period, start, key, hits)
    VALUES (:counter, :period, :start, :key, :hits)
    ON CONFLICT (counter, period, start, key)
    DO UPDATE SET hits = counter_hits.hits + excluded.hits""")
_READ = sa.text("""
    SELECT start, key, hits FROM counter_hits WHERE counter = :counter AND period = :period""")


def create_tables(sql: sa.Engine) -> None:
    """Make the tables that are missing; any number of processes may do so at once."""
    for table, columns in _TABLES.items():
        try:
            with sql.begin() as tx:
                tx.execute(sa.text(f"CREATE TABLE IF NOT EXISTS {table} ({columns})"))
        except sa.exc.DBAPIError:  # PostgreSQL refuses one of two that come at once
            if not sa.inspect(sql).has_table(table):
                raise


def apply_once(
    sql: sa.Engine, batch: str, now: float, counter: str, period: int, counts: Counts
) -> bool:
    """Add the counts of a batch, unless it has been added before; return whether it was new.

    Atomic: the batch's row and its counts are one transaction. If this raises you cannot
    know whether it was committed; to repeat it is safe. The table of batches grows by one row
    a batch. Delete rows older than any flusher can have been asleep, never younger ones.
    Raises ValueError before it writes if the driver commits each statement by itself.
    """
    with sql.begin() as tx:
        check_transaction(tx)
        if tx.execute(_ONCE, {"batch": batch, "applied": now}).rowcount == 0:
            return False
        add(tx, counter, period, counts)
        return True


def add(tx: sa.Connection, counter: str, period: int, counts: Counts) -> None:
    """Add counts to the sums, within a transaction of the caller's."""
    slot = {"counter": counter, "period": period}
    rows = [{**slot, "start": s, "key": k, "hits": n} for (s, k), n in sorted(counts.items())]
    if rows:
        tx.execute(_ADD, rows)


def read_sums(sql: sa.Engine, counter: str, period: int) -> Counts:
    """Return {(start, key): hits} of everything that has been added."""
    with sql.begin() as tx:
        rows = tx.execute(_READ, {"counter": counter, "period": period})
        return {(start, key): hits for start, key, hits in rows}
