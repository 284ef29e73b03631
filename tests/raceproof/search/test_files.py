"""A client that changes files or the environment is refused: no other schedule takes that back."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from tests.raceproof.search.test_outside import allowed, refused
from tests.raceproof.toys import memory

from raceproof import Unsearchable, Violation, explore


def opened(path: Path, flags: int) -> None:
    os.close(os.open(path, flags))


WRITES = {
    "write": lambda at: at.write_text("new"),
    "append": lambda at: at.open("a").close(),
    "change": lambda at: at.open("r+").close(),
    "create": lambda at: (at.parent / "new").open("x").close(),
    "os.open": lambda at: opened(at, os.O_WRONLY),
    "os.open, both": lambda at: opened(at, os.O_RDWR),
    "os.open, create": lambda at: opened(at, os.O_CREAT),
    "copy": lambda at: shutil.copy(at, at.parent / "new"),
    "temporary": lambda at: tempfile.TemporaryFile().close(),
    "mkdir": lambda at: (at.parent / "new").mkdir(),
    "rmdir": lambda at: (at.parent / "folder").rmdir(),
    "remove": lambda at: at.unlink(),
    "rename": lambda at: at.rename(at.parent / "new"),
    "replace": lambda at: at.replace(at.parent / "new"),
    "link": lambda at: os.link(at, at.parent / "new"),
    "symlink": lambda at: (at.parent / "new").symlink_to(at),
    "truncate": lambda at: os.truncate(at, 0),
    "chdir": lambda at: os.chdir(at.parent),
    "putenv": lambda at: os.putenv("RACEPROOF_NEW", "1"),
    "unsetenv": lambda at: os.unsetenv("RACEPROOF_NEW"),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_changes_files_or_the_environment(name, tmp_path):
    at = tmp_path / "old"
    at.write_text("old")
    (tmp_path / "folder").mkdir()
    message = refused(lambda world: WRITES[name](at), match="the search does not see")
    assert "a service of the world" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "old"]
    assert at.read_text() == "old"


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("length", [0, 3])
def test_two_owners_that_each_leave_a_file_do_not_hold(tmp_path, length, merge):
    def takes(name, before, after):
        def client(world):
            for _ in range(before):
                world.cells.read("hello")
            if world.cells.read("owner") == 0:
                world.cells.write("owner", 1)
                (tmp_path / name).touch()
            for _ in range(after):
                world.cells.read("bye")

        return client

    def check(world):
        if len(list(tmp_path.iterdir())) > 1:
            raise Violation("two own it")

    clients = {"a": takes("a", 0, length), "b": takes("b", length, 0)}
    with pytest.raises(Unsearchable, match="the search does not see"):
        explore(world=memory, clients=clients, check=check, merge=merge)


def test_reading_logging_and_importing_go_on(tmp_path, monkeypatch):
    (tmp_path / "imported_by_a_client.py").write_text("SCRIPT = 1")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.syspath_prepend(str(tmp_path))
    log = logging.getLogger("a client's")
    log.addHandler(logging.FileHandler(tmp_path / "log", delay=True))

    def imports(world):
        sys.modules.pop("imported_by_a_client", None)
        import imported_by_a_client  # type: ignore[import-not-found]

        assert imported_by_a_client.SCRIPT == 1

    allowed(imports)
    assert (tmp_path / "__pycache__").is_dir()
    allowed(lambda world: (tmp_path / "imported_by_a_client.py").read_text())
    allowed(lambda world: Path(os.devnull).write_text("nothing"))
    allowed(lambda world: log.warning("said"))
    assert "said" in (tmp_path / "log").read_text()


def test_a_check_and_world_may_write(tmp_path):
    def world():
        (tmp_path / "made").touch()
        return memory()

    def check(world):
        (tmp_path / "checked").touch()

    clients = {"a": lambda world: world.cells.read("x")}
    assert explore(world=world, clients=clients, check=check).holds
    assert len(list(tmp_path.iterdir())) == 2
