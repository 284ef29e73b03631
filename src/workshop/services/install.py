"""`python -m workshop.services.install`: what the services need beyond Python packages."""

from __future__ import annotations

import sys

from . import environment, node
from .errors import ServiceError


def main() -> int:
    """Install the Node packages, unless COUCHDB_URL makes them unnecessary; 1 on failure."""
    if environment.couchdb_url() is None:
        try:
            node.install()
        except ServiceError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
