"""What a Bank does, and what it refuses before anything is written."""

from __future__ import annotations

import hashlib

import couchdb
import pytest

from patterns.transfers import (
    Bank,
    InsufficientFunds,
    InvalidAccount,
    InvalidAmount,
    InvalidKey,
    KeyAlreadyUsed,
    TooBusy,
)
from patterns.transfers._checks import LARGEST, check_amount
from patterns.transfers.ledger import DESIGN, MAP


@pytest.fixture
def bank(couch_db: couchdb.Database) -> Bank:
    """Alice has 100 cents, bob none."""
    bank = Bank(couch_db)
    bank.open("alice")
    bank.open("bob")
    bank.deposit("alice", 100, "d1")
    return bank


def everything(db: couchdb.Database) -> list:
    return [(row.id, row.value) for row in db.view("_all_docs")]


def test_a_transfer_moves_money(bank, couch_db):
    assert bank.transfer("alice", "bob", 80, "rent") == "alice:1"
    assert (bank.balance("alice"), bank.balance("bob")) == (20, 80)
    assert bank.statement("alice") == [("deposit/d1", "", 100), ("alice:1", "bob", -80)]
    assert bank.statement("bob") == [("alice:1", "alice", 80)]
    audit = bank.audit()
    assert audit.clean
    assert (audit.balances, audit.transfers, audit.deposited) == ({"alice": 20, "bob": 80}, 1, 100)


def test_transfers_are_numbered_in_order_beyond_nine(bank):
    sent = [bank.transfer("alice", "bob", 1, f"t{i}") for i in range(1, 13)]
    assert sent == [f"alice:{i}" for i in range(1, 13)]
    assert [line[0] for line in bank.statement("alice")[1:]] == sent
    assert bank.audit().clean


def test_everything_may_be_repeated(bank, couch_db):
    bank.transfer("alice", "bob", 80, "rent")
    before = everything(couch_db)
    bank.install()
    bank.open("alice")
    assert bank.deposit("alice", 100, "d1") == "deposit/d1"
    assert bank.transfer("alice", "bob", 80, "rent") == "alice:1"
    assert everything(couch_db) == before


def test_a_refused_transfer_writes_nothing_and_may_be_tried_again(bank, couch_db):
    before = everything(couch_db)
    with pytest.raises(InsufficientFunds, match="alice has 100, 101 are needed") as refused:
        bank.transfer("alice", "bob", 101, "rent")
    assert (refused.value.account, refused.value.balance, refused.value.amount) == (
        "alice",
        100,
        101,
    )
    assert everything(couch_db) == before
    bank.deposit("alice", 1, "d2")
    assert bank.transfer("alice", "bob", 101, "rent") == "alice:1"
    assert bank.balance("alice") == 0


@pytest.mark.parametrize(
    ("sender", "recipient", "amount"),
    [("alice", "bob", 81), ("alice", "carol", 80), ("bob", "alice", 80)],
)
def test_the_same_id_for_another_transfer(bank, couch_db, sender, recipient, amount):
    bank.open("carol")
    bank.deposit("bob", 100, "d2")
    bank.transfer("alice", "bob", 80, "rent")
    before = everything(couch_db)
    with pytest.raises(KeyAlreadyUsed, match="rent"):
        bank.transfer(sender, recipient, amount, "rent")
    with pytest.raises(KeyAlreadyUsed, match="d1"):
        bank.deposit("alice", 99, "d1")
    with pytest.raises(KeyAlreadyUsed, match="d1"):
        bank.deposit("bob", 100, "d1")
    assert everything(couch_db) == before


@pytest.mark.parametrize(
    "amount", [0, -1, 1.0, 0.5, float("nan"), float("inf"), True, "80", None, LARGEST + 1, 10**400]
)
def test_amounts_that_are_none(bank, couch_db, amount):
    before = everything(couch_db)
    with pytest.raises(InvalidAmount):
        bank.transfer("alice", "bob", amount, "t")
    with pytest.raises(InvalidAmount):
        bank.deposit("alice", amount, "d")
    assert everything(couch_db) == before


def test_the_largest_amount_is_the_last_that_javascript_tells_from_the_next():
    check_amount(2**53 - 1)
    with pytest.raises(InvalidAmount, match=r"1 to 2\*\*53 - 1: 9007199254740992"):
        check_amount(2**53)


@pytest.mark.parametrize(
    "name", ["", "x" * 101, "x" * 1_000_000, "\ud800", None, 7, b"alice", True]
)
def test_names_that_are_none(bank, couch_db, name):
    before = everything(couch_db)
    for call in (
        lambda: bank.open(name),
        lambda: bank.deposit(name, 1, "d"),
        lambda: bank.transfer(name, "bob", 1, "t"),
        lambda: bank.transfer("alice", name, 1, "t"),
        lambda: bank.balance(name),
        lambda: bank.statement(name),
    ):
        with pytest.raises(InvalidAccount):
            call()
    for call in (
        lambda: bank.deposit("alice", 1, name),
        lambda: bank.transfer("alice", "bob", 1, name),
    ):
        with pytest.raises(InvalidKey):
            call()
    assert everything(couch_db) == before


