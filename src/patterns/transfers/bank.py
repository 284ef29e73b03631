"""Money between accounts in CouchDB: no overdraft, no clock, no lock, one document a transfer.

The problem, and the ledger whose balances are sums of its entries, are David Wolever's
"Atomic Bank Balance Transfer with CouchDB" (2014). That a sender's transfers are numbered, and
that creating the next number decides, is what makes it hold.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import couchdb

from .audit import Audit, audit_ledger
from .ledger import (
    DESIGN,
    MAP,
    VIEW,
    InsufficientFunds,
    InvalidAccount,
    InvalidAmount,
    InvalidTransferId,
    TooBusy,
    TransferMismatch,
    account_key,
    id_key,
    in_cents,
    sender_of,
)

__all__ = ["Bank", "InsufficientFunds", "InvalidAccount", "InvalidAmount", "InvalidTransferId"]
__all__ += ["TooBusy", "TransferMismatch"]
TRIES = 100


class Bank:
    """A ledger in one CouchDB database, shared by any number of clients.

    A transfer is one document, `alice:7`: the seventh that alice sends. Balance and number are
    read in one request, so they come from the same documents. Creating `alice:7` succeeds only
    if nobody has: then nothing was sent that the balance had not counted, and money that came
    in since can only have raised it. On 409 begin again.

    Holds for any interleaving, crash or lost reply: no balance is ever below zero, no money is
    made or lost, a transfer id is paid at most once. A call that raises ConnectionError may have
    taken effect: call again with the same id. (An id is for one sender: if two use one at the
    same moment, both are paid, and audit() tells.) Relies on one thing: of two clients that
    create the same document, one is told 409. One CouchDB node does that, and PouchDB; two that
    replicate do not (see `patterns.transfers.branch`).
    """

    def __init__(self, db: couchdb.Database) -> None:
        self._db = db

    def install(self) -> Bank:
        """Store the view that everything reads, unless it is there. Happens by itself if needed."""
        view = {"accounts": {"map": MAP, "reduce": "_sum"}}
        with suppress(couchdb.ResourceConflict):
            self._db[DESIGN] = {"language": "javascript", "views": view}
        return self

    def open(self, account: str) -> None:
        """Open an account with nothing in it; once or many times is the same."""
        key = account_key(account)
        with suppress(couchdb.ResourceConflict):
            self._db[f"{key}:0"] = {"opened": key}

    def deposit(self, account: str, amount: int, deposit_id: str) -> str:
        """Put in money from outside, in cents; the same id again is the same deposit. Return it."""
        name, key = f"deposit/{id_key(deposit_id)}", account_key(account)
        entry = {"to": key, "amount": in_cents(amount)}
        self._read(key)
        try:
            self._db[name] = entry
        except couchdb.ResourceConflict:
            self._same(name, entry, deposit_id)
        return name

    def transfer(self, sender: str, recipient: str, amount: int, transfer_id: str) -> str:
        """Move cents between two accounts, once for each transfer id; return the document's id.

        Called again with the same id, returns the same and pays nothing. A refusal is raised
        before anything is written, and is not kept: the same id may be tried again later.
        """
        source, target, cents = account_key(sender), account_key(recipient), in_cents(amount)
        if source == target:
            raise InvalidAccount(f"{sender!r} cannot send money to itself")
        wish = "#" + id_key(transfer_id)
        entry = {"to": target, "amount": cents, "transfer": wish[1:]}
        for _ in range(TRIES):
            rows = self._read(source, target, wish)
            if wish in rows:
                return self._same(f"{source}:{rows[wish][1]}", entry, transfer_id)
            balance, number = rows[source]
            if balance < cents:
                raise InsufficientFunds(sender, balance, cents)
            try:
                self._db[f"{source}:{number}"] = {**entry, "left": balance - cents}
            except couchdb.ResourceConflict:
                continue  # the sender has sent something since we looked
            return f"{source}:{number}"
        raise TooBusy(f"{source}:{number} was taken {TRIES} times running; what does audit() say?")

    def balance(self, account: str) -> int:
        """Return what is in the account, in cents."""
        return self._read(account_key(account))[account_key(account)][0]

    def statement(self, account: str) -> list[tuple[str, str, int]]:
        """Return (document, other account, cents) for all that came in, then all that was sent.

        What came in has no order; what was sent is in the order of its numbers.
        """
        self._read(key := account_key(account))
        rows = self._db.view(VIEW, key=key, reduce=False, include_docs=True)
        docs = [row.doc for row in rows if "amount" in row.doc]
        into = [(d.id, sender_of(d.id), d["amount"]) for d in docs if d["to"] == key]
        sent = [(d.id, unquote(d["to"]), -d["amount"]) for d in docs if d["to"] != key]
        return sorted(into) + sorted(sent, key=lambda line: int(line[0].split(":")[1]))

    def audit(self) -> Audit:
        """Check the whole ledger while nobody writes; see `Audit`."""
        self._read()
        return audit_ledger(self._db)

    def _read(self, *keys: str) -> dict[str, tuple[int, int]]:
        """Return what the documents say of each key, all from one request: (cents, number)."""
        try:
            rows = self._db.view(VIEW, keys=keys, group=True).rows
        except couchdb.ResourceNotFound:
            rows = self.install()._db.view(VIEW, keys=keys, group=True).rows
        found = {}
        for row in rows:
            if row.error:
                raise couchdb.ServerError((200, (row.error, row.get("reason"))))
            low, number, *high = row.value
            found[row.key] = (low + 2**32 * sum(high), number)
        for key in keys:
            if key not in found and not key.startswith("#"):
                raise InvalidAccount(f"there is no account {unquote(key)!r}: open() it first")
        return found

    def _same(self, name: str, entry: dict[str, Any], given: str) -> str:
        """Return the name of the document if it says what the entry says."""
        stored = self._db.get(name) or {}
        if {part: stored.get(part) for part in entry} != entry:
            raise TransferMismatch(f"the id {given!r} was used before, for something else")
        return name
