"""Counters of both kinds, on every Redis and every SQL database of this machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis as redis_py
import sqlalchemy as sa

from patterns import counters
from patterns.counters import StreamCounter, stream_counter
from patterns.counters.counter_buffer import HOUR, CounterBuffer

Make = Callable[..., CounterBuffer | StreamCounter]


@pytest.fixture
def sql(sql_engine: sa.Engine) -> sa.Engine:
    """An SQL database that has the tables."""
    counters.create_tables(sql_engine)
    stream_counter.create_tables(sql_engine)
    return sql_engine


@pytest.fixture
def buffer(redis_client: redis_py.Redis) -> CounterBuffer:
    return CounterBuffer(redis_client, "views", HOUR)


@pytest.fixture(params=[CounterBuffer, StreamCounter])
def make(request: pytest.FixtureRequest, redis_client: redis_py.Redis) -> Make:
    """A maker of counters, of either kind, on the same Redis."""

    def a_counter(name: str = "views", period: int = HOUR) -> CounterBuffer | StreamCounter:
        counter: CounterBuffer | StreamCounter = request.param(redis_client, name, period)
        return counter

    return a_counter
