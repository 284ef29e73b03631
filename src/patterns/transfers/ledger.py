"""How a bank's ledger is written: its view, names and amounts, and what it refuses to write."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

DESIGN = "_design/bank-1"  # another map function needs another number
VIEW = "bank-1/accounts"
# Values are [cents, documents numbered by the account], and what is over 2**32 cents apart, so
# that sums stay exact where they are made of JavaScript's numbers. A key with # is a transfer id.
MAP = """function (doc) {
  if (doc.opened) emit(doc.opened, [0, 1]);
  if (typeof doc.amount !== "number") return;
  var low = doc.amount % 4294967296, high = (doc.amount - low) / 4294967296;
  emit(doc.to, high ? [low, 0, high] : [low, 0]);
  if (!doc.transfer) return;
  var sender = doc._id.split(":")[0], number = Number(doc._id.split(":")[1]) || 0;
  emit(sender, high ? [-low, 1, -high] : [-low, 1]);
  emit("#" + doc.transfer, [0, number]);
}"""

LARGEST = 2**53 - 1  # cents in one entry: the largest whole number that JavaScript counts exactly


class InsufficientFunds(Exception):
    """The sender has less than the amount: `account`, `balance` and `amount`, in cents."""

    def __init__(self, account: str, balance: int, amount: int) -> None:
        super().__init__(account, balance, amount)
        self.account, self.balance, self.amount = account, balance, amount

    def __str__(self) -> str:
        return f"{self.account} has {self.balance}, {self.amount} are needed"


class InvalidAmount(ValueError):
    """Not a whole number of cents from 1 to 2**53 - 1."""


class InvalidAccount(ValueError):
    """Not a name, or no such account, or sender and recipient are the same."""


class InvalidTransferId(ValueError):
    """Not a string of 1 to 100 characters."""


class TransferMismatch(ValueError):
    """The id was used before, with another sender, recipient or amount."""


class TooBusy(Exception):
    """Others kept taking the sender's next number. Nothing was written: try again."""


def account_key(name: str) -> str:
    """Return the name as the ledger writes it: percent-encoded, so that it is plain ASCII.

    A view takes two spellings of é for one key, and an id may not begin with `_`.
    """
    return _encoded(name, InvalidAccount, "an account's name")


def id_key(name: str) -> str:
    """Return the id of a transfer or deposit as the ledger writes it."""
    return _encoded(name, InvalidTransferId, "an id")


def _encoded(name: str, error: type[ValueError], what: str) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise error(f"{what} is a string of 1 to 100 characters, not {str(name)[:30]!r}")
    try:
        key = quote(name, safe="")
    except UnicodeEncodeError:
        raise error(f"{what} is text that can be sent as UTF-8, not {name!r}") from None
    return key if key[0] != "_" else "%5F" + key[1:]


def in_cents(amount: int) -> int:
    """Return the amount if it is one."""
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= LARGEST:
        raise InvalidAmount(f"an amount is a whole number of cents, 1 to 2**53 - 1: {amount!r}")
    return amount


def sender_of(document: str) -> str:
    """Return who sent the money of a document, by its id; empty for a deposit."""
    return "" if document.startswith("deposit/") else unquote(document.split(":")[0])


def is_entry(doc: dict[str, Any]) -> bool:
    """Whether a document has the form of an opening, a deposit or a transfer.

    A transfer may be of nothing: `Bank` makes none, but a refusal can be kept that way.
    """
    name, amount = doc["_id"], doc.get("amount")
    parts = set(doc) - {"_id", "_rev", "_conflicts"}
    if not all(isinstance(doc.get(part, ""), str) for part in ("opened", "to", "transfer")):
        return False
    if parts == {"opened"}:
        return bool(name == f"{doc['opened']}:0")
    whole = isinstance(amount, int) and not isinstance(amount, bool) and 0 <= amount <= LARGEST
    if parts == {"to", "amount"}:
        return bool(whole and amount and name.startswith("deposit/"))
    sender, _, number = name.partition(":")
    return bool(
        whole
        and parts == {"to", "amount", "transfer", "left"}
        and isinstance(doc["left"], int)
        and doc["to"] != sender
        and re.fullmatch("[1-9][0-9]{0,15}", number)
    )
