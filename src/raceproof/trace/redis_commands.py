"""What each Redis command does, in the server's own words: the one table of the package.

    COMMANDS["LPUSH"].writes, COMMANDS["ZCOUNT"].reads, COMMANDS["BRPOP"].blocks
    command_of(["xgroup", "create", "jobs", "workers", "0"]).name     "XGROUP CREATE"

The table is `redis_commands.txt` beside this module, which `benches/redis_commands.py` writes
from a redis-server's COMMAND. A command that is not in it is unknown: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True)
class Command:
    """A command or subcommand (`XGROUP CREATE`) with what the server says of it.

    `words` are the server's flags (`write`, `readonly`, `blocking`, …), its categories
    (`@list`, `@pubsub`, …) and its tips (`nondeterministic_output`, …).
    """

    name: str
    words: frozenset[str]

    @property
    def reads(self) -> bool:
        """Whether it only reads what is stored."""
        return "readonly" in self.words

    @property
    def writes(self) -> bool:
        """Whether it may change what is stored. Of a script the server cannot say: False."""
        return "write" in self.words

    @property
    def blocks(self) -> bool:
        """Whether it can wait for somebody else's call (XREAD does so only with BLOCK)."""
        return "blocking" in self.words

    @property
    def varies(self) -> bool:
        """Whether its reply may differ where what is stored does not: SPOP, SCAN, TTL, TIME, …"""
        return "nondeterministic_output" in self.words

    @property
    def runs_script(self) -> bool:
        """Whether it runs a script or a function: EVAL, EVALSHA, FCALL, and their like."""
        return "@scripting" in self.words and "movablekeys" in self.words

    @property
    def publishes(self) -> bool:
        """Whether it sends a message to subscribers: PUBLISH, SPUBLISH."""
        return self.name in ("PUBLISH", "SPUBLISH")

    @property
    def subscribes(self) -> bool:
        """Whether it begins or ends a subscription: SUBSCRIBE, PUNSUBSCRIBE, and their like."""
        return "@pubsub" in self.words and self.name.endswith("SUBSCRIBE")


def _read() -> Mapping[str, Command]:
    text = resources.files(__package__).joinpath("redis_commands.txt").read_text("utf-8")
    lines = [line.split(": ", 1) for line in text.splitlines() if not line.startswith("#")]
    return MappingProxyType(
        {name: Command(name, frozenset(words.split())) for name, words in lines}
    )


#: Each command and subcommand of the server, by its name in capitals.
COMMANDS = _read()


def command_of(args: Sequence[str | bytes]) -> Command | None:
    """Return the command that a call's words name, None if the server's table has none."""
    words = [arg.decode("ascii", "replace") if isinstance(arg, bytes) else arg for arg in args[:2]]
    names = " ".join(words).upper().split(" ", 2)
    return COMMANDS.get(" ".join(names[:2])) or COMMANDS.get(names[0])
