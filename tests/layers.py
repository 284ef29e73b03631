"""The rules of the house, read from the source: who may import whom, and what a module may be.

`broken_rules(src)` reads every module under a folder, by its syntax tree, and returns a line for
each rule that one breaks. Imports inside functions and those under TYPE_CHECKING count like all
others, and so does a string that is the name of a module, which is how a module is loaded late.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

How = Literal["relative", "absolute", "string"]

#: Which rooms of raceproof a room may enter, besides itself. "" is the package's front door.
ROOMS = {
    "trace": set(),
    "draw": {"trace"},
    "wire": {"trace"},
    "search": {"trace", "draw", "wire"},
    "record": {"trace", "draw", "wire"},
    "": {"trace", "draw", "wire", "search", "record"},
}
#: What a pattern may need beyond the standard library: its client libraries; the web page, its own.
CLIENT_LIBRARIES = {"redis", "sqlalchemy", "couchdb"}
MORE_LIBRARIES = {"patterns.notice_boards.web": {"starlette", "uvicorn", "IPython"}}

#: The most lines that a module may have; the longest prefix counts.
LONGEST = {"": 200, "patterns": 150}

#: The two large tools among the helpers: the audit of mixins, and the notice board's page.
AUDIT = [
    "audit",
    "call_chain",
    "call_trace",
    "frames",
    "paths",
    "rules",
    "source_reading",
    "super_calls",
]
ASIDE = ("notice_boards/web/", *(f"mixins/{name}.py" for name in AUDIT))

VAGUE = re.compile(
    r"stage|play|judge|moves|scene|paint|columns|words|wording|run|hub|model|values"
    r"|utils?|helpers?|common|misc|manager|core"
)

#: A class that each pattern has for the same thing, as patterns do not know each other.
IN_EACH_PATTERN = {"KeyAlreadyUsed"}

#: Only this room starts processes and reads the environment; a front end's own names aside.
SERVICES = "workshop.services"
STARTS = {"subprocess", "multiprocessing", "pty", "concurrent.futures.process"}
STARTING = re.compile(
    r"^(os\.(system|popen|fork|forkpty|startfile|(posix_)?spawn\w*|exec\w+)"
    r"|asyncio\.create_subprocess_\w+|\w*\.?ProcessPoolExecutor)$"
)
READING = re.compile(r"^os\.(environb?|getenvb?|putenv)$")
#: This one names what starts a process, so that a search refuses it in a client.
REFUSES = "raceproof.search.outside"
REPLACING = {"stand_ins.method", "stand_ins.function"}
FRONT_END = {"JPY_SESSION_NAME", "PYTEST_VERSION", "JUPYTERHUB_SERVICE_PREFIX"}


@dataclass(frozen=True)
class Module:
    """One module of ours: its dotted name, its path, its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package that a relative import starts from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


