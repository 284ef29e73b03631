"""A network between a client and a server on this machine, which can be cut, and lose replies."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any


class Network:
    """Carries connections to a port, from a port of its own: `with Network(port) as network`.

    `up = False` cuts all connections and refuses new ones. The replies of the next
    `lost_replies` requests are lost: the server has answered, and the client's connection breaks.
    """

    def __init__(self, port: int) -> None:
        self.to = port
        self.lost_replies = 0
        self.requests = 0
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
            return _cut(client)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.to)) as server,
        ):
            self._open |= {client, server}
            up = threading.Thread(target=self._pump, args=(client, server, False), daemon=True)
            up.start()
            self._pump(server, client, True)
        self._open -= {client, server}
        return _cut(client)

    def _pump(self, source: socket.socket, target: socket.socket, replies: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.requests += not replies
                if replies and self.lost_replies:
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


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
