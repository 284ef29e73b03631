"""What axe-core finds on a page that a browser has open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_FIND = """rules => axe.run({
    preload: false, resultTypes: ["violations"], ...(rules.length && {runOnly: rules}),
}).then(found => found.violations.map(one => ({
    id: one.id, help: one.help, impact: one.impact,
    places: one.nodes.map(node => node.target.join(" ")),
})))"""
IN_THE_DARK = ("color-contrast",)  # only the colours are others


def violations(tab: Any, rules: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield the impact and a line for each rule that is broken; of all rules, or of these."""
    tab.evaluate(f"{_AXE}; 0")
    for one in tab.evaluate(_FIND, list(rules)):
        places = ", ".join(one["places"][:3])
        yield one["impact"], f"{one['id']}: {one['help']} ({len(one['places'])} places: {places})"
