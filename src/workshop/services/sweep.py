"""Removes what a run has made on servers that are not ours, when the run ends, however it ends.

A process of its own, so that a kernel that is killed with SIGKILL leaves nothing behind either.
It reads which servers to clean, a line of JSON each, and begins when its standard input closes.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

REMOVE = {name: f"workshop.services.{name}_service" for name in ("redis", "couch", "sql")}


def main() -> None:
    """Wait for the end of the run whose id is given, then remove what it has made."""
    servers = []
    for line in sys.stdin:
        service, url = json.loads(line)
        servers.append((import_module(REMOVE[service]), url))  # while it is surely there
    for module, url in servers:
        try:
            module.remove(url, sys.argv[1])
        except Exception as error:
            print(f"patterns: left behind on your server: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
