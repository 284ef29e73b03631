"""Broadcast with history: every reader sees every message once, in one order.

    Room          a table for the past, PUBLISH to wake who waits
    StreamRoom    the same verbs on a Redis Stream, which keeps its own history

The idea is from David Wolever, "Common messaging patterns implemented with Redis" (2016).
"""

from .messages import KeyAlreadyUsed, MalformedMessage, Message
from .room import Room
from .stream_room import StreamRoom

__all__ = ["KeyAlreadyUsed", "MalformedMessage", "Message", "Room", "StreamRoom"]
