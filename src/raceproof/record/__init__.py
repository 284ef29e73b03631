"""A live session: what real clients really did, as a run that `raceproof.draw` shows."""

from raceproof.record.session import Session

__all__ = ["Session"]
