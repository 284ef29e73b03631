"""What a counter takes in and gives out, and what it refuses before anything is written."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass

_log = logging.getLogger("patterns.counters")
_FIELD = re.compile(r"(-?\d{1,12}):(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?\d{1,19}")

LONGEST_NAME = 200  # bytes of UTF-8
LONGEST_KEY = 2_000  # bytes of UTF-8; name and key together must fit PostgreSQL's index entries
LARGEST_HIT = 10**12  # so that a sum cannot leave 64 bits with fewer than 9 million such hits
LATEST = 10**11  # seconds since 1970; a time in milliseconds is beyond it

Counts = dict[tuple[int, str], int]


class MalformedCount(ValueError):
    """Another program wrote something into a counter's hash that no hit writes."""

    def __init__(self, place: str, field: str, value: str) -> None:
        super().__init__(
            f"{place} holds the field {_shown(field)} with {_shown(value)}, which no hit wrote. "
            "Nothing of it was flushed. Remove it (HDEL, or XDEL from a stream), then flush again."
        )
        self.place, self.field, self.value = place, field, value


@dataclass(frozen=True)
class Flush:
    """What one flush brought to SQL.

    `batches` says how many batches (0 to 2), `keys` how many counts and `hits` how much they
    add up to. `stale` is how many seconds the oldest of these hits had waited, at most; None
    when nobody had flushed before, and so nobody knows.
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
    """Report what a flusher survived, as a warning in the log `patterns.counters`."""
    _log.warning("%s: %s", type(error).__name__, error)


def check_counter(name: str, period: int) -> None:
    """Raise unless a counter can have this name, and this period in seconds."""
    _check_text("name", name, LONGEST_NAME)
    if not name or "{" in name or "}" in name:
        raise ValueError(f"name must not be empty nor hold braces, not {_shown(name)}")
    _check_int("period", period)
    if not 1 <= period <= LATEST:
        raise ValueError(f"period must be 1 second or more, not {period}")


def check_hit(key: str, by: int) -> None:
    """Raise unless Redis, SQLite and PostgreSQL all store this key exactly, and can add `by`."""
    _check_text("key", key, LONGEST_KEY)
    _check_int("by", by)
    if abs(by) > LARGEST_HIT:
        raise ValueError(f"by must be within ±{LARGEST_HIT:,}, not {by:,}")


def start_of(period: int, at: float) -> int:
    """Return when the period that holds `at` began; both in seconds since 1970, UTC."""
    if isinstance(at, bool) or not isinstance(at, int | float):
        raise TypeError(f"at must be seconds since 1970, not {type(at).__name__}")
    if not -LATEST < at < LATEST:
        raise ValueError(f"at must be seconds since 1970, not {at} (milliseconds?)")
    return math.floor(at) // period * period


def read_counts(place: str, fields: dict[str, str]) -> Counts:
    """Return {(start, key): hits} from a hash of Redis; raise MalformedCount for other fields."""
    counts = {}
    for field, value in fields.items():
        parts = _FIELD.fullmatch(field)
        if parts is None or not _NUMBER.fullmatch(value):
            raise MalformedCount(place, field, value)
        counts[int(parts[1]), parts[2]] = int(value)
    return counts


def _check_text(what: str, value: str, longest: int) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} must not hold NUL: PostgreSQL cannot store it")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} must not hold lone surrogates: {_shown(value)}") from None
    if size > longest:
        raise ValueError(f"{what} must be at most {longest:,} bytes of UTF-8, not {size:,}")


def _check_int(what: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
