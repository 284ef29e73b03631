"""Who wants to be somebody else in the class, or to stay when they were sent away."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.workshop.classroom.people import NotLetIn, Person, authorize, join, teacher, until, web

from workshop.classroom import board_routes, class_routes, rate_limits, views
from workshop.classroom.attempts import record_attempt
from workshop.classroom.board import Board, News
from workshop.classroom.joining import User, checked_name
from workshop.classroom.start import ClassServer
from workshop.exercises.catalogue import NAMES as EXERCISES

Join = Callable[[str], Person]
JSON = {"Accept": "application/json"}


def device(running: ClassServer) -> dict[str, str]:
    asked = {"client_id": "notebook", "scope": "learner"}
    codes: dict[str, str] = web.post(f"{running.url}/oauth/device", data=asked).json()
    return codes


def enter(running: ClassServer, user_code: str, name: str, **form: str) -> httpx.Response:
    given = {"user_code": user_code, "join_code": running.opening.join_code, "name": name, **form}
    return web.post(f"{running.url}/device", data=given, headers=JSON)


def test_a_code_that_a_screen_showed_is_no_secret_of_who_entered_it(running: ClassServer) -> None:
    seen = device(running)["user_code"]
    assert enter(running, seen, "Ada by hand").status_code == 200
    mine = device(running)["user_code"]
    assert enter(running, mine, "Ada by hand", key=seen).status_code == 409
    assert enter(running, mine, "Ada by hand").status_code == 409


def test_a_link_that_was_sent_around_makes_nobody_its_sender(running: ClassServer) -> None:
    link = {"client_id": "pages", "response_type": "code", "redirect_uri": f"{running.url}/"}
    link |= {"state": "mine", "code_challenge": "c" * 43, "code_challenge_method": "S256"}
    form = {"join_code": running.opening.join_code, "name": "Bob by a link"}
    at = f"{running.url}/oauth/authorize"
    assert web.post(at, params=link, data=form).status_code == 303
    assert web.post(at, params=link, data=form).status_code == 409


def test_a_form_that_is_sent_twice_is_the_same_person(running: ClassServer) -> None:
    """Its hidden key is new for each form, and stays where the form is shown again."""
    said, _ = authorize(running.url, "learner", join_code="BBBB-BBBB", name="Eve by form")
    [key] = re.findall('name="key" value="(.+?)"', said.text)
    again, _ = authorize(running.url, "learner", join_code="BBBB-BBBB", name="Eve", key=key)
    assert f'value="{key}"' in again.text
    other, _ = authorize(running.url, "learner", join_code="BBBB-BBBB", name="Eve")
    assert key not in other.text
    form = {"join_code": running.opening.join_code, "name": "Eve by form", "key": key}
    assert [authorize(running.url, "learner", **form)[0].status_code for _ in "12"] == [303, 303]


def test_a_device_that_somebody_has_let_in_is_theirs(running: ClassServer) -> None:
    codes = device(running)
    assert enter(running, codes["user_code"], "Ann first", key="k" * 20).status_code == 200
    assert enter(running, codes["user_code"], "Ann first", key="k" * 20).status_code == 200
    assert enter(running, codes["user_code"], "Mal second").status_code == 409


def test_a_device_that_asks_for_no_scope_is_a_learner_s(running: ClassServer) -> None:
    codes = web.post(f"{running.url}/oauth/device", data={"client_id": "terminal"}).json()
    secret = {"secret": running.opening.secret}
    assert enter(running, codes["user_code"], "Not a teacher", **secret).status_code == 403
    with pytest.raises(NotLetIn, match="helper"):
        join(running.url, running.opening.helper_code, "Hal without a scope", scope="")


@pytest.mark.parametrize(
    "name",
    ["Instructor", " INSTRUCTOR ", "\uff49nstructor", "Instructor\ufe0f", "a\u3164", "\u2800",
     "\ufe0f", "\U000e0100", "\u0301", "\u0301 \u0301", "a\u200d"],
)  # fmt: skip
def test_names_that_are_another_s_or_show_nothing(running: ClassServer, name: str) -> None:
    with pytest.raises(NotLetIn) as refused:
        join(running.url, running.opening.join_code, name)
    assert refused.value.said.status_code == 400


MARKS = "\u034f\u17b4\u17b5\u180b\u180d\u180f\ufe00\ufe0e\ufe0f\U000e0100\U000e01ef"


def test_a_mark_that_nobody_sees_is_left_out_of_a_name() -> None:
    """A phone's heart has one, and so have names in Japanese: they are good names."""
    assert {checked_name(f"A{mark}da") for mark in MARKS} == {"Ada"}
    assert checked_name("Ada \u2764\ufe0f") == "Ada \u2764"
    assert checked_name("\u845b\U000e0101\u57ce") == "\u845b\u57ce"
    assert checked_name("Jose\u034f\u0301") == "Jos\xe9", "as one character, where there is one"
    assert checked_name(f"{'a' * 40}\ufe0f") == "a" * 40
    assert [checked_name(name) for name in ("!?", "7", "\u2764")] == ["!?", "7", "\u2764"]


def test_a_name_with_a_mark_that_nobody_sees_is_the_name_of_who_has_it(
    running: ClassServer, learner: Join
) -> None:
    learner("Ada unmarked")
    with pytest.raises(NotLetIn) as refused:
        join(running.url, running.opening.join_code, "Ada\u034f unmarked\ufe0f")
    assert refused.value.said.status_code == 409


