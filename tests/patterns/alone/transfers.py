"""The same payments in CouchDB, at a branch, and in SQL. CouchDB's address comes as an argument."""

import sys

import couchdb
import pytest
import sqlalchemy as sa
from taken_home.transfers import Bank, Branch, InsufficientFunds, KeyAlreadyUsed, NotAtHome, SqlBank

couch, sql = couchdb.Database(sys.argv[1]), sa.create_engine("sqlite:///bank.db")
for bank in (Bank(couch).install(), SqlBank(sql).install()):
    for name in ("alice", "bob"):
        bank.open(name)
    bank.deposit("alice", 100, key="wages")
    for _ in range(2):
        bank.transfer("alice", "bob", 80, key="rent")
    assert (bank.balance("alice"), bank.balance("bob")) == (20, 80)
    with pytest.raises(InsufficientFunds, match="alice has 20"):
        bank.transfer("alice", "bob", 80, key="more")
    with pytest.raises(KeyAlreadyUsed, match="rent"):
        bank.transfer("alice", "bob", 1, key="rent")
assert Bank(couch).audit().clean

north = Branch(couch, "north").install()
north.open("alice")
with pytest.raises(NotAtHome):
    north.transfer("alice@south", "alice@north", 1, key="x")
