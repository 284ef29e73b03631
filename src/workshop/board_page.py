"""The page of a notice board: inside a notebook, and as a command.

    show(server, "task")             # live where somebody looks, a sentence where it is stored

    REDIS_URL=… python -m workshop.board_page [--port 8000] [--space main]

The command serves the boards of a space of this run's Redis, on loopback, until interrupted.
With REDIS_URL the boards are the run's own, as services say; PATTERNS_JOIN shares those of
another process, such as a notebook.
"""

from __future__ import annotations

import argparse
import signal
from contextlib import suppress
from dataclasses import dataclass
from html import escape

from raceproof.draw.front_end import live_front_end
from workshop import services
from workshop.page_server import PageServer
from workshop.services import environment


@dataclass(frozen=True)
class Inline:
    """A board's page as the output of a cell."""

    board: str
    port: int
    url: str
    height: int

    def __repr__(self) -> str:
        return f"(Run this cell in Jupyter to see the page of the board “{self.board}” here.)"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        if not live_front_end():
            return {"text/plain": repr(self)}
        # The Jupyter server hands it on (jupyter-server-proxy), so that it works from afar too.
        inside = f"{environment.jupyter_prefix()}proxy/{self.port}/boards/{self.board}/page"
        page = (
            f'<iframe src="{escape(inside)}" title="Progress of {escape(self.board)}" '
            f'width="100%" height="{self.height}" style="border: 1px solid #8888"></iframe>'
            f'<p>The same page <a href="{escape(self.url)}" target="_blank">in a tab</a>, '
            "if this Jupyter runs on your machine.</p>"
        )
        return {"text/plain": repr(self), "text/html": page}


def show(server: PageServer, board: str, *, height: int = 190) -> Inline:
    """Return the board's page as a cell's output: live in a Jupyter front end, else a sentence."""
    return Inline(board, server.port, server.url(board), height)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m workshop.board_page")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--space", default="main")
    chosen = parser.parse_args(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(ending, signal.default_int_handler)
    with (
        PageServer(lambda: services.redis_async(chosen.space), port=chosen.port) as server,
        suppress(KeyboardInterrupt),
    ):
        print(f"The board “task”: {server.url('task')}", flush=True)
        server.wait()


if __name__ == "__main__":
    main()
