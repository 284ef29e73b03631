"""Our servers end with the process that started them, however it ends, and not before."""

from __future__ import annotations

import http.server
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import couchdb
import couchdb.http
import psutil
import pytest
import redis
from jupyter_client.manager import KernelManager
from sqlalchemy import text
from tests.workshop.services import sharing
from tests.workshop.services.servers import descendants, python

from workshop import services
from workshop.services import couch_service, redis_service

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed"),
    pytest.mark.usefixtures("own_servers"),
]
private_redis = pytest.mark.skipif(redis_service.binary() is None, reason="no redis-server")

START = """
import os
from workshop import services
services.redis().set("k", "v"); services.redis("second"); services.couch().save({"_id": "d"})
services.sql().connect().close()
from workshop.services import processes
print(processes.private_directory(), flush=True)
"""


def gone(processes: Iterable[psutil.Process], seconds: float = 60) -> list[psutil.Process]:
    """The processes that are still there after a while: none, as soon as all have ended.

    One that has ended and that its parent has not asked about yet is gone, too.
    """
    deadline = time.monotonic() + seconds
    left = list(processes)
    while left := [process for process in left if not ended(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE or not process.is_running()
    except psutil.NoSuchProcess:
        return True


def run_in(kernel: KernelManager, code: str) -> None:
    """Run a cell; fail as it fails."""
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=600)
    reply = client.execute_interactive(code, timeout=600, output_hook=lambda _: None)
    client.stop_channels()
    assert reply["content"]["status"] == "ok", reply["content"]


def servers_of(kernel: KernelManager) -> set[psutil.Process]:
    """The processes below a kernel that has run START."""
    below = descendants(kernel.provisioner.process.pid)
    names = " ".join(" ".join(process.cmdline()) for process in below)
    assert "server.mjs" in names
    assert names.count("redis.conf") >= 2 or redis_service.binary() is None
    return set(below)


def test_no_server_outlives_its_kernel() -> None:
    """Interrupted, the servers stay; restarted or killed, they are gone."""
    kernel = KernelManager(kernel_name="python3")
    kernel.kernel_cmd = [  # type: ignore[attr-defined]
        sys.executable,
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
    ]
    kernel.start_kernel()
    try:
        run_in(kernel, START)
        first = servers_of(kernel)
        kernel.interrupt_kernel()
        run_in(kernel, "assert services.redis().get('k') == 'v'; assert 'd' in services.couch()")
        assert servers_of(kernel) == first
        kernel.restart_kernel(now=True)
        assert gone(first) == []
        run_in(kernel, START)
        second = servers_of(kernel)
        directory = directory_of(second)
        assert directory.exists()
        os.kill(kernel.provisioner.process.pid, signal.SIGKILL)
        assert gone(second) == []
        assert not directory.exists()
    finally:
        kernel.shutdown_kernel(now=True)


def directory_of(processes: set[psutil.Process]) -> Path:
    """The private directory, which the process that removes it in the end has as its last word."""
    last = {process.cmdline()[-1] for process in processes if "rm -rf" in str(process.cmdline())}
    assert len(last) == 1
    return Path(last.pop())


def test_a_plain_exit_leaves_no_process_and_no_file() -> None:
    ran = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    directory = ran.stdout.strip()
    deadline = time.monotonic() + 300
    while Path(directory).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(directory).exists()
    assert not [p for p in psutil.process_iter(["cmdline"]) if directory in str(p.info["cmdline"])]


@private_redis
def test_a_forked_child_shares_the_servers_and_does_not_end_them() -> None:
    code = """
import os, sys
from workshop import services
from sqlalchemy import text
r, db, engine = services.redis(), services.couch(), services.sql()
with engine.begin() as tx: tx.execute(text("CREATE TABLE t (n INTEGER)"))
def talk(who):
    for i in range(40):
        db.save({"_id": f"{who}-{i}"})
        assert db[f"{who}-{i}"]["_id"] == f"{who}-{i}"
        assert r.incr(who) == i + 1
child = os.fork()
talk("child" if child == 0 else "parent")
if child == 0:
    r.set("k", "child"); db.save({"_id": "child"}); services.redis().incr("n")
    with engine.begin() as tx: tx.execute(text("INSERT INTO t VALUES (1)"))
    sys.exit()  # runs what is registered with atexit
assert os.waitpid(child, 0)[1] == 0
assert r.get("k") == "child" and "child" in db
with engine.begin() as tx: assert tx.execute(text("SELECT count(*) FROM t")).scalar_one() == 1
print("ok")
"""
    assert python(code) == "ok\n"


@private_redis
def test_a_forked_child_that_stays_does_not_keep_the_servers() -> None:
    code = """
import os, time
from workshop import services
services.redis(); services.couch()
if os.fork() == 0:
    time.sleep(600); os._exit(0)
print(os.getpid(), flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    below = descendants(parent.pid)
    child = [process for process in below if process.cmdline()[:2] == [sys.executable, "-c"]]
    others = [process for process in below if process not in child]
    assert len(child) == 1
    assert len(others) >= 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert gone(others) == []
    finally:
        child[0].kill()


@private_redis
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_share_the_services_by_invitation(way: str) -> None:
    client = services.redis("test-many", fresh=True)
    database = services.couch("test-many", fresh=True)
    engine = services.sql("test-many", fresh=True)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE t (n INTEGER)"))
    context: Any = multiprocessing.get_context(way)
    workers = [
        context.Process(target=sharing.work, args=(services.invitation(), [n, n + 10]))
        for n in range(2 if way == "fork" else 1)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    seen = sorted(map(int, client.lrange("seen", 0, -1)))
    assert seen == sorted(n + more for n in range(len(workers)) for more in (0, 10))
    assert len(database) == len(seen)
    with engine.begin() as tx:
        assert tx.execute(text("SELECT count(*) FROM t")).scalar_one() == len(seen)


@private_redis
def test_another_program_can_connect_by_url() -> None:
    services.redis("test", fresh=True).set("k", "v")
    assert redis.Redis.from_url(services.redis_url("test")).get("k") == b"v"


def test_fakeredis_has_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("PATTERNS_REDIS", "fake")
    with pytest.raises(services.ServiceError, match="no URL"):
        services.redis_url()
    monkeypatch.setenv("PATTERNS_REDIS", "real")
    with pytest.raises(ValueError, match="PATTERNS_REDIS"):
        services.redis()


@private_redis
def test_nothing_listens_beyond_loopback() -> None:
    services.redis()
    services.couch_url()
    listening = [
        connection.laddr.ip
        for process in descendants(os.getpid())
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and "postgres" not in process.name()
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


@private_redis
def test_a_long_temporary_directory_gets_a_port_with_a_password(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    code = """
from workshop import services
import redis
services.redis().set("k", "v")
url = services.redis_url(); assert url.startswith("redis://:") and "@127.0.0.1:" in url, url
try: redis.Redis.from_url("redis://" + url.split("@")[1]).get("k")
except redis.AuthenticationError: print("refused")
"""
    assert python(code, TMPDIR=str(long)) == "refused\n"


# ------------------------------------------------------------------ servers that go away

MID_USE = """
import sys
from workshop import services
CALLS = {"RedisGone": "services.redis().get('k')", "CouchGone": "services.couch().get('k')"}
for call in CALLS.values(): eval(call)
print("ready", flush=True); sys.stdin.readline()
for name, call in CALLS.items():
    for attempt in range(2):
        try: eval(call)
        except services.ServiceGone as error:
            assert type(error) is getattr(services, name) and isinstance(error, ConnectionError)
            assert error.__cause__ is None and error.__suppress_context__
            print(error._render_traceback_()[0])
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for call in CALLS.values(): shell.run_cell("from workshop import services; " + call)
"""


@private_redis
def test_a_server_that_dies_mid_use_gives_one_clear_exception() -> None:
    child = subprocess.Popen([sys.executable, "-c", MID_USE], stdin=-1, stdout=-1, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    below = descendants(child.pid)
    servers = [process for process in below if process.name() in ("redis-server", "node")]
    assert len(servers) == 2
    for server in servers:
        server.kill()
    gone(servers)
    out, _ = child.communicate("\n", timeout=600)
    assert re.findall(r"(\w+): (\w+): the server went away", out) == [
        *[("RedisGone", "Redis")] * 2,
        *[("CouchGone", "CouchDB")] * 2,
        ("RedisGone", "Redis"),
        ("CouchGone", "CouchDB"),
    ]
    assert "Traceback" not in out
    assert len(out.strip().splitlines()) <= 8


LOST = """
import sys
from workshop import services
services.redis("start"); services.status()
print(services.redis_url("start"), flush=True); sys.stdin.readline()
print(services.status(), flush=True); sys.stdin.readline()
print(services.status())
"""


@private_redis
def test_the_status_says_which_service_was_lost() -> None:
    """Each space has a redis-server of its own: the loss of any of them is told."""
    child = subprocess.Popen([sys.executable, "-c", LOST], stdin=-1, stdout=-1, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    path = child.stdout.readline().strip().removeprefix("unix://")
    servers = [s for s in descendants(child.pid) if s.name() in ("redis-server", "node")]
    [of_start] = [s for s in servers if path in " ".join(s.cmdline())]
    of_start.kill()
    gone([of_start])
    child.stdin.write("\n")
    child.stdin.flush()
    first = [child.stdout.readline() for _ in range(6)]
    for server in {*servers} - {of_start}:
        server.kill()
    gone(servers)
    second, _ = child.communicate("\n", timeout=600)
    assert re.search(r"lost +\| the server of 'start' went away; restart the kernel", first[2])
    assert "PouchDB" in first[4]
    for row in second.splitlines()[2:5:2]:
        assert re.search(r"lost +\| the server went away, or cannot be reached", row)
    assert "SQLite" in second


def test_a_request_whose_reply_is_lost_is_not_sent_again() -> None:
    """couchdb-python by itself sends it twice: a document could be stored twice."""
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                request = connection.recv(1000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0" + bytes(4))
                connection.close()
                if request == b"the last one":
                    return
                requests.append(request)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/db"
        with pytest.raises(services.CouchGone):
            couch_service.OneTrySession().request("POST", url, body=b"{}")
        with socket.create_connection(server.getsockname()) as last:
            last.sendall(b"the last one")
        thread.join()
    assert len(requests) == 1


def test_redis_gone_is_a_redis_connection_error() -> None:
    assert issubclass(services.RedisGone, redis.ConnectionError)
    error = services.RedisGone("words")
    assert str(error) == "words"
    assert repr(error)


def test_postgresql_that_drops_the_connection(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy.exc

    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    engine = services.sql("test-gone", fresh=True)

    def cut_off() -> None:
        with engine.begin() as tx, services.sql("test").begin() as other:
            victim = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": victim})
            tx.execute(text("SELECT 1"))

    with pytest.raises(services.SQLGone, match="went away") as caught:
        cut_off()
    assert isinstance(caught.value, sqlalchemy.exc.OperationalError)
    assert isinstance(caught.value, services.ServiceGone)
    with engine.begin() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(services.SQLGone, match="cannot be reached") as caught:
        services.sql("test-none")
    assert "secret" not in str(caught.value)


def test_a_connection_is_not_used_again_after_an_error_that_may_have_come_early() -> None:
    """CouchDB may answer before it has read a request, and hangs up a moment later."""
    ports: list[int] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.answer(404, b'{"error": "not_found", "reason": "missing"}')

        def do_PUT(self) -> None:
            self.answer(409, b'{"error": "conflict", "reason": "Document update conflict."}')

        def answer(self, status: int, body: bytes) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            ports.append(self.client_address[1])
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        session, url = couch_service.OneTrySession(), f"http://127.0.0.1:{server.server_port}/db"
        for method in ("PUT", "PUT", "POST", "POST"):
            with pytest.raises(couchdb.http.HTTPError):
                session.request(method, url, body=b"{}")
        server.shutdown()
        thread.join()
    first, second, third, fourth = ports
    assert first == second == third != fourth
