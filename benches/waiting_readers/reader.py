"""A process that waits for posts, and says when it saw which.

    python -m benches.waiting_readers.reader WAY URL BOARD POSTS

WAY is `watch`, `subscribe`, or so many seconds between two looks. Prints `ready`, and at the end a
line of JSON: when it saw which number, and the seconds of the processor that it took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import redis

from patterns.notice_boards import NoticeBoard


def watched(board: NoticeBoard) -> Iterator[int]:
    """Numbers of posts, as `watch` returns them."""
    after = None
    while True:
        notice = board.watch(after)
        if notice:
            after = notice.version
            yield notice.number


def heard(board: NoticeBoard) -> Iterator[int]:
    """Numbers of posts, as they are announced; who subscribes late, or again, misses some."""
    with board.redis.pubsub() as ears:
        ears.subscribe(board.board)
        for message in ears.listen():
            if message["type"] == "message":
                yield int(message["data"].partition("-")[0])
            else:
                yield 0


def polled(board: NoticeBoard, every: float) -> Iterator[int]:
    """Numbers of posts, by reading the board again and again."""
    while True:
        notice = board.read()
        if notice:
            yield notice.number
        time.sleep(every)


def main() -> None:
    """Wait until the last post was seen."""
    way, url, name, posts = sys.argv[1:]
    board = NoticeBoard(redis.Redis.from_url(url, decode_responses=True), name)
    ways = {"watch": watched, "subscribe": heard}
    numbers = ways[way](board) if way in ways else polled(board, float(way))
    seen: dict[int, int] = {}
    began = None
    for number in numbers:
        seen.setdefault(number, time.monotonic_ns())
        if began is None:
            began = time.process_time()
            print("ready", flush=True)
        if number >= int(posts):
            break
    print(json.dumps({"seen": seen, "cpu": time.process_time() - (began or 0)}), flush=True)


if __name__ == "__main__":
    main()
