"""The bank in every schedule, with crashes and lost replies; and that the search would notice."""

from __future__ import annotations

from types import SimpleNamespace

import couchdb
import pytest
from couchdb.client import Row
from tests.patterns.transfers.town import depositor, ledger_is_right, payer, town

from patterns.transfers import Bank, InsufficientFunds
from patterns.transfers.ledger import VIEW
from raceproof import Violation, explore

FAULTS = {"crashes": 1, "lost_replies": 1}
SPENDERS = {
    "ann": payer("alice", "bob", 80, "t1"),
    "ben": payer("alice", "carol", 80, "t2"),
    "dee": depositor("alice", 50, "d2"),
}


def search(clients, check=None, **bounds):
    return explore(world=town, clients=clients, check=check or ledger_is_right(*clients), **bounds)


def holds(report):
    assert report.holds, str(report)
    return report.schedules


def test_two_spenders_and_a_depositor_with_a_crash_and_a_lost_reply():
    assert holds(search(SPENDERS, **FAULTS)) > 10_000


def test_a_request_that_takes_effect_after_its_sender_gave_up_or_died():
    clients = {name: SPENDERS[name] for name in ("ann", "ben")}
    holds(search(clients, late=1, **FAULTS))


def test_one_of_two_always_gets_the_money():
    def check(world):
        said = [world.journal[name][0][1] for name in ("ann", "ben")]
        if said.count("refused") != 1:
            raise Violation(f"they were told {said}")

    holds(search({name: SPENDERS[name] for name in ("ann", "ben")}, check))


def test_three_spenders_of_whom_two_can_pay():
    clients = {
        f"client {i}": payer("alice", to, 50, f"t{i}")
        for i, to in enumerate(("bob", "carol", "bob"))
    }

    def check(world):
        ledger_is_right(*clients)(world)
        if Bank(world.db).balance("alice") != 0:
            raise Violation("two of three could be paid")

    holds(search(clients, check))


def test_one_transfer_tried_by_two_clients_at_once():
    clients = {"ann": payer("alice", "bob", 40, "t1"), "ben": payer("alice", "bob", 40, "t1")}

    def check(world):
        ledger_is_right(*clients)(world)
        if Bank(world.db).balance("bob") not in (0, 40):
            raise Violation("paid twice")

    holds(search(clients, check, **FAULTS))


def test_one_deposit_tried_by_two_clients_at_once():
    clients = {"dee": depositor("bob", 40, "d2"), "don": depositor("bob", 40, "d2")}
    holds(search(clients, **FAULTS))


def test_money_that_is_passed_on_and_back():
    clients = {
        "alice": payer("alice", "bob", 80, "t1"),
        "bob": payer("bob", "carol", 70, "t2"),
        "carol": payer("carol", "alice", 60, "t3"),
    }
    holds(search(clients, **FAULTS))


def test_opening_accounts_at_the_same_time():
    def opener(world):
        bank = Bank(world.db)
        for name in ("dan", "eve"):
            bank.open(name)

    def check(world):
        if not Bank(world.db).audit().balances.keys() >= {"dan", "eve"}:
            raise Violation("an account is missing")

    holds(search({"a": opener, "b": opener}, check))


def test_the_first_use_of_an_empty_database_by_two():
    from workshop import services

    from .town import Town

    def newcomer(name):
        def client(world):
            Bank(world.db).open(name)
            Bank(world.db).deposit(name, 5, name)

        return client

    report = explore(
        world=lambda: Town(services.couch("town", fresh=True)),
        clients={"ann": newcomer("ann"), "ben": newcomer("ben")},
        check=ledger_is_right(),
    )
    holds(report)


def test_two_senders_with_one_key_are_both_paid_and_the_audit_tells():
    """The one thing that the chain of a sender cannot know, as the docstring says."""

    def prepared():
        world = town()
        Bank(world.db).deposit("bob", 100, "d2")
        return world

    def with_keys(ann, bob):
        clients = {"ann": payer("alice", "carol", 40, ann), "bob": payer("bob", "carol", 40, bob)}
        return explore(world=prepared, clients=clients, check=ledger_is_right())

    report = with_keys("t1", "t1")
    assert {found.violation for found in report.findings} == {
        "t1 was paid 2 times",
        "bob raises KeyAlreadyUsed: key 't1' was used before, for something else",
        "ann raises KeyAlreadyUsed: key 't1' was used before, for something else",
    }
    holds(with_keys("alice/t1", "bob/t1"))


