"""The tables, the figure and the file of `benches/notice_boards.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from benches.compared.costs import Cost
from benches.compared.pages import Row, fenced
from benches.compared.pages import write as write_page
from benches.compared.ratios import as_text, middle, spread
from benches.waiting_readers.posting import BARE, OURS
from benches.waiting_readers.reading import Reading
from benches.waiting_readers.waking import Waking

from raceproof import draw

WANTED = 50.0  # ms until the last but ten of a thousand browsers is answered


def posts(found: Mapping[str, Sequence[Cost]]) -> list[Row]:
    """Return a row for each way to post; a ratio is of processor time, to PUBLISH."""
    rows = []
    base = [cost.both for cost in found[BARE]]
    for name, costs in found.items():
        row = {"way": name, "posts a second": round(middle([c.per_second for c in costs]))}
        row |= {"client": middle([c.here for c in costs])}
        row |= {"server": middle([c.server for c in costs])}
        rows.append(row | spread([c.both for c in costs], base))
    return rows


def reads(found: Mapping[str, Sequence[Reading]]) -> list[Row]:
    """Return a row for each way to wait for a post."""
    return [
        {"way": name}
        | {part: middle([getattr(one, part) for one in all_], 2) for part in ("p50", "p99")}
        | {part: middle([getattr(one, part) for one in all_]) for part in ("requests", "cpu")}
        for name, all_ in found.items()
    ]


def wakes(found: Mapping[tuple[str, int], Sequence[Waking]]) -> list[Row]:
    """Return a row for each server and number of browsers, with the spread of the last answers."""
    rows = []
    for (http, browsers), all_ in found.items():
        row: Row = {"http": http, "browsers": browsers}
        row |= {part: middle([getattr(o, part) for o in all_]) for part in ("first", "p50", "p99")}
        late = [one.p99 for one in all_]
        row |= {"least": round(min(late), 1), "most": round(max(late), 1)}
        rows.append(row | {"cpu": middle([one.cpu for one in all_])})
    return rows


def tables(found: dict[str, list[Row]]) -> list[draw.Table]:
    """Return what is shown."""
    posting = [
        [r["way"], f"{r['posts a second']:,}", f"{r['client']} µs", f"{r['server']} µs", as_text(r)]
        for r in found["posts"]
    ]
    reading = [
        [r["way"], f"{r['p50']} ms", f"{r['p99']} ms", f"{r['requests']:.1f}", f"{r['cpu']} ms"]
        for r in found["reads"]
    ]
    waking = [
        [f"uvicorn, {r['http']}", f"{r['browsers']:,}", f"{r['first']} ms", f"{r['p50']} ms",
         f"{r['p99']} ms ({r['least']} to {r['most']})", f"{r['cpu']} ms"]
        for r in found["wakes"]
    ]  # fmt: skip
    post = ["way", "posts/s", "client CPU", "server CPU", "CPU, times PUBLISH (rounds)"]
    read = ["reader", "post to seen, p50", "p99", "requests/s", "its CPU a second"]
    wake = ["page's server", "browsers", "first answer", "p50", "p99 (rounds)", "its CPU"]
    return [
        draw.table(post, posting, caption="What a post takes"),
        draw.table(read, reading, caption="How soon a reader sees it"),
        draw.table(wake, waking, caption="Browsers that wait for one board, and one post"),
    ]


def figure(found: dict[str, list[Row]]) -> draw.Picture:
    """Draw what a post takes, what a reader gets for what it asks, and a thousand browsers."""
    with draw.style():
        fig, (left, mid, right) = plt.subplots(1, 3, figsize=(12, 3.6))
        rows = found["posts"]
        names = [row["way"] for row in rows]
        spreads = [[r["times"] - r["least"] for r in rows], [r["most"] - r["times"] for r in rows]]
        colours = [draw.colour(0) if name == OURS else draw.colour(4) for name in names]
        left.barh(names, [row["times"] for row in rows], xerr=spreads, color=colours)
        left.set(xlabel="CPU of a post, times PUBLISH")
        left.invert_yaxis()
        for row in found["reads"]:
            ours = row["way"] == "NoticeBoard.watch"
            mid.plot(row["requests"] + 0.1, row["p50"], "o", color=draw.colour(0 if ours else 4))
            mid.annotate(row["way"], (row["requests"] + 0.1, row["p50"]), fontsize=7,
                         xytext=(4, 4), textcoords="offset points")  # fmt: skip
        mid.set(xscale="log", yscale="log", xlabel="requests a second (log)")
        mid.set(ylabel="ms from post to seen, p50 (log)")
        mid.set_xlim(right=max(row["requests"] for row in found["reads"]) * 30)
        most = max(row["browsers"] for row in found["wakes"])
        rows = [row for row in found["wakes"] if row["browsers"] == most]
        spreads = [[r["p99"] - r["least"] for r in rows], [r["most"] - r["p99"] for r in rows]]
        right.bar([row["http"] for row in rows], [row["p99"] for row in rows], yerr=spreads,
                  color=draw.colour(0), width=0.5)  # fmt: skip
        right.axhline(WANTED, color=draw.ACCENT)
        right.set(xlabel="what parses HTTP", ylabel=f"ms until 99 % of {most:,} are answered")
    return draw.show(
        fig,
        title="A reader of a board sees a post at once, and asks for little",
        alt="Three charts. Left, what a post takes of the processor, as a multiple of PUBLISH. "
        "Middle, milliseconds from post to seen against requests a second for each kind of reader. "
        "Right, how long until nearly all of the waiting browsers are answered, for two parsers of "
        "HTTP, with a line at 50 ms.",
    )


def write(found: dict[str, Any]) -> None:
    """Write the file that tests and texts are held against, the tables and the figure."""
    shown = "\n".join(fenced(table) for table in tables(found))
    about = "CPU is processor time: of a call in the client's process and in redis-server; of a "
    about += "reader's process, and of the page's server, in milliseconds. *A script: number, set, "
    about += "announce* is the least that a board with versions does; `NoticeBoard.post` checks "
    about += "the value, and keeps a hundred keys so that a post that is repeated counts once. "
    about += "Who SUBSCRIBEs misses what is posted while it is away. The page's server, the "
    about += "browsers and who posts are three processes."
    write_page("notice_boards", "Notice boards", found, f"{about}\n\n{shown}", figure(found))
