"""The space-time diagram: labels that never meet, all there is to see, the same bytes twice."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from itertools import combinations

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from matplotlib.text import Text as Artist
from PIL import Image
from tests.raceproof.draw.samples import (
    DEAD_WRITER,
    DEADLOCK,
    DOUBLE_COUNT,
    LOST_JOB,
    PUBSUB,
    SAMPLES,
    any_run,
)

from raceproof.draw import diagram
from raceproof.draw.charts import ACCENT
from raceproof.draw.diagram_layout import WIDTH, lay_out
from raceproof.draw.narration import describe
from raceproof.draw.picture import Picture
from raceproof.draw.render import figure_of, quiet
from raceproof.draw.shapes import Page, Sign, Stroke, Text, text_width
from raceproof.trace.steps import Run, Step


@cache
def drawn(run: Run) -> Picture:
    """Return the diagram of a run, which is drawn once for all tests that look at it."""
    return diagram(run)


def boxes(page: Page) -> list[tuple[str, mpl.transforms.Bbox]]:
    """Return every text of the page with the pixels that it takes."""
    words = replace(page, shapes=tuple(s for s in page.shapes if isinstance(s, Text)))
    figure = figure_of(words)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    texts = [a for a in figure.axes[0].get_children() if isinstance(a, Artist) and a.get_text()]
    found = []
    for text in texts:
        text.set_bbox(None)
        found.append((text.get_text(), text.get_window_extent(renderer)))
    return found


def check_labels(run: Run) -> None:
    """Fail if two labels meet, or one leaves the page."""
    with quiet():
        page = lay_out(run, run.violation or "fine")
        found = boxes(page)
    for (one, a), (two, b) in combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.5 or down <= 0.5, (one, two)
    for text, box in found:
        inside = box.x0 >= -1 and box.x1 <= WIDTH + 1 and box.y0 >= -1 and box.y1 <= page.height + 1
        assert inside, (text, box)


@pytest.mark.parametrize("run", SAMPLES.values(), ids=SAMPLES)
def test_no_two_labels_overlap(run: Run) -> None:
    check_labels(run)


@settings(deadline=None, max_examples=20, database=None)
@given(any_run())
def test_no_two_labels_of_any_run_overlap(run: Run) -> None:
    check_labels(run)


def test_labels_of_8_lifelines_do_not_overlap() -> None:
    actors = tuple(f"client number {n}" for n in range(6))
    steps = tuple(
        Step(a, s, "EVALSHA 12345 2 {hits}:12 {hits}:13 some more", "(integer) 1", said=("noted",))
        for a in actors
        for s in ("redis", "sql")
    )
    check_labels(Run(actors, ("redis", "sql"), steps, "w" * 300, 3))


@pytest.mark.parametrize("run", SAMPLES.values(), ids=SAMPLES)
def test_every_step_has_its_number_at_the_left_margin_from_top_to_bottom(run: Run) -> None:
    numbers = [s for s in shapes(run, Text) if s.font == "number"]
    assert [n.text for n in numbers] == [str(n + 1) for n in range(len(run.steps))]
    assert [n.y for n in numbers] == sorted(n.y for n in numbers)
    assert {n.x for n in numbers} == {30.0}


def shapes(run: Run, kind: type) -> list:  # type: ignore[type-arg]
    """Return the shapes of one kind on a run's page."""
    return [s for s in lay_out(run, "title").shapes if isinstance(s, kind)]


def signs(run: Run) -> list[str]:
    """Return the signs on a run's lifelines."""
    return [s.kind for s in shapes(run, Sign)]


def test_a_death_is_a_cross_where_its_lifeline_ends() -> None:
    (cross,) = [s for s in shapes(LOST_JOB, Sign) if s.kind == "cross"]
    lifelines = [s for s in shapes(LOST_JOB, Stroke) if s.x0 == s.x1 == cross.x]
    assert max(s.y1 for s in lifelines) == cross.y
    assert signs(LOST_JOB).count("broken") == 1  # its reply


def test_lost_calls_are_broken_arrows() -> None:
    assert signs(DOUBLE_COUNT).count("broken") == 2
    assert signs(PUBSUB).count("broken") == 0
    assert signs(DEAD_WRITER).count("broken") == 1


