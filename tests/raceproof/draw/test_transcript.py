"""The transcript: every step, in order, in the right column, as text and as HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.raceproof.draw.samples import (
    DEADLOCK,
    DOUBLE_COUNT,
    LONG,
    LOST_JOB,
    PUBSUB,
    SAMPLES,
    any_run,
)

from raceproof.draw import transcript
from raceproof.draw.narration import lines, width
from raceproof.trace.steps import Run, Step

drawn = import_module("raceproof.draw.transcript")

GOLDEN = {
    "lost job": """
  | producer       | worker                                        | janitor
--+----------------+-----------------------------------------------+-------------------
1 | > LPUSH jobs a |                                               |
  | (integer) 1    |                                               |
  | ■ done         |                                               |
2 |                | > BRPOP jobs 0                                |                    ◀
  |                | ✗ dies before the reply ["jobs", "a"] arrives |
3 |                |                                               | > LRANGE jobs 0 -1
  |                |                                               | []
  |                |                                               | # found nothing
  |                |                                               | ■ done
--+----------------+-----------------------------------------------+-------------------
◀ step 2: from here on, every continuation ends broken
✗ broken: job a was queued and never done: 0 of 1 jobs ran
""",
    "dead writer": """
  | writer                                         | reader
--+------------------------------------------------+----------------------------------------------
1 |                                                | redis> SUBSCRIBE room:dogs
2 |                                                | SUBSCRIBE room:dogs takes effect
3 |                                                | sql> SELECT * FROM messages WHERE room =
  |                                                |   'dogs' ORDER BY id
  |                                                | []
4 | sql> INSERT INTO messages (room, author, text) |
  |   VALUES ('dogs', 'ann', 'hello')              |
  | 1 row                                          |
5 | redis> PUBLISH room:dogs hello                 |                                               ◀
  | ✗ dies before the call takes effect            |
  |                                                | … waits for ever: a message on room:dogs
--+------------------------------------------------+----------------------------------------------
◀ step 5: from here on, every continuation ends broken
✗ broken: the reader never saw "hello", which is in the history
""",
    "pubsub": """
  | producer                  | consumer 1                    | consumer 2
--+---------------------------+-------------------------------+------------------------------
1 |                           | > SUBSCRIBE #dogfacts         |
  |                           | ["subscribe", "#dogfacts", 1] |
2 |                           |                               | > SUBSCRIBE #dogfacts
  |                           |                               | ["subscribe", "#dogfacts", 1]
3 | > PUBLISH #dogfacts hello |                               |
  | (integer) 2               |                               |
  | ■ done                    |                               |
4 |                           | ← message "hello"             |
  |                           | # saw hello                   |
5 |                           |                               | ← message "hello"
  |                           |                               | # saw hello
""",
    "double count": """
  | visitor                                        | flusher
--+------------------------------------------------+----------------------------------------------
1 | redis> INCR hits:12                            |
  | (integer) 1                                    |
2 | redis> INCR hits:12                            |                                               ◀
  | reply (integer) 2 lost: sees a connection      |
  |   error                                        |
3 | redis> INCR hits:12                            |
  | (integer) 3                                    |
  | ■ done                                         |
4 |                                                | redis> GETDEL hits:12
  |                                                | "3"
5 |                                                | sql> UPDATE hits SET n = n + 3 WHERE hour =
  |                                                |   12
  |                                                | request lost: sees a connection error
6 | … 30 s pass
7 |                                                | redis> BRPOP wake 30
  |                                                | waits … gives up
  |                                                | (nil)
8 |                                                | sql> UPDATE hits SET n = n + 3 WHERE hour =
  |                                                |   12
  |                                                | takes effect only now, unanswered
--+------------------------------------------------+----------------------------------------------
◀ step 2: from here on, every continuation ends broken
✗ broken: the page was hit 2 times, SQL says 3
""",
    "deadlock": """
  | left                              | right
--+-----------------------------------+----------------------------------
1 | > SET lock:a left NX              |
  | OK                                |
2 |                                   | > SET lock:b right NX             ◀
  |                                   | OK
  | … waits for ever: BLPOP freed:b 0 |
  |                                   | … waits for ever: BLPOP freed:a 0
--+-----------------------------------+----------------------------------
◀ step 2: from here on, every continuation ends broken
✗ broken: nobody can move: left waits for lock:b, right waits for lock:a
""",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_text_is_this(name: str) -> None:
    assert f"\n{transcript(SAMPLES[name])}\n" == GOLDEN[name]


def test_25_steps_of_4_actors_fit_100_columns_and_keep_every_word() -> None:
    text = str(transcript(LONG))
    assert all(width(line) <= 100 for line in text.splitlines())
    for number in range(1, 26):
        assert f"\n{number:>2} | " in text
    rows = [line.split("|")[1:] for line in text.splitlines() if " |" in line]
    for column, actor in enumerate(LONG.actors):
        told = "".join(row[column].replace("◀", "") for row in rows).replace(" ", "")
        wanted = [s.call for s in LONG.steps if s.actor == actor]
        for call in wanted:
            place = told.find(call.replace(" ", ""))
            assert place >= 0, call
            told = told[place:]


def test_a_narrow_transcript_wraps_and_ends_long_text_in_an_ellipsis() -> None:
    long = Run(("a", "b"), ("redis",), (Step("a", "redis", "SET k " + "x" * 500, "OK"),))
    text = str(transcript(long, 60))
    assert "…" in text
    assert max(width(line) for line in text.splitlines()) <= 60
    assert len(text.splitlines()) == 2 + 6 + 1


def test_what_is_far_beyond_the_last_line_is_not_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a page that somebody notes takes minutes."""
    seen: list[int] = []
    monkeypatch.setattr(drawn, "width", lambda text: seen.append(len(text)) or width(text))
    assert len(drawn.wrap("x" * 100_000, 60, "  ")) == 6
    assert max(seen) <= 4 * 60 * 6 + 2


