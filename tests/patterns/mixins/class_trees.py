"""The audit on the classes of real packages: what it says of each, and whether that is right.

    python -m tests.patterns.mixins.class_trees [GROUP…]    a table of counts; 1 if one is wrong

`judged.csv` has a hundred findings that were drawn by lot and judged by hand: those that were
right must be found again, those that were wrong must not. Nothing is run: what a stranger's
method does to the machine is not ours to try.
"""

from __future__ import annotations

import csv
import importlib
import pkgutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import reduce
from io import StringIO
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from patterns.mixins import BrokenLink, audit_cooperation
from patterns.mixins.source_reading import inner

GROUPS = {
    "sqlalchemy": ["sqlalchemy"],
    "django": ["django", "rest_framework"],
    "sklearn": ["sklearn"],
    "tkinter": ["tkinter"],
    "stdlib": sorted(n for n in sys.stdlib_module_names if n[0] != "_" and n != "tkinter"),
}
LEFT_OUT = {"test", "tests", "__main__", "idlelib", "lib2to3", "antigravity", "this", "turtledemo"}
VERDICTS = {True: "cooperates", False: "is broken", None: "cannot tell"}
COLUMNS = [
    *("chains", "cooperates", "cannot tell", "is broken"),
    *("overrides", "drops a sibling", "two bases", "rule 2", "rule 3", "rule 4"),
]


@dataclass(frozen=True)
class Judged:
    """One line of `judged.csv`."""

    where: str
    cls: str
    method: str
    owner: str
    finding: str
    judged: str
    why: str

    def found_again(self) -> bool:
        """Whether the audit says it now."""
        audit = audit_cooperation(load(self.cls), self.method, run=None)
        said = [(f"{f.owner.__module__}.{f.owner.__qualname__}", kind(f)) for f in audit.findings]
        return (self.owner, self.finding) in said


def judged(*groups: str) -> list[Judged]:
    """Return the lines of these groups."""
    with Path(__file__).with_name("judged.csv").open(encoding="utf-8") as file:
        return [Judged(*row) for row in csv.reader(file) if row[0] in groups]


def kind(finding: BrokenLink) -> str:
    """Return a word for a finding."""
    if finding.rule == 0:
        return "two bases"
    if finding.rule == 1:
        return "drops a sibling" if finding.drops else "overrides"
    return f"rule {finding.rule}"


def load(name: str) -> type:
    """Return a class by its module's name and its own."""
    parts = name.split(".")
    for at in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:at]))
        except ImportError:
            continue
        found: Any = reduce(getattr, parts[at:], module)
        return found
    raise ImportError(name)


def modules(package: str) -> Iterator[ModuleType]:
    """Yield what can be imported of a package, without a word of it."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        try:
            root = importlib.import_module(package)
        except ImportError:
            return
        yield root
        path = getattr(root, "__path__", ())
        for found in pkgutil.walk_packages(path, f"{package}.", onerror=lambda _: None):
            if not LEFT_OUT & set(found.name.split(".")):
                try:
                    yield importlib.import_module(found.name)
                except (Exception, SystemExit):
                    continue


def chains(packages: Iterable[str]) -> Iterator[tuple[type, str]]:
    """Yield (class, method), once for each row of classes that define the method in Python."""
    seen: set[tuple[object, ...]] = set()
    for package in packages:
        for module in modules(package) if package not in LEFT_OUT else ():
            for cls in list(vars(module).values()):
                if not issubclass(type(cls), type) or cls.__module__ != module.__name__:
                    continue
                for method in dict.fromkeys(name for c in cls.__mro__ for name in vars(c)):
                    row = [c for c in cls.__mro__ if method in vars(c) and c is not object]
                    if len(row) < 2 or (*row, method) in seen:
                        continue
                    seen.add((*row, method))
                    if all(inner(owner, method) for owner in row):
                        yield cls, method


def counted(packages: Iterable[str], every: int = 1) -> Counter[str]:
    """Audit every chain, or each n-th; count verdicts and findings."""
    counts: Counter[str] = Counter()
    for cls, method in islice(chains(packages), 0, None, every):
        audit = audit_cooperation(cls, method, run=None)
        counts.update(["chains", VERDICTS[audit.cooperative], *map(kind, audit.findings)])
        str(audit)
    return counts


def configure_django() -> None:
    """Django's models and views can be imported only with settings."""
    import django
    from django.conf import settings

    contrib = [f"django.contrib.{n}" for n in ("admin", "auth", "contenttypes", "messages")]
    settings.configure(INSTALLED_APPS=[*contrib, "django.contrib.sessions", "rest_framework"])
    django.setup()


def main(groups: list[str]) -> int:
    """Print a row of counts for each group; return 1 if a judged finding came out otherwise."""
    if "django" in groups:
        configure_django()
    print("| packages |", " | ".join(COLUMNS), "|\n|", "--- |" + " ---: |" * len(COLUMNS))
    differ = []
    for group in groups:
        counts = counted(GROUPS[group])
        print("|", group, "|", " | ".join(f"{counts[c]:,}" for c in COLUMNS), "|")
        differ += [one for one in judged(group) if one.found_again() != (one.judged == "right")]
    for one in differ:
        print(f"otherwise than judged: {one}", file=sys.stderr)
    print(f"\n{len(judged(*groups))} findings judged by hand, {len(differ)} came out otherwise.")
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(GROUPS)))
