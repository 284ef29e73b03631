"""What only a Redis Cluster does to the helpers. Their examples run on one, too."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from redis import ConnectionError, RedisCluster, exceptions
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, LoadBalancingStrategy
from redis.connection import Connection
from redis.retry import Retry
from tests.patterns.conftest import HAVE_CLUSTER
from tests.patterns.test_clients import ASYNCIO, BLOCKING, ONCE

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.notice_boards import AsyncNoticeBoard, NoticeBoard
from patterns.notice_boards.web import SharedSubscription
from patterns.pubsub import Room, StreamRoom
from patterns.queues import ReliableQueue, StreamQueue, WorkQueue
from workshop import services
from workshop.services import redis_cluster_homes, redis_cluster_start

pytestmark = pytest.mark.skipif(not HAVE_CLUSTER, reason="no redis-server to make a cluster of")


@pytest.fixture
def cluster(redis_cluster: RedisCluster) -> RedisCluster:
    """The cluster, empty; its slots and masters are as at first."""
    return services.redis_cluster(fresh=True)


@pytest.fixture
def sql() -> sa.Engine:
    """An empty database in memory, one for all threads."""
    threads = {"check_same_thread": False}
    return sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args=threads)


class Lossy(Connection):
    """A connection that loses the reply to the next command, once it is told to."""

    loses = False

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        reply = super().read_response(*args, **kwargs)
        if Lossy.loses and reply == 1:
            Lossy.loses = False
            self.disconnect()
            raise ConnectionError("the reply is lost")
        return reply


def another(**settings: Any) -> RedisCluster:
    """A client of the cluster with settings of its own."""
    nodes = [ClusterNode(**redis_cluster_start.address("A"))]
    good = {"protocol": 2, "decode_responses": True, "retry": Retry(NoBackoff(), 0)}
    given = {"password": redis_cluster_start.password(), **good, **settings}
    return RedisCluster(startup_nodes=nodes, **given)


# --- which clients are refused ------------------------------------------------------------------


@pytest.mark.parametrize("is_pipeline", [False, True], ids=["client", "pipeline"])
def test_a_hit_is_sent_again_by_a_pipeline_whatever_its_retries(
    cluster: RedisCluster, is_pipeline: bool
) -> None:
    """This is why a counter refuses the pipeline of a cluster: without retries, it repeats."""
    lossy = another()
    for node in lossy.get_nodes():
        node.redis_connection.connection_pool.connection_class = Lossy
        node.redis_connection.connection_pool.reset()
    Lossy.loses = True
    if is_pipeline:
        pipe = lossy.pipeline()
        pipe.hincrby("hits", "front", 1)
        pipe.execute()
    else:
        with pytest.raises(ConnectionError):
            lossy.hincrby("hits", "front", 1)
    assert cluster.hget("hits", "front") == ("2" if is_pipeline else "1")


def test_clients_of_a_cluster_are_refused_by_name(cluster: RedisCluster) -> None:
    eager, unread = another(retry=None), another(decode_responses=False)
    lagging = [
        another(load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN),
        another(read_from_replicas=True),
    ]
    asyncio_client = services.redis_cluster_async()
    for name, make in BLOCKING.items():
        make(cluster)
        if name in ONCE:
            with pytest.raises(ValueError, match=r"retry_on_error.*NoBackoff\(\), 0"):
                make(eager)
        else:
            make(eager)
        with pytest.raises((TypeError, ValueError), match=r"not .*ClusterPipeline|r's pipeline"):
            make(cluster.pipeline())
        with pytest.raises(TypeError, match="redis must be a blocking client"):
            make(asyncio_client)
        if name in {"Room", "ReliableQueue", "StreamQueue"}:
            make(unread)
        else:
            with pytest.raises(ValueError, match="decode_responses=True"):
                make(unread)
        for late in lagging if name != "Room" else ():
            with pytest.raises(ValueError, match="must not read from a cluster's replicas"):
                make(late)
    for make in ASYNCIO.values():
        make(asyncio_client)
        for other in (cluster, asyncio_client.pipeline()):
            with pytest.raises(TypeError, match="an asyncio client"):
                make(other)


# --- a slot moves -------------------------------------------------------------------------------


def a_queue(kind: type[ReliableQueue] | type[StreamQueue], redis: RedisCluster) -> Any:
    queue = kind(redis, "jobs")
    queue.put("a", key="a")
    held = queue.take("w1")

    def go_on() -> object:
        queue.put("b", key="b")
        queue.renew(held)
        counts = queue.counts()
        queue.done(held)
        return counts, queue.take("w1").payload, queue.recover(), queue.set_aside()

    return "queue:{jobs}", go_on, ({"waiting": 1, "held": 1, "aside": 0}, "b", 0, [])


def a_bare_queue(redis: RedisCluster) -> Any:
    queue = WorkQueue(redis, "jobs")
    queue.put("a")
    return "work-queue:{jobs}", lambda: queue.take(timeout=0), "a"


def a_board(redis: RedisCluster) -> Any:
    board = NoticeBoard(redis, "task")
    board.post(1)

    def go_on() -> object:
        board.post(2)
        found = board.watch(timeout=0).value
        board.remove()
        return found, board.read()

    return "board:{task}", go_on, (2, None)


def an_async_board(redis: RedisCluster) -> Any:
    client, loop = services.redis_cluster_async(), asyncio.new_event_loop()
    board, run = AsyncNoticeBoard(client, "task"), loop.run_until_complete
    run(board.post(1))

    def go_on() -> object:
        run(board.post(2))
        found = run(board.watch(timeout=0))
        run(board.remove())
        run(client.aclose())
        loop.close()
        return found.value

    return "board:{task}", go_on, 2


def a_counter(kind: type[CounterBuffer] | type[StreamCounter], redis: RedisCluster) -> Any:
    counter = kind(redis, sa.create_engine("sqlite://", poolclass=sa.StaticPool), "v", HOUR)
    counter.install()
    counter.hit("front", at=0)

    def go_on() -> object:
        counter.hit("front", at=0)
        waiting = counter.pending() if isinstance(counter, CounterBuffer) else {(0, "front"): 2}
        counter.flush()
        return waiting, counter.counts()

    return f"counter:{{v/{HOUR}}}:open", go_on, ({(0, "front"): 2}, {(0, "front"): 2})


def a_room(redis: RedisCluster) -> Any:
    room = Room(redis, sa.create_engine("sqlite://", poolclass=sa.StaticPool), "r").install()
    heard, is_over = room.listen(60), threading.Event()
    room.send("ann", "a")
    next(heard)  # it is subscribed where the slot was

    def go_on() -> object:
        room.send("ann", "b")
        is_over.set()
        return next(heard).text

    return "room:r", go_on, "b"


def a_stream_room(redis: RedisCluster) -> Any:
    room = StreamRoom(redis, "r")
    heard = room.listen(60)
    room.send("ann", "a")
    next(heard)

    def go_on() -> object:
        room.send("ann", "b")
        return next(heard).text, len(room.history())

    return "stream:r", go_on, ("b", 2)


HELPERS: dict[str, Callable[[RedisCluster], Any]] = {
    "WorkQueue": a_bare_queue,
    "ReliableQueue": partial(a_queue, ReliableQueue),
    "StreamQueue": partial(a_queue, StreamQueue),
    "NoticeBoard": a_board,
    "AsyncNoticeBoard": an_async_board,
    "CounterBuffer": partial(a_counter, CounterBuffer),
    "StreamCounter": partial(a_counter, StreamCounter),
    "Room": a_room,
    "StreamRoom": a_stream_room,
}


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_goes_on_when_its_slot_has_moved(cluster: RedisCluster, name: str) -> None:
    """With the client that it has, which knows of no move."""
    key, go_on, expected = HELPERS[name](cluster)
    nodes = services.ClusterNodes()
    other = "C" if nodes.master_of(key) != "C" else "A"
    nodes.move_slot(nodes.slot_of(key), other)
    assert go_on() == expected
    assert nodes.master_of(key) == other


def test_while_a_slot_moves_a_script_waits_or_fails_and_changes_nothing(
    cluster: RedisCluster,
) -> None:
    """Of a script's keys some are never there: in mid-move Redis cannot tell where they are."""
    queue, nodes = ReliableQueue(cluster, "jobs"), services.ClusterNodes()
    queue.put("a")
    slot, other = nodes.slot_of(queue.waiting), "C"
    home = nodes.owner_of(slot)
    with half_moved(nodes, slot, other):
        with pytest.raises(exceptions.ClusterError, match="TTL exhausted"):
            queue.take("w1")
        assert nodes.client(home).llen(queue.waiting) == 1
        assert nodes.client(other).dbsize() == 0
    assert queue.take("w1").payload == "a"


