"""What scripts of Redis are called, so that a digest in a run can be read.

While a search goes on, a client's words are its own, and the same on a replay: it knows the names
of the scripts that it has sent itself. In a run that is shown, those that others sent have names.
"""

from __future__ import annotations

import re

_NAMES: dict[str, str] = {}  # by digest, of all scripts that any client has sent
_BY_DIGEST = re.compile(r"EVALSHA(?:_RO)? ([0-9A-Fa-f]{40}) \d+")


def note_script(digest: str, name: str) -> None:
    """Note what a script is called."""
    _NAMES[digest] = name


def with_script_names(text: str) -> str:
    """Return the words of a call with EVALSHA and a known digest as EVAL and the script's name."""

    def named(found: re.Match[str]) -> str:
        name = _NAMES.get(found[1].lower())
        return found[0] if name is None else f"EVAL {name}"

    return _BY_DIGEST.sub(named, text)
