"""Any names, amounts and order of calls: the bank agrees with a dictionary."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from patterns.transfers import Bank, InsufficientFunds, InvalidAccount, KeyAlreadyUsed
from patterns.transfers._checks import LARGEST
from patterns.transfers.ledger import account_code
from workshop import services

text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
amounts = st.one_of(st.integers(1, 200), st.integers(1, LARGEST))


@given(names=st.lists(text, min_size=2, max_size=6, unique=True))
def test_names_keep_their_identity(names):
    keys = [account_code(name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(key.isascii() and key.isprintable() and key[0] != "_" for key in keys)
    assert not any(c in key for key in keys for c in ":/#@ +?")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_bank_agrees_with_a_dictionary(data):
    bank = Bank(services.couch("generated", fresh=True))
    people = data.draw(st.lists(text, min_size=2, max_size=4, unique=True))
    balances = dict.fromkeys(people, 0)
    done: dict[str, tuple] = {}
    for name in people:
        bank.open(name)
    for number in range(data.draw(st.integers(1, 8))):
        who, to = data.draw(st.sampled_from(people)), data.draw(st.sampled_from(people))
        amount = data.draw(amounts)
        if data.draw(st.booleans()):
            bank.deposit(to, amount, f"d{number}")
            balances[to] += amount
            continue
        wish = data.draw(st.sampled_from(["t1", "t2", f"t{number}"]))
        new = wish not in done
        try:
            bank.transfer(who, to, amount, wish)
        except InvalidAccount:
            assert who == to
        except KeyAlreadyUsed:
            assert done[wish] != (who, to, amount)
        except InsufficientFunds:
            assert new
            assert balances[who] < amount
        else:
            assert done.setdefault(wish, (who, to, amount)) == (who, to, amount)
            balances[who] -= amount * new
            balances[to] += amount * new
    assert {name: bank.balance(name) for name in people} == balances
    assert bank.audit().problems == []


json_values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), text, st.lists(text, max_size=2)
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(["a:1", "a:2", "a:", "a", "a:x", "a:1:2", "a:" + "9" * 5000, "deposit/x"]),
    doc=st.dictionaries(
        st.sampled_from(["opened", "to", "amount", "transfer", "left", "note"]), json_values
    ),
)
def test_whatever_is_put_into_the_database_is_found_and_harms_nobody_else(name, doc):
    bank = Bank(services.couch("generated", fresh=True))
    for account in ("a", "b"):
        bank.open(account)
    bank.deposit("b", 10, "d")
    assume(name != "deposit/x" or set(doc) != {"to", "amount"})
    bank.couch[name] = doc
    assert not bank.audit().clean
    assert bank.balance("b") == 10 or doc.get("to") == "b"
