"""A bank with several CouchDB databases that replicate: each account has one home.

Two databases that replicate can both create `alice:7`. CouchDB then shows one of the two and
hides the other. No code at either branch can prevent that, so the branches divide the work:
`alice@north` is what alice may spend at the branch north, and only north numbers it.
"""

from __future__ import annotations

import couchdb

from .bank import Bank
from .errors import NotAtHome
from .ledger import account_code


class Branch:
    """One branch, on a database of its own that is replicated with the others'.

    Guarantees what `Bank` does, over all branches together, whenever and in whatever order they
    replicate: each chain of numbers grows in one place, so no document is ever in conflict.
    What a branch does not know yet, it cannot spend; so a balance may be late, never too high.
    """

    def __init__(self, couch: couchdb.Database, name: str) -> None:
        account_code(name)  # or InvalidAccount
        self.bank = Bank(couch)
        self._home = f"@{name}"

    def install(self) -> Branch:
        """As `Bank.install`."""
        self.bank.install()
        return self

    def open(self, *owners: str) -> None:
        """Open an account here for each owner. Another branch may do it too: it is the same."""
        for owner in owners:
            self.bank.open(owner + self._home)

    def deposit(self, account: str, amount: int, key: str) -> str:
        """As `Bank.deposit`; raises NotAtHome for an account of another branch."""
        self._check(account)
        return self.bank.deposit(account, amount, key + self._home)

    def transfer(self, sender: str, recipient: str, amount: int, key: str) -> str:
        """As `Bank.transfer`; raises NotAtHome if the sender belongs to another branch.

        From `alice@north` to `alice@south` it sets money aside that south may spend (escrow).
        """
        self._check(sender)
        return self.bank.transfer(sender, recipient, amount, key + self._home)

    def _check(self, account: str) -> None:
        if not account.endswith(self._home):
            raise NotAtHome(f"{account} is not an account of {self._home[1:]}")
