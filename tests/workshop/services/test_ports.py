"""The ports of our servers are none that a connection or a kernel could be given."""

from __future__ import annotations

import errno
import random
import socket

import pytest

from workshop.services import processes


def test_ports_are_distinct_free_and_not_those_that_a_system_hands_out() -> None:
    ports = processes.free_ports(12)
    assert len(set(ports)) == 12
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            assert port in range(20_000, 32_768)


def test_two_processes_do_not_get_the_same_ports_because_they_have_the_same_seed() -> None:
    random.seed(1)
    first = processes.free_ports(3)
    random.seed(1)
    assert processes.free_ports(3) != first


def test_a_port_that_somebody_has_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first = processes.free_port()
    monkeypatch.setattr(processes, "OURS", range(first, first + 40))
    with socket.create_server(("127.0.0.1", first)):
        assert first not in {processes.free_port() for _ in range(200)}


def test_too_few_ports_are_an_error_that_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    first = processes.free_port()
    monkeypatch.setattr(processes, "OURS", range(first, first + 1))
    with pytest.raises(OSError, match=f"fewer than 2 ports are free from {first} to {first}"):
        processes.free_ports(2)


def test_a_system_that_lets_nobody_listen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "not permitted")

    class Firewalled(socket.socket):
        pass

    monkeypatch.setattr(Firewalled, "bind", bind)
    monkeypatch.setattr(socket, "socket", Firewalled)
    with pytest.raises(PermissionError, match="not permitted"):
        processes.free_port()