@contextlib.contextmanager
def half_moved(nodes: services.ClusterNodes, slot: int, to: str) -> Iterator[None]:
    home = nodes.owner_of(slot)
    ids = {name: nodes._say(name, "MYID") for name in (home, to)}
    nodes._say(to, "SETSLOT", slot, "IMPORTING", ids[home])
    nodes._say(home, "SETSLOT", slot, "MIGRATING", ids[to])
    yield
    for name in (home, to):
        nodes._say(name, "SETSLOT", slot, "STABLE")


# --- watchers and nodes -------------------------------------------------------------------------


def that_knows_all_nodes() -> RedisCluster:
    """A client. A node names a replica only once that has said how far it has copied."""
    client = services.redis_cluster()

    def knows_all() -> bool:
        client.nodes_manager.initialize()
        return len(client.get_nodes()) == 6

    redis_cluster_start.wait_until(knows_all, "its replicas say nothing")
    return client


def test_a_watcher_on_any_node_is_woken(cluster: RedisCluster) -> None:
    """PUBLISH reaches all nodes, replicas too; only then would a minute's poll come too late."""
    version = NoticeBoard(cluster, "task").post(0)
    found: list[Any] = []
    watchers = []
    for node in that_knows_all_nodes().get_nodes():
        client: Any = that_knows_all_nodes()
        client.pubsub = partial(client.pubsub, host=node.host, port=node.port)
        board = NoticeBoard(client, "task", poll=60)
        watch = partial(board.watch, version, timeout=60)
        watchers.append(threading.Thread(target=lambda watch=watch: found.append(watch())))
        watchers[-1].start()
    nodes = services.ClusterNodes()
    names = redis_cluster_homes.NAMES
    redis_cluster_start.wait_until(
        lambda: all(nodes.client(n).pubsub_numsub("board:{task}")[0][1] for n in names), "deaf"
    )
    NoticeBoard(cluster, "task").post(1)
    for watcher in watchers:
        watcher.join(30)
    assert [notice.value for notice in found] == [1] * 6


