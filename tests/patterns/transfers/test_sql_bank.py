"""The SQL bank: the same promises, on SQLite and PostgreSQL."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from patterns.transfers import (
    InsufficientFunds,
    InvalidAccount,
    InvalidAmount,
    KeyAlreadyUsed,
    SqlBank,
    sql_bank,
)
from patterns.transfers._checks import LARGEST
from patterns.transfers.ledger import account_code
from patterns.transfers.sql_bank import MOST, OUTSIDE
from raceproof import Journal, Violation, explore
from workshop import services


def opened(engine: sa.Engine) -> SqlBank:
    bank = SqlBank(engine).install()
    for name in ("alice", "bob"):
        bank.open(name)
    bank.deposit("alice", 100, "d1")
    return bank


def test_it_does_what_the_bank_does(sql_engine):
    bank = opened(sql_engine)
    for _ in range(2):
        bank.install()
        bank.open("alice")
        bank.deposit("alice", 100, "d1")
        bank.transfer("alice", "bob", 80, "t1")
    assert (bank.balance("alice"), bank.balance("bob")) == (20, 80)
    with pytest.raises(InsufficientFunds, match="alice has 20, 21 are needed"):
        bank.transfer("alice", "bob", 21, "t2")
    bank.deposit("alice", 1, "d2")
    bank.transfer("alice", "bob", 21, "t2")
    others = [("alice", "bob", 20, "t2"), ("bob", "alice", 21, "t2"), ("bob", "alice", 1, "d1")]
    for other in others:
        with pytest.raises(KeyAlreadyUsed):
            bank.transfer(*other)
    for wrong in (("alice", "zoe"), ("zoe", "alice"), ("alice", "alice"), ("", "alice")):
        with pytest.raises((InvalidAccount, InsufficientFunds)):
            bank.transfer(*wrong, 1, "t3")
    with pytest.raises(InvalidAmount):
        bank.transfer("alice", "bob", 0, "t3")
    with pytest.raises(InvalidAccount):
        bank.balance("zoe")
    assert (bank.balance("alice"), bank.balance("bob")) == (0, 101)


def test_opposite_transfers_at_the_same_time(sql_engine):
    """On PostgreSQL rows taken in different orders would end in a deadlock."""
    bank = opened(sql_engine)
    bank.deposit("bob", 100, "d2")
    failed = []

    def many(sender, to):
        for number in range(20):
            try:
                bank.transfer(sender, to, 1 + number % 7, f"{sender}{number}")
            except InsufficientFunds:
                pass
            except Exception as error:
                failed.append(error)

    threads = [
        threading.Thread(target=many, args=pair) for pair in (("alice", "bob"), ("bob", "alice"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert bank.balance("alice") + bank.balance("bob") == 200


LATER = {
    "sqlite": {
        "an option": lambda engine: engine.update_execution_options(isolation_level="AUTOCOMMIT"),
        "sqlite3's own": lambda engine: each_connection(engine, isolation_level=None),
    },
    "postgresql": {
        "an option": lambda engine: engine.update_execution_options(isolation_level="autocommit"),
        "psycopg's own": lambda engine: each_connection(engine, autocommit=True),
    },
}
if sys.version_info >= (3, 12):
    LATER["sqlite"]["Python 3.12"] = lambda engine: each_connection(engine, autocommit=True)


def each_connection(engine: sa.Engine, **settings: Any) -> None:
    """Set attributes of the driver's connections when they are taken out of the pool."""

    @sa.event.listens_for(engine, "checkout")
    def _(driver: Any, *_: Any) -> None:
        for name, value in settings.items():
            setattr(driver, name, value)


def plain() -> sa.Engine:
    """An engine of one's own on the database of `sql_engine`: nothing is set by hand."""
    return sa.create_engine(services.sql_url("test"))


def stored(engine: sa.Engine) -> list:
    with engine.connect() as tx:
        tables = "SELECT name, balance FROM bank_accounts", "SELECT key, amount FROM bank_transfers"
        return [sorted(map(tuple, tx.execute(sa.text(table)))) for table in tables]


@pytest.mark.parametrize("how", range(3))
def test_autocommit_that_comes_later_is_refused_before_anything_is_written(sql_engine, how):
    opened(sql_engine)
    before = stored(sql_engine)
    ways = list(LATER[sql_engine.dialect.name].values())
    if how >= len(ways):
        return
    engine = plain()
    bank = SqlBank(engine)
    ways[how](engine)
    for call in (
        lambda: bank.open("carol"),
        lambda: bank.deposit("alice", 1, "d2"),
        lambda: bank.transfer("alice", "bob", 101, "t1"),
    ):
        with pytest.raises(ValueError, match="must not be in AUTOCOMMIT"):
            call()
    assert stored(sql_engine) == before


