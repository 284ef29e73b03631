"""The shapes of what is sent and answered, as JSON Schema: checked, and published."""

from __future__ import annotations

from typing import Any

from workshop.exercises.catalogue import NAMES as EXERCISES

Schema = dict[str, Any]

NO_NUL: Schema = {"not": {"pattern": r"\x00"}}  # which SQL does not store
TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r"\S", **NO_NUL}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
STRING: Schema = {"type": "string"}
TIME: Schema = {"type": "number", "description": "seconds since 1970, UTC"}
CALL: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}-[0-9]{1,9}$"}
EXERCISE: Schema = {"type": "string", "enum": list(EXERCISES)}


def an_object(required: Schema, **optional: Schema) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def by_name(values: Schema) -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": values}


def a_list(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


PROBLEM = an_object({"type": STRING, "title": STRING, "status": COUNT, "detail": STRING})
ME = an_object({"id": STRING, "name": STRING, "scopes": a_list(STRING)}, personal_code=STRING)
ROOT = an_object(
    {"id": STRING, "name": STRING, "scopes": a_list(STRING), "links": by_name(STRING)},
    personal_code=STRING,
    join_code=STRING,
    helper_code=STRING,
)
TRIED = an_object({"times": COUNT, "said": STRING})
ROW = an_object({"id": STRING, "name": STRING, "solved": by_name(TIME), "tried": by_name(TRIED)})
BOARD = an_object(
    {
        "doing": STRING,
        "ends_at": or_null(TIME),
        "exercises": a_list(STRING),
        "learners": a_list(ROW),
        "people": COUNT,
        "solved_by": by_name(COUNT),
        "calls": an_object({"waiting": COUNT, "held": COUNT}),
    },
    call=or_null(an_object({"before": COUNT, "helper": STRING})),
)
NEW_BOARD = an_object(
    {"doing": {"type": "string", "maxLength": 200}},
    minutes={"type": "number", "minimum": 0, "maximum": 600},
)
ATTEMPT = an_object(
    {"exercise": EXERCISE, "passed": {"type": "boolean"}},
    verdict={"type": "string", "maxLength": 300},
    at={
        **TIME,
        "description": "seconds since 1970, UTC, of an attempt that is reported later. A time "
        "before its learner joined is taken as that moment, one to come as now: no clock that "
        "is wrong loses an attempt, and none makes it older than its learner.",
    },
)
ATTEMPTED = an_object({"first_solved_at": or_null(TIME)})
ATTEMPTS = an_object(
    {"attempts": a_list(an_object({"minute": TIME, "exercise": STRING, "attempts": COUNT}))}
)
MESSAGE = an_object({"number": COUNT, "author": STRING, "name": STRING, "text": STRING})
MESSAGES = an_object({"messages": a_list(MESSAGE)})
SAY = an_object({"text": TEXT})
SAID = an_object({"number": COUNT})
CALLED = an_object({"call": STRING})
HELD = an_object({"call": CALL, "lease": NUMBER, "learner": STRING, "name": STRING, "text": STRING})
