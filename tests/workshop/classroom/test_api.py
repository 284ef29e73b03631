"""The API: what each route does, for whom, once; every reply is one that the document announces."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.workshop.classroom.documented import DOCUMENT
from tests.workshop.classroom.people import Person, join, teacher, until, web

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom.class_routes import table
from workshop.classroom.operations import OPERATIONS
from workshop.classroom.start import ClassServer
from workshop.exercises.catalogue import NAMES as EXERCISES

Join = Callable[[str], Person]
FIRST, SECOND = EXERCISES[0], EXERCISES[1]


def row_of(board: dict, person: Person) -> dict:
    mine = person.get("/me").json()["id"]
    return next((row for row in board["learners"] if row["id"] == mine), {})


def test_a_solve_is_on_all_boards(learner: Join, instructor: Person) -> None:
    ada, bob = learner("Ada solves"), learner("Bob looks")
    first = ada.solve(FIRST).json()["first_solved_at"]
    assert ada.solve(FIRST, at=first - 60).json()["first_solved_at"] == first
    until(lambda: row_of(ada.get("/board").json(), ada)["solved"] == {FIRST: first})
    assert row_of(instructor.get("/board").json(), ada)["name"] == "Ada solves"
    board = bob.get("/board").json()
    assert [row["name"] for row in board["learners"]] == ["Bob looks"]


def test_who_is_stuck_and_what_the_marking_said(learner: Join, instructor: Person) -> None:
    eve = learner("Eve tries")
    for said in ("Not yet: lost", "Not yet: twice <script>"):
        given = {"exercise": SECOND, "passed": False, "verdict": said}
        assert eve.post("/attempts", given).json() == {"first_solved_at": None}
    tried = {SECOND: {"times": 2, "said": "Not yet: twice <script>"}}
    until(lambda: row_of(instructor.get("/board").json(), eve)["tried"] == tried)
    eve.solve(SECOND)
    until(lambda: row_of(instructor.get("/board").json(), eve)["tried"] == {})


def test_a_poll_waits_for_the_next_change(
    running: ClassServer, learner: Join, instructor: Person
) -> None:
    ada = learner("Ada waits")
    tag = ada.get("/board").headers["etag"]
    nothing = ada.get("/board?wait=0.1", **{"If-None-Match": tag})
    assert (nothing.status_code, nothing.content) == (304, b"")
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(ada.get, "/board?wait=25", **{"If-None-Match": tag})
        time.sleep(0.2)
        assert instructor.write("PUT", "/board", {"doing": "section 3", "minutes": 10}).is_success
        board = waits.result().json()
    assert board["doing"] == "section 3"
    assert 500 < board["ends_at"] - time.time() <= 600
    for minutes in ({"minutes": 0}, {}):
        assert instructor.write("PUT", "/board", {"doing": "", **minutes}).is_success
        assert running.rooms.now.read().value == {"doing": "", "ends_at": None}
    until(lambda: ada.get("/board").json()["ends_at"] is None)


def test_messages_for_who_comes_late_and_who_waits(learner: Join, instructor: Person) -> None:
    ada = learner("Ada asks")
    before = instructor.get("/messages?wait=0").json()["messages"]
    last = before[-1]["number"] if before else 0
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(instructor.get, f"/messages?after={last}&wait=25")
        number = ada.post("/messages", {"text": "What is a lease? 🙂 <b>"}, "the-key-of-it").json()
        heard = waits.result().json()["messages"]
    assert number == {"number": last + 1}
    assert [(m["name"], m["text"]) for m in heard] == [("Ada asks", "What is a lease? 🙂 <b>")]
    again = ada.post("/messages", {"text": "What is a lease? 🙂 <b>"}, "the-key-of-it")
    assert again.json() == number
    late = learner("Late").get(f"/messages?after={last}").json()["messages"]
    assert late == heard


def test_a_call_goes_to_one_helper(running: ClassServer, learner: Join) -> None:
    ada = learner("Ada calls")
    hal, hub = (join(running.url, running.opening.helper_code, n, "helper") for n in ("Hal", "Hub"))
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(helper.post, "/calls/next?wait=3") for helper in (hal, hub)]
        call = ada.post("/calls", {"text": "I am stuck"}).json()["call"]
        said = [one.result() for one in both]
    assert sorted(one.status_code for one in said) == [200, 204]
    has, other = (hal, hub) if said[0].status_code == 200 else (hub, hal)
    held = next(one.json() for one in said if one.status_code == 200)
    assert (held["name"], held["text"]) == ("Ada calls", "I am stuck")
    assert held["call"].startswith(call)
    assert has.post("/calls/next").json()["call"].startswith(call), "the one it has"
    held = has.post("/calls/next").json()
    until(lambda: has.get("/board").json()["calls"] == {"waiting": 0, "held": 1})
    assert other.post(f"/calls/{held['call']}/done").status_code == 409
    assert has.post(f"/calls/{held['call']}/renewal").status_code == 204
    for _ in range(2):  # the second is answered, not done: there is nothing to give back
        given = has.post(f"/calls/{held['call']}/give-back", key="gives-it-back")
        assert given.status_code == 204
    held = other.post("/calls/next").json()
    for _ in range(2):
        assert other.post(f"/calls/{held['call']}/done").status_code == 204
    assert has.post("/calls/next").status_code == 204


def test_a_learner_sees_their_own_call_and_has_one_at_a_time(
    running: ClassServer, learner: Join
) -> None:
    ada, bob = learner("Ada once"), learner("Bob after")
    hal = join(running.url, running.opening.helper_code, "Hal once", "helper")
    assert ada.get("/board").json()["call"] is None
    tag = ada.get("/board").headers["etag"]
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(ada.get, "/board?wait=25", **{"If-None-Match": tag})
        both = [pool.submit(ada.post, "/calls", {"text": text}) for text in ("stuck", "very")]
        names = {one.result().json()["call"] for one in both}
        assert waits.result().json()["call"] == {"before": 0, "helper": ""}
    assert len(names) == 1
    bob.post("/calls", {"text": "me too"})
    until(lambda: bob.get("/board").json()["call"] == {"before": 1, "helper": ""})
    held = hal.post("/calls/next").json()
    assert held["name"] == "Ada once"
    until(lambda: ada.get("/board").json()["call"] == {"before": 0, "helper": "Hal once"})
    until(lambda: bob.get("/board").json()["call"] == {"before": 0, "helper": ""})
    assert {ada.post("/calls", {"text": "still"}).json()["call"]} == names
    assert hal.post(f"/calls/{held['call']}/done").status_code == 204
    until(lambda: ada.get("/board").json()["call"] is None)
    assert ada.post("/calls", {"text": "again"}).json()["call"] not in names
    for name in ("Bob after", "Ada once"):
        held = hal.post("/calls/next").json()
        assert held["name"] == name
        hal.post(f"/calls/{held['call']}/done")
    assert hal.post("/calls/next").status_code == 204


def test_a_helper_who_leaves() -> None:
    with fresh_class("helper", lease=1.0) as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        code = running.opening.helper_code
        hal, hub = (join(running.url, code, name, "helper") for name in ("Hal", "Hub"))
        ada.post("/calls", {"text": "help"})
        gone = hal.post("/calls/next").json()["call"]
        assert hub.post("/calls/next?wait=20").json()["call"][:16] == gone[:16]
        assert hal.post(f"/calls/{gone}/renewal").status_code == 409


def test_a_call_whose_helper_has_gone_waits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board says so without anybody taking it."""
    monkeypatch.setattr("workshop.classroom.board.POLL", 0.2)
    with fresh_class("forgotten", lease=0.5) as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        hal = join(running.url, running.opening.helper_code, "Hal", "helper")
        ada.post("/calls", {"text": "help"})
        hal.post("/calls/next")
        until(lambda: running.rooms.calls.counts()["held"] == 0)
        until(lambda: hal.get("/board").json()["calls"] == {"waiting": 1, "held": 0})
        until(lambda: ada.get("/board").json()["call"] == {"before": 0, "helper": ""})


