"""The table, the figure and the file of `benches/searches.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from benches.compared.pages import Row, fenced
from benches.compared.pages import write as write_page
from benches.compared.ratios import as_text, middle, spread
from benches.search_programs.programs import BROKEN, CUT, HOLDS, UNDECIDED, Program
from benches.search_programs.trials import Found, Search

from raceproof import draw

OUTSIDE = "outside"  # what a search is not for


def judge(program: Program, search: Search, found: Sequence[Found], ours: Sequence[Found]) -> Row:
    """Return what a search said of a program in all rounds, the worst of them, and how long.

    A ratio is to the seconds that ours took in the same round.
    """
    verdicts = [one["verdict"] for one in found]
    worst = next((said for said in verdicts if said != program.truth), program.truth)
    seconds = [one["seconds"] for one in found]
    row: Row = {"program": program.name, "truth": program.truth, "search": search.name}
    row |= {"verdict": worst, "rounds": len(found), "seconds": middle(seconds, 2)}
    both = min(len(found), len(ours))
    row |= spread(seconds[:both], [one["seconds"] for one in ours[:both]])
    return {**row, "judged": judged(program, search, worst), "said": found[0]["said"]}


def judged(program: Program, search: Search, verdict: str) -> str:
    """Say whether a verdict is right: a wrong "holds" is the worst that a search can say."""
    if program.crashes and not search.has_crashes:
        return OUTSIDE
    if verdict == program.truth:
        return "right"
    known = {HOLDS: 'a wrong "holds"', BROKEN: 'a wrong "broken"'}
    return known.get(verdict, "not decided" if verdict in (CUT, UNDECIDED) else "an error")


def counts(rows: list[Row], search: str) -> dict[str, int]:
    """How many programs a search judged in each way."""
    found: dict[str, int] = {}
    for row in rows:
        if row["search"] == search:
            found[row["judged"]] = found.get(row["judged"], 0) + 1
    return found


def table(rows: list[Row]) -> draw.Table:
    """Return a line for each program, with what each search says and how long it took."""
    names = list(dict.fromkeys(row["search"] for row in rows))
    by = {(row["program"], row["search"]): row for row in rows}
    cells = []
    for program in dict.fromkeys(row["program"] for row in rows):
        line = [program, by[program, names[0]]["truth"]]
        for name in names:
            row = by[program, name]
            mark = "" if row["judged"] in ("right", OUTSIDE) else f", {row['judged']}"
            said = f"({row['verdict']}: {OUTSIDE})" if row["judged"] == OUTSIDE else row["verdict"]
            line += [said + mark, f"{row['seconds']:.2f} s"]
            line += [as_text(row)] if name != names[0] else []
        cells.append(line)
    columns = ["program", "it is"]
    for name in names:
        columns += [name, "takes"] + (["times ours (rounds)"] if name != names[0] else [])
    return draw.table(columns, cells, caption="Eight small programs, searched")


def figure(rows: list[Row]) -> draw.Picture:
    """Draw how long each search took for each program; a verdict that is not right is said."""
    names = list(dict.fromkeys(row["search"] for row in rows))
    programs = list(dict.fromkeys(row["program"] for row in rows))
    by = {(row["program"], row["search"]): row for row in rows}
    with draw.style():
        fig, ax = plt.subplots(figsize=(9, 5))
        high = 0.8 / len(names)
        for number, name in enumerate(names):
            places = [at + number * high for at in range(len(programs))]
            values = [by[program, name]["seconds"] for program in programs]
            bars = ax.barh(places, values, high, color=draw.colour(number), label=name)
            said = [
                "" if by[program, name]["judged"] == "right" else by[program, name]["judged"]
                for program in programs
            ]
            ax.bar_label(bars, said, padding=4, fontsize=8)
        ax.set_yticks([at + 0.4 - high / 2 for at in range(len(programs))], programs)
        ax.set(xscale="log", xlabel="seconds for one search (log)")
        ax.set_xlim(right=max(row["seconds"] for row in rows) * 15)
        ax.invert_yaxis()
        ax.legend(loc="lower right", fontsize=8)
        ax.grid(axis="y", visible=False)
    right = [f"{name}: {counts(rows, name).get('right', 0)}" for name in names]
    return draw.show(
        fig,
        title=f"Right about so many of {len(programs)} programs: " + ", ".join(right),
        alt="A bar chart of eight programs with a bar for each search: how many seconds it took. "
        "Where a verdict is not right, or a search is not for such a program, the bar says so.",
    )


def write(rows: list[Row], how: dict[str, Any], on: dict[str, Any]) -> None:
    """Write the file that tests are held against, the table and the figure."""
    about = "Both searches get the same functions. *Outside*: frontrun has no clients that die, so "
    about += "that none of its schedules breaks this one says nothing against it. frontrun is run "
    about += "as its documentation has it: `frontrun.explore` with its defaults under its command, "
    about += "each worker with a client of its own; in processes with workers that are kept. Where "
    about += "a worker waits in PostgreSQL for what another has locked, it often cannot tell, "
    about += "with time-outs of 18 s too. What takes 20 s is cut short; it says "
    about += "`property_holds=True` then too, and that is not counted as a wrong verdict here."
    found = {"machine": on, "how": how, "rows": rows}
    body = f"{about}\n\n{fenced(table(rows))}"
    write_page("searches", "Searches side by side", found, body, figure(rows))
