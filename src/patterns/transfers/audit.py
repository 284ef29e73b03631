"""Is this ledger right? Everything that can be told from its documents alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import couchdb

from ._checks import LARGEST
from .ledger import VIEW, is_entry

Doc = dict[str, Any]


@dataclass
class LedgerAudit:
    """What was found: balances in cents, how many transfers, what came in, and what is wrong.

    `problems` has a sentence for each of: a document in conflict, or one that does not belong
    here; a number missing from a sender's chain; a balance below zero at some point; a key paid
    twice; money sent to no account; a view that adds up to something else.
    """

    balances: dict[str, int]
    transfers: int
    deposited: int
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        counted = f"{len(self.balances)} accounts, {self.transfers} transfers, {self.deposited} in"
        return "\n".join([f"{counted}: {'clean' if self.clean else 'NOT CLEAN'}", *self.problems])


def audit_ledger(couch: couchdb.Database) -> LedgerAudit:
    """Read every document in one request, and compare what they add up to with the view."""
    rows = couch.view("_all_docs", include_docs=True, conflicts=True).rows
    docs = [dict(row.doc) for row in rows if not row.id.startswith("_design/")]
    good = [doc for doc in docs if is_entry(doc)]
    deposits = [doc for doc in good if doc["_id"].startswith("deposit/")]
    chains: dict[str, list[Doc]] = {}
    for doc in sorted((d for d in good if d["_id"][:8] != "deposit/"), key=_number):
        chains.setdefault(doc["_id"].split(":")[0], []).append(doc)
    sums = {str(row.key): row.value or [0, 0] for row in couch.view(VIEW, group=True).rows}
    sums = {account: value for account, value in sums.items() if account[:1] != "#"}
    balances, stuck = _replay(chains, deposits)
    problems = [f"{doc['_id']} does not belong in a ledger" for doc in docs if not is_entry(doc)]
    problems += [_hidden(doc) for doc in docs if "_conflicts" in doc]
    for account, chain in chains.items():
        problems += _chain_problems(account, chain, good)
    problems += stuck
    paid = Counter(doc["transfer"] for doc in good if "transfer" in doc)
    problems += [f"{unquote(wish)} was paid {n} times" for wish, n in paid.items() if n > 1]
    problems += [
        f"{doc['_id']} pays {unquote(doc['to'])}, who has no account"
        for doc in good
        if "to" in doc and doc["to"] not in chains
    ]
    deposited, held = sum(doc["amount"] for doc in deposits), 0
    for key in sorted(sums.keys() | balances.keys()):
        (low, _, *high), there = sums.get(key, [0, 0]), balances.get(key, 0)
        if low + 2**32 * sum(high) != there:
            problems.append(f"{unquote(key)}: the view says {[low, *high]}, not {there}")
        held += low + 2**32 * sum(high)
    if held != deposited:
        problems.append(f"{deposited} came in, and the accounts hold {held}")
    transfers = sum("transfer" in doc for doc in good)
    return LedgerAudit({unquote(k): v for k, v in balances.items()}, transfers, deposited, problems)


def _hidden(doc: Doc) -> str:
    """Say what a conflict is: several clients were told that theirs is stored, and one is shown."""
    kind, n = "transfers" if "transfer" in doc else "deposits", len(doc["_conflicts"])
    return f"{doc['_id']} is in conflict: {n + 1} acknowledged {kind}, {n} of them hidden and lost"


def _number(doc: Doc) -> int:
    return int(doc["_id"].split(":")[1])


def _gaps(numbers: list[int]) -> list[str]:
    """Return which numbers from 0 on are left out of a sorted list: "1", or "3 to 7"."""
    pairs = zip([-1, *numbers], numbers, strict=False)
    runs = [(low + 1, high - 1) for low, high in pairs if high > low + 1]
    return [str(first) if first == last else f"{first} to {last}" for first, last in runs]


def _chain_problems(account: str, chain: list[Doc], good: list[Doc]) -> Iterator[str]:
    """What is wrong with the numbers of one sender, or with what each document says was left."""
    name = unquote(account)
    missing = _gaps([_number(doc) for doc in chain])
    if missing:
        yield f"{name}: no document has the number {', '.join(missing)}"
    received = sum(doc["amount"] for doc in good if doc.get("to") == account)
    sent = known = 0
    for doc in chain[("opened" in chain[0]) :]:
        sent += doc["amount"]
        if doc["left"] > LARGEST:  # not kept exactly by servers that count in JavaScript
            continue
        if doc["left"] < 0:
            yield f"{name} was at {doc['left']} after {doc['_id']}"
        elif not missing and not known <= doc["left"] + sent <= received:
            yield f"{doc['_id']} says {doc['left']} were left, which cannot be"
        known = max(known, doc["left"] + sent)


def _replay(chains: dict[str, list[Doc]], deposits: list[Doc]) -> tuple[dict[str, int], list[str]]:
    """Make all transfers again, each when its sender can pay; say who never can.

    A payment can only help the others to pay theirs. So if there is any order in which no
    balance is ever below zero, then this finds one.
    """
    balances = dict.fromkeys(chains, 0)
    for doc in deposits:
        balances[doc["to"]] = balances.get(doc["to"], 0) + doc["amount"]
    waiting = {a: [d for d in chain if "transfer" in d] for a, chain in chains.items()}
    todo = list(waiting)
    while todo:
        account = todo.pop()
        while waiting.get(account) and balances[account] >= waiting[account][0]["amount"]:
            doc = waiting[account].pop(0)
            balances[account] -= doc["amount"]
            balances[doc["to"]] = balances.get(doc["to"], 0) + doc["amount"]
            todo.append(doc["to"])
    stuck = [
        f"{unquote(account)} has {balances[account]} when {left[0]['_id']} "
        f"sends {left[0]['amount']}, in every order"
        for account, left in waiting.items()
        if left
    ]
    for account, left in waiting.items():
        for doc in left:
            balances[account] -= doc["amount"]
            balances[doc["to"]] = balances.get(doc["to"], 0) + doc["amount"]
    return balances, stuck
