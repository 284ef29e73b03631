"""Eight real processes, a thousand transfers, and SIGKILL at random."""

from __future__ import annotations

import multiprocessing
import random
import signal
from multiprocessing.connection import wait

import pytest
from tests import forking
from tests.patterns.transfers.worker import Transfer, work

from patterns.transfers import Bank
from workshop import services

CONTEXT = forking.context()
PEOPLE = [f"person {number}" for number in range(6)]


class Client:
    """Has its transfers made by processes, one after the other, each of which may be killed.

    What a dead process did not acknowledge, the next one tries again.
    """

    def __init__(self, url: str, transfers: list[Transfer], deaths: int, seed: int) -> None:
        self.url, self.todo, self.told = url, transfers, {}
        chance = random.Random(seed)
        self.lives = [chance.randint(1, 20) for _ in range(deaths)]
        self.killed = 0
        self.start()

    def start(self) -> None:
        self.life = self.lives.pop() if self.lives else -1
        self.hears, says = multiprocessing.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=work, args=(self.url, self.todo, says))
        self.process.start()
        says.close()  # the process has the only other one: its end is the end of the pipe

    def hear(self) -> None:
        """Take in one answer, or the end of the process."""
        try:
            name, said = self.hears.recv()
        except EOFError:
            self.end()
            return
        assert self.todo.pop(0)[3] == name
        self.told[name] = said
        self.life -= 1
        if self.life == 0:
            self.process.kill()
            self.end()

    def end(self) -> None:
        self.process.join()
        self.hears.close()
        self.killed += self.process.exitcode == -signal.SIGKILL
        assert self.process.exitcode in (0, -signal.SIGKILL)
        if self.todo:
            self.start()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_no_cent_is_lost_when_processes_are_killed():
    db = services.couch("processes", fresh=True)
    bank = Bank(db).install()
    for name in PEOPLE:
        bank.open(name)
        bank.deposit(name, 300, name)
    chance = random.Random(5)
    transfers = [(*chance.sample(PEOPLE, 2), chance.randint(1, 90), f"t{i}") for i in range(1000)]
    clients = [
        Client(services.couch_url("processes"), transfers[number::8], 2, number)
        for number in range(8)
    ]
    while heard := {client.hears: client for client in clients if not client.hears.closed}:
        for hears in wait(list(heard)):
            heard[hears].hear()

    assert sum(client.killed for client in clients) >= 8  # of 16: some are done before they die
    told = {name: said for client in clients for name, said in client.told.items()}
    assert len(told) == 1000
    audit = bank.audit()
    assert audit.clean, audit
    assert audit.deposited == sum(audit.balances.values()) == 300 * len(PEOPLE)
    stored = {
        row.doc["transfer"]: row.id
        for row in db.view("_all_docs", include_docs=True)
        if "transfer" in row.doc
    }
    paid = {name: said for name, said in told.items() if said != "refused"}
    assert paid == stored
    assert 100 < len(paid) < 1000
    assert audit.transfers == len(paid)
