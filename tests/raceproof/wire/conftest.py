"""What all tests of the wire share."""

from __future__ import annotations

from tests.few_replays import few_replays

__all__ = ["few_replays"]