def broken_rules(src: Path) -> list[str]:
    """A line for each broken rule under `src`, sorted; [] for a house in order."""
    modules = {}
    for path in sorted(src.rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    broken = [*circles(modules), *doubled_classes(modules), *long_scripts(src)]
    for module in modules.values():
        broken += arrows(module, modules)
        broken += processes_and_environment(module)
        lines = len(module.path.read_text(encoding="utf-8").splitlines())
        most = longest(module.name)
        if lines > most:
            broken.append(f"{module.name} has {lines} lines; {most} are allowed")
        vague = filter(VAGUE.fullmatch, module.path.stem.split("_"))
        broken += [f"{module.name} has a vague file name: {word}" for word in vague]
    return sorted(broken)


# --- imports ------------------------------------------------------------------------------------


def imports(module: Module, known: dict[str, Module]) -> Iterator[tuple[str, How, int]]:
    """Each thing that a module imports: its dotted name, how, and the line.

    `from a import b` is an import of the module `a.b` where that is one of ours, else of `a`.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "absolute", node.lineno
        elif isinstance(node, ast.ImportFrom):
            start = ""
            if node.level:
                above = module.package.split(".")
                start = ".".join(above[: len(above) - node.level + 1])
            base = ".".join(filter(None, [start, node.module]))
            for alias in node.names:
                inside = f"{base}.{alias.name}"
                how: How = "relative" if node.level else "absolute"
                yield inside if inside in known else base, how, node.lineno
        elif isinstance(node, ast.Constant) and node.value in known and "." in str(node.value):
            yield str(node.value), "string", node.lineno


def arrows(module: Module, known: dict[str, Module]) -> Iterator[str]:
    """The imports of a module that its room does not allow."""
    for target, how, line in imports(module, known):
        why = forbidden(module.name, target, how)
        if why:
            yield f"{module.name}:{line} imports {target}: {why}"


def forbidden(name: str, target: str, how: How) -> str:
    """Why a module must not import another, or ""."""
    (room, *inner), (goal, *goal_inner) = name.split("."), target.split(".")
    if goal == "workshop" and room != "workshop":
        return "nothing imports workshop"
    if room == "patterns":
        if goal == "patterns":
            if inner[:1] != goal_inner[:1]:
                return "patterns do not know each other"
            return "a pattern imports itself relatively" if how == "absolute" else ""
        if goal == "raceproof":
            return "a pattern knows nothing of ours"
        if not is_client_library(name, goal):
            return "a pattern needs its client library and no more"
    if room == "raceproof":
        if goal == "patterns":
            return "raceproof knows no pattern"
        here, there = (inner or [""])[0], (goal_inner or [""])[0]
        if goal == "raceproof" and here != there and there not in ROOMS.get(here, set()):
            return f"{here or 'the front door'} may not enter {there or 'by the front door'}"
    return ""


def is_client_library(name: str, library: str) -> bool:
    """Whether a pattern's module may import this library."""
    more = {one for room, found in MORE_LIBRARIES.items() if name.startswith(room) for one in found}
    return library in sys.stdlib_module_names or library in CLIENT_LIBRARIES | more


def circles(modules: dict[str, Module]) -> list[str]:
    """The circles among the modules: each is one line, with every module on it.

    A string is left out: it may be the name of a logger, or of a program to start.
    """
    graph = {
        name: {
            goal
            for goal, how, _ in imports(module, modules)
            if goal in modules and goal != name and how != "string"
        }
        for name, module in modules.items()
    }
    reach = {name: reachable(name, graph) for name in graph}
    found = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in graph
        if name in reach[name]
    }
    return [f"a circle: {' ↔ '.join(one)}" for one in sorted(found)]


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """All modules at the end of a chain of imports."""
    found: set[str] = set()
    todo = [start]
    while todo:
        for name in graph[todo.pop()] - found:
            found.add(name)
            todo.append(name)
    return found


# --- what a module is ---------------------------------------------------------------------------


def longest(name: str) -> int:
    """How many lines a module may have."""
    rooms = [room for room in LONGEST if f"{name}.".startswith(f"{room}." if room else "")]
    return LONGEST[max(rooms, key=len)]


def long_scripts(src: Path) -> list[str]:
    """The scripts for Node that are too long."""
    found = [path for path in src.rglob("*.mjs") if "node_modules" not in path.parts]
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in found}
    return [f"{p.name} has {n} lines; 200 are allowed" for p, n in sizes.items() if n > 200]


def lines_of_patterns(src: Path) -> tuple[int, int]:
    """The lines of `patterns`: in all, and without the audit of mixins and the board's page."""
    sizes = {
        path.relative_to(src / "patterns").as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (src / "patterns").rglob("*.py")
    }
    aside = [size for path, size in sizes.items() if path.startswith(ASIDE)]
    return sum(sizes.values()), sum(sizes.values()) - sum(aside)


def doubled_classes(modules: dict[str, Module]) -> list[str]:
    """The public class names that mean more than one thing."""
    homes = defaultdict(list)
    for module in modules.values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                if node.name in IN_EACH_PATTERN and module.name.startswith("patterns."):
                    continue
                homes[node.name].append(module.name)
    return [f"{name} is a class of {', '.join(h)}" for name, h in homes.items() if len(h) > 1]


def processes_and_environment(module: Module) -> Iterator[str]:
    """Where a module outside the services starts a process or reads the environment."""
    if module.name.startswith(SERVICES):
        return
    allowed = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value in FRONT_END:
                allowed |= {id(node.func), id(node.func.value)}
            if module.name == REFUSES and ast.unparse(node.func) in REPLACING:
                allowed.add(id(first))
        if module.name == REFUSES and isinstance(node, ast.Import):
            allowed.add(id(node))
    for node in ast.walk(module.tree):
        kinds = ast.Attribute | ast.Import | ast.ImportFrom
        if not isinstance(node, kinds) or id(node) in allowed:
            continue
        names = [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name in STARTS or name.partition(".")[0] in STARTS or STARTING.match(name):
                yield f"{module.name}:{node.lineno} starts a process: {name}"
            if READING.match(name):
                yield f"{module.name}:{node.lineno} reads the environment: {name}"
