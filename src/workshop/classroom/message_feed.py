"""The messages of one server process: one reader of the room, in a thread, for all who wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from patterns.pubsub import Message, Room

log = logging.getLogger(__name__)
MOST = 5000  # messages of a class; all are held here


class MessageFeed:
    """Listens to the room from `start` to `stop`, and calls `heard` after each new message."""

    def __init__(self, room: Room, heard: Callable[[], None]) -> None:
        self.room, self.heard = room, heard
        self.messages: list[Message] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="messages", daemon=True)

    def start(self) -> None:
        """Begin to listen; the history comes first."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopping.set()

    def after(self, number: int, most: int = 200) -> list[Message]:
        """The oldest messages with a greater number; a message's number is its place."""
        return self.messages[number : number + most]

    def _survived(self, error: Exception) -> None:
        if not self._stopping.is_set():
            log.warning("%s: %s", type(error).__name__, error)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                for message in self.room.listen(1.0, len(self.messages), self._survived):
                    self.messages.append(message)
                    self.heard()
            except (RedisError, SQLAlchemyError):
                self._stopping.wait(0.2)
            except (RuntimeError, ValueError):  # its loop or its connection is closed
                if not self._stopping.is_set():
                    raise
