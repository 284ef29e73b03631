"""Random SQL programs: two clients, a few transactions on one small table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from tests.raceproof.fuzz.choices import Choices
from tests.raceproof.fuzz.programs import Program, Try, words

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"
BOTH = """SELECT n FROM t WHERE id = {id}|SELECT sum(n) FROM t
    UPDATE t SET n = n + 1 WHERE id = {id}
    UPDATE t SET n = (SELECT max(n) FROM t) + 1 WHERE id = {id}|INSERT INTO t VALUES (3, {id})
    INSERT INTO t VALUES (3, {id}) ON CONFLICT DO NOTHING|DELETE FROM t WHERE id = {id}
    SELECT count(*) FROM t WHERE n > 0|UPDATE t SET n = 0 WHERE n = {id}|UPDATE t SET n = {seen} + 1
    INSERT INTO t VALUES (3, 7) ON CONFLICT (id) DO UPDATE SET n = t.n + 1|SELECT id, n FROM t
    UPDATE t SET n = n - 1 WHERE id = {id} AND n > 0 RETURNING n"""
POSTGRESQL = """SELECT n FROM t WHERE id = {id} FOR UPDATE|SELECT n FROM t WHERE id = {id} FOR SHARE
    SELECT id FROM t ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    SELECT n FROM t WHERE id = {id} FOR UPDATE NOWAIT|SELECT pg_advisory_xact_lock({id})
    SELECT pg_try_advisory_xact_lock({id})|LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE
    WITH x AS (SELECT n FROM t WHERE id = 1) UPDATE t SET n = (SELECT n FROM x) + 1 WHERE id = {id}
    SELECT nextval('s')"""
FAULTS = {"crashes", "lost_replies"}
LEVELS = (None, None, "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT")


@dataclass(frozen=True)
class Transaction:
    """Statements on one connection; `end` is commit, rollback, or nothing (the connection closes).

    A statement may hold `{seen}`: the last number that was read. `savepoint` is the place of the
    statement from which on they are in a SAVEPOINT; an error in there is rolled back alone.
    """

    statements: tuple[str, ...]
    level: str | None = None
    end: str = "commit"
    savepoint: int | None = None


class SqlClient:
    """Runs one client's transactions through `world.sql`."""

    def __init__(self, operations: tuple[Any, ...]) -> None:
        self._operations = operations

    def __call__(self, world: Any) -> None:
        SqlClient(self._operations)._run(self._operations, world)

    _seen: Any = 0

    def _run(self, operations: tuple[Any, ...], world: Any) -> None:
        for op in operations:
            if isinstance(op, Try):
                try:
                    self._run(op.body, world)
                except sa.exc.DBAPIError:
                    world.journal.note("lost")
            else:
                self._transaction(op, world)

    def _transaction(self, op: Transaction, world: Any) -> None:
        level = {"isolation_level": op.level} if op.level else {}
        try:
            with world.sql.connect().execution_options(**level) as connection:
                at = len(op.statements) if op.savepoint is None else op.savepoint
                self._statements(op.statements[:at], connection, world)
                if op.savepoint is not None:
                    try:
                        with connection.begin_nested():
                            self._statements(op.statements[at:], connection, world)
                    except sa.exc.DBAPIError as error:
                        if error.connection_invalidated:
                            raise
                        world.journal.note(f"inner {type(error.orig).__name__}")
                if op.end == "commit":
                    connection.commit()
                    world.journal.note("ok")
                elif op.end == "rollback":
                    connection.rollback()
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            world.journal.note(type(error.orig).__name__)

    def _statements(self, statements: tuple[str, ...], connection: Any, world: Any) -> None:
        for sql in statements:
            done = connection.execute(sa.text(sql.format(seen=self._seen or 0, id=1)))
            if done.returns_rows:
                rows = [tuple(row) for row in done]
                self._seen = rows[0][0] if len(rows) == 1 else 0
                world.journal.note(words(rows))
            else:
                world.journal.note(str(done.rowcount))


def sql_program(choices: Choices, on: str, size: int = 150) -> Program:
    """Return a random SQL program for one database."""
    lines = [line.strip() for line in BOTH.replace("\n", "|").split("|")]
    if on == "postgresql":
        lines += [line.strip() for line in POSTGRESQL.replace("\n", "|").split("|")] * 2
    clients: dict[str, tuple[Any, ...]] = {}
    for name in "ab":
        transactions: list[Any] = []
        for _ in range(choices.one((1, 1, 2))):
            length = choices.number(1, 2 if transactions else 3)
            statements = tuple(
                choices.one(lines).replace("{id}", str(choices.number(1, 2))) for _ in range(length)
            )
            level = choices.one(LEVELS) if on == "postgresql" else None
            nested = choices.number(0, length - 1) if choices.chance(12) else None
            end = choices.one(("commit", "commit", "commit", "rollback", ""))
            transactions.append(Transaction(statements, level, end, nested))
        if choices.chance(15):
            transactions = [Try(tuple(transactions)), Transaction(("SELECT sum(n) FROM t",))]
        clients[name] = tuple(transactions)
    bounds = dict(choices.one(({}, {}, {"crashes": 1}, {"lost_replies": 1}, {"preemptions": 1})))
    if on == "postgresql" and FAULTS & bounds.keys() and choices.chance(50):
        bounds["late"] = 1
    size = max(size, 60) if FAULTS & bounds.keys() else size
    shorten_first = choices.chance(50)
    while _schedules(clients, bounds) > size:
        longest = max(clients, key=lambda name: _requests(clients[name]))
        shorter = _shorter(clients[longest])
        if shorter != clients[longest] and (shorten_first or not FAULTS & bounds.keys()):
            clients[longest] = shorter
        elif not any(bounds.pop(name, 0) for name in ("late", "crashes", "lost_replies")):
            break
    begin = choices.one(("immediate", "deferred", "deferred"))
    return Program(
        clients,
        kind="sql",
        bounds=bounds,
        options={} if on == "postgresql" else {"begin": begin},
        wrong=choices.one((1, 1, 2)),
        always=choices.one((3, 9)) if choices.chance(50 if begin == "immediate" else 15) else 0,
        afterwards=("b",) if choices.chance(8) else (),
    )


def _shorter(operations: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(operations) > 1:
        return operations[:-1]
    if isinstance(operations[0], Try):
        return tuple(operations[0].body)
    only = operations[0]
    return (Transaction(only.statements[:-1] or only.statements, only.level, only.end),)


def _schedules(clients: dict[str, tuple[Any, ...]], bounds: dict[str, int]) -> float:
    counts = [_requests(operations) for operations in clients.values()]
    guess = math.factorial(sum(counts)) / math.prod(map(math.factorial, counts))
    return guess * (1 + sum(counts)) ** len(FAULTS & bounds.keys()) * (1 + bounds.get("late", 0))


def _requests(operations: tuple[Any, ...]) -> int:
    return sum(
        _requests(op.body)
        if isinstance(op, Try)
        else len(op.statements) * (1 + (op.level == "AUTOCOMMIT"))
        + (op.level != "AUTOCOMMIT")
        + 2 * (op.savepoint is not None)
        for op in operations
    )
