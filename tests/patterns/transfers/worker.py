"""A client in a process of its own: reads transfers, makes them, says what it was told.

Reads from standard input a database's URL, then lines of JSON [sender, to, amount, id].
"""

from __future__ import annotations

import json
import sys

import couchdb

from patterns.transfers import Bank, InsufficientFunds

if __name__ == "__main__":
    bank = Bank(couchdb.Database(sys.stdin.readline().strip()))
    for line in sys.stdin:
        sender, to, amount, name = json.loads(line)
        try:
            said = bank.transfer(sender, to, amount, name)
        except InsufficientFunds:
            said = "refused"
        print(json.dumps([name, said]), flush=True)