def test_a_room_that_is_locked_out_lets_its_instructor_in(
    running: ClassServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "GUESSES", 0)
    assert authorize(running.url, "learner", join_code="B", name="x")[0].status_code == 429
    secret = running.opening.secret
    assert authorize(running.url, "instructor", secret=secret)[0].status_code == 303


def test_one_key_with_two_texts_at_once_is_refused_and_one_is_sent(learner: Join) -> None:
    ada = learner("Ada with one key")
    for path in ("/messages", "/calls"):
        for key in (f"race{path[1:]}-{n}" for n in range(8)):

            def send(text: str, path: str = path, key: str = key) -> int:
                return ada.post(path, {"text": text}, key).status_code

            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(send, ["one", "two"])) == [201, 422]


def test_of_two_attempts_at_once_under_one_key_the_second_is_not_stored(
    running: ClassServer, learner: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while the first, which has the key, is not answered yet."""
    ada, has_begun, go_on = learner("Ada with one attempt"), threading.Event(), threading.Event()

    def slow_at_first(*args: Any, **more: Any) -> float | None:
        if not has_begun.is_set():
            has_begun.set()
            assert go_on.wait(60)
        return record_attempt(*args, **more)

    monkeypatch.setattr(board_routes, "record_attempt", slow_at_first)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ada.solve, EXERCISES[0], "one-key-for-two")
        assert has_begun.wait(60)
        second = ada.solve(EXERCISES[1], "one-key-for-two")
        go_on.set()
        assert (first.result().status_code, second.status_code) == (201, 422)
    me = ada.get("/me").json()["id"]
    assert [f"solved:{me}:{name}" in running.rooms.couch for name in EXERCISES[:2]] == [True, False]


def test_a_stream_ends_when_its_token_is_revoked(
    learner: Join, running: ClassServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_routes, "QUIET", 0.1)
    monkeypatch.setattr(board_routes, "PATIENCE", 0.0)
    ada = learner("Ada with a stream")
    with ada.http.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        next(lines)
        form = {"token": ada.token["access_token"], "client_id": "notebook"}
        web.post(f"{running.url}/oauth/revoke", data=form)
        until(lambda: next(lines, None) is None)


def test_what_an_error_kept_from_erasing_is_erased_by_the_same_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ClassServer(tmp_path / "class") as own:
        instructor = teacher(own.url, own.opening)
        ada = join(own.url, own.opening.join_code, "Ada to be erased")
        drop, tries = own.servers.drop, []

        def fails_once(name: str) -> None:
            tries.append(name)
            if len(tries) == 1:
                raise ConnectionError("CouchDB is away")
            drop(name)

        monkeypatch.setattr(own.servers, "drop", fails_once)
        assert instructor.write("DELETE", "/class", key="erase-it-all").status_code >= 500
        assert instructor.write("DELETE", "/class", key="erase-it-all").status_code == 204
        assert len(tries) == 2
        assert ada.get("/me").status_code == 401


def test_a_name_that_is_read_after_what_they_did_is_shown(running: ClassServer) -> None:
    board = Board(running.rooms)
    view = views.View(board, User("instructor", "Instructor", "instructor"))
    calls = {"waiting": 0, "held": 0}
    did = [("1-0", {"learner": "x", "exercise": "e", "said": ""})]
    board._take_in(News(None, [], did, calls, {}, 1))
    before = view.tag
    board._take_in(News(None, [{"_id": "learner:x", "name": "Xi"}], [], calls, {}, 2))
    assert view.tag != before
    assert [row["name"] for row in view.shown()["learners"]] == ["Xi"]


def test_the_board_as_json_is_the_board_after_every_change(running: ClassServer) -> None:
    """Its rows are kept as text: whatever changes one has it made anew."""
    board = Board(running.rooms)
    looks = [views.View(board, User("instructor", "Instructor", "instructor"))]
    looks.append(views.View(board, User("x", "Xi", "learner")))
    tried = {"exercise": "01_send", "said": '\u2028 \'not "yet"'}
    solved = {"_id": "solved:x:01_send", "learner": "x", "exercise": "01_send", "at": 1.5}
    for at, (documents, did) in enumerate([
        ([], []),
        ([{"_id": "learner:x", "name": "Xi \u00e9 \"]}"}], []),
        ([{"_id": "learner:y", "name": "Alf"}], [("1-0", {"learner": "x", **tried})]),
        ([solved], [("2-0", {"learner": "y", **tried}), ("3-0", {"learner": "y", **tried})]),
        ([{"_id": "learner:x", "name": "Zoe"}], []),
    ]):  # fmt: skip
        board._take_in(News(None, documents, did, {"waiting": at, "held": 0}, {}, at))
        for view in looks:
            assert json.loads(view.as_json()) == view.shown()
    assert [row["name"] for row in json.loads(looks[0].as_json())["learners"]] == ["Alf", "Zoe"]


def test_a_name_in_a_table_is_one_cell_for_any_separator() -> None:
    class Row:
        name, solved = "x;=1+1", {}

    class Board:
        rows = {"x": Row, "y": type("Nobody", (), {"name": "", "solved": {}})}  # noqa: RUF012

    assert '"x;=1+1"' in class_routes.table(Board())  # type: ignore[arg-type]
