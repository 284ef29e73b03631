"""A process that serves boards by HTTP, as its operator would run it.

    python -m benches.waiting_readers.page URL h11|httptools

Prints its port; for each line on its standard input, how many wait, and its processor time in
seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time

import uvicorn
from redis.asyncio import Redis

from patterns.notice_boards.web import make_app


def main() -> None:
    """Serve until standard input ends."""
    url, http = sys.argv[1:]
    app = make_app(lambda: Redis.from_url(url, decode_responses=True))
    quiet = {"log_level": "error", "access_log": False, "ws": "none", "backlog": 4096}
    server = uvicorn.Server(uvicorn.Config(app, http=http, **quiet))
    address = socket.create_server(("127.0.0.1", 0), backlog=4096)

    def tell() -> None:
        while not server.started:
            time.sleep(0.01)
        print(address.getsockname()[1], flush=True)
        for _ in sys.stdin:
            waiting = app.state.boards.waiting()
            print(json.dumps({"waiting": waiting, "cpu": time.process_time()}), flush=True)
        os._exit(0)

    threading.Thread(target=tell, daemon=True).start()
    asyncio.run(server.serve(sockets=[address]))


if __name__ == "__main__":
    main()
