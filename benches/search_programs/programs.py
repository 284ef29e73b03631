"""Eight small programs: ordinary functions that take a client of Redis or an engine of SQL.

Both searches get the same functions. This module needs redis-py and SQLAlchemy and nothing else,
as it is imported in the environments of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
import sqlalchemy as sa

REDIS, SQL = "redis", "sql"
KEYS = ("n", "lock", "sections", "jobs")
BROKEN, HOLDS, CUT, UNDECIDED, ERROR = "broken", "holds", "cut short", "cannot tell", "error"


@dataclass(frozen=True)
class Program:
    """What clients do, with what they begin, and what is true at the end if they are right."""

    name: str
    store: str
    clients: tuple[Callable[[Any], None], ...]
    prepare: Callable[[Any], object]
    is_right: Callable[[Any], bool]
    truth: str = HOLDS  # what a perfect search says
    crashes: int = 0  # how many clients may die


# --- Redis ---------------------------------------------------------------------------------------


def number(r: redis.Redis, key: str = "n") -> int:
    return int(r.get(key) or 0)


def zero(r: redis.Redis) -> None:
    r.delete(*KEYS)
    r.set("n", 0)


def get_and_set(r: redis.Redis) -> None:
    r.set("n", number(r) + 1)


def increment(r: redis.Redis) -> None:
    r.incr("n")


def watch_and_set(r: redis.Redis) -> None:
    with r.pipeline() as pipe:
        while True:
            try:
                pipe.watch("n")
                value = int(pipe.get("n"))
                pipe.multi()
                pipe.set("n", value + 1)
                pipe.execute()
                return
            except redis.WatchError:
                continue


def with_lock(r: redis.Redis) -> None:
    """Try twice; who did not get the lock lets it go all the same."""
    for _ in range(2):
        try:
            if r.set("lock", "taken", nx=True):
                r.set("n", number(r) + 1)
                r.incr("sections")
                return
        finally:
            r.delete("lock")


def nothing_lost_in_the_lock(r: redis.Redis) -> bool:
    return number(r) == number(r, "sections")


def two_jobs(r: redis.Redis) -> None:
    r.delete(*KEYS)
    r.rpush("jobs", "a", "b")


def pop_and_count(r: redis.Redis) -> None:
    if r.lpop("jobs"):
        r.incr("n")


def no_job_lost(r: redis.Redis) -> bool:
    return number(r) + int(r.llen("jobs")) == 2


def is_two(r: redis.Redis) -> bool:
    return number(r) == 2


# --- SQL -----------------------------------------------------------------------------------------


TABLES = {
    "stock": "name TEXT PRIMARY KEY, left_over INTEGER",
    "seats": "seat TEXT PRIMARY KEY",
    "sales": "n INTEGER",
    "accounts": "name TEXT PRIMARY KEY, balance INTEGER",
}


def tables(sql: sa.Engine) -> None:
    with sql.begin() as tx:
        for table, columns in TABLES.items():
            tx.execute(sa.text(f"CREATE TABLE IF NOT EXISTS {table} ({columns})"))
            tx.execute(sa.text(f"TRUNCATE {table}"))  # so that rows lie as before
        tx.execute(sa.text("INSERT INTO stock VALUES ('lamp', 1)"))
        tx.execute(sa.text("INSERT INTO accounts VALUES ('ann', 100), ('bob', 100)"))


def ask(sql: sa.Engine, question: str) -> Any:
    with sql.begin() as tx:
        return tx.execute(sa.text(question)).scalar_one()


def look_and_sell(sql: sa.Engine) -> None:
    with sql.begin() as tx:
        if tx.execute(sa.text("SELECT left_over FROM stock WHERE name = 'lamp'")).scalar_one() > 0:
            tx.execute(sa.text("UPDATE stock SET left_over = left_over - 1 WHERE name = 'lamp'"))
            tx.execute(sa.text("INSERT INTO sales VALUES (1)"))


def take_seat(sql: sa.Engine) -> None:
    try:
        with sql.begin() as tx:
            tx.execute(sa.text("INSERT INTO seats VALUES ('12A')"))
            tx.execute(sa.text("INSERT INTO sales VALUES (1)"))
    except sa.exc.IntegrityError:
        return


def move(sender: str, recipient: str, amount: int) -> Callable[[sa.Engine], None]:
    """Rows in the order of their names, so that no two clients wait for each other."""

    def client(sql: sa.Engine) -> None:
        change = "UPDATE accounts SET balance = balance + :change WHERE name = :name"
        with sql.begin() as tx:
            for name, by in sorted([(sender, -amount), (recipient, amount)]):
                tx.execute(sa.text(change), {"name": name, "change": by})

    return client


def at_most_one_sold(sql: sa.Engine) -> bool:
    return bool(ask(sql, "SELECT count(*) FROM sales") <= 1)


def one_seat_sold(sql: sa.Engine) -> bool:
    return bool(ask(sql, "SELECT count(*) FROM sales") == 1)


def money_is_right(sql: sa.Engine) -> bool:
    return bool(ask(sql, "SELECT balance FROM accounts WHERE name = 'ann'") == 120) and bool(
        ask(sql, "SELECT sum(balance) FROM accounts") == 200
    )


PROGRAMS = (
    Program("GET, then SET", REDIS, (get_and_set,) * 2, zero, is_two, BROKEN),
    Program("INCR", REDIS, (increment,) * 2, zero, is_two),
    Program("WATCH, then SET", REDIS, (watch_and_set,) * 2, zero, is_two),
    Program("a lock that anybody lets go", REDIS, (with_lock,) * 2, zero,
            nothing_lost_in_the_lock, BROKEN),
    Program("SELECT, then UPDATE", SQL, (look_and_sell,) * 2, tables, at_most_one_sold, BROKEN),
    Program("INSERT of a unique row", SQL, (take_seat,) * 2, tables, one_seat_sold),
    Program("a transfer between two rows", SQL, (move("ann", "bob", 30), move("bob", "ann", 50)),
            tables, money_is_right),
    Program("LPOP, then work, and a crash", REDIS, (pop_and_count,) * 2, two_jobs, no_job_lost,
            BROKEN, crashes=1),
)  # fmt: skip
