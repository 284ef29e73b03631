"""One round: clients begin, say what was acknowledged, and are killed; perhaps a server too."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .servers import GONE, Places

Say = Callable[..., None]
Role = Callable[["Life", Say], None]
ENDED = 3  # the exit status of a client whose server went away
LONGEST = 8.0  # seconds that a client may wait for its turn; then it is killed where it is


@dataclass
class Life:
    """What a client knows when it begins: which one it is, and what those before it have said."""

    places: Places
    slot: int
    number: int
    told: list[Any]


@dataclass
class Helper:
    """A helper under test: its clients, what they said, and how it is checked in the end."""

    name: str
    uses: tuple[str, ...]
    roles: list[Role]
    prepare: Callable[[Places], None]
    check: Callable[[Places, list[list[Any]]], tuple[int, list[str], list[str]]]
    told: list[list[Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lives: int = 0

    def __post_init__(self) -> None:
        self.told = [[] for _ in self.roles]


def play(
    helper: Helper, places: Places, chance: random.Random, kill_server: Callable[[], None] | None
) -> None:
    """Start each role's next life, and kill each at a moment that chance gives it."""
    helper.lives += 1
    children: dict[int, list[Any]] = {}
    explained = False
    for slot, role in enumerate(helper.roles):
        life = Life(places, slot, helper.lives, helper.told[slot])
        pid, pipe = _begin(role, life)
        children[pipe] = [pid, slot, chance.randint(0, 8), b""]
    deadline = time.monotonic() + LONGEST
    while children:
        alone = len(children) < len(helper.roles)  # who waits for those who are dead, waits long
        left = 0.1 if alone else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(list(children), [], [], left)
        for pipe in ready or list(children):
            pid, slot, still, rest = children[pipe]
            heard = os.read(pipe, 65536) if ready else b""
            *lines, children[pipe][3] = (rest + heard).split(b"\n")
            helper.told[slot] += map(json.loads, lines)
            children[pipe][2] = still = still - len(lines)
            if heard and still > 0:
                continue
            if kill_server and heard:
                kill_server()
                helper.counts["server kills"] += 1
                kill_server, explained = None, True
            time.sleep(chance.random() * 0.003)  # so that it is anywhere in its next call
            code = _end(helper, pid, slot, pipe, children.pop(pipe)[3])
            killed, gone = code == -signal.SIGKILL, code == ENDED and explained
            helper.counts["kills" if killed else "server gone" if gone else "failed"] += 1


def _begin(role: Role, life: Life) -> tuple[int, int]:
    """Fork a client; return its process id and the pipe in which it says what it knows."""
    heard, said = os.pipe()
    pid = os.fork()
    if pid:
        os.close(said)
        return pid, heard
    signal.alarm(60)  # if nobody is left to kill it
    try:
        role(life, lambda *words: os.write(said, json.dumps(words).encode() + b"\n"))
    except GONE as error:
        print(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)
        os._exit(ENDED)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _end(helper: Helper, pid: int, slot: int, pipe: int, rest: bytes) -> int:
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    while heard := os.read(pipe, 65536):
        rest += heard
    os.close(pipe)
    helper.told[slot] += map(json.loads, rest.splitlines())
    return os.waitstatus_to_exitcode(status)
