"""The command that serves the pages of boards, and its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from types import FrameType

import pytest

from workshop import services
from workshop.page_server import PageServer


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_while_a_browser_waits(ending: signal.Signals) -> None:
    services.redis("page").ping()
    command = [sys.executable, "-m", "workshop.board_page", "--port", "0", "--space", "page"]
    invited = {**os.environ, "PATTERNS_JOIN": services.invitation()}
    server = subprocess.Popen(
        command, env=invited, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    port = int(server.stdout.readline().split(":")[-1].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall(b"GET /boards/task/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert browser.recv(1000).startswith(b"HTTP/1.1 200")
        server.send_signal(ending)
        _, said = server.communicate(timeout=300)
    assert server.returncode == 0
    assert said == ""


def test_an_interrupted_wait_still_knows_that_the_server_runs() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    here = threading.get_ident()
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with PageServer(lambda: services.redis_async("page")) as server:
            threading.Timer(0.3, lambda: signal.pthread_kill(here, signal.SIGUSR1)).start()
            with pytest.raises(KeyboardInterrupt):
                server.wait()
            with socket.create_connection((server.host, server.port)) as browser:
                browser.sendall(b"GET /boards/task HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                while not server.waiting():
                    pass
                server.stop()
                assert browser.recv(1000).startswith(b"HTTP/1.1 404")
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_who_waits_for_the_server_goes_on_when_it_is_stopped() -> None:
    server = PageServer(lambda: services.redis_async("page")).start()
    waits = threading.Thread(target=server.wait, daemon=True)
    waits.start()
    server.stop()
    waits.join(60)
    assert not waits.is_alive()
