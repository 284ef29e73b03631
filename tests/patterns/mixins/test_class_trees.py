"""The audit on what is installed anyway: no crash, and what was judged by hand comes out so."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version

import pytest
from tests.patterns.mixins.class_trees import GROUPS, Judged, counted, judged

JUDGED_FOR = {"sqlalchemy": "2.1.9", "stdlib": "3.11", "tkinter": "3.11"}
EVERY = {"sqlalchemy": 15, "stdlib": 10, "tkinter": 2}
PYTHON = ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize("group", EVERY)
def test_no_class_is_too_much(group: str) -> None:
    if group == "tkinter":
        pytest.importorskip("tkinter")
    counts = counted(GROUPS[group], every=EVERY[group])
    assert counts["chains"] == sum(
        counts[verdict] for verdict in ("cooperates", "cannot tell", "is broken")
    )
    assert counts["chains"] > 50
    assert counts["overrides"] > 0
    assert counts["drops a sibling"] > 0


@pytest.mark.parametrize("one", judged(*EVERY), ids=lambda one: f"{one.cls}.{one.method}")
def test_what_was_judged_by_hand(one: Judged) -> None:
    there = version("sqlalchemy") if one.where == "sqlalchemy" else PYTHON
    if there != JUDGED_FOR[one.where]:
        pytest.skip(f"judged for {one.where} {JUDGED_FOR[one.where]}")
    if one.where == "tkinter" or one.cls.startswith("turtle."):
        pytest.importorskip("tkinter")
        importlib.import_module("tkinter.tix")  # gives all widgets one more base: judged with it
    assert one.found_again() == (one.judged == "right"), one.why
