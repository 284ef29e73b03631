"""A network between a client and a server on this machine, which can be cut, and lose replies."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Network:
    """Carries connections to a port, from a port of its own: `with Network(port) as network`.

    `up = False` cuts all connections and refuses new ones. The replies of the next
    `lost_replies` requests that begin with `losing` are lost: the server has answered, and the
    client's connection breaks.
    """

    def __init__(self, port: int) -> None:
        self.to = port
        self.lost_replies, self.losing = 0, b""
        self.refused = 0
        self._up = True
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.at = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def up(self) -> bool:
        """Whether anything gets through."""
        return self._up

    @up.setter
    def up(self, up: bool) -> None:
        self._up = up
        for one in () if up else tuple(self._open):
            _cut(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        if not self._up:
            self.refused += 1
            return _cut(client)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.to)) as server,
        ):
            self._open |= {client, server}
            asked = [b""]
            up = threading.Thread(target=self._pump, args=(client, server, asked), daemon=True)
            up.start()
            self._pump(server, client, asked, replies=True)
        self._open -= {client, server}
        return _cut(client)

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        asked: list[bytes],
        replies: bool = False,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not replies:
                    asked[0] = data
                elif self.lost_replies and asked[0].startswith(self.losing):
                    self.lost_replies -= 1
                    break
                target.sendall(data)
        _cut(target)

    def __enter__(self) -> Network:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.up = False
        _cut(self._listener)


class AnswersAlways:
    """A server that answers every request in the same way: no class, but a wifi's own page, say."""

    def __init__(self, status: int, kind: str, body: str) -> None:
        self.asked = 0
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outside.asked += 1
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.at = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> AnswersAlways:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
