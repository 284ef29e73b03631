"""The class of `workshop.classroom` inside a notebook: on loopback, gone when the kernel ends.

    with fresh_class() as running:
        running.url, running.opening.join_code

It runs on the servers that `workshop.services` found, fakeredis too, and keeps nothing.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from workshop import services
from workshop.classroom.start import ClassServer
from workshop.services import couch_service
from workshop.services.lasting_servers import LastingServers

# The totals on a learner's board stand still here: an ETag changes by what was done, not by time.
CALM = 3600.0


class KernelServers(LastingServers):
    """A space of this run's servers, in place of a folder's: they end with the kernel."""

    def __init__(self, space: str) -> None:
        self.space = space

    def redis(self) -> Redis:
        """The space's Redis."""
        return services.redis(self.space)

    def redis_async(self) -> AsyncRedis:
        """The same for asyncio."""
        return services.redis_async(self.space)

    def couch(self, name: str) -> couch_service.Database:
        """The space's database, whatever its name."""
        return services.couch(self.space)

    def drop(self, name: str) -> None:
        """Empty the database."""
        services.couch(self.space, fresh=True)

    def sql(self) -> sqlalchemy.Engine:
        """The space's engine."""
        return services.sql(self.space)

    def stop(self) -> None:
        """Nothing: the servers end with the kernel."""


def fresh_class(space: str = "class", **settings: Any) -> ClassServer:
    """An empty class that nobody has joined; `settings` are those of ClassServer."""
    for empty in (services.redis, services.couch, services.sql):
        empty(space, fresh=True)
    return beside(space, **settings)


def beside(space: str = "class", **settings: Any) -> ClassServer:
    """One more server of the class that is there."""
    server = ClassServer(KernelServers(space), **settings)
    server.rooms.calm = CALM
    return server
