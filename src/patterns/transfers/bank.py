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

from ._checks import check_amount, check_copies, check_couch
from .audit import LedgerAudit, audit_ledger
from .errors import InsufficientFunds, InvalidAccount, KeyAlreadyUsed, TooBusy
from .ledger import DESIGN, VIEW, VIEWS, account_code, key_code, sender_of

TRIES = 100


class Bank:
    """A ledger in one CouchDB database, shared by any number of clients.

    A transfer is one document, `alice:7`: the seventh that alice sends. Balance and number are
    read in one request, so they come from the same documents. Creating `alice:7` succeeds only
    if no client has: then nothing was sent that the balance had not counted, and money that came
    in since can only have raised it. On 409 begin again.

    Holds for any interleaving, crash or lost reply: no balance is ever below zero, no money is
    made or lost, a sender's key is paid at most once. A call that raises ConnectionError may have
    taken effect: call again with the same key. A key is for one sender: where two senders use one
    at the same moment both are paid, since no document is common to them, and audit() tells. Let
    a key begin with its sender, or take `SqlBank`.

    Relies on one thing: of two clients that create the same document, one is told 409. One
    CouchDB node does, PouchDB, and a cluster whose database was made with n=1; with more copies
    install() warns (SeveralCopies), and `require_one_copy` makes that an error, here and at once.
    Two that replicate do not (see `Branch`). Takes one database, else TypeError.
    """

    def __init__(self, couch: couchdb.Database, *, require_one_copy: bool = False) -> None:
        check_couch(couch)
        if require_one_copy:
            check_copies(couch, require_one=True)
        self.couch = couch

    def install(self) -> Bank:
        """Store the view that is read, if it is not there, as every verb does; many may at once."""
        check_copies(self.couch)
        with suppress(couchdb.ResourceConflict):
            self.couch[DESIGN] = dict(VIEWS)  # couchdb-python writes _id and _rev into it
        return self

    def open(self, account: str) -> None:
        """Open an account with nothing in it; once or many times is the same."""
        code = account_code(account)
        with suppress(couchdb.ResourceConflict):
            self.couch[f"{code}:0"] = {"opened": code}

    def deposit(self, account: str, amount: int, key: str) -> str:
        """Put in cents from outside, once for each key; return the document's id.

        Raises InvalidAccount, InvalidAmount, InvalidKey before anything is written, and
        KeyAlreadyUsed if the key names another deposit.
        """
        name, target = f"deposit/{key_code(key)}", account_code(account)
        check_amount(amount)
        entry = {"to": target, "amount": amount}
        self._read(target)
        try:
            self.couch[name] = entry
        except couchdb.ResourceConflict:
            self._same(name, entry, key)
        return name

    def transfer(self, sender: str, recipient: str, amount: int, key: str) -> str:
        """Move cents between two accounts, once for each key; return the document's id.

        Called again with the same key, returns the same and pays nothing. A refusal is raised
        before anything is written, and is not kept: the same key may be tried again later.
        """
        source, target, wish = account_code(sender), account_code(recipient), "#" + key_code(key)
        check_amount(amount)
        if source == target:
            raise InvalidAccount(f"{sender!r} cannot send money to itself")
        entry = {"to": target, "amount": amount, "transfer": wish[1:]}
        for _ in range(TRIES):
            rows = self._read(source, target, wish)
            if wish in rows:
                return self._same(f"{source}:{rows[wish][1]}", entry, key)
            balance, number = rows[source]
            if balance < amount:
                raise InsufficientFunds(sender, balance, amount)
            try:
                self.couch[f"{source}:{number}"] = {**entry, "left": balance - amount}
            except couchdb.ResourceConflict:
                continue  # the sender has sent something since we looked
            return f"{source}:{number}"
        raise TooBusy(f"{source}:{number} was taken {TRIES} times running; what does audit() say?")

    def balance(self, account: str) -> int:
        """Return what is in the account, in cents."""
        code = account_code(account)
        return self._read(code)[code][0]

    def statement(self, account: str) -> list[tuple[str, str, int]]:
        """Return (document, other account, cents) for all that came in, then all that was sent.

        What came in has no order; what was sent is in the order of its numbers.
        """
        self._read(code := account_code(account))
        rows = self.couch.view(VIEW, key=code, reduce=False, include_docs=True)
        docs = [row.doc for row in rows if "amount" in row.doc]
        into = [(d.id, sender_of(d.id), d["amount"]) for d in docs if d["to"] == code]
        sent = [(d.id, unquote(d["to"]), -d["amount"]) for d in docs if d["to"] != code]
        return sorted(into) + sorted(sent, key=lambda line: int(line[0].split(":")[1]))

    def audit(self) -> LedgerAudit:
        """Check the whole ledger while no client writes; see `LedgerAudit`."""
        self._read()
        return audit_ledger(self.couch)

    def _read(self, *keys: str) -> dict[str, tuple[int, int]]:
        """Return what the documents say of each key, all from one request: (cents, number)."""
        try:
            rows = self.couch.view(VIEW, keys=keys, group=True).rows
        except couchdb.ResourceNotFound:
            rows = self.install().couch.view(VIEW, keys=keys, group=True).rows
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

    def _same(self, name: str, entry: dict[str, Any], key: str) -> str:
        """Return the name of the document if it says what the entry says."""
        stored = self.couch.get(name) or {}
        if {part: stored.get(part) for part in entry} != entry:
            raise KeyAlreadyUsed(key)
        return name