def test_reads_are_rings_and_writes_are_dots() -> None:
    assert signs(LOST_JOB).count("ring") == 1
    assert signs(LOST_JOB).count("dot") == 2


@pytest.mark.parametrize(
    ("call", "reply", "sign"),
    [
        ("SET x 1", "OK", "dot"),
        ("SET x 1 NX", "(nil)", "ring"),
        ("GET x", '"1"', "ring"),
        ("EVAL ⟨add⟩ x", "(nil)", "dot"),
        ("INCR x", "(error) ERR value is not an integer", "ring"),
        ("PUT alice:1 {}", "201", "dot"),
        ("PUT alice:1 {}", "409 conflict", "ring"),
        ("POST _view/accounts alice carol", "alice [100, 1]", "ring"),
        ("POST _all_docs alice", "no rows", "ring"),
        ('POST {"to": "the_view"}', "201 x", "dot"),
        ("SUBSCRIBE news", "", "ring"),
        ("SUBSCRIBE news", '["subscribe", "news", 1]', "dot"),
        ("PSUBSCRIBE news.*", "", "ring"),
        ("SELECT 1", "1", "ring"),
        ("SELECT n FROM hits; UPDATE hits SET n = 1", "1 row", "dot"),
        ("SELECT n FROM hits; SELECT 1", "", "ring"),
        ("UPDATE hits SET n = 1; ROLLBACK", "", "ring"),
        ("HLEN h", "(integer) 2", "ring"),
        ("ZCOUNT z 0 9", "(integer) 2", "ring"),
        ("SMISMEMBER s a b", "[1, 0]", "ring"),
        ("XINFO GROUPS s", "[]", "ring"),
        ("XGROUP CREATE s workers 0", "OK", "dot"),
        ("EVAL_RO ⟨look⟩ x", '"1"', "ring"),
        ("DEL x", "(integer) 0", "ring"),
        ("DEL x", "(integer) 1", "dot"),
        ("HSET h f 1", "(integer) 0", "dot"),
        ("SET x 1 GET", "(nil)", "dot"),
        ("GETDEL x", "(nil)", "ring"),
        ("MULTI; GET x; EXEC", '["1"]', "ring"),
        ("MULTI; SET x 1; EXEC", "[OK]", "dot"),
        ("MULTI; SET x 1; EXEC", "WatchError: Watched variable changed.", "ring"),
        ("PUBLISH news a", "(integer) 0", "dot"),
        ("JSON.SET x $ 1", "OK", "dot"),
    ],
)
def test_what_changes_nothing_is_a_ring_as_far_as_its_words_say(
    call: str, reply: str, sign: str
) -> None:
    run = Run(("ann",), ("store",), (Step("ann", "store", call, reply),))
    assert signs(run) == [sign]


def test_what_the_search_saw_counts_more_than_the_words() -> None:
    for changed, sign in ((True, "dot"), (False, "ring")):
        for call in ("GET x", "SET x 1"):
            step = Step("ann", "store", call, "OK", changed=changed)
            assert signs(Run(("ann",), ("store",), (step,))) == [sign]
    effect = Step("ann", "redis", "subscription to news takes effect", fate="subscribed")
    assert signs(Run(("ann",), ("redis",), (effect,))) == ["dot"]
    waited = Step("ann", "redis", "BRPOP jobs 1", fate="timed-out")
    assert signs(Run(("ann",), ("redis",), (waited,))) == ["ring"]


def test_only_the_breaking_step_has_the_accent() -> None:
    for run, wanted in ((LOST_JOB, True), (PUBSUB, False)):
        coloured = [s for s in shapes(run, Stroke) if s.colour == ACCENT]
        assert bool(coloured) == wanted
    assert len({s.y0 for s in shapes(LOST_JOB, Stroke) if s.colour == ACCENT}) == 2


def test_who_waits_for_ever_has_a_dotted_lifeline() -> None:
    dotted = [s for s in shapes(DEADLOCK, Stroke) if s.dash == "dotted" and s.x0 == s.x1]
    assert len(dotted) == 2
    assert not [s for s in shapes(LOST_JOB, Stroke) if s.dash == "dotted"]


