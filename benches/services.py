"""How long one call on each service takes here: the price of a step, for a helper or a search.

    make bench

Prints the median and the 95th percentile of each call, in microseconds, over ROUNDS calls from
one client, after a warm-up. Uses the services that a notebook would get.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from sqlalchemy import text

from workshop import services

ROUNDS = 1000
WARM_UP = 50


def measure(call: Callable[[int], object]) -> tuple[float, float]:
    """The median and the 95th percentile of `call(n)`, in microseconds."""
    took = []
    for n in range(WARM_UP + ROUNDS):
        began = time.perf_counter()
        call(n)
        took.append((time.perf_counter() - began) * 1e6)
    cuts = statistics.quantiles(took[WARM_UP:], n=20)
    return statistics.median(took[WARM_UP:]), cuts[-1]


def redis_calls() -> dict[str, Callable[[int], object]]:
    """One command, one pipeline of ten, one script."""
    redis = services.redis("bench", fresh=True)

    def ten(n: int) -> object:
        with redis.pipeline(transaction=True) as pipe:
            for _ in range(10):
                pipe.incr("counter")
            return pipe.execute()

    return {
        "SET": lambda n: redis.set("key", n),
        "MULTI, 10 INCR, EXEC": ten,
        "EVAL": lambda n: redis.eval("return redis.call('INCR', KEYS[1])", 1, "counter"),
    }


def couch_calls() -> dict[str, Callable[[int], object]]:
    """One document written, one read, and a view read after a write."""
    couch = services.couch("bench", fresh=True)
    sums = {"map": "function (doc) { emit(doc.account, doc.amount) }", "reduce": "_sum"}
    couch["_design/bank"] = {"views": {"balance": sums}}

    def write_and_sum(n: int) -> object:
        couch[f"row {n}"] = {"account": n % 10, "amount": 1}
        return list(couch.view("bank/balance", key=n % 10, group=True))

    return {
        "PUT a document": lambda n: couch.save({"_id": f"document {n}"}),
        "GET a document": lambda n: couch[f"document {n}"],
        "PUT, then its view": write_and_sum,
    }


def sql_calls() -> dict[str, Callable[[int], object]]:
    """One transaction that writes, one that reads."""
    engine = services.sql("bench", fresh=True)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE hits (page INTEGER PRIMARY KEY, count INTEGER)"))
        tx.execute(text("INSERT INTO hits VALUES (1, 0)"))

    def write(n: int) -> None:
        with engine.begin() as tx:
            tx.execute(text("UPDATE hits SET count = count + 1 WHERE page = 1"))

    def read(n: int) -> object:
        with engine.begin() as tx:
            return tx.execute(text("SELECT count FROM hits WHERE page = 1")).scalar_one()

    return {"BEGIN, UPDATE, COMMIT": write, "BEGIN, SELECT, COMMIT": read}


def main() -> None:
    """Print the table, a service at a time."""
    print(f"{'one call, µs':<28}{'median':>8}{'95 %':>8}")
    for name, calls in {"redis": redis_calls, "couch": couch_calls, "sql": sql_calls}.items():
        print(f"\n{services.about(name)}")
        for what, call in calls().items():
            median, slow = measure(call)
            print(f"  {what:<26}{median:>8.0f}{slow:>8.0f}")


if __name__ == "__main__":
    main()
