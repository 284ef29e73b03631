"""What ReliableQueue and StreamQueue promise: examples, bad input, any text."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.marks import forgets_scripts
from tests.patterns.conftest import waits_of
from tests.patterns.queues.conftest import AnyQueue, Make, run_out

from patterns.queues import Job, KeyAlreadyUsed, LeaseLost, ReliableQueue, SetAside, StreamQueue
from patterns.queues.commands import slice_of

EMPTY = {"waiting": 0, "held": 0, "aside": 0}


def take(queue: AnyQueue, worker: str = "w1") -> Job:
    job = queue.take(worker)
    assert job is not None
    return job


# --- what it is -------------------------------------------------------------------------------


def test_jobs_come_out_in_the_order_in_which_they_went_in(queue: AnyQueue) -> None:
    for payload in "abc":
        queue.put(payload)
    workers = ["w1", "w2", "w3"]
    assert [take(queue, worker).payload for worker in workers] == ["a", "b", "c"]
    assert queue.take("w4") is None


def test_a_job_says_what_it_is(queue: AnyQueue) -> None:
    queue.put("resize cat.png", key="cat")
    job = take(queue)
    assert (job.key, job.payload, job.tries, job.worker) == ("cat", "resize cat.png", 1, "w1")


def test_ids_are_made_where_none_is_given(queue: AnyQueue) -> None:
    one, other = queue.put("a"), queue.put("a")
    assert one != other
    assert [take(queue, "w1").key, take(queue, "w2").key] == [one, other]


def test_a_job_is_counted_wherever_it_is(queue: AnyQueue) -> None:
    assert queue.counts() == EMPTY
    queue.put("a")
    queue.put("b")
    assert queue.counts() == {"waiting": 2, "held": 0, "aside": 0}
    job = take(queue)
    assert queue.counts() == {"waiting": 1, "held": 1, "aside": 0}
    queue.done(job)
    assert queue.counts() == {"waiting": 1, "held": 0, "aside": 0}


def test_nothing_is_left_of_a_finished_job(queue: AnyQueue, redis_client: redis.Redis) -> None:
    queue.put("a" * 1000, key="b" * 100)
    queue.done(take(queue))
    text = ""
    for key in redis_client.keys("*"):
        kind = redis_client.type(key)
        text += key + str(redis_client.xrange(key) if kind == "stream" else kind)
        text += str(redis_client.lrange(key, 0, -1)) if kind == "list" else ""
        text += str(redis_client.hgetall(key)) if kind == "hash" else ""
    assert "aaa" not in text
    assert "bbb" not in text


def test_two_queues_do_not_meet(make: Make) -> None:
    one, other = make("one"), make("other")
    one.put("a")
    assert other.take("w1") is None
    assert take(one).payload == "a"


def test_all_keys_of_a_queue_are_in_one_slot_of_a_cluster(
    queue: AnyQueue, redis_client: redis.Redis
) -> None:
    queue.put("a")
    queue.put("b")
    queue.fail(Job(**vars(take(queue)) | {"tries": 1}))
    take(queue, "{w}")
    slots = {key[key.index("{") : key.index("}") + 1] for key in redis_client.scan_iter()}
    assert slots == {"{jobs}"}


# --- putting again ----------------------------------------------------------------------------


def test_a_job_put_again_with_its_id_is_queued_once(queue: AnyQueue) -> None:
    assert queue.put("a", key="1") == queue.put("a", key="1") == "1"
    job = take(queue)
    queue.put("a", key="1")
    assert queue.take("w2") is None
    queue.done(job)
    assert queue.take("w2") is None
    assert queue.counts() == EMPTY


def test_an_id_names_one_job(queue: AnyQueue) -> None:
    queue.put("a", key="1")
    with pytest.raises(KeyAlreadyUsed, match="'1'"):
        queue.put("b", key="1")
    assert take(queue).payload == "a"
    assert queue.take("w2") is None


def test_a_finished_id_is_free(queue: AnyQueue) -> None:
    queue.put("a", key="1")
    queue.done(take(queue))
    queue.put("b", key="1")
    assert take(queue).payload == "b"


# --- many at once -----------------------------------------------------------------------------


def test_many_are_put_in_their_order(queue: AnyQueue) -> None:
    queue.put("first")
    queue.put_many({f"key {number}": f"payload {number}" for number in range(2_500)})
    assert queue.counts() == {"waiting": 2_501, "held": 0, "aside": 0}
    jobs = [take(queue, f"w{number}") for number in range(4)]
    assert [job.payload for job in jobs] == ["first", "payload 0", "payload 1", "payload 2"]
    assert jobs[3].key == "key 2"


def test_no_job_is_put_in_no_step(queue: AnyQueue) -> None:
    queue.put_many({})
    assert queue.counts() == EMPTY


def test_many_that_are_put_again_are_queued_once(queue: AnyQueue) -> None:
    for _ in range(2):
        queue.put_many({"1": "a", "2": "b"})
    assert [take(queue, worker).payload for worker in ("w1", "w2")] == ["a", "b"]
    assert queue.take("w3") is None


def test_a_key_that_has_another_payload_ends_it(queue: AnyQueue) -> None:
    queue.put("b", key="2")
    with pytest.raises(KeyAlreadyUsed, match="'2'"):
        queue.put_many({"1": "a", "2": "not b", "3": "c"})
    assert [take(queue, worker).payload for worker in ("w1", "w2")] == ["b", "a"]
    assert queue.take("w3") is None


def test_a_bad_job_among_many_is_refused_before_any_is_put(queue: AnyQueue) -> None:
    with pytest.raises(TypeError, match="payload"):
        queue.put_many({"1": "a", "2": 7})  # type: ignore[dict-item]
    assert queue.redis.keys("*") == []


# --- scripts by their hash --------------------------------------------------------------------


@forgets_scripts
def test_a_server_that_has_forgotten_the_scripts_is_sent_them_again(queue: AnyQueue) -> None:
    for _ in range(2):
        queue.redis.script_flush()
        queue.put_many({"1": "a", "2": "b", "3": "c"})
        job = take(queue)
        queue.redis.script_flush()
        queue.renew(job)
        following = queue.done(job, take_next=True)
        assert following is not None
        queue.redis.script_flush()
        queue.fail(following)
        queue.redis.script_flush()
        assert queue.recover() == (1 if isinstance(queue, StreamQueue) else 0)
        for worker in ("w1", "w2"):
            queue.done(take(queue, worker))
        assert queue.counts() == EMPTY


@forgets_scripts
def test_a_script_is_sent_once(queue: AnyQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.redis.script_flush()
    real, sent = queue.redis.execute_command, list[str]()

    def noted(*args: Any, **options: Any) -> Any:
        sent.append(args[0])
        return real(*args, **options)

    monkeypatch.setattr(queue.redis, "execute_command", noted)
    for number in range(3):
        queue.put(str(number))
    assert sent == ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"]


# --- from job to job --------------------------------------------------------------------------


def test_one_is_finished_and_the_next_one_taken(queue: AnyQueue) -> None:
    queue.put_many({"1": "a", "2": "b"})
    following = queue.done(take(queue, "w1"), take_next=True)
    assert following is not None
    assert (following.key, following.payload, following.tries) == ("2", "b", 1)
    assert following.worker == "w1"
    assert queue.counts() == {"waiting": 0, "held": 1, "aside": 0}
    assert queue.take("w2") is None
    assert queue.done(following, take_next=True) is None
    assert queue.counts() == EMPTY


def test_who_is_not_told_to_take_the_next_one_does_not(queue: AnyQueue) -> None:
    queue.put_many({"1": "a", "2": "b"})
    assert queue.done(take(queue)) is None
    assert queue.counts() == {"waiting": 1, "held": 0, "aside": 0}


def test_the_next_one_has_a_lease_of_its_own(queue: AnyQueue) -> None:
    queue.put_many({"1": "a", "2": "b"})
    job = take(queue, "w1")
    run_out(queue, job)
    following = queue.done(job, take_next=True)
    assert following is not None
    assert queue.recover() == 0
    run_out(queue, following)
    assert queue.recover() == 1
    again = take(queue, "w2")
    assert (again.key, again.tries) == ("2", 2)


def test_a_late_one_takes_nothing(queue: AnyQueue) -> None:
    queue.put_many({"1": "a", "2": "b"})
    job = take(queue, "w1")
    run_out(queue, job)
    queue.recover()
    again = take(queue, "w2")
    with pytest.raises(LeaseLost):
        queue.done(job, take_next=True)
    assert queue.counts() == {"waiting": 1, "held": 1, "aside": 0}
    queue.done(again)


def test_what_no_worker_can_run_is_set_aside_on_the_way_to_the_next(queue: AnyQueue) -> None:
    queue.put("a")
    foreign(queue, b"not ours")
    queue.put("b")
    following = queue.done(take(queue), take_next=True)
    assert following is not None
    assert following.payload == "b"
    assert len(queue.set_aside()) == 1


# --- leases -----------------------------------------------------------------------------------


def test_a_job_is_with_one_worker_while_its_lease_lasts(queue: AnyQueue) -> None:
    queue.put("a")
    take(queue, "w1")
    assert queue.recover() == 0
    assert queue.take("w2") is None


def test_a_job_whose_lease_ran_out_is_handed_on(queue: AnyQueue) -> None:
    queue.put("a", key="1")
    job = take(queue, "w1")
    run_out(queue, job)
    assert queue.recover() == 1
    again = take(queue, "w2")
    assert (again.key, again.payload, again.tries, again.worker) == ("1", "a", 2, "w2")
    queue.done(again)
    assert queue.counts() == EMPTY


def test_a_job_that_was_handed_on_comes_before_those_that_wait(queue: AnyQueue) -> None:
    queue.put("a")
    queue.put("b")
    run_out(queue, take(queue, "w1"))
    queue.recover()
    assert take(queue, "w2").payload == "a"


def test_renewing_begins_the_lease_anew(make: Make) -> None:
    queue = make(lease=0.4)
    queue.put("a")
    job = take(queue)
    began = time.monotonic()
    while time.monotonic() < began + 0.8:
        queue.renew(job)
        assert queue.recover() == 0
        assert queue.take("w2") is None
        time.sleep(0.02)
    queue.done(job)


def test_a_lease_runs_out_by_the_servers_clock(make: Make) -> None:
    queue = make(lease=0.05)
    queue.put("a")
    take(queue, "w1")
    deadline = time.monotonic() + 300
    while not queue.recover():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert take(queue, "w2").tries == 2


@pytest.mark.parametrize("verb", ["done", "renew", "fail"])
def test_a_worker_whose_job_was_handed_on_is_told(queue: AnyQueue, verb: str) -> None:
    queue.put("a", key="1")
    job = take(queue, "w1")
    run_out(queue, job)
    queue.recover()
    again = take(queue, "w2")
    with pytest.raises(LeaseLost, match="job '1' is not with 'w1'"):
        getattr(queue, verb)(job)
    assert queue.counts() == {"waiting": 0, "held": 1, "aside": 0}
    queue.done(again)


@pytest.mark.parametrize("verb", ["done", "renew", "fail"])
def test_an_old_handle_of_a_job_that_came_back_to_its_worker_is_worthless(
    queue: AnyQueue, verb: str
) -> None:
    queue.put("a")
    old = take(queue, "w1")
    run_out(queue, old)
    queue.recover()
    new = take(queue, "w1")
    with pytest.raises(LeaseLost):
        getattr(queue, verb)(old)
    assert queue.counts()["held"] == 1
    queue.done(new)


def test_a_lease_that_ran_out_unnoticed_can_still_be_used(queue: AnyQueue) -> None:
    queue.put("a")
    job = take(queue)
    run_out(queue, job)
    queue.renew(job)
    assert queue.recover() == 0
    run_out(queue, job)
    queue.done(job)
    assert queue.counts() == EMPTY


def test_done_twice(queue: AnyQueue) -> None:
    queue.put("a")
    queue.put("b")
    job = take(queue)
    queue.done(job)
    with pytest.raises(LeaseLost):
        queue.done(job)
    assert queue.counts() == {"waiting": 1, "held": 0, "aside": 0}


@pytest.mark.parametrize("verb", ["done", "renew", "fail"])
def test_an_unknown_worker_can_end_nothing(queue: AnyQueue, verb: str) -> None:
    queue.put("a")
    job = take(queue)
    with pytest.raises(LeaseLost, match="'ghost'"):
        getattr(queue, verb)(Job(**vars(job) | {"worker": "ghost"}))
    queue.done(job)


def test_a_worker_that_is_back_under_its_name(queue: AnyQueue) -> None:
    queue.put("a")
    queue.put("b")
    old = take(queue, "w1")
    if isinstance(queue, ReliableQueue):  # the lease is the worker's: nothing to wait for
        new = take(queue, "w1")
        assert (new.key, new.tries) == (old.key, 2)
        return
    assert take(queue, "w1").payload == "b"
    run_out(queue, old)
    assert take(queue, "w1").key == old.key


def test_recover_puts_back_what_every_dead_worker_held(make: Make) -> None:
    queue = make()
    names = [f"w{number}" for number in range(25)]
    for name in names:
        queue.put(name)
    for job in [take(queue, name) for name in names]:
        if job.worker != "w24":
            run_out(queue, job)
    assert queue.recover() == 24
    assert sorted(take(queue, f"x{n}").payload for n in range(24)) == sorted(names[:24])
    assert queue.take("x") is None


# --- failing ----------------------------------------------------------------------------------


def test_a_failed_job_is_tried_again_and_set_aside_in_the_end(queue: AnyQueue) -> None:
    queue.put("a", key="1")
    for tries in (1, 2, 3):
        job = take(queue, f"w{tries}")
        assert job.tries == tries
        assert queue.set_aside() == []
        queue.fail(job, "no such file")
    assert queue.take("w4") is None
    assert queue.set_aside() == [SetAside("1", "a", 3, "no such file")]
    assert queue.counts() == {"waiting": 0, "held": 0, "aside": 1}


def test_a_job_that_kills_its_workers_is_set_aside(queue: AnyQueue) -> None:
    queue.put("a", key="1")
    queue.put("b")
    for tries in (1, 2, 3):
        job = take(queue, f"w{tries}")
        assert (job.payload, job.tries) == ("a", tries)
        run_out(queue, job)
        queue.recover()
    assert take(queue, "w4").payload == "b"
    assert queue.set_aside() == [SetAside("1", "a", 3, "handed out 3 times, and never finished")]


def test_a_job_that_was_set_aside_can_be_put_again(make: Make) -> None:
    queue = make(max_tries=1)
    queue.put("a", key="1")
    queue.fail(take(queue))
    queue.put("a", key="1")
    assert take(queue).tries == 1


def test_a_failed_job_is_there_at_once(queue: AnyQueue) -> None:
    queue.put("a")
    queue.put("b")
    queue.fail(take(queue, "w1"))
    order = [take(queue, worker).payload for worker in ("w2", "w3")]
    assert order == (["b", "a"] if isinstance(queue, ReliableQueue) else ["a", "b"])


# --- waiting ----------------------------------------------------------------------------------


def test_take_waits_for_a_job(queue: AnyQueue) -> None:
    found: list[Job | None] = []
    queue.take("w1")
    waiter = threading.Thread(target=lambda: found.append(queue.take("w1", timeout=30)))
    waiter.start()
    time.sleep(0.1)
    queue.put("a")
    waiter.join(300)
    assert [(job.payload, job.tries) for job in found if job] == [("a", 1)]


def test_take_never_sleeps_through_a_job(queue: AnyQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert queue.take("w1", timeout=0.05) is None
    assert all(0 <= seconds <= 0.01 for seconds in slept)


def test_take_waits_as_long_as_it_says(queue: AnyQueue) -> None:
    began = time.monotonic()
    assert queue.take("w1", timeout=0.3) is None
    assert 0.3 <= time.monotonic() - began < 5


def test_take_does_not_wait_when_told_not_to(queue: AnyQueue) -> None:
    queue.take("w1")
    began = time.monotonic()
    for _ in range(5):
        assert queue.take("w1") is None
    assert time.monotonic() - began < 2


def test_take_waits_longer_than_a_socket_time_out(queue: AnyQueue) -> None:
    client = queue.redis
    if not hasattr(client, "connection_pool") or type(client).__module__.startswith("fakeredis"):
        pytest.skip("fakeredis has no socket, and a cluster has many")
    pool = client.connection_pool
    options = {**pool.connection_kwargs, "socket_timeout": 1.5}
    impatient = redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options)
    )
    assert type(queue)(impatient, "jobs").take("w1", timeout=2.2) is None
    impatient.connection_pool.disconnect()


def test_a_command_waits_half_as_long_as_the_socket(
    queue: AnyQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = waits_of(queue.redis, monkeypatch, socket_timeout=0.1)
    assert queue.take("w1", timeout=0.5) is None
    assert max(waits) == 0.05


@pytest.mark.parametrize(
    ("left", "timeout", "waits"),
    [(60, None, 1), (60, 0, 1), (60, 5, 1), (60, 1, 0.5), (60, 0.1, 0.05), (0.3, 5, 0.3)],
)
def test_a_command_waits_a_second_at_most(left: float, timeout: float | None, waits: float) -> None:
    assert slice_of(left, redis.Redis(socket_timeout=timeout)) == waits


# --- what others write ------------------------------------------------------------------------


def foreign(queue: AnyQueue, what: bytes) -> None:
    if isinstance(queue, ReliableQueue):
        queue.redis.lpush(queue.waiting, what)
    else:
        queue.redis.xadd(queue.stream, {"what": what}, id="0-*")


@pytest.mark.parametrize("what", [b"", b"not ours", b"\xff\xfe\x00", b'{"id": 1'], ids=repr)
def test_what_another_program_queued_is_set_aside(queue: AnyQueue, what: bytes) -> None:
    queue.put("a")
    foreign(queue, what)
    queue.put("b")
    for payload in "ab":
        job = take(queue)
        assert job.payload == payload
        queue.done(job)
    assert queue.take("w1") is None
    [aside] = queue.set_aside()
    assert aside.payload is None
    assert "another program" in aside.reason
    assert queue.counts() == {"waiting": 0, "held": 0, "aside": 1}


def test_a_payload_that_is_no_text_is_set_aside(redis_client: redis.Redis) -> None:
    queue = ReliableQueue(redis_client, "jobs")
    queue.put("a", key="1")
    redis_client.hset(f"{queue.waiting}:jobs", "1", b"\xff")
    assert queue.take("w1") is None
    assert [aside.key for aside in queue.set_aside()] == ["1"]


def test_an_entry_with_a_field_that_is_no_text_is_set_aside(redis_client: redis.Redis) -> None:
    queue = StreamQueue(redis_client, "jobs")
    redis_client.xadd(queue.stream, {"key": "1", "payload": b"\xff"}, id="0-*")
    assert queue.take("w1") is None
    assert [aside.key for aside in queue.set_aside()] == ["entry 0-1"]


@pytest.mark.parametrize("verb", ["take", "put", "recover", "counts"])
def test_a_key_of_another_type_is_an_error_of_redis(make: Make, verb: str) -> None:
    queue = make()
    queue.redis.set(queue.waiting if isinstance(queue, ReliableQueue) else queue.stream, "x")
    args = {"take": ["w1"], "put": ["a"], "recover": [], "counts": []}[verb]
    if verb == "recover" and isinstance(queue, ReliableQueue):
        assert queue.recover() == 0
        return
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        getattr(queue, verb)(*args)


# --- bad input --------------------------------------------------------------------------------

SURROGATE = "\ud800"
BAD_TEXT = [(None, TypeError), (7, TypeError), (b"a", TypeError), (True, TypeError)]
BAD_TEXT += [({"a": 1}, TypeError), (SURROGATE, ValueError)]
BAD_NAMES = [*BAD_TEXT, ("", ValueError), ("a" * 201, ValueError)]
BAD_SECONDS = [("1", TypeError), (None, TypeError), (True, TypeError), (-1, ValueError)]
BAD_SECONDS += [(float("nan"), ValueError), (float("inf"), ValueError), (10**400, ValueError)]


@pytest.mark.parametrize(("value", "error"), BAD_TEXT, ids=repr)
def test_bad_payload(queue: AnyQueue, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="payload"):
        queue.put(value)
    assert queue.redis.keys("*") == []


@pytest.mark.parametrize(("value", "error"), BAD_NAMES[1:], ids=repr)
def test_bad_id(queue: AnyQueue, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="key"):
        queue.put("a", key=value)
    assert queue.redis.keys("*") == []


@pytest.mark.parametrize(("value", "error"), BAD_NAMES, ids=repr)
def test_bad_worker(queue: AnyQueue, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="worker"):
        queue.take(value)
    assert queue.redis.keys("*") == []


@pytest.mark.parametrize(("value", "error"), BAD_SECONDS, ids=lambda v: repr(v)[:20])
def test_bad_timeout(queue: AnyQueue, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="timeout"):
        queue.take("w1", timeout=value)
    assert queue.redis.keys("*") == []


@pytest.mark.parametrize(
    ("value", "error"),
    [*BAD_SECONDS, (0, ValueError), (0.0001, ValueError)],
    ids=lambda v: repr(v)[:20],
)
def test_bad_lease(make: Make, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="lease"):
        make(lease=value)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError), ("3", TypeError)],
    ids=repr,
)
def test_bad_max_tries(make: Make, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_tries"):
        make(max_tries=value)


@pytest.mark.parametrize(
    ("value", "error"), [*BAD_NAMES, ("a{b", ValueError), ("a}b", ValueError)], ids=repr
)
def test_bad_name(make: Make, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="name"):
        make(value)


GOOD = ["", "a" * 1_000_000, "\0", "a\nb\r\n", "a:b", "{a}", "é☃😀", "*", " ", '{"a": [1]}']


@pytest.mark.parametrize("payload", GOOD, ids=lambda text: repr(text)[:20])
def test_odd_payloads_are_stored_exactly(queue: AnyQueue, payload: str) -> None:
    queue.put(payload)
    assert take(queue).payload == payload


@pytest.mark.parametrize("name", ["\0", "a\nb", "a:b", "{a}", "}", "é☃😀", "*", " ", "a" * 200])
def test_odd_names_of_jobs_and_workers(queue: AnyQueue, name: str) -> None:
    queue.put("a", key=name)
    job = take(queue, name)
    assert (job.key, job.worker) == (name, name)
    queue.renew(job)
    run_out(queue, job)
    assert queue.recover() == 1
    job = take(queue, name)
    queue.done(job)
    assert queue.counts() == EMPTY


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=ANY_TEXT, key=NAMES, worker=NAMES, reason=st.text())
def test_any_text(make: Make, payload: str, key: str, worker: str, reason: str) -> None:
    queue = make("any", max_tries=1)
    queue.put(payload, key=key)
    job = take(queue, worker)
    assert (job.payload, job.key, job.worker) == (payload, key, worker)
    queue.fail(job, reason)
    assert SetAside(key, payload, 1, reason) in queue.set_aside()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from("ptdfxr"), max_size=25), limit=st.integers(1, 3))
def test_no_job_is_lost_whatever_is_done_in_which_order(
    make: Make, steps: list[str], limit: int
) -> None:
    queue = make(f"order {limit}", lease=30, max_tries=limit)
    while job := queue.take("cleaner"):
        queue.done(job)
    before, put, finished, held = queue.counts()["aside"], 0, 0, list[Job]()
    for step in steps:
        if step == "p":
            queue.put(str(put))
            put += 1
        elif step == "t" and (job := queue.take(f"w{len(held)}")):
            held.append(job)
        elif step == "d" and held:
            queue.done(held.pop())
            finished += 1
        elif step == "f" and held:
            queue.fail(held.pop(), "because")
        elif step == "x" and held:
            run_out(queue, held.pop())
            queue.recover()
        elif step == "r" and held:
            queue.renew(held[-1])
        counts = queue.counts()
        assert counts["waiting"] + counts["held"] + counts["aside"] - before + finished == put
    for job in held:
        queue.done(job)
