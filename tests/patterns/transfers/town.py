"""Worlds, clients and checks for searches of the bank; shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import couchdb

from patterns.transfers import Bank, InsufficientFunds
from raceproof import Journal, Violation
from workshop import services


@dataclass
class Town:
    db: couchdb.Database
    journal: Journal = field(default_factory=Journal)


def town() -> Town:
    """Alice has 100 cents, bob and carol have none."""
    db = services.couch("town", fresh=True)
    bank = Bank(db).install()
    for name in ("alice", "bob", "carol"):
        bank.open(name)
    bank.deposit("alice", 100, "d1")
    return Town(db)


def payer(sender: str, to: str, amount: int, name: str, pay=Bank.transfer) -> Callable:
    """A client that tries until it knows; it notes what it was told, and the document."""

    def client(world: Town) -> None:
        for _ in range(3):
            with suppress(ConnectionError):
                try:
                    said = pay(Bank(world.db), sender, to, amount, name)
                except InsufficientFunds:
                    said = "refused"
                world.journal.note([name, said])
                return

    return client


def depositor(account: str, amount: int, name: str) -> Callable:
    """A client that puts money in, and tries until it knows."""

    def client(world: Town) -> None:
        for _ in range(3):
            with suppress(ConnectionError):
                world.journal.note([name, Bank(world.db).deposit(account, amount, name)])
                return

    return client


def ledger_is_right(*names: str) -> Callable[[Town], None]:
    """The audit is clean, and what each client was told is what is stored."""

    def check(world: Town) -> None:
        audit = Bank(world.db).audit()
        if not audit.clean:
            raise Violation("; ".join(audit.problems))
        rows = world.db.view("_all_docs", include_docs=True)
        stored = {row.doc["transfer"]: row.id for row in rows if "transfer" in row.doc}
        for name in names:
            for wish, said in world.journal[name]:
                kept = f"deposit/{wish}" if said.startswith("deposit/") else stored.get(wish)
                if (said != kept or kept not in world.db) and (said, kept) != ("refused", None):
                    raise Violation(f"{name} was told {said} for {wish}; stored is {kept}")

    return check
