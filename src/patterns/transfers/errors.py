"""What a bank raises, each for one reason."""

from __future__ import annotations


class InsufficientFunds(Exception):
    """The sender has less than the amount: `account`, `balance` and `amount`, in cents."""

    def __init__(self, account: str, balance: int, amount: int) -> None:
        super().__init__(account, balance, amount)
        self.account, self.balance, self.amount = account, balance, amount

    def __str__(self) -> str:
        return f"{self.account} has {self.balance}, {self.amount} are needed"


class KeyAlreadyUsed(ValueError):
    """A key names one transfer or deposit; here it was given to a second, different one."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"key {self.key!r} was used before, for something else"


class TooBusy(Exception):
    """Others kept taking the sender's next number. Nothing was written: try again."""


class InvalidAmount(ValueError):
    """Not a whole number of cents from 1 to 2**53 - 1, or more than a SQL table can hold."""


class InvalidAccount(ValueError):
    """Not a name, or no such account, or sender and recipient are the same."""


class InvalidKey(ValueError):
    """Not a string of 1 to 100 characters that UTF-8 can encode."""


class NotAtHome(Exception):
    """The account belongs to another branch: ask there, or have money set aside here."""


class SeveralCopies(UserWarning):
    """A cluster keeps `copies` of the database, and each may accept another document."""

    def __init__(self, copies: int) -> None:
        super().__init__(copies)
        self.copies = copies

    def __str__(self) -> str:
        return (
            f"this database has {self.copies} copies: two clients may both be told that they made "
            "one document, and a paid transfer is lost; create the database with n=1"
        )
