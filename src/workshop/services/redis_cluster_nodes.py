"""The nodes of our Redis Cluster: who has which slots, and what can happen to them.

A node is called by its name: A, B, C began as masters, a, b, c as their replicas. Whatever takes
the nodes time is waited for by asking them, until all that live say the same.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import redis

from . import redis_cluster_start as start
from .redis_cluster_homes import AT_FIRST, CALM, HOME, NAMES
from .redis_cluster_start import Range, wait_until

HASTY = 1_000  # ms without a word until a node is taken for dead, once one has been killed


class ClusterNodes:
    """What a test or a lesson does to the cluster of this run, which this starts if need be."""

    def __init__(self) -> None:
        start.start()
        self._lost: dict[str, int] = {}  # a killed master -> one of its slots

    def client(self, name: str) -> redis.Redis:
        """A plain client of one node, which follows no redirection."""
        return start.node(name)

    def process_id(self, name: str) -> int:
        """The node's process."""
        return int(self.client(name).info("server")["process_id"])

    def living(self) -> list[str]:
        """The nodes that answer."""
        return [name for name in NAMES if start.is_alive(name)]

    def slot_of(self, key: str) -> int:
        """The slot of a key, by CLUSTER KEYSLOT: that of its hash tag, if it has one."""
        return int(self._say(self.living()[0], "KEYSLOT", key))

    def master_of(self, key: str) -> str:
        """The node that has the key's slot, as the nodes see it."""
        return self.owner_of(self.slot_of(key))

    def owner_of(self, slot: int) -> str:
        """The node that has the slot, as the nodes see it."""
        ranges = start.layout(self.living()[0])
        return next(master for first, last, master in ranges if first <= slot <= last)

    def replica_of(self, master: str) -> str:
        """The living node that copies a master."""
        port = self.client(master).connection_pool.connection_kwargs["port"]
        followers = (self.client(name).info("replication") for name in self.living())
        [found] = [
            name
            for name, said in zip(self.living(), followers, strict=True)
            if said["role"] == "slave" and said["master_port"] == port
        ]
        return found

    def kill(self, name: str) -> None:
        """End a node with SIGKILL. The others take it for dead after a second, not after 15."""
        pid = self.process_id(name)
        for first, _, master in start.layout(name):
            if master == name:
                self._lost[name] = first
            self.client(master).config_set("cluster-node-timeout", HASTY)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not start.is_alive(name), f"node {name} cannot be killed")

    def await_promotion(self, killed: str) -> str:
        """Return the replica that has taken the killed master's slots, once all nodes know."""
        self._be_patient(HASTY)
        self._agree(lambda ranges: not _has_slots(killed, ranges))
        self._be_patient(CALM)
        return self.owner_of(self._lost[killed])

    def revive(self, name: str) -> None:
        """Start a killed node again; it comes back as the replica of whoever has its slots."""
        start.start_node(name)
        wait_until(lambda: start.is_calm(name), f"node {name} does not come back")

    def move_slot(self, slot: int, to: str) -> int:
        """Move a slot and the keys in it to another master; return how many keys it had."""
        source = self.owner_of(slot)
        if source == to:
            return 0
        ids = {name: self._say(name, "MYID") for name in (source, to)}
        self._say(to, "SETSLOT", slot, "IMPORTING", ids[source])
        self._say(source, "SETSLOT", slot, "MIGRATING", ids[to])
        moved = 0
        while keys := self._say(source, "GETKEYSINSLOT", slot, 100):
            goal = self.client(to).connection_pool.connection_kwargs
            how = ("", 0, 60_000, "AUTH", goal["password"], "KEYS", *keys)
            self._command(source, "MIGRATE", goal["host"], goal["port"], *how)
            moved += len(keys)
        self._settle(slot, to)
        return moved

    def restore(self) -> None:
        """Make everything as at first: six nodes, A, B and C the masters, and no keys."""
        if self.living() != NAMES or not all(start.is_calm(name, AT_FIRST) for name in NAMES):
            start.start_again()
        for name in HOME:
            self.client(name).flushall()

    def _be_patient(self, milliseconds: int) -> None:
        for name in self.living():
            self.client(name).config_set("cluster-node-timeout", milliseconds)

    def _settle(self, slot: int, owner: str) -> None:
        """Have every master note the slot's owner, the new one first."""
        number = self._say(owner, "MYID")
        masters = {master for *_, master in start.layout(owner)} - {owner}
        for name in (owner, *sorted(masters)):
            self._say(name, "SETSLOT", slot, "NODE", number)
        self._agree(lambda ranges: any(r[0] <= slot <= r[1] and r[2] == owner for r in ranges))

    def _agree(self, is_so: Callable[[list[Range]], bool]) -> None:
        """Wait until every living node is calm, and sees it so."""
        living = self.living()
        wait_until(
            lambda: all(start.is_calm(n) and is_so(start.layout(n)) for n in living),
            "its nodes do not come to agree",
        )

    def _say(self, name: str, *words: object) -> Any:
        return self._command(name, "CLUSTER", *words)

    def _command(self, name: str, *words: object) -> Any:
        return self.client(name).execute_command(*words)  # type: ignore[no-untyped-call]


def _has_slots(name: str, ranges: list[Range]) -> bool:
    """Whether a node is the master of any slot."""
    return any(master == name for *_, master in ranges)
