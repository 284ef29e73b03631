"""Hits in Redis, sums in SQL, with a hash and with a stream."""

import threading

import fakeredis
import sqlalchemy as sa
from taken_home.counters import HOUR, CounterBuffer, StreamCounter, run_flusher

redis, sql = fakeredis.FakeRedis(decode_responses=True), sa.create_engine("sqlite:///hits.db")
for kind in (CounterBuffer, StreamCounter):
    views = kind(redis, sql, kind.__name__, HOUR).install()
    views.hit("front", at=0)
    views.hit("front", by=2, at=HOUR - 1)
    assert views.flush().hits == 3
    assert views.counts() == {(0, "front"): 3}
    stop = threading.Event()
    stop.set()
    views.hit("front", at=HOUR)
    run_flusher(views, every=60, stop=stop)
    assert views.counts() == {(0, "front"): 3, (HOUR, "front"): 1}
