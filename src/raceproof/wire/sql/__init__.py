"""SQL through SQLAlchemy: its engines, over connections that ask the search."""

from __future__ import annotations

from raceproof.wire.sql.adapter import make

__all__ = ["make"]
