"""Eight real processes, a thousand transfers, and SIGKILL at random."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from patterns.transfers import Bank
from workshop import services

WORKER = Path(__file__).with_name("worker.py")
PEOPLE = [f"person {number}" for number in range(6)]


class Client(threading.Thread):
    """Has its transfers made by processes, one after the other, each of which may be killed.

    What a dead process did not acknowledge, the next one tries again.
    """

    def __init__(self, url: str, transfers: list, deaths: int, seed: int) -> None:
        super().__init__()
        self.url, self.todo, self.told = url, transfers, {}
        chance = random.Random(seed)
        self.lives = [chance.randint(1, 20) for _ in range(deaths)]
        self.killed = 0

    def run(self) -> None:
        while self.todo:
            life = self.lives.pop() if self.lives else None
            with subprocess.Popen(
                [sys.executable, WORKER], stdin=-1, stdout=-1, text=True, bufsize=1
            ) as process:
                lines = [self.url, *map(json.dumps, self.todo)]
                threading.Thread(target=self.feed, args=(process, lines), daemon=True).start()
                for number, line in enumerate(process.stdout, 1):
                    name, said = json.loads(line)
                    assert self.todo.pop(0)[3] == name
                    self.told[name] = said
                    if number == life:
                        process.kill()
                        break
                process.wait()
                self.killed += process.returncode == -signal.SIGKILL
                assert process.returncode in (0, -signal.SIGKILL)

    def feed(self, process: subprocess.Popen, lines: list[str]) -> None:
        try:
            process.stdin.write("\n".join(lines) + "\n")
            process.stdin.close()
        except OSError:
            pass  # it was killed


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_no_cent_is_lost_when_processes_are_killed():
    db = services.couch("processes", fresh=True)
    bank = Bank(db).install()
    for name in PEOPLE:
        bank.open(name)
        bank.deposit(name, 300, name)
    chance = random.Random(5)
    transfers = [[*chance.sample(PEOPLE, 2), chance.randint(1, 90), f"t{i}"] for i in range(1000)]
    clients = [
        Client(services.couch_url("processes"), transfers[number::8], 2, number)
        for number in range(8)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

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
