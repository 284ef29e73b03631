"""A job is put once, handed out until it is done, and set aside after its last try."""

import threading

import fakeredis
import pytest
from taken_home.queues import KeyAlreadyUsed, ReliableQueue, StreamQueue, WorkQueue, run_worker

redis = fakeredis.FakeRedis(decode_responses=True)
bare = WorkQueue(redis, "bare")
bare.put("resize cat.png")
assert bare.take(timeout=0) == "resize cat.png"

for kind in (ReliableQueue, StreamQueue):
    queue = kind(redis, kind.__name__, max_tries=1)
    assert queue.put("resize cat.png", key="cat") == queue.put("resize cat.png", key="cat") == "cat"
    with pytest.raises(KeyAlreadyUsed):
        queue.put("resize dog.png", key="cat")
    stop = threading.Event()
    assert run_worker(queue, lambda job, stop=stop: stop.set(), "worker 1", stop=stop) == 1
    queue.put("no picture", key="text")
    queue.fail(queue.take("worker 1"), "not a picture")
    assert [aside.key for aside in queue.set_aside()] == ["text"]
    assert queue.counts() == {"waiting": 0, "held": 0, "aside": 1}