def test_signs_without_width_take_no_room() -> None:
    text = "e\u0301" * 60
    assert drawn.wrap(text, 60, "  ") == [text]


def test_wide_characters_keep_the_columns_in_line() -> None:
    run = Run(("a", "b"), ("redis",), (Step("a", "redis", "SET k 日本語", "OK"),) * 2)
    bars = {
        tuple(at for at in range(len(line)) if width(line[:at]) and line[at] == "|")
        for line in str(transcript(run)).splitlines()
        if "日" not in line and "|" in line
    }
    assert len(bars) == 1
    (bar,) = {at[-1] for at in bars}
    wide = next(line for line in str(transcript(run)).splitlines() if "日" in line)
    assert width(wide[: wide.rindex("|")]) == bar


def test_what_no_terminal_can_show_is_escaped() -> None:
    run = Run(("a",), ("redis",), (Step("a", "redis", "SET k \x00\ud800\x1b[31m\nb", "OK"),))
    text = str(transcript(run))
    text.encode()
    assert r"SET k \x00\ud800\x1b[31m b" in text


class _Cells(HTMLParser):
    """Collects the rows of a table: (tag, scope, text) for each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[list[str]]] = []
        self.tags: list[str] = []
        self._open: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._open = [tag, dict(attrs).get("scope") or "", ""]
            self.rows[-1].append(self._open)
        if tag == "br" and self._open:
            self._open[2] += "\n"

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open[2] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = None


def cells(run: Run) -> _Cells:
    """Return the parsed HTML of a run's transcript."""
    parser = _Cells()
    parser.feed(transcript(run)._repr_html_())
    return parser


@pytest.mark.parametrize("run", SAMPLES.values(), ids=SAMPLES)
def test_html_has_every_step_in_order_in_its_column(run: Run) -> None:
    found = cells(run)
    head, *body = found.rows
    assert [cell[1:] for cell in head] == [["col", "step"], *(["col", a] for a in run.actors)]
    for number, (step, row) in enumerate(zip(run.steps, body, strict=False)):
        assert row[0][:2] == ["th", "row"]
        assert row[0][2].startswith(str(number + 1))
        assert ("breaks here" in row[0][2]) == (number == run.breaks_at)
        if step.fate == "tick":
            continue
        for actor, cell in zip(run.actors, row[1:], strict=True):
            assert bool(cell[2]) == (actor == step.actor)
            if actor == step.actor:
                for line in lines(step):
                    assert line.text in cell[2]
    assert not {"script", "style", "div"} & set(found.tags)
    assert "caption" in found.tags


def test_html_says_in_words_what_a_host_without_styles_would_lose() -> None:
    html = transcript(LOST_JOB)._repr_html_()
    for words in ("2 ◀ breaks here", "✗ dies before the reply", "✗ broken: job a was queued"):
        assert words in html
    assert "waits for ever: <code>BLPOP freed:b 0</code>" in transcript(DEADLOCK)._repr_html_()


def test_html_escapes_what_came_from_outside() -> None:
    nasty = "<script>alert(1)</script>&"
    run = Run((nasty,), ("s",), (Step(nasty, "s", nasty, nasty, said=(nasty,)),), nasty, 0)
    html = transcript(run)._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;") == 5


def test_a_prompt_names_the_store_only_where_there_are_several() -> None:
    assert "> INCR" in str(transcript(DOUBLE_COUNT))
    assert "redis> INCR hits:12" in str(transcript(DOUBLE_COUNT))
    assert "redis>" not in str(transcript(PUBSUB))


def test_a_notebook_gets_text_and_html() -> None:
    bundle = transcript(PUBSUB)._repr_mimebundle_()
    assert bundle == {
        "text/plain": str(transcript(PUBSUB)),
        "text/html": transcript(PUBSUB)._repr_html_(),
    }


@settings(deadline=None, max_examples=60)
@given(any_run(), st.integers(40, 140))
def test_any_run_has_all_its_steps_and_equal_runs_equal_text(run: Run, room: int) -> None:
    text = str(transcript(run, room))
    assert text == str(transcript(run, room))
    numbers = [line.split("|")[0].strip() for line in text.splitlines() if "|" in line]
    assert [int(n) for n in numbers if n.isdigit()] == list(range(1, len(run.steps) + 1))
    text.encode()
    least = 14 * len(run.actors) + 3 * len(run.actors) + 6
    assert all(width(line) <= max(room, least) for line in text.splitlines())
