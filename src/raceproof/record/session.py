"""A live session: what real clients really did, as a Run that `raceproof.draw` shows.

    session = Session("producer", "consumer 1")
    producer = session.redis("producer", services.redis())
    producer.lpush("jobs", "a")
    session.transcript()

Each client that a session makes works as the one it was made from, on the same
connections, and its calls are recorded with their replies. One lock gives them an
order: a call that cannot block is made and recorded in one go, a call that may
block is recorded when it returns. So a call is never recorded before the call that
woke it, and code that fixes the order of its calls fixes the record.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from raceproof.draw import Picture, Transcript, diagram, transcript
from raceproof.record.recorder import Recorder
from raceproof.trace.steps import Run, Step

if TYPE_CHECKING:
    import couchdb
    import redis
    import sqlalchemy


class Session:
    """Records the calls of named actors."""

    def __init__(self, *actors: str) -> None:
        if len(set(actors)) != len(actors) or not actors:
            raise ValueError(f"a session needs actors, each with a name of its own: {actors}")
        self.actors = actors
        self._stores: list[str] = []
        self._steps: list[Step] = []
        self._lock = threading.RLock()

    def redis(self, actor: str, client: redis.Redis, *, store: str = "redis") -> redis.Redis:
        """Return a client like `client` for this actor: commands, pipelines, scripts, pub-sub."""
        from raceproof.record.redis import RecordedRedis

        return RecordedRedis(client, self.recorder(actor, store))

    def sql(self, actor: str, engine: sqlalchemy.Engine, *, store: str = "sql") -> Any:
        """Return an engine like `engine` for this actor. A transaction is one call."""
        from raceproof.record.sql import recorded_engine

        return recorded_engine(engine, self.recorder(actor, store))

    def couch(self, actor: str, database: couchdb.Database, *, store: str = "couch") -> Any:
        """Return a database like `database` for this actor. Its name is recorded as `/store`."""
        from raceproof.record.couch import recorded_database

        return recorded_database(database, store, self.recorder(actor, store))

    def recorder(self, actor: str, store: str) -> Recorder:
        """Return what records the calls of one actor on one store."""
        if actor not in self.actors:
            raise ValueError(f"{actor!r} is not an actor of this session: {self.actors}")
        with self._lock:
            if store not in self._stores:
                self._stores.append(store)
        return Recorder(self._steps, self._lock, actor, store)

    def note(self, actor: str, text: object) -> None:
        """Add a note to what the actor did last. Raises ValueError if it did nothing yet."""
        with self._lock:
            for at in reversed(range(len(self._steps))):
                step = self._steps[at]
                if step.actor == actor:
                    self._steps[at] = replace(step, said=(*step.said, str(text)))
                    return
        raise ValueError(f"{actor!r} did nothing yet that a note could belong to")

    def run(self) -> Run:
        """Return what was recorded so far."""
        with self._lock:
            return Run(self.actors, tuple(self._stores), tuple(self._steps))

    def transcript(self) -> Transcript:
        """Return what was recorded so far as a transcript."""
        return transcript(self.run())

    def diagram(self, title: str) -> Picture:
        """Return what was recorded so far as a space-time diagram."""
        return diagram(self.run(), title=title)

    def __repr__(self) -> str:
        return str(self.transcript())

    def _repr_html_(self) -> str:
        return self.transcript()._repr_html_()
