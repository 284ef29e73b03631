"""The transcript as an HTML table that still reads well when a host strips every style."""

from __future__ import annotations

from html import escape

from raceproof.draw.narration import BREAKS, CROSS, MARK, Line, lines, printable, prompt
from raceproof.trace.steps import Run, Step

_CELL = ' style="text-align: left; vertical-align: top; padding: 0.25em 0.8em"'
_BAND = ' style="background: rgba(213, 94, 0, 0.18); border-left: 4px solid #d55e00"'
_TABLE = ' style="border-collapse: collapse; background: transparent; color: inherit"'
_CAPTION = ' style="caption-side: top; text-align: left; color: inherit; padding: 0.4em 0"'


def table(run: Run) -> str:
    """Return the run as a `<table>`: no script, no style sheet, no colour that alone says it."""
    head = "".join(f'<th scope="col"{_CELL}>{_safe(who)}</th>' for who in run.actors)
    body = [_row(run, number, step) for number, step in enumerate(run.steps)]
    body += [_waiting(run, who, why) for who, why in run.waiting]
    return "\n".join(
        [
            f"<table{_TABLE}>",
            f"<caption{_CAPTION}>{_caption(run)}</caption>",
            f'<thead><tr><th scope="col"{_CELL}>step</th>{head}</tr></thead>',
            "<tbody>",
            *body,
            "</tbody>",
            *_foot(run),
            "</table>",
        ]
    )


def _caption(run: Run) -> str:
    count = len(run.steps)
    told = f"A run of {count} step" + ("" if count == 1 else "s") + ", time running down"
    return told + (f"; step {run.breaks_at + 1} breaks it" if run.breaks_at is not None else "")


def _row(run: Run, number: int, step: Step) -> str:
    breaks = number == run.breaks_at
    label = f"{number + 1} {MARK} breaks here" if breaks else f"{number + 1}"
    cell = "<br>".join(_line(line, prompt(run, step)) for line in lines(step))
    return (
        f'<tr{_BAND if breaks else ""}><th scope="row"{_CELL}>{label}</th>'
        f"{_cells(run, step.actor, cell, whole=step.fate == 'tick')}</tr>"
    )


def _waiting(run: Run, who: str, why: str) -> str:
    cell = f"… waits for ever: <code>{_safe(why)}</code>"
    return f'<tr><th scope="row"{_CELL}>end</th>{_cells(run, who, cell, whole=False)}</tr>'


def _cells(run: Run, actor: str, cell: str, whole: bool) -> str:
    if whole or actor not in run.actors:
        return f'<td colspan="{len(run.actors)}"{_CELL}>{cell}</td>'
    return "".join(f"<td{_CELL}>{cell if who == actor else ''}</td>" for who in run.actors)


def _line(line: Line, sign: str) -> str:
    text = _safe(line.text)
    return {
        "call": f"<code>{escape(sign)}{text}</code>",
        "reply": f"<code>{text}</code>",
        "fate": f"<b>{text}</b>" if line.text.startswith(CROSS) else f"<i>{text}</i>",
        "note": f"<i># {text}</i>",
        "end": f"■ {text}",
    }[line.kind]


def _foot(run: Run) -> list[str]:
    told = []
    if run.breaks_at is not None:
        told.append(f"{MARK} step {run.breaks_at + 1}: {BREAKS}")
    if run.violation is not None:
        told.append(f"<b>{CROSS} broken: {_safe(run.violation)}</b>")
    if not told:
        return []
    span = len(run.actors) + 1
    return [f'<tfoot><tr><td colspan="{span}"{_CELL}>{"<br>".join(told)}</td></tr></tfoot>']


def _safe(text: str) -> str:
    return escape(printable(text))
