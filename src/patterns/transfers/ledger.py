"""How a bank's ledger is written, its view, and its names."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from ._checks import LARGEST, check_text
from .errors import InvalidAccount, InvalidKey

DESIGN = "_design/bank-1"  # another map function needs another number
VIEW = "bank-1/accounts"
# Values are [cents, documents numbered by the account], and what is over 2**32 cents apart, so
# that sums stay exact where they are made of JavaScript's numbers. A row # is a transfer's key.
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
VIEWS = {"language": "javascript", "views": {"accounts": {"map": MAP, "reduce": "_sum"}}}


def account_code(name: str) -> str:
    """Return the name as the ledger writes it: percent-encoded, so that it is plain ASCII.

    A view takes two spellings of é for one, and a document's id may not begin with `_`.
    """
    check_text(name, InvalidAccount, "an account's name")
    code = quote(name, safe="")
    return code if code[0] != "_" else "%5F" + code[1:]


def key_code(key: str) -> str:
    """Return the key of a transfer or deposit as the ledger writes it."""
    check_text(key, InvalidKey, "a key")
    return account_code(key)


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
