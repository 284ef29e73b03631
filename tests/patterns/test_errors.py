"""Every error of the patterns can be handed on: to another process, by pickle, and as a copy."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from types import ModuleType

import pytest

from patterns import counters, mixins, notice_boards, pubsub, queues, transfers

PATTERNS = (counters, mixins, notice_boards, pubsub, queues, transfers)
LONG = "x" * 1_000
ERRORS: list[BaseException] = [
    counters.MalformedCount("counter:{views/60}:open", "0:front", LONG),
    mixins.BrokenRule(dict, (mixins.BrokenLink(dict, 1, "it does not call super()"),)),
    mixins.KeyConflict("cart", "one", "other"),
    mixins.MalformedContext("'one' gave 3, not a mapping of string keys"),
    notice_boards.KeyAlreadyUsed("k", "7-3f9a0c4418d2e6b5"),
    notice_boards.MalformedNotice("board:{a}", [None, LONG]),
    notice_boards.ValueTooLong(70_000),
    pubsub.KeyAlreadyUsed("k", pubsub.Message(7, "ann", "hello")),
    pubsub.MalformedMessage("room:a", LONG),
    queues.KeyAlreadyUsed("k"),
    queues.LeaseLost(queues.Job("k", "p", 2, "w1")),
    transfers.InsufficientFunds("alice", 20, 21),
    transfers.InvalidAccount("there is no account 'zoe': open() it first"),
    transfers.InvalidAmount("an amount is a whole number of cents"),
    transfers.InvalidKey("a key is a string of 1 to 100 characters"),
    transfers.KeyAlreadyUsed("k"),
    transfers.NotAtHome("bob@south is not an account of north"),
    transfers.SeveralCopies(3),
    transfers.TooBusy("alice:7 was taken 100 times running"),
]
HANDED_ON: dict[str, Callable[[BaseException], BaseException]] = {
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def errors_of(pattern: ModuleType) -> set[type]:
    public = [getattr(pattern, name) for name in pattern.__all__]
    return {it for it in public if isinstance(it, type) and issubclass(it, BaseException)}


def test_every_public_error_is_here() -> None:
    assert {type(error) for error in ERRORS} == set().union(*map(errors_of, PATTERNS))


@pytest.mark.parametrize("how", HANDED_ON)
@pytest.mark.parametrize(
    "error", ERRORS, ids=lambda e: f"{type(e).__module__.split('.')[1]}.{type(e).__name__}"
)
def test_what_is_handed_on_says_and_holds_the_same(error: BaseException, how: str) -> None:
    other = HANDED_ON[how](error)
    assert type(other) is type(error)
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_what_is_long_is_not_shown_whole(error: BaseException) -> None:
    assert len(str(error)) < 250
    assert ("..." in str(error)) is (LONG in repr(vars(error)))
