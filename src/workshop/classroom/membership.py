"""What is kept on the learner's disk: who they are in a class, and the reports not sent yet.

One folder of the user's own. A report is a file of its own, so that any number of kernels may
add, send and remove reports without knowing of each other, and one that is killed loses none.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

FOLDER = Path(os.path.expanduser("~")) / ".local" / "state" / "broken-then-proven" / "class"
LONGEST = 24 * 3600  # seconds after joining: nobody reports to a class of yesterday
STALE = 60  # seconds after which a lock is that of a process that died


@dataclass(frozen=True)
class Membership:
    """One learner in one class, with the tokens of this machine."""

    at: str
    code: str
    asked: str  # the name as it was typed
    name: str
    personal_code: str  # makes another device of theirs the same learner
    client: str
    access_token: str
    refresh_token: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    since: float = field(default_factory=time.time)


def read() -> Membership | None:
    """Return the membership of this user on this machine, if there is one."""
    try:
        member = Membership(**json.loads((FOLDER / "member.json").read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return member if time.time() - member.since < LONGEST else None


def write(member: Membership) -> None:
    """Keep a membership in place of any other, readable by this user only."""
    FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write("member.json", asdict(member))


def forget() -> None:
    """Remove the membership, and the reports that were for it."""
    for path in (FOLDER / "member.json", *waiting()):
        path.unlink(missing_ok=True)


def keep(member: Membership, exercise: str, passed: bool) -> None:
    """Keep a report until it is sent. Its file's name has the idempotency key."""
    report = {"member": member.id, "exercise": exercise, "passed": passed}
    _write(f"{time.time_ns():020}-{uuid.uuid4().hex}.report", report)


def waiting() -> list[Path]:
    """Return the reports that are not sent yet, oldest first."""
    return sorted(FOLDER.glob("*.report"))


def key() -> str:
    """Return a secret of this user on this machine: who joins again with it is the same learner."""
    with contextlib.suppress(FileNotFoundError):
        return (FOLDER / "key.json").read_text("utf-8").strip('"')
    FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write("key.json", uuid.uuid4().hex)
    return key()


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Keep other processes of this user out while a token is exchanged for the next."""
    lock, deadline = FOLDER / "lock", time.monotonic() + STALE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except OSError:  # Windows says PermissionError where another process removes it
            if time.monotonic() > deadline:
                lock.unlink(missing_ok=True)
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _write(name: str, content: object) -> None:
    """Write a file as a whole or not at all."""
    side = FOLDER / f"{uuid.uuid4().hex}.part"
    with open(os.open(side, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    side.replace(FOLDER / name)