def test_a_begin_of_ones_own_is_a_transaction(sql_engine):
    """As SQLAlchemy's documentation has it for sqlite3; `services.sql` does so, too."""
    engine = plain()
    if engine.dialect.name == "sqlite":
        each_connection(engine, isolation_level=None)
        sa.event.listen(engine, "begin", lambda tx: tx.exec_driver_sql("BEGIN IMMEDIATE"))
    bank = opened(engine)
    with pytest.raises(InvalidAccount):
        bank.transfer("alice", "zoe", 10, "t1")
    assert stored(engine) == [[("alice", 100), ("bob", 0)], [("d1", 100)]]


def test_a_balance_stays_what_the_database_counts_exactly(sql_engine):
    """Beyond 64 bits SQLite would go on in floats, and PostgreSQL raise an error of its own."""
    bank = opened(sql_engine)
    with sql_engine.begin() as tx:
        tx.execute(sa.text(f"UPDATE bank_accounts SET balance = {MOST - 5} WHERE name = 'bob'"))
    before = stored(sql_engine)
    for call in (
        lambda: bank.deposit("bob", 6, "d2"),
        lambda: bank.transfer("alice", "bob", 6, "t1"),
    ):
        with pytest.raises(InvalidAmount, match=f"bob has {MOST - 5}, and can have {MOST} at most"):
            call()
        assert stored(sql_engine) == before
    bank.transfer("alice", "bob", 5, "t1")
    assert (bank.balance("alice"), bank.balance("bob")) == (95, MOST)
    bank.transfer("bob", "alice", LARGEST, "t2")
    assert (bank.balance("alice"), bank.balance("bob")) == (95 + LARGEST, MOST - LARGEST)


def test_a_table_of_smaller_numbers_refuses_what_it_cannot_hold(sql_engine):
    """PostgreSQL's INTEGER has 32 bits; SQLite's has 64, whatever it is called."""
    with sql_engine.begin() as tx:
        tx.execute(sa.text("CREATE TABLE bank_accounts (name TEXT PRIMARY KEY, balance INTEGER)"))
    bank = opened(sql_engine)
    before = stored(sql_engine)
    if sql_engine.dialect.name == "postgresql":
        with pytest.raises(InvalidAmount, match="integer out of range"):
            bank.deposit("alice", 2**31, "d2")
        assert stored(sql_engine) == before
    else:
        bank.deposit("alice", 2**31, "d2")
        assert bank.balance("alice") == 2**31 + 100


@dataclass
class Books:
    sql: sa.Engine
    journal: Journal = field(default_factory=Journal)


@cache
def at_first(engine: sa.Engine) -> dict[sa.TableClause, list[dict[str, Any]]]:
    """What the tables hold after `opened`: that is done once, and written into each world."""
    services.sql("books", fresh=True)
    opened(engine)
    with engine.begin() as tx:
        found = {}
        for name in ("bank_accounts", "bank_transfers"):
            rows = tx.execute(sa.text(f"SELECT * FROM {name}")).mappings().all()
            found[sa.table(name, *map(sa.column, rows[0]))] = list(map(dict, rows))
    return found


def books() -> Books:
    engine = services.sql("books")
    empty = "DELETE FROM" if engine.dialect.name == "sqlite" else "TRUNCATE"  # no row's old place
    rows = at_first(engine)
    with engine.begin() as tx:
        for table, there in rows.items():
            tx.execute(sa.text(f"{empty} {table.name}"))
            tx.execute(table.insert(), there)
    return Books(engine)


def at(world, level):
    return world.sql.execution_options(isolation_level=level) if level else world.sql


def pay(bank, sender, to, amount, name):
    if sender == OUTSIDE:
        bank.deposit(to, amount, name)
    else:
        bank.transfer(sender, to, amount, name)


def payer(sender, to, amount, name, level=None, bank=SqlBank):
    """A client that tries until it knows, and notes what it was told."""

    def client(world):
        for _ in range(3):
            with suppress(sa.exc.OperationalError):
                try:
                    pay(bank(at(world, level)), sender, to, amount, name)
                except KeyAlreadyUsed:
                    world.journal.note([name, "paid", 0, amount])
                except InsufficientFunds as refused:
                    world.journal.note([name, "refused", refused.balance, amount])
                else:
                    world.journal.note([name, "paid", 0, amount])
                return

    return client


def the_books_are_right(world):
    """Balances are what the stored transfers add up to, and clients were told what is stored."""
    with world.sql.connect() as tx:
        entries = tx.execute(sa.text("SELECT sender, recipient, amount FROM bank_transfers")).all()
        balances = {"#": 0, **dict(tx.execute(sa.text("SELECT * FROM bank_accounts")).all())}
        keys = tx.execute(sa.text("SELECT key FROM bank_transfers")).scalars().all()
    sums = dict.fromkeys(balances, 0)
    for sender, recipient, amount in entries:
        sums[sender] -= amount
        sums[recipient] += amount
    if balances | {"#": sums["#"]} != sums or min(balances.values()) < 0:
        raise Violation(f"the accounts have {balances}, the entries say {sums}")
    for key, said, there, needed in world.journal["ann"] + world.journal["ben"]:
        if said == "paid" and key not in keys:
            raise Violation(f"{key} was paid, its client was told, and is not stored")
        if said == "refused" and there >= needed:
            raise Violation(f"{key} was refused for want of {needed}, with {there} there")


