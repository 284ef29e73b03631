"""Which services there are, and which of them were lost, as a table."""

from __future__ import annotations

from raceproof.draw.tables import Table, table

from . import couch_service, redis_cluster_service, redis_service, sql_service
from .errors import RedisGone, ServiceError, ServiceGone
from .ownership import owned

ABOUT = {
    "redis": redis_service.about,
    "redis_cluster": redis_cluster_service.about,
    "couch": couch_service.about,
    "sql": sql_service.about,
}
MEANING = {
    "redis": "Redis",
    "redis_cluster": "Redis, six nodes",
    "couch": "CouchDB protocol",
    "sql": "SQL",
}


def status() -> Table:
    """One row for each service: what was found; why there is none; or that it was lost."""
    rows = [(f"services.{name}()", MEANING[name], *_found(name)) for name in ABOUT]
    return table(("call", "service", "found", "how"), rows)


def _found(name: str) -> tuple[str, str]:
    try:
        what, _, how = ABOUT[name]().partition(", ")
        lost = LOST[name]() if name in LOST else []
    except ServiceGone as error:
        return "lost", str(error).partition(": ")[2]
    except ServiceError as error:
        return "not there", str(error)
    if lost:
        return "lost", f"the server of {', '.join(map(repr, lost))} went away; restart the kernel"
    return what, how


def _lost_redis_spaces() -> list[str]:
    """The spaces whose private redis-server is gone: each space has a server of its own."""
    if redis_service.kind() != "private":
        return []
    lost = []
    for space in sorted(owned().redis):
        try:
            redis_service.client(space, fresh=False).ping()
        except RedisGone:
            lost.append(space)
    return lost


LOST = {"redis": _lost_redis_spaces, "redis_cluster": redis_cluster_service.lost}
