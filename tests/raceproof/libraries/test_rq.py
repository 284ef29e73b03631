"""rq, unmodified: enqueue, depends_on, and a worker in burst mode that is killed anywhere.

A SimpleWorker does its jobs itself, in the thread of the client. What it leaves out here is the
thread in which it listens for commands (stop, shut down): the search refuses such threads by name.
"""

from __future__ import annotations

import logging

import pytest
import rq
from tests.raceproof.libraries.jobs import double, send_mail
from tests.raceproof.libraries.worlds import endings, filled

from raceproof import Unsearchable, explore


def _fake(client):
    return "fakeredis" in str(type(client))


@pytest.fixture(autouse=True)
def _silent():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Worker(rq.SimpleWorker):
    def subscribe(self):
        """Listen for no commands."""


def queue(redis):
    return rq.Queue("q", connection=redis)


def works(name, queues=("q",)):
    return lambda world: Worker(queues, connection=world.redis, name=name).work(burst=True)


def works_much_later(name):
    """A worker that comes when all heartbeats are over: rq's maintenance takes over from the dead.

    The time is given to it as rq's own argument, since each look at a clock would be a step.
    """

    def client(world):
        queue(world.redis).started_job_registry.cleanup(timestamp=10_000)
        works(name)(world)

    return client


def one_job(function, **options):
    return lambda raw: queue(raw).enqueue(function, 3, job_id="one", **options)


def whereabouts(world, *names):
    """Where each job is, and its status."""
    q = queue(world.redis)
    places = {
        "queue": q.job_ids,
        "intermediate": [id.decode() for id in world.redis.lrange(q.intermediate_queue_key, 0, -1)],
        "started": q.started_job_registry.get_job_ids(cleanup=False),
        "failed": q.failed_job_registry.get_job_ids(cleanup=False),
        "deferred": q.deferred_job_registry.get_job_ids(cleanup=False),
        "finished": q.finished_job_registry.get_job_ids(cleanup=False),
    }
    return ", ".join(
        f"{name} {q.fetch_job(name).get_status().value} in "
        + (" and ".join(place for place, ids in places.items() if name in ids) or "nothing")
        for name in names or ("one",)
    )


def test_a_job_that_is_enqueued_is_done_and_the_search_is_of_rqs_own_requests(redis_client):
    clients = {
        "app": lambda w: queue(w.redis).enqueue(double, 3, job_id="one"),
        "ann": works("ann"),
    }
    found, report = endings(filled(redis_client), clients, whereabouts, preemptions=0)
    assert found == {"one finished in finished", "one queued in queue"}
    calls = [step.call for finding in report.findings for step in finding.run.steps]
    assert "LMOVE rq:queue:q rq:queue:q:intermediate LEFT RIGHT" in calls or _fake(redis_client)
    assert "the clock stands still" in report.sentence


def test_two_workers_do_one_job_once(redis_client):
    def mails(world):
        return f"{world.redis.get('mails').decode()} mail"

    fill = lambda raw: queue(raw).enqueue(send_mail, job_id="one")  # noqa: E731
    clients = {"ann": works("ann"), "bob": works("bob")}
    found, _ = endings(filled(redis_client, fill), clients, mails, preemptions=0)
    assert found == {"1 mail"}


def test_a_worker_of_two_queues_that_is_killed_loses_the_job(redis_client):
    """rq takes from two queues by LPOP: between that and its first note the job is nowhere."""
    clients = {"ann": works("ann", ["q", "r"])}
    later = {"bob": works_much_later("bob")}
    found, report = endings(
        filled(redis_client, one_job(double)), clients, whereabouts, afterwards=later, crashes=1
    )
    assert "one queued in nothing" in found
    assert report.broken == report.schedules


def test_a_worker_of_one_queue_that_is_killed_does_not(redis_client):
    """By LMOVE: the job is in a list of its own meanwhile. Where rq cannot tell that the server
    has LMOVE (fakeredis has no INFO), it takes LPOP, and the job is lost.
    """
    fake = _fake(redis_client)
    found, _ = endings(
        filled(redis_client, one_job(double)), {"ann": works("ann")}, whereabouts, crashes=1
    )
    assert ("one queued in nothing" in found) == fake
    assert {"one queued in queue", "one started in started", "one finished in finished"} < found
    if not fake:
        assert "one queued in intermediate" in found


def test_a_job_whose_worker_is_killed_is_done_a_second_time(redis_client):
    """Killed after its effect, before rq has noted the end: rq itself says at least once."""
    fill = lambda raw: queue(raw).enqueue(send_mail, job_id="one", retry=rq.Retry(max=1))  # noqa: E731
    found, report = endings(
        filled(redis_client, fill),
        {"ann": works("ann")},
        lambda w: f"{int(w.redis.get('mails') or 0)} mails, {whereabouts(w)}",
        afterwards={"bob": works_much_later("bob")},
        crashes=1,
    )
    assert "2 mails, one finished in finished" in found
    assert not any(found.startswith("3 ") for found in found)
    twice = min(
        (f for f in report.findings if f.violation.startswith("2 mails")),
        key=lambda f: len(f.run.steps),
    )
    assert [step.call for step in twice.run.steps].count("INCRBY mails 1") == 2


def test_a_dependent_is_never_left_behind_by_a_worker_that_lives(redis_client):
    """app says that two depends on one while ann does one: WATCH and a retry put it right."""
    clients = {
        "ann": works("ann"),
        "app": lambda w: queue(w.redis).enqueue(double, 4, job_id="two", depends_on="one"),
    }
    found, _ = endings(
        filled(redis_client, one_job(double)),
        clients,
        lambda w: whereabouts(w, "one", "two"),
        preemptions=1,
    )
    assert found == {
        "one finished in finished, two finished in finished",
        "one finished in finished, two queued in queue",
    }


def test_a_dependent_of_a_job_whose_worker_is_killed_waits_for_ever(redis_client):
    """rq takes a job whose worker has gone for failed, and only one that is done frees others."""

    def fill(raw):
        queue(raw).enqueue(double, 3, job_id="one")
        queue(raw).enqueue(double, 4, job_id="two", depends_on="one")

    found, _ = endings(
        filled(redis_client, fill),
        {"ann": works("ann")},
        lambda w: whereabouts(w, "one", "two"),
        afterwards={"bob": works_much_later("bob")},
        crashes=1,
    )
    assert "one failed in failed, two deferred in deferred" in found
    assert "one finished in finished, two finished in finished" in found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_thread_in_which_a_worker_listens_for_commands_is_refused_by_name(redis_client):
    def ann(world):
        rq.SimpleWorker(["q"], connection=world.redis, name="ann").work(burst=True)

    with pytest.raises(Unsearchable, match="from a thread of its own"):
        explore(world=filled(redis_client), clients={"ann": ann}, check=lambda w: None, calls=100)


def test_a_worker_that_forks_is_refused_by_name(redis_client):
    class Forks(rq.Worker):
        def subscribe(self):
            """Listen for no commands."""

    def ann(world):
        Forks(["q"], connection=world.redis, name="ann").work(burst=True)

    with pytest.raises(Unsearchable, match="starts a process"):
        explore(
            world=filled(redis_client, one_job(double)),
            clients={"ann": ann},
            check=lambda w: None,
            calls=100,
        )
