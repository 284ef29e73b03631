"""Leaves out, by their tag, the cells that need a redis-server of our own where there is none."""

from __future__ import annotations

import pytest

from workshop.services import environment, redis_service

OWN_SERVER = not (
    environment.redis_url() or environment.only_fakeredis() or redis_service.binary() is None
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip cells tagged `redis-server`: the only ones whose output depends on the backend."""
    for item in items:
        tags = getattr(item, "cell", {}).get("metadata", {}).get("tags", [])
        if "redis-server" in tags and not OWN_SERVER:
            item.add_marker(pytest.mark.skip(reason="needs a redis-server of our own"))
