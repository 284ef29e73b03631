"""Our PouchDB lets in nobody but us, and a view function gets nowhere."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import couchdb
import pytest
from tests.workshop.services.servers import foreign_couch

from workshop import services
from workshop.services import node

pytestmark = pytest.mark.usefixtures("own_servers")


def ask(
    headers: dict[str, str], *, method: str = "GET", path: str = "/_all_dbs", body: Any = None
) -> tuple[int, Any]:
    """Status and body of one request; the password and the right Host are put in by default."""
    parts = urlsplit(services.couch_url())
    credentials = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    sent = {"Authorization": f"Basic {credentials}", "Host": f"127.0.0.1:{parts.port}", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=120)
    connection.putrequest(method, path, skip_host=True)
    data = b"" if body is None else json.dumps(body).encode()
    for name, value in {**sent, "Content-Length": str(len(data))}.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(data)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, json.loads(content) if content else None


def test_with_the_password_it_answers() -> None:
    assert ask({}) == (200, sorted(ask({})[1]))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:8888"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_requests_of_web_pages_are_refused(headers: dict[str, str], method: str) -> None:
    status, body = ask(headers, method=method, path="/main", body={"_id": "evil"})
    assert status == 403
    assert body is None if method == "HEAD" else body["error"] == "forbidden"


def test_no_reply_tells_a_browser_to_share_it() -> None:
    parts = urlsplit(services.couch_url())
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=120)
    connection.request("OPTIONS", "/", headers={"Origin": "http://evil.example"})
    names = [name.lower() for name, _ in connection.getresponse().getheaders()]
    assert not [name for name in names if name.startswith("access-control")]
    connection.close()


@pytest.mark.parametrize(
    "header", ["", "Basic Og==", "Basic YWRtaW46YWRtaW4=", "Bearer x", "Basic"]
)
def test_without_the_password_it_refuses(header: str) -> None:
    status, body = ask({"Authorization": header})
    assert (status, body["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("place", [6, 20, -2])
def test_a_password_with_one_other_letter_is_refused(place: int) -> None:
    parts = urlsplit(services.couch_url())
    right = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    wrong = [*f"Basic {right}"]
    wrong[place] = "A" if wrong[place] != "A" else "B"
    assert ask({"Authorization": "".join(wrong)})[0] == 401


def test_a_body_that_is_too_large_or_no_json(couch_db: couchdb.Database) -> None:
    status, body = ask({}, method="POST", path=f"/{couch_db.name}", body="x" * 17_000_000)
    assert (status, body["error"]) == (413, "too_large")
    parts = urlsplit(services.couch_url())
    resource = couch_db.resource
    with pytest.raises(couchdb.ServerError) as caught:
        resource.post_json(body="{nonsense", headers={"Content-Type": "application/json"})
    assert caught.value.args[0][0] == 400
    assert parts.port
    assert list(couch_db) == []


@pytest.mark.parametrize(
    "path", ["/%", "/main/%ff", "//", "/main//", "/main/_design", "/main/a/b/c", "/_config", "/?%"]
)
def test_odd_paths_are_answered(path: str) -> None:
    services.couch()
    status, body = ask({}, path=path)
    assert status in (200, 400, 404, 501)
    assert body
    assert ask({})[0] == 200


# ------------------------------------------------------------------ the sandbox

KEYWORDS = "typeof process + typeof require + typeof fetch + typeof setTimeout + typeof Buffer"
HARMLESS = {  # what each function may emit: proof that it ran and found nothing
    "globals": (f"function (d) {{ emit({KEYWORDS}, 1); }}", "undefined" * 5),
    "this": ("function (d) { emit(Object.getPrototypeOf(this) === null, 1); }", None),
    "emit is of the context": (
        "function (d) { emit(emit.constructor === Function, 1); }",
        True,
    ),
    "the document is of the context": (
        "function (d) { emit(d.constructor.constructor === Function, 1); }",
        True,
    ),
    "an overflow's error is of the context": (
        "function (d) { function f() { f(); } try { f(); } catch (e) {"
        " emit(e.constructor.constructor === Function, 1); } }",
        True,
    ),
    "no frames to climb": (
        "(function () { Error.prepareStackTrace = function (e, t) { return t; };"
        " Error.stackTraceLimit = 50;"
        " return function (d) { emit(typeof new Error('x').stack, 1); }; })()",
        "string",
    ),
    "no frames to climb with another Error": (
        "(function () { var E = function () {}; E.prepareStackTrace = function (e, t) {return t;};"
        " try { globalThis.Error = E; } catch (x) {}"
        " try { Object.defineProperty(globalThis, 'Error', {value: E}); } catch (x) {}"
        " return function (d) { try { null.x; } catch (e) { emit(typeof e.stack, 1); } }; })()",
        "string",
    ),
    "no caller": (
        "function f(d) { emit(String(arguments.callee.caller), 1); }",
        "null",
    ),
    "no shared memory": (
        "function (d) { emit(typeof SharedArrayBuffer + typeof Atomics + typeof WebAssembly"
        " + typeof WeakRef + typeof FinalizationRegistry, 1); }",
        "undefined" * 5,
    ),
    "a key that pollutes": (
        'function (d) { emit(JSON.parse(\'{"__proto__": {"polluted": 1}}\'), 1); }',
        {"__proto__": {"polluted": 1}},
    ),
    "a thenable": ("function (d) { emit({then: function (f) { f(1); }}, 1); }", {}),
    "a proxy": (
        "function (d) { emit(new Proxy({}, {ownKeys: function () { return []; }}), 1); }",
        {},
    ),
    "a rejected promise": (
        "function (d) { Promise.reject(new Proxy({}, {get: function () { for (;;); }}));"
        " emit(1, 1); }",
        1,
    ),
    "an async function": ("async function (d) { emit(1, 1); await null; emit(2, 1); }", 1),
}
NO_ROWS = {  # functions that fail on each document
    "a function from a string": "function (d) { emit(Function('return process')(), 1); }",
    "constructor's constructor": (
        "function (d) { emit(this.constructor.constructor('return process')().pid, 1); }"
    ),
    "emit's constructor": "function (d) { emit(emit.constructor('return process')().pid, 1); }",
    "a generator from a string": (
        "function (d) { Object.getPrototypeOf(function* () {}).constructor('yield 1'); emit(1,1); }"
    ),
    "eval": "function (d) { emit((0, eval)('1 + 1'), 1); }",
    "a thrown proxy": (
        "function (d) { throw new Proxy({}, {get: function () { for (;;); },"
        " getPrototypeOf: function () { for (;;); }}); }"
    ),
}
ERRORS = {  # functions whose view cannot be built
    "an endless loop": "function (d) { for (;;); }",
    "an endless microtask": "function (d) { Promise.resolve().then(() => { for (;;); }); }",
    "an endless getter": ("function (d) { emit({get a() { for (;;); }}, 1); }"),
    "a broken JSON": (
        "(function () { Array.prototype.join = function () { return '1]]]'; };"
        " return function (d) { emit(1, 1); }; })()"
    ),
}


def emitted(database: couchdb.Database, source: str) -> list[Any]:
    database.save({"_id": "x"})
    database.save({"_id": "_design/d", "views": {"v": {"map": source}}})
    found = [row["key"] for row in database.view("d/v")]
    assert ask({})[0] == 200
    return found


@pytest.fixture(scope="module")
def patient(own_servers: None) -> Iterator[couchdb.Server]:
    """A server whose views have a minute: on a busy machine an overflow can take a second."""
    with foreign_couch(limit=60_000) as (_, server):
        yield server


@pytest.fixture
def database(patient: couchdb.Server) -> couchdb.Database:
    """An empty database whose views have a minute."""
    return patient.create(f"d{uuid.uuid4().hex}")


@pytest.mark.parametrize("name", HARMLESS)
def test_a_view_function_reaches_no_host_object(database: couchdb.Database, name: str) -> None:
    source, expected = HARMLESS[name]
    found = emitted(database, source)
    assert found == ([expected] if expected is not None else found)
    assert database.get("polluted") is None


@pytest.mark.parametrize("name", NO_ROWS)
def test_a_view_function_makes_no_code(database: couchdb.Database, name: str) -> None:
    assert emitted(database, NO_ROWS[name]) == []
    assert database.get("polluted") is None


@pytest.fixture(scope="module")
def impatient(own_servers: None) -> Iterator[couchdb.Server]:
    """A server whose views have a tenth of the usual time."""
    with foreign_couch(limit=100) as (_, server):
        yield server


@pytest.mark.parametrize("name", ERRORS)
def test_a_view_function_that_does_not_come_back(impatient: couchdb.Server, name: str) -> None:
    started, database = time.monotonic(), impatient.create(name.replace(" ", "-").lower())
    with pytest.raises(couchdb.ServerError) as caught:
        emitted(database, ERRORS[name])
    assert time.monotonic() - started < 60
    assert caught.value.args[0][0] == 500
    assert caught.value.args[0][1][0] == "os_process_error"
    database.save({"_id": "after"})
    assert database.get("after") is not None


@pytest.mark.parametrize(
    "source",
    [
        "function (d) { import('node:fs').catch(function (e) { emit(e, 1); }); }",
        "function (d) { import/**/('node:fs'); }",
        "function (d) { emit(import.meta, 1); }",
        "(for (;;);)",
        "{}",
        "1",
    ],
)
def test_a_source_that_is_refused(couch_db: couchdb.Database, source: str) -> None:
    with pytest.raises(couchdb.ServerError) as caught:
        couch_db.save({"_id": "_design/d", "views": {"v": {"map": source}}})
    assert caught.value.args[0][:1] == (400,)
    assert caught.value.args[0][1][0] == "compilation_error"


def test_a_reduce_function_is_in_the_sandbox_too(couch_db: couchdb.Database) -> None:
    couch_db.save({"_id": "x"})
    map_all = "function (d) { emit(1, 1); }"
    sources = {
        "globals": f"function (k, v) {{ return {KEYWORDS}; }}",
        "endless": "function (k, v) { for (;;); }",
        "throws": "function (k, v) { return Function('return process')(); }",
    }
    views = {name: {"map": map_all, "reduce": source} for name, source in sources.items()}
    couch_db.save({"_id": "_design/d", "views": views})
    assert couch_db.view("d/globals").rows[0]["value"] == "undefined" * 5
    assert couch_db.view("d/throws").rows[0]["error"] == "reduce_error"
    with pytest.raises(couchdb.ServerError, match="did not finish in 1000 ms"):
        couch_db.view("d/endless").rows  # noqa: B018


def test_the_server_may_do_little_even_if_a_view_got_out() -> None:
    """The flags, on their own: a program in the server's place may neither write nor run."""
    command = node.command()
    flags, home = command[1:-1], node.install()
    code = """
    const tried = {
      eval: () => (0, eval)('1'), Function: () => Function('return 1')(),
      write: () => require('fs').writeFileSync('/tmp/btp-written', ''),
      read: () => require('fs').readFileSync('/etc/hostname'),
      run: () => require('child_process').execSync('true'),
      thread: () => new (require('worker_threads').Worker)('1', { eval: true }),
    };
    const able = Object.keys(tried).filter((name) => { try { tried[name](); return true; } catch { return false; } });
    console.log(JSON.stringify(able));
    """  # noqa: E501
    ran = subprocess.run(
        [command[0], *flags, "-e", code], cwd=home, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == []
