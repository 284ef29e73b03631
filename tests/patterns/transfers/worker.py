"""A client in a process of its own: makes transfers, and says what it was told."""

from __future__ import annotations

from multiprocessing.connection import Connection

import couchdb

from patterns.transfers import Bank, InsufficientFunds

Transfer = tuple[str, str, int, str]  # sender, recipient, amount, key


def work(url: str, transfers: list[Transfer], says: Connection) -> None:
    """Make the transfers on the database; after each, say its key and what it was told."""
    bank = Bank(couchdb.Database(url))
    for transfer in transfers:
        try:
            said = bank.transfer(*transfer)
        except InsufficientFunds:
            said = "refused"
        says.send((transfer[3], said))
