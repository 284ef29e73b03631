"""Removes what a run has made on servers that are not ours, when the run ends, however it ends.

A process of its own, so that a kernel that is killed with SIGKILL leaves nothing behind either.
It reads which servers to clean, a line of JSON each, and begins when its standard input closes.
"""

from __future__ import annotations

import json
import sys

from . import couch_service, redis_service, sql_service

REMOVE = {
    "redis": redis_service.remove,
    "couch": couch_service.remove,
    "sql": sql_service.remove,
}


def main() -> None:
    """Wait for the end of the run whose id is given, then remove what it has made."""
    servers = [json.loads(line) for line in sys.stdin]
    for service, url in servers:
        try:
            REMOVE[service](url, sys.argv[1])
        except Exception as error:
            print(f"patterns: left behind on your server: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