def test_the_chart(learner: Join, instructor: Person) -> None:
    ada = learner("Ada counts")
    at = time.time()
    for _ in range(3):
        ada.post("/attempts", {"exercise": EXERCISES[5], "passed": False, "at": at}, "one-attempt")
    ada.solve(EXERCISES[5], at=at)
    wanted = {"minute": at // 60 * 60, "exercise": EXERCISES[5], "attempts": 2}
    until(lambda: wanted in instructor.get("/attempts").json()["attempts"])


def test_no_attempt_is_older_than_its_learner_or_of_the_future(
    running: ClassServer, learner: Join
) -> None:
    """What was done without a network is reported with its time, by a clock that may be wrong."""
    ada = learner("Ada was offline")
    joined = running.rooms.couch[f"learner:{ada.get('/me').json()['id']}"]["joined"]
    said = [
        ada.solve(exercise, at=at).json()["first_solved_at"]
        for exercise, at in zip(EXERCISES, (-1, joined - 60, joined + 0.01, 1e300), strict=False)
    ]
    assert running.opening.began <= joined
    assert said[:3] == [joined, joined, joined + 0.01]
    assert joined < said[3] <= time.time()


def test_a_write_under_the_same_key(learner: Join) -> None:
    ada = learner("Ada repeats")
    given = {"exercise": FIRST, "passed": True}
    key = "0123456789abcdef"
    with ThreadPoolExecutor(8) as pool:
        said = {ada.post("/attempts", given, key).text for _ in range(2)}
        said |= {r.text for r in pool.map(lambda _: ada.post("/attempts", given, key), range(8))}
    assert len(said) == 1
    assert ada.post("/attempts", {**given, "passed": False}, key).status_code == 422
    assert ada.post("/messages", {"text": "x"}, key).status_code == 422
    other = learner("Bob repeats")
    assert other.post("/attempts", {**given, "passed": False}, key).status_code == 201
    for bad in ("short", "x" * 65, "spaces in it"):
        assert ada.post("/attempts", given, bad).status_code == 400
    assert ada.http.post("/attempts", json=given).status_code == 400


def test_events(learner: Join, instructor: Person) -> None:
    ada = learner("Ada streams")
    last = len(instructor.get("/messages").json()["messages"])
    seen: list[str] = []

    def read() -> None:
        with ada.http.stream("GET", "/events", headers={"Last-Event-ID": str(last)}) as stream:
            for line in stream.iter_lines():
                seen.append(line)
                if line == "event: message":
                    return

    thread = threading.Thread(target=read)
    thread.start()
    until(lambda: "event: board" in seen)
    ada.solve(FIRST)
    until(lambda: seen.count("event: board") == 2)
    boards = [json.loads(line[6:]) for line in seen if line.startswith("data: ")]
    assert FIRST in boards[1]["learners"][0]["solved"]
    instructor.post("/messages", {"text": "pause"})
    thread.join(60)
    assert not thread.is_alive()
    assert ada.get("/events", **{"Last-Event-ID": "x"}).status_code == 400


def test_links_and_codes(running: ClassServer, learner: Join, instructor: Person) -> None:
    mine, theirs = (
        p.get(f"{running.url}/api/v1").json() for p in (learner("Ada links"), instructor)
    )
    assert "PUT /api/v1/board" in theirs["links"].values()
    assert "PUT /api/v1/board" not in mine["links"].values()
    assert theirs["join_code"] == running.opening.join_code
    assert "join_code" not in mine
    assert len(mine["personal_code"]) == 6
    assert "personal_code" not in theirs


def test_each_route_is_for_its_scopes(
    running: ClassServer, learner: Join, instructor: Person
) -> None:
    people = {"learner": learner("Ada may"), "instructor": instructor}
    people["helper"] = join(running.url, running.opening.helper_code, "Hal may", "helper")
    for operation in OPERATIONS:
        if operation.method == "DELETE" or operation.path.endswith("/events"):
            continue
        path = running.url + operation.path.replace("{call}", f"{'0' * 16}-1")
        nobody = web.request(operation.method, path, json={})
        assert nobody.status_code == 401
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        assert nobody.headers["content-type"] == "application/problem+json"
        for role, person in people.items():
            may = role in operation.scopes or (
                role == "instructor" and "helper" in operation.scopes
            )
            said = person.write(operation.method, path, {} if operation.body else None)
            assert (said.status_code != 403) == may, (role, operation.method, path)


def test_a_learner_cannot_solve_for_another(learner: Join) -> None:
    ada, bob = learner("Ada herself"), learner("Bob himself")
    theirs = bob.get("/me").json()["id"]
    for more in ({"learner": theirs}, {"id": theirs}, {"name": "Bob himself"}):
        given = {"exercise": FIRST, "passed": True, **more}
        assert ada.post("/attempts", given).status_code == 422
    assert ada.post("/attempts?learner=" + theirs, {"exercise": FIRST, "passed": True}).is_error
    assert row_of(bob.get("/board").json(), bob)["solved"] == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/attempts", {"exercise": "no such exercise", "passed": True}),
        ("/attempts", {"exercise": FIRST}),
        ("/attempts", {"exercise": FIRST, "passed": 1}),
        ("/attempts", {"exercise": FIRST, "passed": True, "at": "today"}),
        ("/attempts", {"exercise": FIRST, "passed": True, "verdict": "x" * 301}),
        ("/attempts", [1]),
        ("/attempts", None),
        ("/messages", {"text": " \n"}),
        ("/messages", {"text": "a\0b"}),
        ("/messages", {"text": "x" * 2001}),
        ("/messages", {"text": ["x"]}),
        ("/calls", {"text": ""}),
        ("/calls", {"text": "a\0b"}),
    ],
)
def test_what_is_refused_before_anything_is_written(
    running: ClassServer, learner: Join, path: str, body: object
) -> None:
    ada = learner(f"Ada {path} {abs(hash(str(body)))}"[:40])
    redis = running.rooms.redis
    kept = "class:write:*"
    before = (set(redis.scan_iter(kept)), len(running.rooms.messages.history()))
    content = json.dumps(body)
    headers = {"Idempotency-Key": "0123456789", "Content-Type": "application/json"}
    said = ada.http.post(path, content=content, headers=headers)
    assert said.status_code == 422, said.text
    assert (set(redis.scan_iter(kept)), len(running.rooms.messages.history())) == before


