"""What `make class` runs: the class of a folder, until it is interrupted.

python -m workshop.classroom [--host 127.0.0.1] [--port 8017] [--folder build/class]
                             [--certfile cert.pem --keyfile key.pem]
"""

from __future__ import annotations

import argparse
import errno
import resource
import signal
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from workshop.classroom.start import ClassServer
from workshop.services import ServiceError


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m workshop.classroom")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8017)
    parser.add_argument("--folder", type=Path, default=Path("build/class"))
    parser.add_argument("--certfile")
    parser.add_argument("--keyfile")
    given = parser.parse_args(arguments)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each open poll needs a file
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(ending, signal.default_int_handler)
    with suppress(KeyboardInterrupt), started(given) as running:
        print(f"The class: {running.url}")
        print(f"Join code: {running.opening.join_code}")
        print(f"For the instructor alone: {running.instructor_link}", flush=True)
        if not given.certfile and not is_loopback(given.host):
            print("Others on this network can read along: give CERTFILE= and KEYFILE= (TLS).",
                  file=sys.stderr)  # fmt: skip
        running.wait()
    print("Stopped. The same command goes on with this class, under the same code.")


def started(given: argparse.Namespace) -> ClassServer:
    """The class as the command line says; where it cannot be, that in one line, and status 1."""
    files = {"certfile": given.certfile, "keyfile": given.keyfile}
    for file in filter(None, files.values()):
        if not Path(file).is_file():
            sys.exit(f"There is no file {file}.")
    try:
        return ClassServer(given.folder, host=given.host, port=given.port, **files)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
            raise
        sys.exit(f"{given.host}:{given.port} cannot be had: {error.strerror}. Give HOST= or PORT=.")
    except ServiceError as error:
        sys.exit(str(error))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server at this host."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


if __name__ == "__main__":
    main()
