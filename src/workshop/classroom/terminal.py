"""The class in a terminal.

python -m workshop.classroom.terminal join ABC-123 [--name Ada] [--at http://192.0.2.7:8017]
                                           [--personal-code ABCDEF]
python -m workshop.classroom.terminal board | messages | leave
python -m workshop.classroom.terminal say "Hello" | help "My search does not end"
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from workshop.services import environment

from . import api_client


def main(arguments: list[str] | None = None) -> int:
    """The command line; exit status 1 if the class refuses or cannot be reached."""
    parser = argparse.ArgumentParser(prog="python -m workshop.classroom.terminal")
    commands = parser.add_subparsers(dest="command", required=True)
    join = commands.add_parser("join", help="become a learner of the class")
    join.add_argument("code")
    join.add_argument("--name")
    join.add_argument("--at", default=environment.classroom_url())
    join.add_argument("--personal-code", default="", help="of your name, if it has joined before")
    commands.add_parser("board", help="what the class does now, and what you have solved")
    commands.add_parser("messages", help="what was said")
    commands.add_parser("leave", help="end the membership of this machine")
    commands.add_parser("say", help="a message to everyone").add_argument("text")
    asks = commands.add_parser("help", help="call for help")
    asks.add_argument("text", nargs="?", default="I am stuck.")
    chosen = parser.parse_args(arguments)
    try:
        for line in _said(chosen):
            print("".join(c if c.isprintable() else "�" for c in line))  # no name moves a cursor
    except (api_client.Refused, api_client.Unreachable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _said(chosen: argparse.Namespace) -> list[str]:
    if chosen.command == "join":
        name = chosen.name if chosen.name is not None else input("Your name in the class: ")
        who = chosen.code, name.strip(), "terminal", chosen.personal_code
        member = api_client.join(chosen.at.rstrip("/"), *who)
        own = member.personal_code
        return [f"You are {member.name} in the class at {member.at}. Your personal code: {own}."]
    if chosen.command == "leave":
        api_client.leave()
        return ["You have left the class."]
    if chosen.command == "board":
        return _board(api_client.call("GET", "board"), api_client.call("GET", "me"))
    if chosen.command == "messages":
        said = api_client.call("GET", "messages?after=0")["messages"]
        return [f"{one['name']}: {one['text']}" for one in said]
    path = {"say": "messages", "help": "calls"}[chosen.command]
    api_client.call("POST", path, {"text": chosen.text})
    return ["Sent." if chosen.command == "say" else "Your call waits for a helper."]


def _board(board: dict[str, Any], me: dict[str, Any]) -> list[str]:
    lines = [board["doing"] or "Nothing is announced yet."]
    if board["ends_at"]:
        lines.append(f"until {_hour(board['ends_at'])}")
    solved: dict[str, float] = next(
        (one["solved"] for one in board["learners"] if one["id"] == me["id"]), {}
    )
    for name in board["exercises"]:
        lines.append(f"✓ {name}, {_hour(solved[name])}" if name in solved else f"○ {name}")
    return lines


def _hour(seconds: float) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))


if __name__ == "__main__":
    sys.exit(main())
