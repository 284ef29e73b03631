"""How each version moves money: the two of the post, Bank, and one SQL transaction a transfer.

The naive version looks after it has posted. The pending one is the post's, with a 409 and an empty
list of pending transfers handled. Each client has a session, or a connection, of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import couchdb
import sqlalchemy as sa

from patterns.transfers import Bank, InsufficientFunds, SqlBank
from workshop import services

PLENTY = 10**6  # cents of each account: nothing is refused for want of money
NAIVE, PENDING, OURS = "naive", "pending", "Bank"
SPACE = "bench"
LEDGER = {
    "balance": {
        "map": """function (doc) {
          if (doc.status && doc.status !== "successful") return;
          emit(doc.from, -doc.amount);
          emit(doc.to, doc.amount);
        }""",
        "reduce": "_sum",
    },
    "pending": {
        "map": 'function (doc) { if (doc.status === "pending") emit([doc.at, doc._id], doc); }'
    },
}
Transfer = Callable[[str, str, int, str], object]  # sender, recipient, amount, key


def balance(db: couchdb.Database, account: str) -> int:
    rows = db.view("ledger/balance", key=account, group=True).rows
    return rows[0].value if rows else 0


def naive(db: couchdb.Database, sender: str, to: str, amount: int, name: str) -> None:
    doc = {"_id": name, "from": sender, "to": to, "amount": amount}
    db.save(doc)
    if balance(db, sender) < 0:
        db.delete(doc)
        raise InsufficientFunds(sender, 0, amount)


def pending(db: couchdb.Database, sender: str, to: str, amount: int, name: str) -> None:
    now = time.time()
    doc = {"_id": name, "status": "pending", "at": now, "from": sender, "to": to, "amount": amount}
    db.save(doc)
    while True:
        rows = db.view("ledger/pending", limit=1).rows
        if not rows or rows[0].value["at"] > now:
            break
        oldest = couchdb.Document(rows[0].value)
        enough = balance(db, oldest["from"]) >= oldest["amount"]
        oldest["status"] = "successful" if enough else "rejected"
        with suppress(couchdb.ResourceConflict):
            db.save(oldest)
    if db[name]["status"] == "rejected":
        raise InsufficientFunds(sender, 0, amount)


def fresh(version: str, names: Sequence[str]) -> None:
    """Make a ledger in CouchDB in which every account has plenty."""
    db = services.couch(SPACE, fresh=True)
    if version == OURS:
        bank = Bank(db).install()
        for name in names:
            bank.open(name)
            bank.deposit(name, PLENTY, name)
    else:
        db["_design/ledger"] = {"language": "javascript", "views": LEDGER}
        for name in names:
            db[name] = {"from": "outside", "to": name, "amount": PLENTY, "status": "successful"}


def fresh_sql(sql: sa.Engine, names: Sequence[str]) -> None:
    """The same in SQL."""
    bank = SqlBank(sql).install()
    with sql.begin() as tx:
        for table in ("bank_transfers", "bank_accounts"):
            tx.execute(sa.text(f"DELETE FROM {table}"))
    for name in names:
        bank.open(name)
        bank.deposit(name, PLENTY, name)


@dataclass
class Counted:
    """A session that counts its requests."""

    session: Any = field(default_factory=couchdb.http.Session)
    requests: int = 0

    def request(self, *args: object, **kwargs: object) -> object:
        """As couchdb-python's own."""
        self.requests += 1
        return self.session.request(*args, **kwargs)


def on_couch(version: str, session: Counted) -> Transfer:
    """Return how a client of this version transfers."""
    db = couchdb.Database(services.couch_url(SPACE), session=session)
    if version == OURS:
        return Bank(db).transfer
    plain = {NAIVE: naive, PENDING: pending}[version]
    return lambda *given: plain(db, *given)


def on_sql(sql: sa.Engine) -> Transfer:
    """Return how a client of `SqlBank` transfers: with the same key again after an error."""
    bank = SqlBank(sql)

    def transfer(sender: str, to: str, amount: int, key: str) -> None:
        while True:
            with suppress(sa.exc.OperationalError):
                bank.transfer(sender, to, amount, key)
                return

    return transfer