CROWDS = {
    "two of 80 from 100": [("alice", "bob", 80, "t1"), ("alice", "bob", 80, "t2")],
    "one key, twice": [("alice", "bob", 40, "t1"), ("alice", "bob", 40, "t1")],
    "one key, two senders": [("alice", "bob", 40, "t1"), ("bob", "alice", 40, "t1")],
    "there and back": [("alice", "bob", 80, "t1"), ("bob", "alice", 50, "t2")],
    "more comes in": [("alice", "bob", 120, "t1"), ("#", "alice", 50, "t2")],
}


def search(crowd, level=None, bank=SqlBank, **bounds):
    clients = {
        name: payer(*transfer, level, bank)
        for name, transfer in zip(("ann", "ben"), CROWDS[crowd], strict=True)
    }
    return explore(world=books, clients=clients, check=the_books_are_right, **bounds)


@pytest.mark.parametrize("crowd", CROWDS)
def test_it_holds_in_every_schedule(crowd):
    report = search(crowd, crashes=1, lost_replies=1)
    assert report.holds, report


@pytest.mark.parametrize("crowd", CROWDS)
def test_it_holds_at_read_committed(crowd, postgresql_url, monkeypatch):
    """Of two statements that wait for one lock the first is chance, so here nobody retries."""
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    report = search(crowd, crashes=int(crowd == "one key, twice"))
    assert report.holds, report
    assert "READ COMMITTED on PostgreSQL" in report.sentence


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_it_holds_at_stricter_levels(level, postgresql_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    report = search("two of 80 from 100", level)
    assert report.holds, report


# --- that these searches would notice, at READ COMMITTED ------------------------------


class LooksFirst(SqlBank):
    """Reads the balance, decides, and writes what is left."""

    def _move(self, tx, account, cents):
        there = self._balance(tx, account)
        if there + cents < 0:
            raise InsufficientFunds(account, there, -cents)
        left = {"left": there + cents, "name": account_code(account)}
        tx.execute(sa.text("UPDATE bank_accounts SET balance = :left WHERE name = :name"), left)


class KeyAtTheEnd(SqlBank):
    """Looks for the key, and writes it when the money has been moved."""

    def transfer(self, sender, recipient, amount, key):
        with self._begin() as tx:
            row = {"key": key, "sender": sender, "recipient": recipient, "amount": amount}
            if tx.execute(sa.text("SELECT 1 FROM bank_transfers WHERE key = :key"), row).all():
                return
            for name, change in sorted([(sender, -amount), (recipient, amount)]):
                self._move(tx, name, change)
            self._claim(tx, key, sender, recipient, amount)


class SaysWhatItSeesLater(SqlBank):
    """Refuses by one look at the balance, and says what the next look sees."""

    def _move(self, tx, account, cents):
        def once(*statement):
            done = tx.execute(*statement)
            if not done.rowcount:
                raise InsufficientFunds(account, self._balance(tx, account), -cents)
            return done

        super()._move(SimpleNamespace(execute=once), account, cents)


@pytest.mark.parametrize(
    ("wrong", "crowd", "violation"),
    [
        (LooksFirst, "two of 80 from 100", "the accounts have"),
        (KeyAtTheEnd, "one key, twice", "the accounts have"),
        (SaysWhatItSeesLater, "more comes in", "t1 was refused for want of 120, with 150 there"),
    ],
)
def test_a_bank_with_one_thing_wrong_is_found_out(
    postgresql_url, monkeypatch, wrong, crowd, violation
):
    """One interruption is enough for each."""
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    assert violation in str(search(crowd, bank=wrong, preemptions=1).violation)


def test_rows_in_the_order_given_wait_for_each_other(postgresql_url, monkeypatch):
    """What sorted() is for: the search finds the deadlock that two threads find by luck."""
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    monkeypatch.setattr(sql_bank, "sorted", list, raising=False)
    clients = {
        "ann": lambda world: SqlBank(world.sql).transfer("alice", "bob", 8, "t1"),
        "ben": lambda world: SqlBank(world.sql).transfer("bob", "alice", 5, "t2"),
    }

    def rich():
        world = books()
        SqlBank(world.sql).deposit("bob", 100, "d2")
        return world

    report = explore(world=rich, clients=clients, check=lambda world: None, preemptions=1)
    assert "deadlock detected" in report.violation
