"""The same bank in SQL, where one transaction may change as many rows as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from ._checks import check_amount, check_sql, check_transaction
from .errors import InsufficientFunds, InvalidAccount, InvalidAmount, KeyAlreadyUsed
from .ledger import account_code, key_code

_ACCOUNTS = sa.text(
    "CREATE TABLE IF NOT EXISTS bank_accounts"
    " (name TEXT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0))"
)
_TRANSFERS = sa.text(
    "CREATE TABLE IF NOT EXISTS bank_transfers (key TEXT PRIMARY KEY,"
    " sender TEXT NOT NULL, recipient TEXT NOT NULL, amount BIGINT NOT NULL)"
)
OUTSIDE = "#"  # who sends a deposit: no account can be called so
MOST = 2**63 - 1  # of a balance: beyond it PostgreSQL raises, and SQLite counts in floats

_OPEN = sa.text("INSERT INTO bank_accounts VALUES (:name, 0) ON CONFLICT DO NOTHING")
_CLAIM = sa.text(
    "INSERT INTO bank_transfers VALUES (:key, :sender, :recipient, :amount) ON CONFLICT DO NOTHING"
)
_CLAIMED = sa.text("SELECT sender, recipient, amount FROM bank_transfers WHERE key = :key")
_MOVE = sa.text(
    "UPDATE bank_accounts SET balance = balance + :cents"
    " WHERE name = :name AND balance BETWEEN :least AND :most"
)
_BALANCE = sa.text("SELECT balance FROM bank_accounts WHERE name = :name")


class SqlBank:
    """Accounts and transfers in two tables; each call is one transaction.

    Guarantees what `Bank` does, and that a key is paid once whoever uses it. At READ COMMITTED,
    PostgreSQL's default, it relies on this: an INSERT of a key that another transaction claims
    waits for it, and so does an UPDATE for its row, which then looks at its WHERE again, on the
    row as it is now: the balance is checked as it is changed. Keys are taken before rows, and
    rows in the order of their names, so that no two wait for each other. After an
    OperationalError call again with the same key. `install()` first, once. Takes an engine on
    SQLite or PostgreSQL; TypeError or ValueError for others, and for one in AUTOCOMMIT, here or,
    where it was set later, from each verb before it writes.
    """

    def __init__(self, sql: sa.Engine) -> None:
        check_sql(sql)
        self.sql = sql

    def install(self) -> SqlBank:
        """Make the tables that are missing; any number of processes may do so at once."""
        for table in (_ACCOUNTS, _TRANSFERS):
            with suppress(sa.exc.DBAPIError), self.sql.begin() as tx:
                tx.execute(table)  # PostgreSQL refuses one of two that come at once
            with self.sql.begin() as tx:
                tx.execute(table)
        return self

    def open(self, account: str) -> None:
        """Open an account with nothing in it; once or many times is the same."""
        with self._begin() as tx:
            tx.execute(_OPEN, {"name": account_code(account)})

    def deposit(self, account: str, amount: int, key: str) -> None:
        """Put in cents from outside, once for each key; raises what `Bank.deposit` does."""
        target = account_code(account)
        check_amount(amount)
        with self._begin() as tx:
            if self._claim(tx, key, OUTSIDE, target, amount):
                self._move(tx, account, amount)

    def transfer(self, sender: str, recipient: str, amount: int, key: str) -> None:
        """Move cents between two accounts, once for each key; raises what `Bank.transfer` does."""
        source, target = account_code(sender), account_code(recipient)
        check_amount(amount)
        if source == target:
            raise InvalidAccount(f"{sender!r} cannot send money to itself")
        with self._begin() as tx:
            if self._claim(tx, key, source, target, amount):
                for name, change in sorted([(sender, -amount), (recipient, amount)]):
                    self._move(tx, name, change)

    def balance(self, account: str) -> int:
        """Return what is in the account, in cents; InvalidAccount if there is none such."""
        with self._begin() as tx:
            return self._balance(tx, account)

    def _claim(self, tx: sa.Connection, key: str, sender: str, to: str, cents: int) -> bool:
        """Take the key; False if the same transfer has it already."""
        row = {"key": key_code(key), "sender": sender, "recipient": to, "amount": cents}
        if tx.execute(_CLAIM, row).rowcount:
            return True
        if tuple(tx.execute(_CLAIMED, {"key": row["key"]}).one()) != (sender, to, cents):
            raise KeyAlreadyUsed(key)
        return False

    def _move(self, tx: sa.Connection, account: str, cents: int) -> None:
        """Change a balance that stays in bounds; else raise what forbids it as it is now."""
        least, most = max(0, -cents), MOST - max(0, cents)
        row = {"name": account_code(account), "cents": cents, "least": least, "most": most}
        while not tx.execute(_MOVE, row).rowcount:
            balance = self._balance(tx, account)
            if balance < least:
                raise InsufficientFunds(account, balance, -cents)
            if balance > most:
                raise InvalidAmount(f"{account} has {balance}, and can have {MOST} at most")

    def _balance(self, tx: sa.Connection, account: str) -> int:
        balance = tx.execute(_BALANCE, {"name": account_code(account)}).scalar_one_or_none()
        if balance is None:
            raise InvalidAccount(f"there is no account {account!r}: open() it first")
        return int(balance)

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self.sql.begin() as tx:
            check_transaction(tx)
            try:
                yield tx
            except sa.exc.DataError as error:  # a table of smaller numbers than ours
                raise InvalidAmount(f"the table cannot hold it: {error.orig}") from error
