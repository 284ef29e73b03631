"""What this run has started and made, what its children may share, and what must go with it."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from dataclasses import dataclass, field

from . import environment, processes


@dataclass
class Ownership:
    """What one run owns: a process and the children that join it. Its id marks all of it."""

    id: str = field(default_factory=lambda: secrets.token_hex(6))
    redis: dict[str, str] = field(default_factory=dict)  # space -> URL of its private server
    redis_cluster: dict[str, str] = field(default_factory=dict)  # name of a node -> its URL
    couch: str | None = None  # URL of the private PouchDB
    databases: dict[str, str] = field(default_factory=dict)  # space -> name on CouchDB
    sql: dict[str, str] = field(default_factory=dict)  # space -> URL of an SQLite file
    redis_server: str | None = None  # the program that was chosen; "" if there is none here
    joined: bool = False
    owner: int = field(default_factory=os.getpid)
    _sweeper: subprocess.Popen[bytes] | None = None
    _swept: set[tuple[str, str]] = field(default_factory=set)

    def sweep(self, service: str, url: str) -> None:
        """See to it that what this run makes on a server is removed when its process ends.

        Not for a process that joined, or was forked: its things belong to the run.
        """
        if self.joined or os.getpid() != self.owner or (service, url) in self._swept:
            return
        if self._sweeper is None:
            program = [sys.executable, "-m", "workshop.services.sweep", self.id]
            self._sweeper = processes.hold(program, heard=True)
        assert self._sweeper.stdin is not None
        self._sweeper.stdin.write(json.dumps([service, url]).encode() + b"\n")
        self._sweeper.stdin.flush()
        self._swept.add((service, url))

    def end(self) -> None:
        """Have it removed now, for a server that does not outlive this process."""
        if self._sweeper is not None and self._sweeper.stdin is not None:
            self._sweeper.stdin.close()
            self._sweeper.wait(processes.PATIENCE)
            self._sweeper, self._swept = None, set()

    def invitation(self) -> str:
        """What another process needs to share the services in use here. It holds passwords."""
        shared = ("id", "redis", "redis_cluster", "couch", "databases", "sql", "redis_server")
        return json.dumps({**{name: getattr(self, name) for name in shared}, "joined": True})


_owned: Ownership | None = None


def owned() -> Ownership:
    """What this process's run owns; the run is that of PATTERNS_JOIN, where that is set."""
    global _owned
    if _owned is None:
        asked = environment.invitation()
        _owned = Ownership(**json.loads(asked)) if asked else Ownership()
    return _owned


def join(invitation: str) -> None:
    """Share the services of the process that wrote the invitation, from now on."""
    global _owned
    _owned = Ownership(**json.loads(invitation))


def checked(space: str) -> str:
    """The name of a space, if it is one."""
    if not (isinstance(space, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,29}", space)):
        raise ValueError(
            f"{space!r} names no space: it takes 1 to 30 lower-case letters, digits and hyphens, "
            "a letter first"
        )
    return space
