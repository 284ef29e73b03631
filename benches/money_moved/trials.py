"""Many clients at once, each on random accounts; and one client on a ledger that grows."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import psutil
import sqlalchemy as sa
from benches.money_moved.versions import (
    NAIVE,
    OURS,
    PENDING,
    SPACE,
    Counted,
    Transfer,
    fresh,
    fresh_sql,
    on_couch,
    on_sql,
)

from patterns.transfers import SqlBank
from workshop import services
from workshop.services import environment


@dataclass(frozen=True)
class Moved:
    """Transfers a second; of one transfer, requests and milliseconds of the processor."""

    per_second: float
    requests: float
    here: float
    server: float  # of the server that this process started; 0 if it started none


def names_of(accounts: int) -> list[str]:
    """Return so many names."""
    return [f"account{number}" for number in range(accounts)]


def used_by_children() -> float:
    """Seconds of the processor that the processes of this one have taken: the servers."""
    used = 0.0
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        used += times.user + times.system
    return used


def together(transfers: Sequence[Transfer], accounts: int, count: int) -> tuple[float, float]:
    """Let all clients transfer at once, `count` in all; return seconds, and those of the CPU."""
    names, errors = names_of(accounts), []

    def client(number: int) -> None:
        chance = random.Random(number)
        try:
            for i in range(count // len(transfers)):
                sender, to = chance.sample(names, 2)
                transfers[number](sender, to, chance.randint(1, 9), f"t{number}-{i}")
        except Exception as error:
            errors.append(error)

    clients = [threading.Thread(target=client, args=(n,)) for n in range(len(transfers))]
    here, began = time.process_time(), time.perf_counter()
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    took, here = time.perf_counter() - began, time.process_time() - here
    if errors:
        raise errors[0]
    return took, here


def on_the_ledger(version: str, clients: int, accounts: int, count: int) -> Moved:
    """Measure one version on CouchDB."""
    fresh(version, names_of(accounts))
    sessions = [Counted() for _ in range(clients)]
    server = used_by_children()
    took, here = together([on_couch(version, one) for one in sessions], accounts, count)
    server = 0.0 if environment.couchdb_url() else used_by_children() - server
    done = count // clients * clients
    asked = sum(session.requests for session in sessions)
    return Moved(done / took, asked / done, here / done * 1000, server / done * 1000)


def in_sql(sql: sa.Engine, clients: int, accounts: int, count: int) -> Moved:
    """Measure `SqlBank`; no money may be made or lost."""
    fresh_sql(sql, names_of(accounts))
    before = total(sql, accounts)
    took, here = together([on_sql(sql)] * clients, accounts, count)
    assert total(sql, accounts) == before
    done = count // clients * clients
    return Moved(done / took, 0, here / done * 1000, 0)


def total(sql: sa.Engine, accounts: int) -> int:
    """Return what all accounts hold."""
    bank = SqlBank(sql)
    return sum(bank.balance(name) for name in names_of(accounts))


def trials(
    sql: dict[str, sa.Engine], clients: int, accounts: int, count: int
) -> dict[str, Callable[[], Moved]]:
    """Return what measures each version once."""
    versions: dict[str, Callable[[], Moved]] = {
        version: partial(on_the_ledger, version, clients, accounts, count)
        for version in (PENDING, NAIVE, OURS)
    }
    for name, engine in sql.items():
        versions[f"SqlBank, {name}"] = partial(in_sql, engine, clients, accounts, count)
    return versions


def growth(version: str, sizes: Sequence[int], count: int) -> list[float]:
    """Return milliseconds a transfer, one client, with so many transfers in the ledger."""
    names, took, there = names_of(20), [], 0
    fresh(version, names)
    db, transfer = services.couch(SPACE), on_couch(version, Counted())
    chance = random.Random(1)
    numbers = dict.fromkeys(names, 0)
    for size in sizes:
        docs = []
        for i in range(there, size):
            sender, to = chance.sample(names, 2)
            numbers[sender] += 1
            doc = {"_id": f"old{i}", "from": sender, "to": to, "amount": 1, "status": "successful"}
            if version == OURS:
                doc = {"_id": f"{sender}:{numbers[sender]}", "to": to, "amount": 1}
                doc |= {"transfer": f"old{i}", "left": 0}
            docs.append(doc)
        db.update(docs)
        transfer(names[0], names[1], 1, f"first{size}")
        began = time.perf_counter()
        for i in range(count):
            transfer(names[0], names[1], 1, f"{size}-{i}")
        took.append((time.perf_counter() - began) / count * 1000)
        numbers[names[0]] += count + 1
        there = size
    return took
