"""`python -m workshop.services.install`: what the services need beyond Python packages.

`--fetch FOLDER` puts the Node packages as files into a folder, for a machine without a network;
there `--from FOLDER` installs them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import environment, node
from .errors import ServiceError


def main(arguments: Sequence[str] = ()) -> int:
    """Install the Node packages, unless COUCHDB_URL makes them unnecessary; 1 on failure."""
    parser = argparse.ArgumentParser(prog="python -m workshop.services.install")
    parser.add_argument("--fetch", type=Path, help="fetch the Node packages, and install none")
    parser.add_argument("--from", dest="source", type=Path, help="install what --fetch has fetched")
    asked = parser.parse_args(arguments)
    try:
        if asked.fetch:
            node.fetch(asked.fetch)
        elif asked.source or environment.couchdb_url() is None:
            node.install(tarballs=asked.source)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
