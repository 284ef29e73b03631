"""What a transfer costs: three versions, 1 and 8 clients, 2 and 20 accounts, a growing ledger.

    make bench

The naive version looks after it has posted, the pending one is the post's (409 and an empty list
of pending transfers handled), the last is `patterns.transfers.bank.Bank`. All on the CouchDB that a
notebook would get. Ratios are of one run on one machine; only those can be compared.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import couchdb

from patterns.transfers import Bank, InsufficientFunds
from raceproof import draw
from workshop import services

TRANSFERS = 400
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
Transfer = Callable[[couchdb.Database, str, str, int, str], object]


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


def numbered(db: couchdb.Database, sender: str, to: str, amount: int, name: str) -> None:
    Bank(db).transfer(sender, to, amount, name)


VERSIONS: dict[str, Transfer] = {"naive": naive, "pending": pending, "Bank": numbered}


@dataclass
class Counted:
    """A session that counts its requests."""

    session: couchdb.http.Session = field(default_factory=couchdb.http.Session)
    requests: int = 0

    def request(self, *args: object, **kwargs: object) -> object:
        self.requests += 1
        return self.session.request(*args, **kwargs)


def fresh(version: str, accounts: int) -> list[str]:
    """Make a ledger in which every account has plenty; return their names."""
    db = services.couch("bench", fresh=True)
    names = [f"account{number}" for number in range(accounts)]
    if version == "Bank":
        bank = Bank(db).install()
        for name in names:
            bank.open(name)
            bank.deposit(name, 10**6, name)
    else:
        db["_design/ledger"] = {"language": "javascript", "views": LEDGER}
        for name in names:
            db[name] = {"from": "outside", "to": name, "amount": 10**6, "status": "successful"}
    return names


def measure(version: str, clients: int, accounts: int, count: int) -> tuple[float, float]:
    """Make `count` transfers; return transfers a second and requests a transfer."""
    names = fresh(version, accounts)
    sessions = [Counted() for _ in range(clients)]

    def client(number: int) -> None:
        db = couchdb.Database(services.couch_url("bench"), session=sessions[number])
        chance = random.Random(number)
        for i in range(count // clients):
            sender, to = chance.sample(names, 2)
            VERSIONS[version](db, sender, to, chance.randint(1, 9), f"t{number}-{i}")

    client_threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    began = time.perf_counter()
    for thread in client_threads:
        thread.start()
    for thread in client_threads:
        thread.join()
    took = time.perf_counter() - began
    done = count // clients * clients
    return done / took, sum(session.requests for session in sessions) / done


def growth(version: str, sizes: tuple[int, ...], count: int = 40) -> list[float]:
    """Return milliseconds a transfer, one client, with so many transfers in the ledger."""
    names, took, there = fresh(version, 20), [], 0
    db = services.couch("bench")
    chance = random.Random(1)
    numbers = dict.fromkeys(names, 0)
    for size in sizes:
        docs = []
        for i in range(there, size):
            sender, to = chance.sample(names, 2)
            numbers[sender] += 1
            doc = {"_id": f"old{i}", "from": sender, "to": to, "amount": 1, "status": "successful"}
            if version == "Bank":
                doc = {"_id": f"{sender}:{numbers[sender]}", "to": to, "amount": 1}
                doc |= {"transfer": f"old{i}", "left": 0}
            docs.append(doc)
        db.update(docs)
        VERSIONS[version](db, names[0], names[1], 1, f"first{size}")
        began = time.perf_counter()
        for i in range(count):
            VERSIONS[version](db, names[0], names[1], 1, f"{size}-{i}")
        took.append((time.perf_counter() - began) / count * 1000)
        numbers[names[0]] += count + 1
        there = size
    return took


def main() -> None:
    print(services.about("couch"))
    rows, speeds = [], {}
    for clients in (1, 8):
        for accounts in (2, 20):
            for version in VERSIONS:
                speed, requests = measure(version, clients, accounts, TRANSFERS)
                speeds[version, clients, accounts] = speed
                ms = f"{clients * 1000 / speed:.1f} ms"
                rows.append([clients, accounts, version, f"{requests:.1f}", ms, f"{speed:,.0f}/s"])
    columns = ["clients", "accounts", "version", "requests", "a transfer takes", "together"]
    print(draw.table(columns, [[str(cell) for cell in row] for row in rows]))
    for clients, accounts in ((1, 20), (8, 20)):
        ratio = speeds["Bank", clients, accounts] / speeds["pending", clients, accounts]
        print(f"{clients} clients, {accounts} accounts: Bank is {ratio:.1f} times pending")
    sizes = (100, 1000, 10_000)
    found = [[version, *(f"{ms:.1f} ms" for ms in growth(version, sizes))] for version in VERSIONS]
    print(draw.table(["a transfer, with so many before it", *map(str, sizes)], found))


if __name__ == "__main__":
    main()
