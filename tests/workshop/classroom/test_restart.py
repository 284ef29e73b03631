"""Killed in the middle of a class, and started again on the folder: it goes on where it was."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.workshop.classroom.people import Person, join, until

from workshop.classroom.start import ClassServer
from workshop.exercises.catalogue import NAMES as EXERCISES
from workshop.services import ServiceError, processes
from workshop.services.lasting_servers import LastingServers

FIRST, SECOND = EXERCISES[:2]


@contextmanager
def a_class(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`make class` without make: the process, and the three lines that it prints."""
    command = [sys.executable, "-m", "workshop.classroom", "--port", str(port)]
    command += ["--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, [process.stdout.readline().strip() for _ in range(3)]
        finally:
            process.kill()


def test_killed_and_started_again(tmp_path: Path) -> None:
    port = processes.free_port()
    with a_class(tmp_path / "class", port) as (process, lines):
        url, code = lines[0].removeprefix("The class: "), lines[1].removeprefix("Join code: ")
        ada = join(url, code, "Ada")
        first = ada.solve(FIRST, key="the-first-solve").json()
        ada.post("/messages", {"text": "hello"})
        call = ada.post("/calls", {"text": "help"}).json()
        process.kill()
    with ClassServer(tmp_path / "class", port=port) as running:
        again = (running.url, running.opening.join_code, running.instructor_link)
        assert again == (url, code, lines[2].partition(": ")[2])
        assert ada.solve(FIRST, key="the-first-solve").json() == first
        assert ada.solve(FIRST).json() == first
        assert ada.post("/messages", {"text": "again"}).json() == {"number": 2}
        board = until(lambda: (b := ada.get("/board").json())["calls"]["waiting"] and b)
        assert list(board["learners"][0]["solved"]) == [FIRST]
        assert call


def persistently(person: Person, exercise: str, key: str) -> httpx.Response:
    """Repeat the attempt under its key until it is acknowledged, as the notebook does."""
    return until(lambda: said if (said := person.solve(exercise, key)).status_code == 201 else None)


@pytest.mark.usefixtures("own_servers")
@pytest.mark.parametrize("which", ["redis", "couch"])
def test_a_server_behind_it_is_killed(tmp_path: Path, which: str) -> None:
    with ClassServer(tmp_path / "class") as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        first = ada.solve(FIRST).json()
        old = running.servers.pids()[which]
        os.kill(old, signal.SIGKILL)
        said = ada.solve(SECOND, "the-second-one")
        assert said.status_code in (201, 503), said.text
        if said.status_code == 503:
            assert said.headers["retry-after"] == "1"
        persistently(ada, SECOND, "the-second-one")
        assert persistently(ada, FIRST, "once-more").json() == first
        until(lambda: len(ada.get("/board").json()["learners"][0]["solved"]) == 2)
        assert running.servers.pids()[which] != old
        docs = [name for name in running.rooms.couch if name.startswith("solved:")]
        assert len(docs) == 2


def test_a_folder_belongs_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUCHDB_URL", "http://a:b@127.0.0.1:1")  # Redis alone holds it as well
    first = LastingServers(tmp_path / "class")
    monkeypatch.setattr("workshop.services.lasting_servers.PATIENCE", 0.1)
    with pytest.raises(ServiceError, match="in use"):
        LastingServers(tmp_path / "class")
    first.stop()
    LastingServers(tmp_path / "class").stop()


@pytest.mark.usefixtures("own_servers")
def test_a_process_with_more_open_files_than_select_knows(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this user may not open as many files")
    servers = LastingServers(tmp_path / "class")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    held = [os.dup(0) for _ in range(1100)]
    try:
        there = servers.couch("a")
        for name in ("x", "y"):
            there[name] = {}
        assert len(there) == 2
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        servers.stop()


@pytest.mark.usefixtures("own_servers")
def test_a_batch_that_was_cut_short_is_none(tmp_path: Path) -> None:
    servers = LastingServers(tmp_path / "class")
    database = servers.couch("a")
    database["whole"] = {"is": "ä 🙂"}
    servers.stop()
    file = tmp_path / "class" / "couch" / "a.journal"
    whole = file.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    file.write_bytes(whole + last[:-3])
    servers = LastingServers(tmp_path / "class")
    there = servers.couch("a")
    assert (list(there), there["whole"]["is"]) == (["whole"], "ä 🙂")
    there["next"] = {}
    servers.stop()
    servers = LastingServers(tmp_path / "class")
    assert list(servers.couch("a")) == ["next", "whole"]
    lines = file.read_bytes().splitlines()
    assert [line for line in lines if not line.endswith(b"]]")] == [last[:-3]]
    servers.drop("a")
    assert not file.exists()
    servers.stop()
