"""The SQL bank: the same promises, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from patterns.transfers import (
    InsufficientFunds,
    InvalidAccount,
    InvalidAmount,
    KeyAlreadyUsed,
    SqlBank,
)
from raceproof import Violation, explore
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


@dataclass
class Books:
    sql: sa.Engine


def books() -> Books:
    engine = services.sql("books", fresh=True)
    opened(engine)
    return Books(engine)


def payer(sender, to, amount, name):
    def client(world):
        for _ in range(3):
            with suppress(sa.exc.OperationalError):
                try:
                    SqlBank(world.sql).transfer(sender, to, amount, name)
                except InsufficientFunds:
                    return
                return

    return client


def test_it_holds_in_every_schedule():
    def check(world):
        a, b = (SqlBank(world.sql).balance(name) for name in ("alice", "bob"))
        if a + b != 100 or min(a, b) < 0:
            raise Violation(f"alice {a}, bob {b}")

    clients = {
        "ann": payer("alice", "bob", 80, "t1"),
        "ben": payer("alice", "bob", 80, "t1"),
        "bob": payer("bob", "alice", 50, "t2"),
    }
    report = explore(world=books, clients=clients, check=check, crashes=1, lost_replies=1)
    assert report.holds, report
