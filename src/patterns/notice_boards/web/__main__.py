"""Serve the boards of a space of this run's Redis until interrupted.

    REDIS_URL=… python -m patterns.notice_boards.web [--port 8000] [--space main]

Listens on loopback. With REDIS_URL the boards are the run's own, as services say; PATTERNS_JOIN
shares the boards of another process, such as a notebook.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

from workshop import services

from .server import PageServer


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m patterns.notice_boards.web")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--space", default="main")
    chosen = parser.parse_args(arguments)
    with (
        PageServer(lambda: services.redis_async(chosen.space), port=chosen.port) as server,
        suppress(KeyboardInterrupt),
    ):
        print(f"The board “task”: {server.url('task')}", flush=True)
        server.wait()


if __name__ == "__main__":
    main()
