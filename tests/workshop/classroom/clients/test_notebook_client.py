"""A notebook in a class: what it sends, and that no trouble of the network is the learner's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakeredis
import pytest
from tests.workshop.classroom.clients.a_class import AClass, as_text
from tests.workshop.classroom.clients.conftest import until
from tests.workshop.classroom.clients.network import AnswersAlways, Network

from raceproof import Violation
from workshop import classroom
from workshop.classroom import api_client, membership, notebook_client
from workshop.classroom.api_client import Refused, Unreachable
from workshop.classroom.membership import Membership
from workshop.exercises.catalogue import NAMES
from workshop.exercises.marking import Exercise, Prediction, mark

TITLE = "which readers miss nothing"
EXERCISE = f"01.1 {TITLE}"
QUESTION = Prediction("How many?", truth=lambda: 3, title=TITLE)


def sent() -> bool:
    """Whether nothing waits to be sent."""
    return not membership.waiting()


def test_nothing_is_kept_or_sent_without_join(home: Path) -> None:
    threads = threading.active_count()
    assert mark(QUESTION, 3).passed
    assert not home.exists()
    assert threading.active_count() == threads


def test_a_verdict_arrives_on_the_board(
    a_class: AClass, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classroom.join(a_class.code, name="Ada", at=a_class.url + "/")
    said = capsys.readouterr().out
    member = membership.read()
    assert member is not None
    own = api_client.call("GET", "me")["personal_code"]
    assert own == member.personal_code
    assert said == (
        f"You are Ada in the class at {a_class.url}, which is a page too: on a phone,\n"
        f"join it as Ada with your personal code {own}, which is for you alone.\n"
        "After each `mark`, here and in the other notebooks that you open on this machine, three\n"
        "things are sent: your name, the exercise, and whether it passed. Never the programs that\n"
        "you write.\n"
        "`classroom.leave()` ends it; by itself it ends with the class, or after a day.\n"
    )
    assert not mark(QUESTION, 2).passed
    assert mark(QUESTION, 3).passed
    until(lambda: EXERCISE in a_class.row("Ada")["solved"])
    until(sent)
    assert capsys.readouterr().out == ""


def test_what_is_sent_is_name_exercise_and_verdict(
    a_class: AClass, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    send = api_client.send

    def watched(at: str, method: str, path: str, body: object = None, **more: object) -> object:
        seen.append((path, body, more.get("form")))
        return send(at, method, path, body, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(api_client, "send", watched)
    classroom.join(a_class.code, name="Ann", at=a_class.url)
    mark(QUESTION, "my own code, a str")
    until(sent)
    paths = ["/oauth/device", "/device", "/oauth/token", "/api/v1/me", "/api/v1/attempts"]
    assert [path for path, _, _ in seen] == paths
    assert seen[-1][1] == {"exercise": EXERCISE, "passed": False}
    assert set(seen[1][2]) == {"user_code", "join_code", "name", "key"}
    assert "my own code" not in as_text(seen)


def test_the_network_goes_and_comes_back_and_each_verdict_is_sent_once(
    a_class: AClass, network: Network, home: Path
) -> None:
    classroom.join(a_class.code, name="Bob", at=network.at)
    network.up = False
    for _ in range(4):
        assert not mark(QUESTION, 2).passed
    assert len(membership.waiting()) == 4
    network.lost_replies = 3
    network.up = True
    until(sent)
    assert network.lost_replies == 0
    until(lambda: a_class.times("Bob", EXERCISE) >= 4)
    assert a_class.times("Bob", EXERCISE) == 4


KERNEL = """
import sys
from tests.workshop.classroom.clients.test_notebook_client import QUESTION, mark
from workshop.classroom import membership
for line in sys.stdin:
    print(mark(QUESTION, int(line)).passed, flush=True)
