"""Libraries are searched on one Redis: a server where there is one, for which they are written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from tests.conftest import redis_backends, redis_on
from tests.few_replays import few_replays

__all__ = ["few_replays", "redis_client"]


@pytest.fixture(params=redis_backends()[-1:])
def redis_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis]:
    """An empty Redis."""
    yield from redis_on(request.param, monkeypatch)
