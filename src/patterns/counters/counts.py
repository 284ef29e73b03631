"""What a counter takes in and gives out, and what can be wrong with it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from reprlib import repr as shown

from ._checks import LARGEST_HIT

_log = logging.getLogger(__package__)
_FIELD = re.compile(r"(-?\d{1,12}):(.*)", re.DOTALL | re.ASCII)
_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)
LARGEST_SUM = 2**63 - 1  # that SQL stores
NO_TEXT = "bytes that are not UTF-8"  # in place of a value where redis-py decodes nothing

MINUTE, HOUR = 60, 3600  # periods, in seconds

Counts = dict[tuple[int, str], int]  # {(start of the period, key): hits}


class MalformedCount(ValueError):
    """Another program wrote something into a counter's hash that no hit writes."""

    def __init__(self, place: str, field: str | bytes, value: str) -> None:
        super().__init__(place, field, value)
        self.place, self.field, self.value = place, field, value

    def __str__(self) -> str:
        what = f"{self.place} holds the field {shown(self.field)} with {shown(self.value)}"
        return (
            f"{what}, which no hit wrote. Nothing of it was flushed. "
            "Remove it (HDEL, or XDEL from a stream), then flush again."
        )


@dataclass(frozen=True)
class Flush:
    """What one flush brought to SQL.

    `batches` says how many batches (0 to 2), `keys` how many counts and `hits` how much they
    add up to. `stale` is how many seconds the oldest of these hits had waited, at most; None
    when there was no flush before, so that it cannot be known.
    """

    batches: int = 0
    keys: int = 0
    hits: int = 0
    stale: float | None = 0.0

    def __add__(self, other: Flush) -> Flush:
        unknown = self.stale is None or other.stale is None
        stale = None if unknown else max(self.stale or 0.0, other.stale or 0.0)
        batches, keys = self.batches + other.batches, self.keys + other.keys
        return Flush(batches, keys, self.hits + other.hits, stale)


def log_error(error: Exception) -> None:
    """Report what a flusher survived, as a warning in this package's log."""
    _log.warning("%s: %s", type(error).__name__, error)


def read_counts(place: str, fields: dict[str, str], most: int = LARGEST_HIT) -> Counts:
    """Return {(start, key): hits} of a hash; MalformedCount for other fields, or beyond ±`most`."""
    counts = {}
    for field, value in fields.items():
        parts = _FIELD.fullmatch(field)
        if not parts or not _NUMBER.fullmatch(value) or abs(int(value)) > most:
            raise MalformedCount(place, field, value)
        counts[int(parts[1]), parts[2]] = int(value)
    return counts