def test_accounts_that_were_never_opened(bank, couch_db):
    before = everything(couch_db)
    for call in (
        lambda: bank.transfer("zoe", "bob", 1, "t"),
        lambda: bank.transfer("alice", "zoe", 1, "t"),
        lambda: bank.deposit("zoe", 1, "d"),
        lambda: bank.balance("zoe"),
        lambda: bank.statement("zoe"),
    ):
        with pytest.raises(InvalidAccount, match="'zoe'"):
            call()
    with pytest.raises(InvalidAccount, match="itself"):
        bank.transfer("alice", "alice", 1, "t")
    assert everything(couch_db) == before


NAMES = [
    "_design/x", "_", "a:b", "a/b", "a%b", "a%2Fb", "deposit", "deposit/d1", "#t", "é", "e\u0301",
    " ", "a b", "A", "a", "日本", "👩‍👧", "\x00", "line\nbreak", "alice:1", "{}", "?x=1", "+", '"',
    "\u200b", "a\u200b", "x" * 100,
]  # fmt: skip


def test_any_text_is_a_name_and_no_two_are_the_same(couch_db):
    bank = Bank(couch_db)
    for number, name in enumerate(NAMES, 1):
        bank.open(name)
        bank.deposit(name, 1000 * number, name)
    for number, name in enumerate(NAMES):
        to = NAMES[number - 1]
        bank.transfer(name, to, number + 1, name)
        assert bank.statement(name)[-1][1:] == (to, -number - 1)
    expected = {
        name: 1000 * number - number + (number % len(NAMES) + 1)
        for number, name in enumerate(NAMES, 1)
    }
    assert bank.audit().balances == expected
    assert bank.audit().clean
    assert {name: bank.balance(name) for name in NAMES} == expected


def test_sums_beyond_what_javascript_counts_stay_exact(bank):
    for number in range(5):
        bank.deposit("alice", LARGEST, f"big{number}")
    assert bank.balance("alice") == 5 * LARGEST + 100
    for number in range(5):
        bank.transfer("alice", "bob", LARGEST - number, f"t{number}")
    assert bank.balance("alice") == 110
    assert bank.balance("bob") == 5 * LARGEST - 10
    assert bank.audit().clean


def test_the_view_is_stored_when_it_is_first_needed(couch_db):
    bank = Bank(couch_db)
    assert len(couch_db) == 0
    assert bank.audit().clean
    assert DESIGN in couch_db


def test_a_changed_map_function_needs_a_changed_name():
    """Old and new code may share a database only if each has a view of its own."""
    digest = hashlib.sha256(MAP.encode()).hexdigest()[:8]
    assert (DESIGN, digest) == ("_design/bank-1", "0c4a1fb8")


def test_a_database_that_is_not_there_is_an_error(bank, couch_db):
    gone = Bank(couchdb.Database(couch_db.resource("..", "nowhere"), "nowhere"))
    with pytest.raises(couchdb.http.HTTPError):
        gone.balance("alice")


def test_a_number_that_is_taken_by_something_else_is_no_endless_loop(bank, couch_db):
    couch_db["alice:1"] = {"note": "who put this here?"}
    with pytest.raises(TooBusy, match="alice:1 was taken 100 times running"):
        bank.transfer("alice", "bob", 1, "t")
    assert bank.audit().problems == [
        "alice:1 does not belong in a ledger",
    ]


def test_an_error_in_a_row_is_raised(bank, couch_db):
    """CouchDB answers 200 and puts the error of a reduce into the row."""
    couch_db["deposit/x"] = {"to": "alice", "amount": 1}

    class Broken(couchdb.Database):
        def view(self, *args, **kwargs):
            answer = super().view(*args, **kwargs)
            answer.rows[0].update(error="reduce_overflow_error", reason="too big", value=None)
            return answer

    with pytest.raises(couchdb.ServerError, match="reduce_overflow_error"):
        Bank(Broken(couch_db.resource, couch_db.name)).balance("alice")


def forge(db: couchdb.Database, name: str, **doc: object) -> None:
    db[name] = doc


