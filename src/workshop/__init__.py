"""What only the notebooks and a class need: services, exercises, engines, notebook tools."""

from workshop.say import say
from workshop.source import show_source

__all__ = ["say", "show_source"]