"""


def a_kernel(home: Path) -> subprocess.Popen[str]:
    """Another kernel of the same user: having a front end, it reports without joining again."""
    given = {name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"}
    given |= {"HOME": str(home), "JPY_SESSION_NAME": "01.ipynb"}
    return subprocess.Popen(
        [sys.executable, "-c", KERNEL],
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def says(kernel: subprocess.Popen[str], answer: int) -> str:
    """What the mark of an answer says in that kernel."""
    assert kernel.stdin is not None
    assert kernel.stdout is not None
    kernel.stdin.write(f"{answer}\n")
    kernel.stdin.flush()
    return kernel.stdout.readline().strip()


def ended(kernel: subprocess.Popen[str]) -> None:
    """Let a kernel end."""
    kernel.communicate(timeout=300)


def test_a_killed_kernel_loses_nothing_and_the_next_one_sends_it(
    a_class: AClass, network: Network, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".local" / "state" / "broken-then-proven" / "class"
    monkeypatch.setattr(membership, "FOLDER", folder)
    classroom.join(a_class.code, name="Cy", at=network.at)
    network.up = False
    first = a_kernel(tmp_path)
    assert [says(first, 1), says(first, 2)] == ["False", "False"]
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert len(membership.waiting()) == 2
    monkeypatch.setattr(notebook_client, "_send_what_waits", lambda: None)  # not by this process
    network.up = True
    monkeypatch.setattr(notebook_client, "_joined_here", False)
    mark(QUESTION, 3)
    assert len(membership.waiting()) == 2  # without a front end, nothing without join
    second = a_kernel(tmp_path)
    assert says(second, 1) == "False"
    until(sent)
    ended(second)
    until(lambda: a_class.times("Cy", EXERCISE) >= 3)
    assert a_class.times("Cy", EXERCISE) == 3


def test_a_token_that_has_expired_is_exchanged_once_by_all_kernels(
    a_class: AClass, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom.join(a_class.code, name="Dan", at=a_class.url)
    member = membership.read()
    assert member is not None
    membership.write(replace(member, access_token="old"))
    exchanged = []
    send = api_client.send

    def counted(*given: object, **more: object) -> object:
        exchanged.append((more.get("form") or {}).get("grant_type"))  # type: ignore[attr-defined]
        return send(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(api_client, "send", counted)
    asking = [threading.Thread(target=api_client.call, args=("GET", "me")) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert exchanged.count("refresh_token") == 1
    assert api_client.call("GET", "me")["name"] == "Dan"


def test_joining_again_is_the_same_learner(
    a_class: AClass, network: Network, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classroom.join(a_class.code, name="Eve", at=network.at)
    first = membership.read()
    classroom.join(a_class.code, name="Eve", at=network.at)
    assert membership.read() == first
    network.lost_replies = 1  # of "who am I?": it cannot be asked, and what is known is good
    classroom.join(a_class.code, name="Eve", at=network.at)
    assert membership.read() == first
    classroom.leave()
    assert membership.read() is None
    classroom.join(a_class.code, name="Eve", at=network.at)
    again = membership.read()
    assert again is not None
    assert again != first
    assert [one["name"] for one in a_class.ask("GET", "board")["learners"]].count("Eve") == 1


def test_who_cannot_join_is_told_in_one_line(a_class: AClass, home: Path) -> None:
    with pytest.raises(Refused, match="code is not right") as refused:
        classroom.join("AAAA-AAAA", name="Fay", at=a_class.url)
    assert refused.value._render_traceback_() == [f"Refused: {refused.value}"]
    with pytest.raises(Unreachable, match="Is the address right"):
        classroom.join(a_class.code, name="Fay", at="http://127.0.0.1:1")
    assert membership.read() is None


def test_a_name_is_asked_for(
    a_class: AClass, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLASSROOM_URL", a_class.url)
    monkeypatch.setattr("builtins.input", lambda said: " Gus ")
    classroom.join(a_class.code)
    assert "You are Gus in the class" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_no_error_of_mark(
    a_class: AClass, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom.join(a_class.code, name="Hal", at=a_class.url)
    broken = tmp_path / "a file"
    broken.write_text("")
    monkeypatch.setattr(membership, "FOLDER", broken)
    assert mark(QUESTION, 3).passed


def test_what_is_kept_is_for_this_user_alone(a_class: AClass, home: Path) -> None:
    classroom.join(a_class.code, name="Ida", at=a_class.url)
    assert home.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o077 for path in home.iterdir()] == [0, 0]


def test_nobody_reports_to_a_class_of_yesterday(
    a_class: AClass, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom.join(a_class.code, name="Jo", at=a_class.url)
    member = membership.read()
    assert member is not None
    membership.write(replace(member, since=member.since - 24 * 3600))
    assert membership.read() is None
    assert mark(QUESTION, 3).passed
    assert sent()


def test_a_report_that_the_class_will_never_take_is_dropped(a_class: AClass, home: Path) -> None:
    classroom.join(a_class.code, name="Kim", at=a_class.url)
    mark(Prediction("?", truth=lambda: 1, title="of a notebook that the class does not know"), 1)
    mark(QUESTION, 3)
    until(sent)
    until(lambda: a_class.row("Kim")["solved"])
    assert list(a_class.row("Kim")["solved"]) == [EXERCISE]


def revoked(a_class: AClass, name: str) -> Membership:
    """Join, and let the tokens of this machine be good no more."""
    classroom.join(a_class.code, name=name, at=a_class.url)
    member = membership.read()
    assert member is not None
    form = {"token": member.refresh_token, "client_id": "notebook"}
    api_client.send(a_class.url, "POST", "/oauth/revoke", form=form)
    return member


def test_tokens_that_are_good_no_more_lose_no_report(a_class: AClass, home: Path) -> None:
    """The answer to a refresh may have been lost: the notebook comes in again, as the same."""
    member = revoked(a_class, "Lee")
    (home / f"{0:020}-empty.report").touch()  # a disk that lost what was in it stops no other
    assert mark(QUESTION, 3).passed
    until(sent)
    until(lambda: list(a_class.row("Lee")["solved"]) == [EXERCISE])
    now = membership.read()
    assert now is not None
    assert (now.id, now.personal_code) == (member.id, member.personal_code)


def test_a_class_says_how_long_to_wait_within_reason() -> None:
    said = [Refused(429, "", wait=wait) for wait in (0, 60, 1e9)]
    assert [notebook_client._seconds(0.5, error) for error in said] == [0.5, 60, 300]
    assert notebook_client._seconds(2.0, Unreachable()) == 2.0


def test_what_proves_who_a_learner_is_is_another_in_each_class(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs = []

    def send(at: str, method: str, path: str, **more: Any) -> dict[str, str]:
        if path == "/device":
            proofs.append(more["form"]["key"])
        return dict.fromkeys(("user_code", "device_code", "name", "personal_code"), "x") | {
            "access_token": "a",
            "refresh_token": "r",
        }

    monkeypatch.setattr(api_client, "send", send)
    for at in ("http://here", "http://there", "http://here"):
        api_client.join(at, "BBBB-BBBB", "Ada", "notebook")
    assert proofs[0] == proofs[2] != proofs[1]
    assert membership.key() not in proofs


def test_a_class_that_has_ended_is_forgotten(a_class: AClass, home: Path) -> None:
    """So is one whose join code is another now."""
    member = revoked(a_class, "Mia")
    membership.write(replace(member, code="BBBB-BBBB"))
    assert mark(QUESTION, 3).passed
    until(lambda: membership.read() is None)
    until(sent)


@pytest.mark.parametrize(
    "answer",
    [(200, "text/html", "<h1>Log in</h1>"), (404, "text/html", "?"), (422, "text/html", "no")],
    ids=["login page", "not found", "not ours"],
)
def test_a_wifi_that_answers_in_place_of_the_class_loses_no_report(
    a_class: AClass, home: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str, str]
) -> None:
    classroom.join(a_class.code, name=f"Max {answer[0]}", at=a_class.url)
    member = membership.read()
    assert member is not None
    with AnswersAlways(*answer) as elsewhere:
        membership.write(replace(member, at=elsewhere.at))
        mark(QUESTION, 2)
        until(lambda: elsewhere.asked >= 2)
        assert len(membership.waiting()) == 1
        membership.write(member)
        until(sent)
    until(lambda: a_class.times(member.name, EXERCISE) == 1)


def test_a_search_is_not_disturbed_by_a_sender_that_tries_again(
    a_class: AClass, network: Network, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def world() -> SimpleNamespace:
        return SimpleNamespace(redis=fakeredis.FakeRedis(decode_responses=True))

    def both_count(world: SimpleNamespace) -> None:
        if world.redis.get("n") != "2":
            raise Violation("a hit is lost")

    def hit(world: SimpleNamespace) -> None:
        world.redis.set("n", int(world.redis.get("n") or 0) + 1)

    search = {"world": world, "clients": dict.fromkeys(["a", "b"], hit), "check": both_count}
    exercise = Exercise("count all visitors", lambda answer: [search])
    alone = str(mark(exercise, hit))
    classroom.join(a_class.code, name="Nan", at=network.at)
    network.up = False
    monkeypatch.setattr(notebook_client, "LONGEST_PAUSE", 0.001)
    asked = network.refused
    for _ in range(5):
        assert str(mark(exercise, hit)) == alone
    until(lambda: network.refused > asked + 3)
    network.up = True
    until(sent)
    until(lambda: a_class.times("Nan", NAMES[0]) == 5)


def test_every_exercise_of_the_notebooks_has_its_name() -> None:
    from tests.exercises import bank

    titles = [name.partition(" ")[2] for name in NAMES]
    assert len(set(titles)) == len(titles) == len(bank.exercises())
    numbers = [f"{notebook[:2]}" for notebook, _ in bank.exercises()]
    assert sorted(numbers) == [name[:2] for name in NAMES]
    told = "".join(
        json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
        for path in [*bank.NOTEBOOKS.glob("*.ipynb")]
    )
    told += (Path(notebook_client.__file__).parents[1] / "exercises" / "mro.py").read_text("utf-8")
    told += (
        Path(notebook_client.__file__).parents[1] / "exercises" / "mro_initializers.py"
    ).read_text("utf-8")
    assert [title for title in titles if f'"{title}' not in told.replace('\\"', '"')] == []
