"""Files, folders and the environment: what a client changes there, the search does not see.

Python says of each such act, before it is done, to whoever audits it: so it is heard of in
whatever way, and by whatever library, it is tried.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from raceproof.search import stand_ins
from raceproof.wire.calls import Unsearchable

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PYTHONS = ("importlib", "_frozen_importlib_external", "logging")
_ACTS = {
    "os.mkdir": "makes the folder",
    "os.rmdir": "removes the folder",
    "os.remove": "removes the file",
    "os.rename": "renames the file",
    "os.link": "links the file",
    "os.symlink": "links the file",
    "os.truncate": "cuts off the file",
    "os.chdir": "goes to the folder",
    "os.putenv": "sets the environment variable",
    "os.unsetenv": "removes the environment variable",
    "fcntl.flock": "locks the file",
    "fcntl.lockf": "locks the file",
}


def _hears(event: str, args: tuple[Any, ...]) -> None:
    if (event != "open" and event not in _ACTS) or stand_ins.current() is None:
        return
    act = "writes to the file" if event == "open" else _ACTS[event]
    if event == "open":
        path, _, flags = args
        if not flags & _WRITING or isinstance(path, int) or path == os.devnull:
            return
    if _is_pythons(sys._getframe(1).f_globals):
        return
    raise Unsearchable(
        f"a client {act} {_name(args[0])}, which the search does not see and cannot take back: "
        "keep what others shall see in a service of the world, and what a check shall see in a "
        "Journal"
    )


def _is_pythons(names: dict[str, Any]) -> bool:
    """Whether this is who keeps what is imported, or writes a log, which is output."""
    return str(names.get("__name__")).partition(".")[0] in _PYTHONS


def _name(thing: Any) -> str:
    return repr(os.fsdecode(thing) if isinstance(thing, bytes) else thing)


_installed: list[bool] = []


def replace() -> None:
    """Audit, from the first search on; a hook cannot be taken back."""
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hears)