class TwoShards(couchdb.Database):
    """Its view reads one half of the documents, and a moment later the other half."""

    def view(self, name, keys=None, **options):
        if name != VIEW or keys is None:
            return super().view(name, keys=keys, **options)
        found = {}
        for shard in (0, 1):
            for row in super().view(VIEW, keys=keys, reduce=False):
                if self.shard_of(row.id) == shard:
                    found.setdefault(row.key, []).append(row.value)
        rows = [
            Row(key=key, value=[*map(sum, zip(*values, strict=True))])
            for key, values in found.items()
        ]
        return SimpleNamespace(rows=rows)


@pytest.mark.parametrize("early", ["alice:1", "deposit/d2"])
def test_a_view_need_not_be_one_moment(early):
    """On Apache CouchDB a database has two shards, if not made otherwise."""

    class Shards(TwoShards):
        def shard_of(self, name):
            return int(name != early)

    def pay(bank, *transfer):
        return Bank(Shards(bank.couch.resource, bank.couch.name)).transfer(*transfer)

    spenders = {
        "ann": payer("alice", "bob", 80, "t1", pay),
        "ben": payer("alice", "carol", 60, "t2", pay),
        "dee": depositor("alice", 50, "d2"),
    }
    holds(search(spenders))
    holds(search({**spenders, "dee": payer("bob", "alice", 40, "t3", pay)}))
    holds(search({"ann": spenders["ann"], "amy": spenders["ann"]}, lost_replies=1))


# --- that these searches would notice ------------------------------------------------


class BalanceFirst(Bank):
    """Reads the balance, and only then the number: the wrong way round, in two requests."""

    def _read(self, *keys):
        first = super()._read(*keys)
        again = super()._read(*keys)
        return {key: (first.get(key, (0, 0))[0], again[key][1]) for key in again}


class IdFirst(Bank):
    """Looks for the id before it reads the number."""

    def _read(self, *keys):
        early = super()._read(*keys)
        found = super()._read(*keys)
        return {k: v for k, v in found.items() if not k.startswith("#") or k in early}


class NoConflict(Bank):
    """Overwrites what it finds, as a put without a revision does elsewhere."""

    def __init__(self, db):
        class Over(couchdb.Database):
            def __setitem__(self, name, doc):
                old = self.get(name)
                super().__setitem__(name, {**doc, "_rev": old["_rev"]} if old else doc)

        super().__init__(Over(db.resource, db._name))


@pytest.mark.parametrize(
    ("wrong", "same_id"), [(BalanceFirst, False), (IdFirst, True), (NoConflict, False)]
)
def test_a_bank_with_one_thing_wrong_is_found_out(wrong, same_id):
    def pay(bank, *transfer):
        return wrong(bank.couch).transfer(*transfer)

    clients = {
        "ann": payer("alice", "bob", 40 if same_id else 80, "t1", pay),
        "ben": payer("alice", "bob", 40 if same_id else 80, "t1" if same_id else "t2", pay),
    }
    assert search(clients).broken > 0


def test_the_conflict_is_what_makes_it_start_again():
    """Without the retry on 409 a transfer that could be made is not."""

    def once(bank, sender, to, amount, name):
        rows = {row.key: row.value for row in bank.couch.view(VIEW, group=True)}
        if rows[sender][0] < amount:
            raise InsufficientFunds(sender, rows[sender][0], amount)
        doc = {"to": to, "amount": amount, "transfer": name, "left": rows[sender][0] - amount}
        bank.couch[f"{sender}:{rows[sender][1]}"] = doc
        return f"{sender}:{rows[sender][1]}"

    clients = {
        "ann": payer("alice", "bob", 40, "t1", once),
        "ben": payer("alice", "bob", 40, "t2", once),
    }
    report = search(clients)
    assert "ResourceConflict" in report.violation
