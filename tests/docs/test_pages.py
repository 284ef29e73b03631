"""The pages of docs: what they link to is there, and the commands that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_only_what_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    files = [link.partition("#")[0] for link in links]
    assert [file for file in files if file and not (page.parent / file).exists()] == []
    commands = re.findall(r"^(?:\w+=\S+ )?make (\w+)|`(?:\w+=\S+ )?make (\w+)", text, re.MULTILINE)
    assert {a or b for a, b in commands} - set(TARGETS) == set()
    modules = set(re.findall(r"-m (workshop[.\w]*|tests[.\w]*)", text))
    paths = {name: name.replace(".", "/") for name in modules}
    tops = (ROOT, ROOT / "src")
    ends = (".py", "/__main__.py")
    assert {
        name
        for name, path in paths.items()
        if not any((top / f"{path}{end}").exists() for top in tops for end in ends)
    } == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_inside_a_page_leads_to_a_heading(page: Path) -> None:
    text = page.read_text("utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - headings == set()


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {f"docs/{page.name}" for page in PAGES} <= set(re.findall(r"\]\(([^)#]+)\)", readme))
