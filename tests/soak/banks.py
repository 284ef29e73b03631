"""The banks' clients: transfers that chance makes, each again with its key until it is answered."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa

from patterns.transfers import Bank, InsufficientFunds, SqlBank

from .helpers import Told, Verdict, repeated
from .rounds import Helper, Life, Say
from .servers import Places

ACCOUNTS = ("ann", "ben", "cat", "dan")


def wish(slot: int, n: int) -> tuple[str, str, int, str]:
    """The transfer that a client makes as its n-th: sender, recipient, amount, key."""
    chance = random.Random(f"{slot}:{n}")
    sender, recipient = chance.sample(ACCOUNTS, 2)
    return sender, recipient, chance.randint(1, 90), f"{sender}/{slot}:{n}"


def bank(name: str, make: Any, stored: Any, uses: tuple[str, ...]) -> Helper:
    """Four clients on four accounts. `stored(places)`: the entries, and what the audit says."""

    def client(life: Life, say: Say) -> None:
        made, n = make(life.places), len(life.told)
        while True:
            try:
                said = made.transfer(*wish(life.slot, n)) or "paid"
            except InsufficientFunds:
                said = "refused"
            say(said)
            n += 1

    def prepare(places: Places) -> None:
        made = make(places).install()
        for account in ACCOUNTS:
            made.open(account)
            made.deposit(account, 300, f"seed/{account}")

    def check(places: Places, told: Told) -> Verdict:
        entries, lost = stored(places)
        found = {key: content for key, *content in entries}
        for slot, answers in enumerate(told):
            for n, (said,) in enumerate(answers):
                sender, recipient, amount, key = wish(slot, n)
                there = found.get(key)
                if said == "refused" and there:
                    lost.append(f"{key} was refused, and is stored")
                if said != "refused" and (
                    there is None
                    or there[:3] != [sender, recipient, amount]
                    or said not in ("paid", there[3])
                ):
                    lost.append(f"{key} was told {said}, and stored is {there}")
        return sum(map(len, told)), lost, repeated(key for key, *_ in entries)

    return Helper(name, uses, [client] * 4, prepare, check)


def in_couch(places: Places) -> tuple[list[Any], list[str]]:
    """What the ledger has, with the sentences of its audit."""
    made = Bank(places.couch())
    rows = made.couch.view("_all_docs", include_docs=True).rows
    entries: list[Any] = []
    for row in rows:
        if "transfer" in row.doc:
            content = [row.id.split(":")[0], row.doc["to"], row.doc["amount"], row.id]
            entries.append([unquote(row.doc["transfer"]), *content])
    return entries, list(made.audit().problems)


def in_sql(places: Places, kind: str) -> tuple[list[Any], list[str]]:
    """What the tables have, and whether the balances are their sums."""
    with places.sql(kind).connect() as tx:
        rows = tx.execute(sa.text("SELECT key, sender, recipient, amount FROM bank_transfers"))
        entries = [list(row) for row in rows]
        balances = dict(map(tuple, tx.execute(sa.text("SELECT * FROM bank_accounts"))))
    sums = dict.fromkeys((*balances, "#"), 0)
    for _, sender, recipient, amount in entries:
        sums[sender] -= amount
        sums[recipient] += amount
    wrong = [f"{name} has {cents}" for name, cents in balances.items() if cents != sums[name]]
    wrong += [f"{name} is below zero" for name, cents in balances.items() if cents < 0]
    return [[unquote(key), *content, "paid"] for key, *content in entries], wrong


def banks() -> list[Helper]:
    """The bank in documents, and the one in SQL on both databases."""
    return [
        bank("Bank", lambda places: Bank(places.couch()), in_couch, ("PouchDB",)),
        *(
            bank(
                f"SqlBank on {kind}",
                lambda places, kind=kind: SqlBank(places.sql(kind)),
                lambda places, kind=kind: in_sql(places, kind),
                (kind,),
            )
            for kind in ("SQLite", "PostgreSQL")
        ),
    ]
