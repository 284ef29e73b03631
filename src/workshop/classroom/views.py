"""What each client is given, put together from parts: the board, and the root of the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patterns.mixins import ContextProviders
from workshop.classroom.board import EVERYBODY, STAFF, Board, Row
from workshop.classroom.joining import LEARNER, User
from workshop.classroom.opening import Opening, digest_of
from workshop.exercises.catalogue import NAMES as EXERCISES

Part = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """Who looks at which board."""

    board: Board
    user: User

    @property
    def is_learner(self) -> bool:
        """Whether this is a learner, who sees their own row and how many have solved what."""
        return LEARNER in self.user.scopes

    @property
    def topics(self) -> set[str]:
        """What changes this view."""
        return {EVERYBODY, self.user.id} if self.is_learner else {EVERYBODY, STAFF}

    @property
    def tag(self) -> str:
        """The ETag: the same as long as the view shows the same, on every server.

        Solves and attempts are only ever added, so that their numbers say whether there are more.
        """
        board, row = self.board, self.board.rows.get(self.user.id) or Row()
        people, solves, _, calls = board.shared
        seen: tuple[object, ...] = (board.named, board.solves, board.tried, board.calls)
        if self.is_learner:
            own = board.open_calls.get(self.user.id)
            seen = (len(row.solved), sum(row.tried.values()), people, solves, calls, own)
        version = board.notice.version if board.notice else ""
        return f'"{digest_of(version, repr(seen))[:16]}"'

    def shown(self) -> dict[str, Any]:
        """The board as this user sees it."""
        return dict((LEARNER_BOARD if self.is_learner else STAFF_BOARD).collect(self))

    def as_json(self) -> str:
        """The same as JSON. Of a grid, only the rows that have changed are made anew."""
        if self.is_learner:
            return json.dumps(self.shown())
        for learner, row in self.board.rows.items():
            row.text = row.text or json.dumps(_row(learner, row))
        rows = ", ".join(row.text for _, row in _by_name(self.board))
        rest = json.dumps(dict(BESIDE_THE_GRID.collect(self)))
        return f'{rest[:-1]}, "learners": [{rows}]}}'


def now(view: View) -> Part:
    """What we do now and until when."""
    found = view.board.notice.value if view.board.notice else {"doing": "", "ends_at": None}
    return {"doing": found["doing"], "ends_at": found["ends_at"]}


def exercises(view: View) -> Part:
    """The columns of the grid."""
    return {"exercises": list(EXERCISES)}


def own_row(view: View) -> Part:
    """The learner's own row."""
    row = view.board.rows.get(view.user.id) or Row(view.user.name)
    return {"learners": [_row(view.user.id, row)]}


def own_call(view: View) -> Part:
    """The learner's open call for help, if there is one: who comes, or how many are before it."""
    board, found = view.board, view.board.open_calls.get(view.user.id)
    if found is None:
        return {"call": None}
    helper = found["helper"]
    by = board.helpers.get(helper, "The instructor") if helper else ""
    return {"call": {"before": found["before"], "helper": by}}


def grid(view: View) -> Part:
    """Everybody's row, by name."""
    return {"learners": [_row(learner, row) for learner, row in _by_name(view.board)]}


def others(view: View) -> Part:
    """How many there are, how many solved what, and who waits for help: as of a moment ago."""
    people, _, solved_by, calls = view.board.shared
    return {"people": people, "solved_by": solved_by, "calls": calls}


def totals(view: View) -> Part:
    """The same as of now."""
    board = view.board
    return {"people": len(board.rows), "solved_by": dict(board.solved_by), "calls": board.calls}


LEARNER_BOARD = ContextProviders(now, exercises, own_row, own_call, others)
STAFF_BOARD = ContextProviders(now, exercises, grid, totals)
BESIDE_THE_GRID = STAFF_BOARD.without("grid")


@dataclass(frozen=True)
class Visitor:
    """Who asks for the root of the API, in which class, and what they may reach."""

    user: User
    opening: Opening
    links: Mapping[str, str]


def me(visitor: Visitor) -> Part:
    """Who the token's owner is."""
    user = visitor.user
    return {"id": user.id, "name": user.name, "scopes": sorted(user.scopes)}


def personal_code(visitor: Visitor) -> Part:
    """The code with which a person joins again, from another device, under the same name."""
    user = visitor.user
    person = user.id if ":" in user.id else f"{LEARNER}:{user.id}"
    return {"personal_code": visitor.opening.personal_code(person)}


def links(visitor: Visitor) -> Part:
    """The routes that the token opens."""
    return {"links": dict(visitor.links)}


def codes(visitor: Visitor) -> Part:
    """The codes to join by."""
    return {"join_code": visitor.opening.join_code, "helper_code": visitor.opening.helper_code}


ROOT = ContextProviders(me, links, personal_code)
INSTRUCTOR_ROOT = ROOT.without("personal_code").with_(codes)


def _by_name(board: Board) -> list[tuple[str, Row]]:
    return sorted(board.rows.items(), key=lambda item: (item[1].name, item[0]))


def _row(learner: str, row: Row) -> dict[str, Any]:
    unsolved = {name: times for name, times in row.tried.items() if name not in row.solved}
    return {
        "id": learner,
        "name": row.name,
        "solved": row.solved,
        "tried": {name: {"times": n, "said": row.said[name]} for name, n in unsolved.items()},
    }
