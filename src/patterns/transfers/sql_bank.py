"""The same bank in SQL, where one transaction may change as many rows as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ._checks import check_amount, check_sql, check_transaction
from .errors import InsufficientFunds, InvalidAccount, InvalidAmount, KeyAlreadyUsed
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
    which is PostgreSQL's default, it relies on this: the INSERT that claims a key waits for a
    transaction that claims the same, and so does the UPDATE of a row; then the UPDATE looks at
    its WHERE again, on the row as it is now. So the balance is checked as it is changed. Keys
    are taken before rows, and rows in the order of their names, so that no two wait for each
    other. What raises leaves nothing behind; after an OperationalError call again, same key.

    Takes an engine on SQLite or PostgreSQL; raises TypeError or ValueError for others. One in
    AUTOCOMMIT is refused, here or, if it was set later, by each verb before it writes.
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
        content = {"sender": sender, "recipient": to, "amount": cents}
        if tx.execute(_CLAIM, {"key": key_code(key), **content}).rowcount:
            return True
        if tuple(tx.execute(_CLAIMED, {"key": key_code(key)}).one()) != (sender, to, cents):
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
        rows = tx.execute(_BALANCE, {"name": account_code(account)}).all()
        if not rows:
            raise InvalidAccount(f"there is no account {account!r}: open() it first")
        return int(rows[0][0])

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self.sql.begin() as tx:
            check_transaction(tx)
            try:
                yield tx
            except sa.exc.DataError as error:  # a table of smaller numbers than ours
                raise InvalidAmount(f"the table cannot hold it: {error.orig}") from error
