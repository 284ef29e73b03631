"""What happens in a step, in words: the one vocabulary of transcript, diagram and alt text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from raceproof.trace.steps import Run, Step

Kind = Literal["call", "reply", "fate", "note", "end"]
MARK = "◀"
BREAKS = "from here on, every continuation ends broken"
CROSS = "✗"


@dataclass(frozen=True)
class Line:
    """One line of a step: a call, its reply, a fate in words, a note, or how the actor ended."""

    kind: Kind
    text: str


def lines(step: Step) -> tuple[Line, ...]:
    """Return the lines of a step, in the order in which they happen.

    A call comes without its prompt; a note and an end come without their signs.
    """
    call, reply = printable(step.call), printable(step.reply)
    found = [Line("call", call)] if call and step.fate not in _NO_CALL else []
    found += [Line(kind, text) for kind, text in _FATES[step.fate](call, reply) if text]
    found += [Line("note", printable(note)) for note in step.said]
    if step.ended and not step.kills:
        found.append(Line("end", printable(step.ended)))
    return tuple(found)


def prompt(run: Run, step: Step) -> str:
    """Return `> `, or `redis> ` where a run has several stores; nothing without a store."""
    several = len({other.store for other in run.steps if other.store}) > 1
    return "" if not step.store else f"{step.store}> " if several else "> "


_NO_CALL = ("delivery", "subscribed", "tick")
_CUT_OFF = "sees a connection error"
_FATES: dict[str, Callable[[str, str], list[tuple[Kind, str]]]] = {
    "answered": lambda call, reply: [("reply", reply)],
    "crash-before": lambda call, reply: [("fate", f"{CROSS} dies before the call takes effect")],
    "crash-after": lambda call, reply: [("fate", f"{CROSS} dies before the {_of(reply)}arrives")],
    "request-lost": lambda call, reply: [("fate", f"request lost: {_CUT_OFF}")],
    "reply-lost": lambda call, reply: [("fate", f"{_of(reply)}lost: {_CUT_OFF}")],
    "timed-out": lambda call, reply: [("fate", "waits … gives up"), ("reply", reply)],
    "delivery": lambda call, reply: [("fate", f"← {call}"), ("reply", reply)],
    "subscribed": lambda call, reply: [("fate", _effect(call)), ("reply", reply)],
    "tick": lambda call, reply: [("fate", f"… {call or 'time passes'}"), ("reply", reply)],
    "late": lambda call, reply: [("fate", "takes effect only now, unanswered")],
}


def _of(reply: str) -> str:
    return f"reply {reply} " if reply else "reply "


def _effect(call: str) -> str:
    return call if call.endswith("takes effect") else f"{call} takes effect"


def sentence(step: Step) -> str:
    """Return the step as a sentence for somebody who cannot see the picture."""
    call, reply = printable(step.call), printable(step.reply)
    told = {
        "answered": f"{step.actor} "
        + (f"sends {call} to {step.store}" if step.store else call)
        + (f" and is answered {reply}" if reply else ""),
        "crash-before": f"{step.actor} dies before its {call} takes effect on {step.store}",
        "crash-after": f"{step.actor} sends {call} to {step.store}, which takes effect, "
        f"and dies before the {_of(reply)}arrives",
        "request-lost": f"{step.actor} sends {call} to {step.store}; the request is lost "
        "and it sees a connection error",
        "reply-lost": f"{step.actor} sends {call} to {step.store}, which takes effect; "
        f"the {_of(reply)}is lost and it sees a connection error",
        "timed-out": f"{step.actor} waits in {call} on {step.store} and gives up",
        "delivery": f"{step.store} delivers {call} to {step.actor}",
        "subscribed": f"{step.actor}'s {_effect(call)} on {step.store}",
        "tick": f"{call or 'time passes'}",
        "late": f"{step.actor}'s {call} takes effect on {step.store} only now, "
        "when no client waits for the reply",
    }[step.fate]
    notes = "".join(f"; it notes: {printable(note)}" for note in step.said)
    end = f"; it ends: {printable(step.ended)}" if step.ended and not step.kills else ""
    return f"{told}{notes}{end}."


def describe(run: Run, what: str) -> str:
    """Return the whole run in sentences: the alt text of a picture of it."""
    told = [f"{what} of {_count(len(run.steps), 'step')} by {_and(run.actors)}"]
    told[0] += f" on {_and(run.stores)}." if run.stores else "."
    told += [f"Step {n}: {sentence(step)}" for n, step in enumerate(run.steps, 1)]
    told += [f"At the end {who} waits for ever: {printable(why)}." for who, why in run.waiting]
    if run.breaks_at is not None:
        told.append(f"It goes wrong at step {run.breaks_at + 1}: {BREAKS}.")
    if run.violation is not None:
        told.append(f"Broken: {printable(run.violation)}.".replace("..", "."))
    return " ".join(told)


def printable(text: str) -> str:
    """Return the text on one line, with what no terminal can show as escapes."""
    return "".join(
        c if c.isprintable() else " " if c.isspace() else ascii(c)[1:-1] for c in text
    ).strip()


def width(text: str) -> int:
    """Return how many terminal cells the text takes."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "nobody"