@pytest.mark.parametrize(
    ("name", "doc", "problem"),
    [
        ("alice:1", {"to": "bob", "amount": 120, "transfer": "f", "left": -20}, "alice was at -20"),
        ("alice:1", {"to": "bob", "amount": 120, "transfer": "f", "left": -20}, "in every order"),
        ("alice:1", {"to": "bob", "amount": 80, "transfer": "f", "left": 21}, "cannot be"),
        ("alice:2", {"to": "bob", "amount": 80, "transfer": "f", "left": 20}, "the number 1"),
        ("alice:01", {"to": "bob", "amount": 80, "transfer": "f", "left": 20}, "not belong"),
        ("alice:1", {"to": "bob", "amount": -5, "transfer": "f", "left": 105}, "not belong"),
        ("alice:1", {"to": "bob", "amount": 5.5, "transfer": "f", "left": 94.5}, "not belong"),
        ("alice:1", {"to": "alice", "amount": 5, "transfer": "f", "left": 95}, "not belong"),
        ("alice:1", {"to": "zoe", "amount": 5, "transfer": "f", "left": 95}, "zoe, who has no acc"),
        ("zoe:1", {"to": "bob", "amount": 5, "transfer": "f", "left": 0}, "zoe has 0 when zoe:1"),
        ("deposit/x", {"to": "zoe", "amount": 5}, "pays zoe, who has no account"),
        ("deposit/x", {"to": "bob", "amount": "5"}, "not belong"),
        ("deposit/x", {"to": "bob", "amount": 0}, "not belong"),
    ],
)
def test_the_audit_finds_a_forged_document(bank, couch_db, name, doc, problem):
    assert bank.audit().clean
    couch_db[name] = doc
    audit = bank.audit()
    assert not audit.clean
    assert any(problem in said for said in audit.problems), audit.problems


def test_the_audit_names_the_first_transfer_that_cannot_be_paid(bank, couch_db):
    """The next could be, but no sender's transfer comes before an earlier one."""
    couch_db["alice:1"] = {"to": "bob", "amount": 120, "transfer": "x", "left": -20}
    couch_db["alice:2"] = {"to": "bob", "amount": 10, "transfer": "y", "left": -30}
    problems = bank.audit().problems
    assert "alice has 100 when alice:1 sends 120, in every order" in problems


def test_the_audit_finds_money_that_went_in_a_circle(bank, couch_db):
    """Each ends with what it had; but neither could pay before the other had."""
    bank.transfer("alice", "bob", 100, "t1")
    bank.open("carol")
    couch_db["bob:1"] = {"to": "carol", "amount": 150, "transfer": "x", "left": 0}
    couch_db["carol:1"] = {"to": "bob", "amount": 150, "transfer": "y", "left": 0}
    audit = bank.audit()
    assert "bob has 100 when bob:1 sends 150, in every order" in audit.problems
    assert "carol has 0 when carol:1 sends 150, in every order" in audit.problems
    assert audit.balances == {"alice": 0, "bob": 100, "carol": 0}


def test_the_audit_finds_an_id_that_was_paid_twice(bank, couch_db):
    bank.transfer("alice", "bob", 10, "rent")
    couch_db["alice:2"] = {"to": "bob", "amount": 10, "transfer": "rent", "left": 80}
    assert bank.audit().problems == ["rent was paid 2 times"]


def test_a_refusal_that_is_kept_as_a_transfer_of_nothing_is_clean(bank, couch_db):
    couch_db["alice:1"] = {"to": "bob", "amount": 0, "transfer": "no", "left": 100}
    bank.transfer("alice", "bob", 100, "rent")
    assert bank.audit().clean
    assert bank.audit().balances == {"alice": 0, "bob": 100}


def test_the_audit_finds_a_deleted_document(bank, couch_db):
    bank.transfer("alice", "bob", 10, "t1")
    bank.transfer("alice", "bob", 10, "t2")
    couch_db.delete(couch_db["alice:1"])
    assert "alice: no document has the number 1" in bank.audit().problems


def test_the_audit_names_gaps_by_their_ends_however_far_a_number_is_off(bank, couch_db):
    for number in (3, 9_999_999_999_999_999):
        key = {"to": "bob", "amount": 0, "transfer": f"t{number}", "left": 100}
        couch_db[f"alice:{number}"] = key
    gaps = "1 to 2, 4 to 9999999999999998"
    assert f"alice: no document has the number {gaps}" in bank.audit().problems


def test_the_audit_compares_the_view_with_the_documents(bank, couch_db):
    """The view counts this one; by its form it is no deposit."""
    couch_db["deposit/x"] = {"to": "bob", "amount": 5, "note": "a present"}
    assert bank.audit().problems == [
        "deposit/x does not belong in a ledger",
        "bob: the view says [5], not 0",
        "100 came in, and the accounts hold 105",
    ]


def test_money_that_goes_back_and_forth_is_clean(bank):
    for number in range(3):
        bank.transfer("alice", "bob", 100, f"to bob {number}")
        bank.transfer("bob", "alice", 100, f"to alice {number}")
    assert bank.audit().problems == []
