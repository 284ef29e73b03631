"""Counters of both kinds, on every Redis and every SQL database of this machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis as redis_py
import sqlalchemy as sa

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.counters.sql_sums import create_tables

Make = Callable[..., CounterBuffer | StreamCounter]


@pytest.fixture
def sql(sql_engine: sa.Engine) -> sa.Engine:
    """An SQL database that has the tables."""
    create_tables(sql_engine)
    return sql_engine


@pytest.fixture
def buffer(redis_client: redis_py.Redis, sql: sa.Engine) -> CounterBuffer:
    return CounterBuffer(redis_client, sql, "views", HOUR)


@pytest.fixture(params=[CounterBuffer, StreamCounter])
def make(request: pytest.FixtureRequest, redis_client: redis_py.Redis, sql: sa.Engine) -> Make:
    """A maker of counters, of either kind, on the same Redis and the same database."""

    def a_counter(name: str = "views", period: int = HOUR) -> CounterBuffer | StreamCounter:
        counter: CounterBuffer | StreamCounter = request.param(redis_client, sql, name, period)
        return counter

    return a_counter
