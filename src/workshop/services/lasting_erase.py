"""Erasing what lasting servers keep, so that nothing of it is left in their files."""

from __future__ import annotations

import time

import redis
import sqlalchemy

from . import environment


def erase_redis(client: redis.Redis, *, but: str) -> None:
    """Remove every key but one; a Redis of ours also writes its file anew, without them."""
    for name in list(client.scan_iter("*", count=1000)):
        if name != but:
            client.unlink(name)
    if environment.redis_url() is None:
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.01)


def erase_sql(engine: sqlalchemy.Engine) -> None:
    """Empty every table of an SQLite file, and what the file keeps of their rows."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{name}"')
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        raw.close()
