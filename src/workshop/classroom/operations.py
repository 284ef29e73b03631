"""Every route of the API, once: the application, its checks and its document are made from this."""

from __future__ import annotations

from workshop.classroom import board_routes, class_routes, message_routes
from workshop.classroom import schemas as shape
from workshop.classroom.asked import Operation
from workshop.classroom.joining import HELPER, INSTRUCTOR, LEARNER

ROOT = "/api/v1"
ANY = frozenset({LEARNER, HELPER, INSTRUCTOR})
LEARNERS, HELPERS = frozenset({LEARNER}), frozenset({HELPER})
INSTRUCTORS = frozenset({INSTRUCTOR})
WAIT: shape.Schema = {"type": "number", "minimum": 0, "maximum": 25}
AFTER: shape.Schema = {"type": "integer", "minimum": 0, "maximum": 10**9}

OPERATIONS = (
    Operation("GET", ROOT, "Who you are, and where you may go", ANY, board_routes.root,
              {200: shape.ROOT}),
    Operation("GET", f"{ROOT}/me", "Who you are", ANY, board_routes.me, {200: shape.ME}),
    Operation("GET", f"{ROOT}/board", "The board, once it is another than you have", ANY,
              board_routes.board, {200: shape.BOARD, 304: None}, {"wait": WAIT}, waits=True),
    Operation("PUT", f"{ROOT}/board", "What we do now", INSTRUCTORS, board_routes.set_board,
              {204: None}, body=shape.NEW_BOARD, keyed=True),
    Operation("POST", f"{ROOT}/attempts", "Report an attempt of yours", LEARNERS,
              board_routes.attempt, {201: shape.ATTEMPTED}, body=shape.ATTEMPT, keyed=True),
    Operation("GET", f"{ROOT}/attempts", "Attempts by minute and exercise", INSTRUCTORS,
              board_routes.attempts, {200: shape.ATTEMPTS}),
    Operation("GET", f"{ROOT}/messages", "The messages after a number, once there are any", ANY,
              message_routes.messages, {200: shape.MESSAGES}, {"after": AFTER, "wait": WAIT},
              waits=True),
    Operation("POST", f"{ROOT}/messages", "Say something to everybody", ANY, message_routes.say,
              {201: shape.SAID}, body=shape.SAY, keyed=True, errors=(409,)),
    Operation("POST", f"{ROOT}/calls", "Call for help; the open call, if you have one", LEARNERS,
              message_routes.call, {201: shape.CALLED}, body=shape.SAY, keyed=True, errors=(409,)),
    Operation("POST", f"{ROOT}/calls/next", "The call you have, or the next, once there is one",
              HELPERS, message_routes.next_call, {200: shape.HELD, 204: None}, {"wait": WAIT},
              waits=True),
    Operation("POST", f"{ROOT}/calls/{{call}}/renewal", "Keep a call", HELPERS,
              message_routes.renew, {204: None}, errors=(409,)),
    Operation("POST", f"{ROOT}/calls/{{call}}/done", "Finish a call", HELPERS,
              message_routes.done, {204: None}, keyed=True, errors=(409,)),
    Operation("POST", f"{ROOT}/calls/{{call}}/give-back", "Leave a call to another helper", HELPERS,
              message_routes.give_back, {204: None}, keyed=True, errors=(409,)),
    Operation("GET", f"{ROOT}/events", "The board and the messages, as they change", ANY,
              board_routes.events, {200: "text/event-stream"}, waits=True),
    Operation("GET", f"{ROOT}/class.csv", "Everybody's solves, as a table", INSTRUCTORS,
              class_routes.as_csv, {200: "text/csv"}),
    Operation("DELETE", f"{ROOT}/class", "Erase everything", INSTRUCTORS, class_routes.erase,
              {204: None}, keyed=True),
)  # fmt: skip
