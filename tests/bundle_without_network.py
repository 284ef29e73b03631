"""A bundle where there is no network: `.venv/bin/python tests/bundle_without_network.py ARCHIVE`.

Takes the repository out of the archive into an empty folder. There, with an empty home and in a
network namespace that has nothing but its own loopback, it runs `make setup BUNDLE=ARCHIVE`,
`make check`, which makes a search, and `make lab`, and prints how long each took. Exit 0 if all
of that works within the limit, 1 if not, 75 if this machine allows no such namespace.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path

LIMIT_S = 180
NOT_ALLOWED = 75
CUT = ["unshare", "--map-root-user", "--net"]
LAB = "http://127.0.0.1:8888/api"
INTERFACE_UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP


def main(archive: str) -> int:
    """Unpack the repository, then go on without a network."""
    if not shutil.which(CUT[0]) or subprocess.run([*CUT, "true"], check=False).returncode:
        print("this machine allows no network namespace", file=sys.stderr)
        return NOT_ALLOWED
    with tempfile.TemporaryDirectory(prefix="no-network-") as place:
        with tarfile.open(archive) as tar:
            tree = [one for one in tar if one.name.startswith("broken-then-proven/")]
            tar.extractall(place, members=tree)
        home = Path(place, "home")
        home.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "CI") if name in os.environ}
        inside = [*CUT, sys.executable, "-I", __file__, "--inside", str(Path(archive).resolve())]
        done = subprocess.run(
            inside,
            cwd=Path(place, "broken-then-proven"),
            env={**kept, "HOME": str(home), "BROWSER": "true"},
            check=False,
        )
    return done.returncode


def without_network(archive: str) -> int:
    """Set up, search and open JupyterLab in this folder; say how long it took."""
    loopback_up()
    with socket.socket() as probe:
        probe.settimeout(5)
        if not probe.connect_ex(("192.0.2.1", 80)):
            raise AssertionError("there is a network")
    python = getattr(sys, "_base_executable", sys.executable)
    setup = f"BUNDLE={archive}", f"PYTHON={python}"
    took = timed("make setup BUNDLE=…", ["make", "setup", *setup])
    took += timed("make check, with a search", ["make", "check"])
    began = time.perf_counter()
    lab = subprocess.Popen(["make", "lab"], start_new_session=True)
    try:
        while not answers(LAB):
            if lab.poll() is not None or time.perf_counter() - began > LIMIT_S:
                print("make lab does not answer", file=sys.stderr)
                return 1
            time.sleep(0.1)
    finally:
        os.killpg(lab.pid, signal.SIGKILL)
        lab.wait()
    took += said("make lab, until it answers", began)
    print(f"in all: {took:.0f} s; {LIMIT_S} s are allowed")
    return int(took > LIMIT_S)


def loopback_up() -> None:
    """Switch the loopback of this namespace on; it is the only interface that there is."""
    ask, up = INTERFACE_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, ask, struct.pack("16sH14x", b"lo", up))


def timed(what: str, command: list[str]) -> float:
    """Run a command that must succeed; the seconds that it took."""
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return said(what, began)


def said(what: str, began: float) -> float:
    """Print the seconds since `began`, and return them."""
    took = time.perf_counter() - began
    print(f"{what}: {took:.1f} s", flush=True)
    return took


def answers(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        sys.exit(without_network(sys.argv[2]))
    sys.exit(main(sys.argv[1]))
