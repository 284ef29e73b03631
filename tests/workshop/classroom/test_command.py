"""Where `make class` cannot start, it says in one line why."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

import pytest

from workshop.classroom import __main__ as command
from workshop.services import lasting_servers


def refusal(folder: Path, **more: Any) -> str:
    """What is said in place of a class."""
    usual = {"host": "127.0.0.1", "port": 0, "certfile": None, "keyfile": None}
    with pytest.raises(SystemExit) as said:
        command.started(argparse.Namespace(folder=folder, **(usual | more)))
    return str(said.value)


def test_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = refusal(tmp_path / "class", port=port)
    assert words.startswith(f"127.0.0.1:{port} cannot be had: Address already in use")


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    words = refusal(tmp_path / "class", host="192.0.2.1")
    assert words.startswith("192.0.2.1:0 cannot be had: ")
    assert words.endswith(". Give HOST= or PORT=.")


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    words = refusal(tmp_path / "class", certfile="cert.pem", keyfile="key.pem")
    assert words == "There is no file cert.pem."


def test_a_folder_that_another_class_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUCHDB_URL", "http://a:b@127.0.0.1:1")  # Redis alone holds it as well
    servers = lasting_servers.LastingServers(tmp_path / "class")
    monkeypatch.setattr(lasting_servers, "PATIENCE", 0.1)
    try:
        words = refusal(tmp_path / "class")
    finally:
        servers.stop()
    assert "\n" not in words
    assert str(tmp_path / "class") in words
