"""Money between accounts: no overdraft, nothing made or lost, each transfer at most once.

    Bank       one CouchDB database; a transfer is one document
    Branch     several databases that replicate; each account has one home
    SqlBank    the same verbs on a SQL database

The problem is from David Wolever, "Atomic Bank Balance Transfer with CouchDB" (2014).
"""

from .audit import LedgerAudit
from .bank import Bank
from .branch import Branch
from .errors import (
    InsufficientFunds,
    InvalidAccount,
    InvalidAmount,
    InvalidKey,
    KeyAlreadyUsed,
    NotAtHome,
    SeveralCopies,
    TooBusy,
)
from .sql_bank import SqlBank

__all__ = [
    "Bank",
    "Branch",
    "InsufficientFunds",
    "InvalidAccount",
    "InvalidAmount",
    "InvalidKey",
    "KeyAlreadyUsed",
    "LedgerAudit",
    "NotAtHome",
    "SeveralCopies",
    "SqlBank",
    "TooBusy",
]
