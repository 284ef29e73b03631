"""What replication does to a ledger, and the branches that survive it."""

from __future__ import annotations

from dataclasses import dataclass

import couchdb
import pytest

from patterns.transfers import Bank, Branch, InsufficientFunds, NotAtHome
from raceproof import Violation, explore
from workshop import services

ONE_IS_HIDDEN = "alice:1 is in conflict: 2 acknowledged transfers, 1 of them hidden and lost"


@dataclass
class Country:
    north: couchdb.Database
    south: couchdb.Database


def databases() -> Country:
    return Country(services.couch("north", fresh=True), services.couch("south", fresh=True))


def both_ways(world: Country) -> None:
    world.north.replicate(world.south)
    world.south.replicate(world.north)


def one_account_everywhere() -> Country:
    world = databases()
    bank = Bank(world.north).install()
    for name in ("alice", "bob", "carol"):
        bank.open(name)
    bank.deposit("alice", 100, "d1")
    world.north.replicate(world.south)
    return world


def homes() -> Country:
    """Alice has 100 at home in the north; nothing is set aside in the south."""
    world = databases()
    north, south = Branch(world.north, "north"), Branch(world.south, "south")
    north.bank.install()
    north.open("alice", "bob")
    south.open("alice", "carol")
    north.deposit("alice@north", 100, "d1")
    both_ways(world)
    return world


def clean_after_replication(world: Country) -> None:
    both_ways(world)
    found = [Bank(db).audit() for db in (world.north, world.south)]
    for audit in found:
        if not audit.clean:
            raise Violation("; ".join(audit.problems))
    if found[0].balances != found[1].balances:
        raise Violation("the branches disagree")


def test_two_offline_branches_spend_the_same_money():
    world = one_account_everywhere()
    Bank(world.north).transfer("alice", "bob", 80, "t1")
    Bank(world.south).transfer("alice", "carol", 80, "t2")
    both_ways(world)
    hidden = world.north.get("alice:1", conflicts=True)["_conflicts"]
    assert len(hidden) == 1
    assert dict(world.north["alice:1"]) == dict(world.south["alice:1"])
    for db in (world.north, world.south):
        assert Bank(db).audit().problems == [
            ONE_IS_HIDDEN,
        ]


def test_money_that_was_passed_on_before_the_conflict_was_seen():
    world = one_account_everywhere()
    Bank(world.north).transfer("alice", "bob", 80, "t1")
    Bank(world.south).transfer("alice", "carol", 80, "t2")
    for place, name in ((world.north, "bob"), (world.south, "carol")):
        Bank(place).transfer(name, "alice", 80, f"back from {name}")
    both_ways(world)
    loser = {"bob": "carol", "carol": "bob"}[world.north["alice:1"]["to"]]
    assert f"{loser} has 0 when {loser}:1 sends 80, in every order" in (
        Bank(world.south).audit().problems
    )


def test_the_same_retry_at_both_branches_is_no_conflict():
    world = one_account_everywhere()
    for db in (world.north, world.south):
        Bank(db).transfer("alice", "bob", 80, "t1")
    both_ways(world)
    assert Bank(world.north).audit().clean
    assert Bank(world.north).balance("bob") == 80


def pay(branch, sender, to, amount, name):
    def client(world):
        Branch(getattr(world, branch), branch).transfer(sender, to, amount, name)

    return client


CLIENTS = {
    "ann": pay("north", "alice@north", "bob@north", 80, "t1"),
    "escrow": pay("north", "alice@north", "alice@south", 50, "aside"),
    "ben": pay("south", "alice@south", "carol@south", 40, "t1"),
    "replicator": both_ways,
}


def test_homes_and_escrow_hold_in_every_schedule():
    report = explore(
        world=homes,
        clients=CLIENTS,
        check=clean_after_replication,
        allow=(InsufficientFunds,),
        crashes=1,
        lost_replies=1,
    )
    assert report.holds, report


def test_without_homes_the_same_search_finds_the_conflict():
    clients = {
        "ann": lambda world: Bank(world.north).transfer("alice", "bob", 80, "t1"),
        "ben": lambda world: Bank(world.south).transfer("alice", "carol", 80, "t2"),
        "replicator": both_ways,
    }
    report = explore(
        world=one_account_everywhere,
        clients=clients,
        check=clean_after_replication,
        allow=(InsufficientFunds,),
    )
    assert report.violation == ONE_IS_HIDDEN


def test_a_branch_spends_only_what_is_at_home():
    world = homes()
    south = Branch(world.south, "south")
    with pytest.raises(NotAtHome, match="alice@north is not an account of south"):
        south.transfer("alice@north", "carol@south", 1, "t")
    with pytest.raises(NotAtHome):
        south.deposit("alice@north", 1, "d")
    with pytest.raises(InsufficientFunds):
        south.transfer("alice@south", "carol@south", 1, "t")
    Branch(world.north, "north").transfer("alice@north", "alice@south", 50, "aside")
    with pytest.raises(InsufficientFunds):
        south.transfer("alice@south", "carol@south", 1, "t")
    both_ways(world)
    south.transfer("alice@south", "carol@south", 50, "t")
    clean_after_replication(world)


def test_the_same_ids_at_two_branches_are_two_transfers():
    world = homes()
    north, south = Branch(world.north, "north"), Branch(world.south, "south")
    south.deposit("alice@south", 7, "d1")
    north.transfer("alice@north", "bob@north", 1, "t")
    south.transfer("alice@south", "carol@south", 1, "t")
    clean_after_replication(world)
    assert Bank(world.north).audit().deposited == 107


def test_three_deposits_of_which_one_is_shown():
    world = one_account_everywhere()
    for rev, amount in (("1-a", 1), ("1-b", 2), ("1-c", 3)):
        doc = {"_id": "deposit/d", "_rev": rev, "to": "alice", "amount": amount}
        world.north.resource.post_json("_bulk_docs", body={"docs": [doc], "new_edits": False})
    told = "deposit/d is in conflict: 3 acknowledged deposits, 2 of them hidden and lost"
    assert Bank(world.north).audit().problems == [told]
