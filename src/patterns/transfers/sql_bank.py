"""The same bank in SQL, where one transaction may change as many rows as it likes."""

from __future__ import annotations

import sqlalchemy as sa

from ._checks import check_amount, check_sql
from .errors import InsufficientFunds, InvalidAccount, KeyAlreadyUsed
from .ledger import account_code, key_code

_tables = sa.MetaData()
sa.Table(
    "bank_accounts",
    _tables,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("balance", sa.BigInteger, sa.CheckConstraint("balance >= 0"), nullable=False),
)
sa.Table(
    "bank_transfers",
    _tables,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
OUTSIDE = "#"  # who sends a deposit: no account can be called so

_OPEN = sa.text("INSERT INTO bank_accounts VALUES (:name, 0) ON CONFLICT DO NOTHING")
_CLAIM = sa.text(
    "INSERT INTO bank_transfers VALUES (:key, :sender, :recipient, :amount) ON CONFLICT DO NOTHING"
)
_CLAIMED = sa.text("SELECT sender, recipient, amount FROM bank_transfers WHERE key = :key")
_MOVE = sa.text(
    "UPDATE bank_accounts SET balance = balance + :amount"
    " WHERE name = :name AND balance + :amount >= 0"
)
_BALANCE = sa.text("SELECT balance FROM bank_accounts WHERE name = :name")


class SqlBank:
    """Accounts and transfers in two tables; each call is one transaction.

    Guarantees what `Bank` does. The INSERT claims the key, the UPDATE checks the balance as it
    changes it, and a transaction that raises leaves nothing behind. Rows are taken in the order
    of their names, so that two transfers in opposite directions do not wait for each other.
    Takes an engine on SQLite or PostgreSQL; raises TypeError or ValueError for others.
    `install()` first, once.
    """

    def __init__(self, sql: sa.Engine) -> None:
        check_sql(sql)
        self.sql = sql

    def install(self) -> SqlBank:
        """Make the tables that are missing; any number of processes may do so at once."""
        for table in _tables.sorted_tables:
            try:
                table.create(self.sql, checkfirst=True)
            except sa.exc.DBAPIError:  # another process made it between our look and our CREATE
                table.create(self.sql, checkfirst=True)
        return self

    def open(self, account: str) -> None:
        """Open an account with nothing in it; once or many times is the same."""
        with self.sql.begin() as tx:
            tx.execute(_OPEN, {"name": account_code(account)})

    def deposit(self, account: str, amount: int, key: str) -> None:
        """Put in cents from outside, once for each key; raises what `Bank.deposit` does."""
        target = account_code(account)
        check_amount(amount)
        with self.sql.begin() as tx:
            if self._claim(tx, key, OUTSIDE, target, amount):
                self._move(tx, account, amount)

    def transfer(self, sender: str, recipient: str, amount: int, key: str) -> None:
        """Move cents between two accounts, once for each key; raises what `Bank.transfer` does."""
        source, target = account_code(sender), account_code(recipient)
        check_amount(amount)
        if source == target:
            raise InvalidAccount(f"{sender!r} cannot send money to itself")
        with self.sql.begin() as tx:
            if self._claim(tx, key, source, target, amount):
                for name, change in sorted([(sender, -amount), (recipient, amount)]):
                    self._move(tx, name, change)

    def balance(self, account: str) -> int:
        """Return what is in the account, in cents; InvalidAccount if there is none such."""
        with self.sql.begin() as tx:
            return self._balance(tx, account)

    def _claim(self, tx: sa.Connection, key: str, sender: str, to: str, cents: int) -> bool:
        """Take the key; False if the same transfer has it already."""
        content = {"sender": sender, "recipient": to, "amount": cents}
        if tx.execute(_CLAIM, {"key": key_code(key), **content}).rowcount:
            return True
        if tuple(tx.execute(_CLAIMED, {"key": key_code(key)}).one()) != (sender, to, cents):
            raise KeyAlreadyUsed(key)
        return False

    def _move(self, tx: sa.Connection, account: str, cents: int) -> None:
        if not tx.execute(_MOVE, {"name": account_code(account), "amount": cents}).rowcount:
            raise InsufficientFunds(account, self._balance(tx, account), -cents)

    def _balance(self, tx: sa.Connection, account: str) -> int:
        rows = tx.execute(_BALANCE, {"name": account_code(account)}).all()
        if not rows:
            raise InvalidAccount(f"there is no account {account!r}: open() it first")
        return int(rows[0][0])
