"""The class in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workshop.classroom.clients.a_class import AClass
from tests.workshop.classroom.clients.conftest import until

from workshop import classroom
from workshop.classroom import terminal


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert terminal.main(list(arguments)) == 0
    return capsys.readouterr().out


def test_a_learner_without_a_browser(
    a_class: AClass, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joined = said(capsys, "join", a_class.code, "--name", "Tim", "--at", a_class.url)
    assert joined.startswith(f"You are Tim in the class at {a_class.url}. Your personal code: ")
    a_class.ask("PUT", "board", {"doing": "Exercise 1", "minutes": 5})
    until(lambda: said(capsys, "board").startswith("Exercise 1\nuntil "))
    assert "○ 00.1 count all visitors" in said(capsys, "board")
    assert said(capsys, "say", "a \x1b[2Jword") == "Sent.\n"
    until(lambda: "Tim: a �[2Jword" in said(capsys, "messages"))
    assert said(capsys, "help", "it never ends") == "Your call waits for a helper.\n"
    call = a_class.ask("POST", "calls/next")
    assert (call["name"], call["text"]) == ("Tim", "it never ends")
    a_class.ask("POST", f"calls/{call['call']}/done")
    assert said(capsys, "leave") == "You have left the class.\n"
    assert terminal.main(["board"]) == 1
    assert capsys.readouterr().err == "You are in no class: join one first.\n"


def test_a_wrong_code_is_one_line_on_stderr(
    a_class: AClass, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal.main(["join", "AAAA-AAAA", "--name", "Una", "--at", a_class.url]) == 1
    assert capsys.readouterr().err == "this code is not right\n"


def test_a_name_is_taken_up_again_with_its_personal_code(
    a_class: AClass, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As by somebody who has joined on a phone, with a secret of that phone's."""
    who = "join", a_class.code, "--name", "Uma", "--at", a_class.url
    own = said(capsys, *who).rpartition("code: ")[2].rstrip(".\n")
    said(capsys, "leave")
    (home / "key.json").unlink()
    assert terminal.main([*who]) == 1
    assert "or give its personal code" in capsys.readouterr().err
    assert f"Your personal code: {own}." in said(capsys, *who, "--personal-code", own)
    said(capsys, "leave")
    (home / "key.json").unlink()
    classroom.join(a_class.code, name="Uma", at=a_class.url, personal_code=own)
    assert "You are Uma" in capsys.readouterr().out
    classroom.leave()