def test_who_listens_hears_again_after_a_master_died(cluster: RedisCluster, sql: sa.Engine) -> None:
    """SUBSCRIBE goes to where the slot was; nothing but the room makes its client look again."""
    nodes = services.ClusterNodes()
    room = Room(cluster, sql, "r", poll=0.2).install()
    heard = room.listen(60)
    room.send("ann", "a")
    assert next(heard).text == "a"
    dies = nodes.master_of("room:r")
    nodes.kill(dies)
    nodes.await_promotion(dies)
    room.send("ann", "b")
    assert next(heard).text == "b"
    waiting = threading.Thread(target=next, args=[heard])
    waiting.start()
    redis_cluster_start.wait_until(
        lambda: any(nodes.client(n).pubsub_numsub("room:r")[0][1] for n in nodes.living()), "deaf"
    )
    room.send("ann", "c")
    waiting.join(60)
    assert not waiting.is_alive()


def test_all_who_wait_in_a_process_are_woken_after_a_master_died(cluster: RedisCluster) -> None:
    """The dead master had the board and the one subscription; a poll would come too late."""
    nodes = services.ClusterNodes()

    def listening() -> list[str]:
        return [name for name in nodes.living() if nodes.client(name).pubsub_numpat()]

    async def somebody_listens() -> None:
        await asyncio.to_thread(redis_cluster_start.wait_until, lambda: bool(listening()), "deaf")

    async def patient(boards: SharedSubscription, name: str, version: str) -> Any:
        while True:
            with contextlib.suppress(ConnectionError, exceptions.ClusterDownError):
                return await boards.watch(name, version, timeout=600)
            await asyncio.sleep(0.05)

    async def scenario(client: AsyncRedisCluster) -> list[Any]:
        async with client, SharedSubscription(client, poll=3600) as boards:
            await somebody_listens()
            [dies] = listening()
            names = (f"task{number}" for number in range(100))
            name = next(n for n in names if nodes.master_of(f"board:{{{n}}}") == dies)
            board = NoticeBoard(cluster, name)
            version = board.post(0)
            waiting = [asyncio.create_task(patient(boards, name, version)) for _ in range(3)]
            while boards.waiting() < 3 or boards._unread:
                await asyncio.sleep(0.01)
            await boards.read(name)  # so theirs is over: from here on nobody reads
            nodes.kill(dies)
            await asyncio.to_thread(nodes.await_promotion, dies)
            await somebody_listens()
            with contextlib.suppress(ConnectionError):  # the poster's client has not noticed yet
                board.post(1, key="1")
            board.post(1, key="1")
            return [notice.value for notice in await asyncio.gather(*waiting)]

    client = AsyncRedisCluster(
        startup_nodes=[AsyncClusterNode(**redis_cluster_start.address("A"))],
        password=redis_cluster_start.password(),
        protocol=2,
        decode_responses=True,
    )
    assert asyncio.run(scenario(client)) == [1, 1, 1]
