"""The decks: what each must have, that marks say what the notebook says, and how they look.

What is seen is tested in a real Chromium; without one those tests are skipped, and say so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from html import escape
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from matplotlib.image import imsave
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tests.browser import ARGUMENTS
from tests.docs import minutes

from workshop.site import built_pages
from workshop.site.figures import Figure
from workshop.slides import deck, marks, runs
from workshop.slides.__main__ import write
from workshop.slides.plain_text import blocks, in_line

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STEMS = [path.stem for path in NOTEBOOKS]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
#: What is wrong on each slide, by its number: what is cut off or sticks out, and letters too small.
LOOK = """() => [...document.querySelectorAll("section")].flatMap((slide) => {
  const wrong = [], page = slide.getBoundingClientRect();
  const cut = (e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1;
  for (const e of [slide, ...slide.querySelectorAll(".body, .fit")]) if (cut(e)) wrong.push(e.className);
  for (const e of slide.querySelectorAll("header, .body *")) {
    const at = e.getBoundingClientRect();
    if (at.right > page.right + 1 || at.bottom > page.bottom + 1 || at.left < page.left - 1) wrong.push(e.tagName);
  }
  for (const e of slide.querySelectorAll(".fit")) if (!(parseFloat(e.style.fontSize) >= 15)) wrong.push(`letters ${e.style.fontSize}`);
  for (const e of slide.querySelectorAll("img")) if (getComputedStyle(e).objectFit !== "contain") wrong.push("a stretched picture");
  return wrong.map((what) => `${slide.id}: ${what}`);
})"""  # noqa: E501


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    assert [path.stem for path in write(ROOT / "notebooks", folder)] == STEMS
    return folder


@cache
def notebook(stem: str) -> Any:
    return nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)


@cache
def slides(stem: str) -> list[deck.Slide]:
    return deck.slides(notebook(stem))


@pytest.mark.parametrize("stem", STEMS)
def test_a_deck_has_what_each_must_have(stem: str) -> None:
    made = slides(stem)
    assert 10 <= len(made) <= 15
    assert [n for n, slide in enumerate(made) if "<h1>" in slide.body] == [0]
    drawn = any('class="run' in slide.body for slide in made) or stem.startswith("06")
    assert drawn, "the broken run, drawn"
    titles = [slide.title for slide in made]
    fixes = [n for n, title in enumerate(titles) if title.startswith("The fix")]
    assert titles.index("Why") < fixes[0]
    tables = [
        n for n, s in enumerate(made) if "✗" in s.body and "✓" in s.body and "<table" in s.body
    ]
    exercises = [n for n, slide in enumerate(made) if slide.exercise]
    assert len(exercises) == 1
    if stem != STEMS[0]:
        assert tables
        assert titles.index("Why") < tables[-1] < exercises[0] < len(made) - 1
        assert titles[-1] == "What you take home"


@pytest.mark.parametrize("stem", STEMS)
def test_every_slide_has_notes(stem: str) -> None:
    made = slides(stem)
    assert [slide.title for slide in made if len(" ".join(slide.notes).split()) < 10] == []


@pytest.mark.parametrize("stem", STEMS)
def test_the_minutes_are_those_of_the_notebook(stem: str) -> None:
    made = slides(stem)
    told = sum(slide.minutes for slide in made if not slide.exercise)
    left = sum(more for slide in made for _, more in slide.left)
    (exercise,) = [slide.minutes for slide in made if slide.exercise]
    assert told + left == round(sum(minutes.sections(stem[:2]).values()))
    assert exercise in minutes.exercises(stem[:2])


@pytest.mark.parametrize("stem", STEMS)
def test_a_section_that_no_slide_shows_is_named_and_in_no_slides_minutes(stem: str) -> None:
    cells = notebook(stem).cells
    made = slides(stem)
    named = {heading: more for slide in made for heading, more in slide.left}
    here, shown = "", set()
    for cell in cells:
        if cell.cell_type == "markdown":
            here = [here, *re.findall(r"^## (.+)$", cell.source, re.MULTILINE)][-1]
        if cell.metadata.get("slides"):
            shown.add(here.split(" ")[0])
    for section, counted in minutes.sections(stem[:2]).items():
        if section not in shown and section != minutes.THREE_NODES and section[-2:] != ".1":
            (said,) = [more for heading, more in named.items() if heading.startswith(f"{section} ")]
            three = minutes.sections("05")[minutes.THREE_NODES] if section == "5.12" else 0
            assert abs(said - counted - three) <= 1, section


def test_a_flaw_without_a_slide_is_not_in_the_minutes_of_another() -> None:
    (slide,) = [s for s in slides("01_pubsub") if s.title == "The patient reader"]
    assert slide.minutes <= 2
    assert "Stamped early, stored late" in dict(slide.left)
    assert "Next in the notebook, without a slide: <i>" in deck.html(notebook("01_pubsub"))


@pytest.mark.parametrize("stem", STEMS)
def test_no_solution_is_on_a_slide_or_in_its_notes(stem: str) -> None:
    page = deck.html(notebook(stem))
    for cell in notebook(stem).cells:
        if "solution" in cell.metadata.get("tags", []):
            (code,) = re.findall(r"```python\n(.*)```", cell.source, re.DOTALL)
            assert code.strip()
            assert escape(code.strip()) not in page, cell.id
            assert escape(code.strip(), quote=False) not in page, cell.id
    assert marks.NO_SOLUTION in page


def test_notes_that_go_on_are_not_said_twice() -> None:
    page = deck.html(notebook(STEMS[0]))
    asides = re.findall(r"<aside>.*?</aside>", page, re.DOTALL)
    for sentence in (
        "Two visitors look at a page",
        "runs these functions as they are",
        "what it says",
    ):
        assert sum(sentence in aside for aside in asides) == 1, sentence
    assert "What goes with it is in the notes of slide 2." in asides[2]
    assert "What goes with it is in the notes of slide 4." in asides[2]
    assert "these functions as they are" in asides[3]


@pytest.mark.parametrize("stem", STEMS)
def test_a_drawn_run_on_several_slides_is_whole(stem: str) -> None:
    outputs = [o for slide in marks.marked(notebook(stem)) for o in slide.cell.get("outputs", [])]
    for figure in filter(None, map(Figure.of, outputs)):
        if figure.alt.startswith("Space-time diagram"):
            parts = runs.parts(figure)
            assert parts[-1].bottom == figure.height
            assert all(one.bottom == other.top for one, other in pairwise(parts))
            assert len(parts) == 1 or parts[0].top == parts[0].head > 60, "who runs stands above"
            for part in parts:
                assert part.scale * (part.head + part.bottom - part.top) <= runs.HEIGHT + 1
                assert part.scale >= runs.SMALLEST


def test_stripes_of_uneven_height_are_divided_until_each_part_can_be_read() -> None:
    edges = [0, 80, 380, 630, 1110]
    pixels = np.ones((edges[-1], 900, 3))
    for at, (top, bottom) in enumerate(pairwise(edges)):
        pixels[top:bottom] -= 0.1 * (at % 2)
    png = BytesIO()
    imsave(png, pixels, format="png")
    parts = runs.parts(Figure(png.getvalue(), "Space-time diagram", 900, edges[-1]))
    assert [(part.top, part.bottom) for part in parts] == [(80, 380), (380, 630), (630, 1110)]
    assert min(part.scale for part in parts) >= runs.SMALLEST


def test_nothing_is_fetched_and_every_picture_has_words(decks: Path) -> None:
    assert built_pages.problems(decks) == []


# --- marks that cannot be -----------------------------------------------------------------------


def marked(show: str, source: str = "x = 1\ny = 2", **more: object) -> Any:
    """A notebook of one slide."""
    shown = new_output("stream", name="stdout", text="1\n")
    cells = [
        new_markdown_cell("# 1 · A title\n\n*“Why?”*\n\n**Time:** 5 minutes to read.", id="title"),
        new_markdown_cell("## 1.1 · A part\n\nLook at it: `x`\nis *one*.", id="text"),
        new_code_cell(source, id="code", outputs=[shown]),
    ]
    cells[2].metadata["slides"] = [{"show": show, **more}]
    return new_notebook(cells=cells)


def test_a_mark_makes_a_slide() -> None:
    (slide,) = deck.slides(marked("code", lines=["`x` is *one*."], **{"from": "y"}))
    assert slide.title == "A part"
    assert "<li><code>x</code> is <i>one</i>.</li>" in slide.body
    (code,) = re.findall("<pre>(.*)</pre>", slide.body, re.DOTALL)
    assert re.sub("<[^>]+>", "", code).strip() == "y = 2"
    assert deck.slides(marked("output", title="It"))[0].body.count("<pre>1</pre>") == 1


def test_the_minutes_of_a_cell_are_those_of_its_first_slide() -> None:
    twice = marked("code", source="x = 1\n" * 80)
    twice.cells[2].metadata["slides"] *= 2
    assert [slide.minutes for slide in deck.slides(twice)] == [2, 0]


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (marked("code", lines=["It is two."]), "code: the notebook does not say: It is two."),
        (marked("code", line="x"), r"code: a slide has no \['line'\]"),
        (marked("code", **{"from": "z"}), "no line begins with 'z'"),
        (marked("code", **{"to": "z"}), "no line begins with None or 'z'"),
        (marked("film"), "code: a slide shows no 'film'"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(notebook: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        deck.slides(notebook)


def test_text_is_shown_as_the_notebook_shows_it() -> None:
    assert in_line("a **b**\n*c* `*d*<` [e](f.ipynb) <") == (
        "a <b>b</b> <i>c</i> <code>*d*&lt;</code> e &lt;"
    )
    assert in_line("**a `b*c` d**") == "<b>a <code>b*c</code> d</b>"
    assert blocks("| a | `b` |\n| --- | --- |\n| *c* | `d\\|e` |") == (
        "<table><tr><th>a</th><th><code>b</code></th></tr>"
        "<tr><td><i>c</i></td><td><code>d|e</code></td></tr></table>"
    )
    text = "## A\n\nb\n\n- c\n- d\n  e\n\n```python\nf < g\n```"
    assert blocks(text) == (
        "<h3>A</h3><p>b</p><ul><li>c</li><li>d e</li></ul><pre>f &lt; g\n</pre>"
    )


# --- how they look ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def window() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("not tested: browser (no Chromium found)")
    playwright_api = pytest.importorskip("playwright.sync_api", reason="not tested: browser")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield running.new_page(viewport={"width": 1280, "height": 720})
        running.close()


@pytest.mark.parametrize("stem", STEMS)
def test_nothing_sticks_out_of_a_slide(window: Any, decks: Path, stem: str) -> None:
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.on("console", lambda message: wrong.append(message.text))
    window.goto((decks / f"{stem}.html").as_uri())
    assert window.evaluate(LOOK) == []
    window.emulate_media(media="print")
    cut = "[...document.querySelectorAll('aside')].filter(a => a.scrollHeight > a.clientHeight)"
    assert window.evaluate(f"{cut}.map(a => a.parentElement.id)") == [], "notes that are printed"
    window.emulate_media(media="screen")
    assert wrong == []


def test_keys_go_through_the_slides(window: Any, decks: Path) -> None:
    window.goto((decks / f"{STEMS[1]}.html").as_uri())
    shown = "[...document.querySelectorAll('section.shown')].map(slide => slide.id).join()"
    count = window.evaluate("document.querySelectorAll('section').length")
    at = []
    for key in (
        "Home",
        "ArrowLeft",
        "ArrowRight",
        "PageDown",
        " ",
        "ArrowLeft",
        "End",
        "ArrowRight",
    ):
        window.keyboard.press(key)
        at.append(window.evaluate(shown))
    assert at == ["1", "1", "2", "3", "4", "3", str(count), str(count)]
    assert not window.locator(f"[id='{count}'] aside").is_visible()
    window.keyboard.press("n")
    assert window.locator(f"[id='{count}'] aside").is_visible()
    assert "min" in window.locator(f"[id='{count}'] .minutes").inner_text()
    window.keyboard.press("n")
    window.get_by_role("button", name="the slide before").click()
    assert window.evaluate(shown) == str(count - 1)
    window.goto((decks / f"{STEMS[1]}.html").as_uri() + "#3")
    assert window.evaluate(shown) == "3", "a slide has an address"
