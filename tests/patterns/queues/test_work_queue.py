"""What WorkQueue promises, and what it does not."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.patterns.conftest import waits_of

from patterns.queues import ReliableQueue, StreamQueue, WorkQueue


@pytest.fixture
def queue(redis_client: redis.Redis) -> WorkQueue:
    return WorkQueue(redis_client, "jobs")


def test_first_in_first_out(queue: WorkQueue) -> None:
    for payload in "abc":
        queue.put(payload)
    assert [queue.take(0) for _ in "abcd"] == ["a", "b", "c", None]


def test_take_waits(queue: WorkQueue) -> None:
    found: list[str | None] = []
    waiter = threading.Thread(target=lambda: found.append(queue.take(30)))
    waiter.start()
    time.sleep(0.1)
    queue.put("a")
    waiter.join(300)
    assert found == ["a"]


def test_take_waits_as_long_as_it_says(queue: WorkQueue) -> None:
    began = time.monotonic()
    assert queue.take(0.3) is None
    assert 0.3 <= time.monotonic() - began < 5


def test_a_command_waits_half_as_long_as_the_socket(
    queue: WorkQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = waits_of(queue.redis, monkeypatch, socket_timeout=0.1)
    assert queue.take(0.5) is None
    assert max(waits) == 0.05


def test_each_job_goes_to_one_worker(queue: WorkQueue) -> None:
    for number in range(200):
        queue.put(str(number))
    found: list[str] = []

    def work() -> None:
        while (job := queue.take(0.05)) is not None:
            found.append(job)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert sorted(found, key=int) == [str(number) for number in range(200)]


def test_queues_of_one_name_and_of_different_kinds_do_not_mix(redis_client: redis.Redis) -> None:
    bare, lists = WorkQueue(redis_client, "jobs"), ReliableQueue(redis_client, "jobs")
    stream = StreamQueue(redis_client, "jobs")
    bare.put("a")
    assert lists.take("w1") is stream.take("w1") is None
    assert lists.set_aside() == stream.set_aside() == []
    lists.put("b", key="1")
    stream.put("c", key="1")
    assert [bare.take(0), bare.take(0)] == ["a", None]
    taken = [lists.take("w1"), stream.take("w1")]
    assert [job and job.payload for job in taken] == ["b", "c"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text(queue: WorkQueue, payload: str) -> None:
    queue.put(payload)
    assert queue.take(0) == payload


@pytest.mark.parametrize("payload", [None, 7, b"a", True, {"a": 1}, "\ud800"], ids=repr)
def test_bad_payload(queue: WorkQueue, payload: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="payload"):
        queue.put(payload)
    assert queue.redis.keys("*") == []


@pytest.mark.parametrize("timeout", [None, "1", True, -1, float("nan"), float("inf")], ids=repr)
def test_bad_timeout(queue: WorkQueue, timeout: Any) -> None:
    queue.put("a")
    with pytest.raises((TypeError, ValueError), match="timeout"):
        queue.take(timeout)
    assert queue.take(0) == "a"


@pytest.mark.parametrize("name", [None, 7, "", "a" * 201, "\ud800"], ids=lambda v: repr(v)[:20])
def test_bad_name(redis_client: redis.Redis, name: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="name"):
        WorkQueue(redis_client, name)
