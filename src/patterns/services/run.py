"""What this run has started and made, what its children may share, and what it must remove."""

from __future__ import annotations

import atexit
import json
import os
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from . import environment


@dataclass
class Run:
    """One run: a process and the children that join it. Its id marks all that it makes."""

    id: str = field(default_factory=lambda: secrets.token_hex(6))
    redis: dict[str, str] = field(default_factory=dict)  # space -> URL of its private server
    couch: str | None = None  # URL of the private PouchDB
    databases: dict[str, str] = field(default_factory=dict)  # space -> name on CouchDB
    sql: dict[str, str] = field(default_factory=dict)  # space -> URL of an SQLite file
    joined: bool = False
    owner: int = field(default_factory=os.getpid)
    _ending: list[Callable[[], object]] = field(default_factory=list)

    def at_end(self, remove: Callable[[], object]) -> None:
        """Call `remove` when this process exits; not in a process that joined, or was forked."""
        if not self.joined and os.getpid() == self.owner:
            self._ending.append(remove)

    def end(self) -> None:
        """Remove what was made on servers that are not ours."""
        while self._ending and os.getpid() == self.owner:
            try:
                self._ending.pop()()
            except Exception as error:
                print(f"patterns: left behind on your server: {error}", file=sys.stderr)

    def invitation(self) -> str:
        """What another process needs to share the services in use here. It holds passwords."""
        shared = ("id", "redis", "couch", "databases", "sql")
        return json.dumps({**{name: getattr(self, name) for name in shared}, "joined": True})


_run: Run | None = None


def run() -> Run:
    """This process's run; the one of PATTERNS_JOIN, where that is set."""
    global _run
    if _run is None:
        asked = environment.invitation()
        _run = Run(**json.loads(asked)) if asked else Run()
        atexit.register(_run.end)
    return _run


def join(invitation: str) -> None:
    """Share the services of the process that wrote the invitation, from now on."""
    global _run
    _run = Run(**json.loads(invitation))


def checked(space: str) -> str:
    """The name of a space, if it is one."""
    if not (isinstance(space, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,29}", space)):
        raise ValueError(
            f"{space!r} names no space: it takes 1 to 30 lower-case letters, digits and hyphens, "
            "a letter first"
        )
    return space
