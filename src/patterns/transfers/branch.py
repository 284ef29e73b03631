"""A bank with several CouchDB databases that replicate: each account has one home.

Two databases that replicate can both create `alice:7`. CouchDB then shows one of the two and
hides the other. No code at either branch can prevent that, so the branches divide the work:
`alice@north` is what alice may spend at the branch north, and only north numbers it.
"""

from __future__ import annotations

import couchdb

from .bank import Bank
from .errors import InvalidAccount, NotAtHome
from .ledger import account_code, key_code


class Branch:
    """One branch, on a database of its own that is replicated with the others'.

    Guarantees what `Bank` does, over all branches together, whenever and in whatever order they
    replicate: each chain of numbers grows in one place, so no document is ever in conflict.
    What a branch does not know yet, it cannot spend; so a balance may be late, never too high.
    Its name holds no @, or two branches would be at home for one account: InvalidAccount.
    """

    def __init__(self, couch: couchdb.Database, name: str) -> None:
        account_code(name)  # or InvalidAccount
        if "@" in name:
            raise InvalidAccount(f"a branch's name cannot hold @: {name!r}")
        self.bank = Bank(couch)
        self._home = f"@{name}"

    def install(self) -> Branch:
        """As `Bank.install`."""
        self.bank.install()
        return self

    def open(self, *owners: str) -> None:
        """Open an account here for each owner. Another branch may do it too: it is the same."""
        for owner in owners:
            account_code(owner)  # or InvalidAccount
            self.bank.open(owner + self._home)

    def deposit(self, account: str, amount: int, key: str) -> str:
        """As `Bank.deposit`; raises NotAtHome for an account of another branch."""
        self._check(account, key)
        return self.bank.deposit(account, amount, key + self._home)

    def transfer(self, sender: str, recipient: str, amount: int, key: str) -> str:
        """As `Bank.transfer`; raises NotAtHome if the sender belongs to another branch.

        From `alice@north` to `alice@south` it sets money aside that south may spend (escrow).
        """
        self._check(sender, key)
        return self.bank.transfer(sender, recipient, amount, key + self._home)

    def _check(self, account: str, key: str) -> None:
        key_code(key)  # or InvalidKey
        account_code(account)
        if not account.endswith(self._home):
            raise NotAtHome(f"{account} is not an account of {self._home[1:]}")