def test_deliveries_go_from_the_store_to_the_client() -> None:
    heads = {s.text: s.x for s in shapes(PUBSUB, Text) if s.font == "bold"}
    arrows = [s for s in shapes(PUBSUB, Stroke) if s.head == "full" and s.x0 == heads["redis"]]
    assert len(arrows) == 2
    assert {round(s.x1 - 2, 1) for s in arrows} == {
        round(heads["consumer 1"], 1),
        round(heads["consumer 2"] - 4, 1),
    }


def test_the_alt_text_tells_the_run() -> None:
    alt = drawn(LOST_JOB).alt
    assert alt == describe(LOST_JOB, "Space-time diagram")
    for words in (
        "3 steps by producer, worker and janitor on redis.",
        "Step 1: producer sends LPUSH jobs a to redis and is answered (integer) 1; it ends: done.",
        "Step 2: worker sends BRPOP jobs 0 to redis, which takes effect, and dies before the reply",
        "It goes wrong at step 2",
        "Broken: job a was queued and never done: 0 of 1 jobs ran.",
    ):
        assert words in alt
    assert "left waits for ever: BLPOP freed:b 0." in describe(DEADLOCK, "Diagram")
    assert "the request is lost" in describe(DOUBLE_COUNT, "Diagram")


def test_the_png_is_twice_its_width_and_has_the_alt_text() -> None:
    made = drawn(LOST_JOB)
    image = Image.open(io.BytesIO(made.png))
    assert image.width == 2 * made.width == 1800
    assert image.info["Description"] == made.alt
    data, metadata = made._repr_mimebundle_()
    assert data["text/plain"] == made.alt
    assert metadata["image/png"] == {"alt": made.alt, "width": 900}


def test_equal_runs_give_equal_bytes_and_no_setting_changes() -> None:
    before = dict(mpl.rcParams)
    once = drawn(LOST_JOB).png
    mpl.rcParams["font.size"] = 30
    mpl.rcParams["lines.linestyle"] = ":"
    try:
        assert diagram(LOST_JOB).png == once
    finally:
        mpl.rcParams.update({k: before[k] for k in ("font.size", "lines.linestyle")})
    assert dict(mpl.rcParams) == before
    assert len(once) < 60_000


def test_a_title_states_the_violation_unless_another_is_given() -> None:
    alone = {s.text for s in lay_out(LOST_JOB, "Nobody has the job").shapes if isinstance(s, Text)}
    assert "Nobody has the job" in alone
    assert drawn(LOST_JOB).png != diagram(LOST_JOB, title="Nobody has the job").png


def test_pixels_at_the_page_edges_are_opaque_paper() -> None:
    image = Image.open(io.BytesIO(drawn(LOST_JOB).png)).convert("RGBA")
    for corner in ((0, 0), (image.width - 1, 0), (0, image.height - 1)):
        red, green, blue, alpha = image.getpixel(corner)
        assert min(red, green, blue) > 240
        assert alpha == 255


INSERT = (
    "INSERT INTO stat VALUES ('7', '14', 3) ON CONFLICT (zone, hour) "
    "DO UPDATE SET hits = stat.hits + 3"
)


@pytest.mark.parametrize(
    ("clients", "stores"), [(("ann", "bob"), ("redis", "sql")), (("ann", "ben", "dee"), ("sql",))]
)
def test_a_label_is_shown_in_full_before_its_store_where_there_is_room(
    clients: tuple[str, ...], stores: tuple[str, ...]
) -> None:
    calls = (Step("ann", stores[0], "GET x", "3"), Step(clients[-1], "sql", INSERT, "1 row"))
    run = Run(clients, stores, calls)
    texts = shapes(run, Text)
    heads = {s.text: s.x for s in texts if s.font == "bold"}
    parts = [s for s in texts if s.font == "code" and s.align == "right"]
    assert " ".join(part.text for part in parts) == f"{INSERT} 1 row"
    assert all(heads["sql"] < s.x - text_width(s.text, s.font) for s in parts)


def test_where_lifelines_are_crowded_a_label_runs_across_them() -> None:
    clients = tuple("abcdef")
    run = Run(clients, ("redis", "sql"), (Step("c", "redis", INSERT), Step("c", "sql", "GET x")))
    assert "INSERT INTO stat VALUES ('7', '14'," in {s.text for s in shapes(run, Text)}
