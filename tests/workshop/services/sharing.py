"""What a process does that was invited: it imports no more than this, where it is spawned."""

from __future__ import annotations

from sqlalchemy import text

from workshop import services


def work(invitation: str, numbers: list[int]) -> None:
    """Put the numbers into each of the services."""
    services.join(invitation)
    for number in numbers:
        services.redis("test-many").rpush("seen", number)
        services.couch("test-many").save({"_id": str(number)})
        with services.sql("test-many").begin() as tx:
            tx.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