def test_the_document_is_served_and_names_every_route(running: ClassServer) -> None:
    assert web.get(f"{running.url}/api/v1/openapi.json").json() == DOCUMENT
    assert sum(map(len, DOCUMENT["paths"].values())) == len(OPERATIONS)


def test_cors_is_closed(running: ClassServer, instructor: Person) -> None:
    said = instructor.get("/board", Origin="http://evil.example")
    assert not [name for name in said.headers if name.startswith("access-control")]
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    assert web.options(f"{running.url}/api/v1/board", headers=asked).status_code == 405


def test_the_class_as_a_table_in_which_names_are_text(running: ClassServer, learner: Join) -> None:
    learner('=HYPERLINK("x")').solve(FIRST)
    until(lambda: "HYPERLINK" in table(running.app.state.board))
    text = table(running.app.state.board)
    assert '"\'=HYPERLINK(""x"")"' in text
    assert text.splitlines()[0].startswith(f'"name","{FIRST}"')


def test_the_end_of_a_class(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    with ClassServer(folder) as running:
        old = running.opening
        ada, jane = join(running.url, old.join_code, "Ada"), teacher(running.url, old)
        ada.solve(FIRST)
        ada.post("/messages", {"text": "a secret of the class"})
        ada.post("/calls", {"text": "a secret of the class"})
        assert jane.get("/class.csv").text.count("\n") == 2
        with ThreadPoolExecutor() as pool:
            waits = pool.submit(ada.get, "/messages?after=1&wait=25")
            time.sleep(0.2)
            assert jane.write("DELETE", "/class", key="the-key-of-it").status_code == 204
            assert waits.result().status_code == 401
        assert jane.write("DELETE", "/class", key="the-key-of-it").status_code == 204
        assert ada.get("/me").status_code == 401
        assert jane.get("/me").status_code == 401
        form = {"user_code": "BBBB-BBBB", "join_code": old.join_code, "name": "Bob"}
        assert web.post(f"{running.url}/device", data=form).status_code in (403, 410)
        keys = running.rooms.redis.keys("*")
        assert [key for key in keys if not key.startswith("counter:{requests")] == ["class:ended"]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert [f for f in files if b"a secret of the class" in f.read_bytes()] == []
    with ClassServer(folder) as running:
        assert running.opening.join_code != old.join_code
        board = teacher(running.url, running.opening).get("/board").json()
        assert (board["learners"], board["calls"]) == ([], {"waiting": 0, "held": 0})
