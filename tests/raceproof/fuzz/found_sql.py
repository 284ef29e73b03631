"""SQL programs on which the search and the enumeration once disagreed: see `found.py`."""

from __future__ import annotations

from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.sql_programs import Transaction

FOUND_SQL: dict[str, tuple[Program, tuple[str, ...]]] = {
    # The search was wrong: to tell whether a client asks in vain, it made an earlier request once
    # more where the client was about to make another one, with a statement still under way.
    "a reply that waits, at one poll": (
        Program(
            {
                "a": (Transaction(("UPDATE t SET n = n + 1 WHERE id = 2",), "AUTOCOMMIT", ""),),
                "b": (
                    Transaction(("SELECT n FROM t WHERE id = 2 FOR UPDATE",), end="rollback"),
                    Transaction(("INSERT INTO t VALUES (3, 7) ON CONFLICT DO NOTHING",)),
                ),
            },
            kind="sql",
        ),
        ("postgresql",),
    ),
    # The search was wrong: before a look it rolled back the transaction that a statement in
    # AUTOCOMMIT waited for, which was then carried out, and seen, or not, by chance.
    "a look while a statement waits for a row": (
        Program(
            {
                "a": (
                    Transaction(
                        tuple(f"UPDATE t SET n = n + 1 WHERE id = {id}" for id in (1, 2)),
                        "AUTOCOMMIT",
                        "",
                    ),
                ),
                "b": (
                    Transaction(
                        (
                            "SELECT n FROM t WHERE id = 2 FOR UPDATE NOWAIT",
                            "UPDATE t SET n = 0 WHERE n = 2",
                        ),
                    ),
                ),
            },
            kind="sql",
            always=3,
        ),
        ("postgresql",),
    ),
    "a look while a statement waits for a row taken with SKIP LOCKED": (
        Program(
            {
                "a": (
                    Transaction(("SELECT id FROM t ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",)),
                ),
                "b": (Transaction(("UPDATE t SET n = n + 1 WHERE id = 1",), "AUTOCOMMIT", ""),),
            },
            kind="sql",
            bounds={"preemptions": 1},
            always=3,
        ),
        ("postgresql",),
    ),
    # The search was wrong: of what is sent to PostgreSQL only COMMIT could be late.
    "a statement in AUTOCOMMIT that is late": (
        Program(
            {
                "a": (Transaction(("UPDATE t SET n = n + 1 WHERE id = 2",), "AUTOCOMMIT", ""),),
                "b": (Transaction(("SELECT n FROM t WHERE id = 2 FOR UPDATE",)),),
            },
            kind="sql",
            bounds={"crashes": 1, "late": 1},
        ),
        ("postgresql",),
    ),
    # The enumeration hung: a client whose reply was lost while it waited took it for an error.
    "a lost reply of who waits for a COMMIT that is late": (
        Program(
            {
                "a": (Transaction(("SELECT n FROM t WHERE id = 1 FOR UPDATE",), end=""),),
                "b": (Transaction(("SELECT id FROM t WHERE id = 1 FOR UPDATE SKIP LOCKED",)),),
            },
            kind="sql",
            bounds={"lost_replies": 1, "late": 1},
        ),
        ("postgresql",),
    ),
}
