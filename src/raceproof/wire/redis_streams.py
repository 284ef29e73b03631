"""Redis streams with time that only the world's clock moves.

Redis writes down when it handed an entry to a consumer, by its own clock. After each command
that may have done so, that moment is set to the world's (in ms since 1970: it is a long time
ago), and a command that asks how long an entry has been idle is sent the difference along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from raceproof.wire.clock import Clock

_DELIVERS = frozenset(("XREADGROUP", "XCLAIM", "XAUTOCLAIM"))
_REAL = 100_000_000_000  # ms since 1970, in 1973: a later delivery was stamped by the real clock
_GRAIN = 100  # ms to which times are rounded, since the real clock has moved a little
_SECOND = 1000  # ms; a client that says for how long an entry has been idle says it in seconds
_HIDDEN = re.compile(r"XAUTOCLAIM|XPENDING[^)]*IDLE", re.IGNORECASE)


class StreamTime:
    """The delivery times of one client's streams."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def may_deliver(self, name: str, args: tuple[Any, ...]) -> bool:
        """Return whether a command or script may hand out entries.

        Raises NotImplementedError for a script that asks for idle times.
        """
        if not name.startswith("EVAL"):
            return name in _DELIVERS
        script = str(args[1])
        if _HIDDEN.search(script):
            raise NotImplementedError(
                "the search cannot tell a script the world's time: send XAUTOCLAIM, or XPENDING "
                "with IDLE, as a command of its own"
            )
        return any(word in script.upper() for word in _DELIVERS)

    def adopt(self, keys: Iterable[Any]) -> None:
        """Set each new delivery to the moment that it is by the world's clock."""
        for key in keys:
            if self._client.type(key) not in ("stream", b"stream"):
                continue
            for group in self._client.xinfo_groups(key):
                if group["pending"]:
                    self._adopt(key, group["name"])

    def deliveries(self, stream: Any, group: Any) -> list[tuple[Any, ...]]:
        """Return what is pending: the entry, with whom, since when, and how often handed out."""
        now, found = self._pending(stream, group)
        return [
            (held["message_id"], held["consumer"], _rounded(now - idle), held["times_delivered"])
            for held in found
            for idle in [held["time_since_delivered"]]
        ]

    def sent(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a command whose idle times are those that the server must see."""
        name = str(args[0]).upper()
        if name in ("XCLAIM", "XAUTOCLAIM"):
            return (*args[:4], self._server_idle(args[4]), *args[5:])
        if name == "XPENDING" and len(args) > 4 and str(args[3]).upper() == "IDLE":
            return (*args[:4], self._server_idle(args[4]), *args[5:])
        return args

    def answered(self, args: tuple[Any, ...], reply: Any) -> Any:
        """Return a reply whose idle times are those of the world."""
        if str(args[0]).upper() == "XPENDING" and isinstance(reply, list):
            now, ahead = self._server_ms(), self._ahead()
            for held in reply:
                idle = held["time_since_delivered"]
                new = now - idle > _REAL  # handed out earlier in the same transaction
                held["time_since_delivered"] = _rounded(idle if new else idle - ahead)
        return reply

    def _adopt(self, stream: Any, group: Any) -> None:
        clock = round(self._clock.now * 1000)
        now, found = self._pending(stream, group)
        for held in found:
            idle = held["time_since_delivered"]
            if now - idle > _REAL:
                # What is over a whole second is how long it took us to come here.
                since = max(0, clock - (idle + 1) // _SECOND * _SECOND)
                place = (stream, group, held["consumer"], 0, held["message_id"])
                self._client.execute_command("XCLAIM", *place, "TIME", since, "JUSTID")

    def _pending(self, stream: Any, group: Any) -> tuple[int, list[dict[str, Any]]]:
        """Return the server's time and what is pending then, from one moment."""
        pipe = self._client.pipeline(transaction=True)
        pipe.time()
        pipe.xpending_range(stream, group, "-", "+", 1000)
        (seconds, micros), found = pipe.execute()
        return int(seconds) * 1000 + int(micros) // 1000, found

    def _server_idle(self, idle: Any) -> int:
        return int(idle) + self._ahead() if int(idle) else 0

    def _ahead(self) -> int:
        return self._server_ms() - round(self._clock.now * 1000)

    def _server_ms(self) -> int:
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000


def _rounded(ms: int) -> int:
    return round(ms / _GRAIN) * _GRAIN
