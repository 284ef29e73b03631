"""The audit on the classes of real packages: which chains there are, and what it says of each.

    python -m tests.patterns.mixins.class_trees PACKAGE…    counts, and each finding as a line of CSV

Nothing is run: what a stranger's method does to the machine is not ours to try.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import pkgutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from types import ModuleType

from patterns.mixins import BrokenLink, ChainAudit, audit_cooperation
from patterns.mixins.source_reading import inner

LEFT_OUT = ("test", "tests", "__main__", "idlelib", "lib2to3", "antigravity", "this", "turtledemo")


def modules(package: str) -> Iterator[ModuleType]:
    """Yield what can be imported of a package, without a word of it."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        try:
            root = importlib.import_module(package)
        except ImportError:
            return
        yield root
        for found in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{package}.", lambda _: None):
            if not set(LEFT_OUT) & set(found.name.split(".")):
                try:
                    yield importlib.import_module(found.name)
                except (Exception, SystemExit):
                    continue


def standard_library() -> list[str]:
    """Return the names of its public packages."""
    names = sys.stdlib_module_names - set(LEFT_OUT)
    return sorted(name for name in names if not name.startswith("_") and name != "tkinter")


def chains(packages: list[str]) -> Iterator[tuple[type, str]]:
    """Yield (class, method), once for each row of classes that define the method."""
    seen = set()
    for package in packages:
        for module in modules(package):
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


def kind(audit: ChainAudit, finding: BrokenLink) -> str:
    """Return a word for a finding."""
    stops = finding.rule in (0, 1, 3)
    what = ", drops a sibling" if finding.drops else ", overrides" if stops else ""
    return f"rule {finding.rule}{what}"


def main(packages: list[str]) -> None:
    """Print how many findings of each kind; write each to standard output."""
    if "django" in packages:
        import django
        from django.conf import settings
        settings.configure(INSTALLED_APPS=["django.contrib.auth","django.contrib.contenttypes","django.contrib.sessions","django.contrib.messages","django.contrib.admin", "rest_framework"])
        django.setup()
    if packages == ["stdlib"]:
        packages = standard_library()
    counts: Counter[str] = Counter()
    out = csv.writer(sys.stdout)
    for cls, method in chains(packages):
        audit = audit_cooperation(cls, method, run=None)
        counts[str(audit.cooperative)] += 1
        for doubt in audit.doubts:
            out.writerow([f"{cls.__module__}.{cls.__qualname__}", method, "doubt", doubt])
        for finding in audit.findings:
            counts[kind(audit, finding)] += 1
            out.writerow([f"{cls.__module__}.{cls.__qualname__}", method, kind(audit, finding), finding])
    print(counts, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
