"""What the notebooks need to teach: the live recorder, shown sources, marked exercises."""

from patterns.workshop.live import Session
from patterns.workshop.source import show_source

__all__ = ["Session", "show_source"]
