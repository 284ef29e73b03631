"""The same bank in SQL, where one transaction may change as many rows as it likes."""

from __future__ import annotations

import sqlalchemy as sa

from .ledger import (
    InsufficientFunds,
    InvalidAccount,
    TransferMismatch,
    account_key,
    id_key,
    in_cents,
)

METADATA = sa.MetaData()
sa.Table(
    "account",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("balance", sa.BigInteger, sa.CheckConstraint("balance >= 0"), nullable=False),
)
sa.Table(
    "transfer",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
OUTSIDE = "#"  # who sends a deposit: no account can be called so

_OPEN = sa.text("INSERT INTO account VALUES (:name, 0) ON CONFLICT DO NOTHING")
_CLAIM = sa.text(
    "INSERT INTO transfer VALUES (:id, :sender, :recipient, :amount) ON CONFLICT DO NOTHING"
)
_CLAIMED = sa.text("SELECT sender, recipient, amount FROM transfer WHERE id = :id")
_MOVE = sa.text(
    "UPDATE account SET balance = balance + :amount WHERE name = :name AND balance + :amount >= 0"
)
_BALANCE = sa.text("SELECT balance FROM account WHERE name = :name")


class SqlBank:
    """Accounts and transfers in two tables; each call is one transaction.

    Guarantees what `Bank` does. The INSERT claims the id, the UPDATE checks the balance as it
    changes it, and a transaction that raises leaves nothing behind. Rows are taken in the order
    of their names, so that two transfers in opposite directions do not wait for each other.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def install(self) -> SqlBank:
        """Create the tables, unless they are there."""
        METADATA.create_all(self._engine)
        return self

    def open(self, account: str) -> None:
        """Open an account with nothing in it; once or many times is the same."""
        with self._engine.begin() as tx:
            tx.execute(_OPEN, {"name": account_key(account)})

    def deposit(self, account: str, amount: int, deposit_id: str) -> None:
        """Put in money from outside, in cents; the same id again is the same deposit."""
        key, cents = account_key(account), in_cents(amount)
        with self._engine.begin() as tx:
            if self._claim(tx, deposit_id, OUTSIDE, key, cents):
                self._move(tx, account, cents)

    def transfer(self, sender: str, recipient: str, amount: int, transfer_id: str) -> None:
        """Move cents between two accounts, once for each transfer id."""
        source, target, cents = account_key(sender), account_key(recipient), in_cents(amount)
        if source == target:
            raise InvalidAccount(f"{sender!r} cannot send money to itself")
        with self._engine.begin() as tx:
            if self._claim(tx, transfer_id, source, target, cents):
                for name, change in sorted([(sender, -cents), (recipient, cents)]):
                    self._move(tx, name, change)

    def balance(self, account: str) -> int:
        """Return what is in the account, in cents."""
        with self._engine.begin() as tx:
            return self._balance(tx, account)

    def _claim(self, tx: sa.Connection, name: str, sender: str, to: str, cents: int) -> bool:
        """Take the id; False if the same transfer has it already."""
        content = {"sender": sender, "recipient": to, "amount": cents}
        if tx.execute(_CLAIM, {"id": id_key(name), **content}).rowcount:
            return True
        if tuple(tx.execute(_CLAIMED, {"id": id_key(name)}).one()) != (sender, to, cents):
            raise TransferMismatch(f"the id {name!r} was used before, for something else")
        return False

    def _move(self, tx: sa.Connection, account: str, cents: int) -> None:
        if not tx.execute(_MOVE, {"name": account_key(account), "amount": cents}).rowcount:
            raise InsufficientFunds(account, self._balance(tx, account), -cents)

    def _balance(self, tx: sa.Connection, account: str) -> int:
        rows = tx.execute(_BALANCE, {"name": account_key(account)}).all()
        if not rows:
            raise InvalidAccount(f"there is no account {account!r}: open() it first")
        return int(rows[0][0])
