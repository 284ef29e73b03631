"""The marker: right answers pass, wrong ones get their own schedule, and nothing gets around it."""

from __future__ import annotations

import json
import linecache
import threading
import time
from dataclasses import dataclass, field

import pytest
import redis
from tests.conftest import redis_backends, redis_on

from raceproof import Journal, NoCallError, Violation, explore
from raceproof.search import budget
from raceproof.search import client_thread as client_module
from raceproof.wire.redis import looking
from workshop import services
from workshop.exercises import attempt, marking, numbers
from workshop.exercises.marking import Exercise, Prediction, mark


@dataclass
class Shop:
    redis: redis.Redis
    journal: Journal = field(default_factory=Journal)


# A verdict is the same on each Redis, but where it says what Redis does or answers.
on_each_redis = pytest.mark.parametrize("redis_client", redis_backends(), indirect=True)


@pytest.fixture(params=redis_backends()[-1:])
def redis_client(request, monkeypatch):
    """An empty Redis, on one backend where a test does not ask for each."""
    yield from redis_on(request.param, monkeypatch)


@pytest.fixture
def exercise(redis_client):
    """Count two visits in Redis, each exactly once, whatever the schedule."""

    def world():
        for key in redis_client.keys("*"):
            redis_client.delete(key)
        return Shop(redis_client)

    def both_count(world):
        if world.redis.get("n") != "2":
            raise Violation(f"2 visits, and the counter says {world.redis.get('n')}")

    return Exercise(
        "count the visits",
        searches=lambda hit: [
            dict(
                world=world,
                clients={"ann": lambda w: hit(w.redis), "bob": lambda w: hit(w.redis)},
                check=both_count,
            )
        ],
    )


def right(r):
    r.incr("n")


def wrong(r):
    r.set("n", int(r.get("n") or 0) + 1)


@on_each_redis
def test_a_right_answer_passes_with_the_number_of_schedules(exercise):
    verdict = mark(exercise, right)
    assert verdict.passed
    assert str(verdict) == "✓ Every schedule ends well. (2 schedules: none breaks it.)"


@on_each_redis
def test_a_wrong_answer_gets_its_own_shortest_schedule(exercise):
    verdict = mark(exercise, wrong)
    assert not verdict.passed
    assert verdict.sentence == (
        "Not yet: 2 visits, and the counter says 1. 4 of 6 schedules break it; the shortest:"
    )
    assert "GET n" in str(verdict)
    assert "<table" in verdict._repr_html_()
    assert [s.call for s in verdict.report.run.steps] == ["GET n", "GET n", "SET n 1", "SET n 1"]


def does_nothing(r):
    pass


def reads(r):
    r.get("n")


def returns_early(r):
    return
    r.incr("n")


def catches_everything(r):
    try:
        raise RuntimeError
    except BaseException:
        return


def raises(r):
    raise RuntimeError("I give up")


def wants_more(r, extra):
    r.incr("n")


def returns_a_constant(r):
    return "✓"


def exits(r):
    raise SystemExit


@pytest.mark.parametrize(
    "answer",
    [
        does_nothing,
        returns_early,
        catches_everything,
        raises,
        wants_more,
        returns_a_constant,
        exits,
        print,
        lambda *args, **kwargs: None,
    ],
    ids=lambda answer: answer.__name__,
)
def test_the_exercise_cannot_be_passed_without_doing_it(exercise, answer):
    verdict = mark(exercise, answer)
    assert not verdict.passed
    assert verdict.sentence.startswith("Not yet:")
    assert "Traceback" not in str(verdict)


@pytest.mark.parametrize(
    "answer", [None, 42, "code", [right], ...], ids=["nothing", "number", "text", "list", "dots"]
)
def test_what_is_no_function_is_asked_for_again(exercise, answer):
    verdict = mark(exercise, answer)
    assert not verdict.passed
    assert verdict.sentence.startswith("Hand in your function itself")


def test_an_endless_loop_of_calls_ends_with_an_explanation(exercise):
    def polls(r):
        while r.get("n") != "never":
            pass

    verdict = mark(exercise, polls)
    assert not verdict.passed
    assert "still going after" in verdict.sentence


def test_an_endless_loop_without_calls_ends_with_an_explanation(exercise, monkeypatch):
    monkeypatch.setattr(client_module, "PATIENCE", 0.1)

    def spins(r):
        while True:
            pass

    verdict = mark(exercise, spins)
    assert not verdict.passed
    assert "without calling a service" in verdict.sentence


def test_the_line_that_is_pointed_at_is_the_learners_not_a_librarys(exercise):
    """json's decoder raises; and what a library compiles calls its file `<string>`."""
    library = {}
    exec(compile("def convert(text):\n    return int(text)", "<string>", "exec"), library)

    def by_decoder(r):
        json.loads(r.get("n") or "{")

    def by_compiled(r):
        library["convert"](r.get("n") or "none")

    for answer in (by_decoder, by_compiled):
        first = answer.__code__.co_firstlineno
        assert f"(line {first + 1} of your cell: " in mark(exercise, answer).sentence
    exec(compile("def wants_nothing(): pass", "another cell", "exec"), library)
    assert "of your cell" not in mark(exercise, library["wants_nothing"]).sentence


def test_an_error_outside_the_learners_cell_shows_where_the_function_is_used(exercise):
    cell = "def twice(answer):\n    def client(world):\n        one, two = answer(world.redis)\n"
    name, space = "ipykernel, a cell of the notebook", {}
    linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
    exec(compile(f"{cell}    return client", name, "exec"), space)
    search = exercise.searches(lambda r: None)[0]
    used = Exercise("a pair", lambda answer: [{**search, "clients": {"a": space["twice"](answer)}}])
    said = mark(used, lambda r: r.incr("n") and (1, 2, 3)).sentence
    assert "too many values to unpack (expected 2) (where your function is used: `one, two" in said


def test_all_searches_of_an_exercise_together_have_the_time(exercise, monkeypatch):
    monkeypatch.setattr(marking, "SECONDS", 0.5)
    given, computed = [], [0.0]
    monkeypatch.setattr(budget, "process_time", lambda: computed[0])

    def searching(**search):
        given.append(search["seconds"])
        computed[0] += 0.3
        return explore(**search)

    monkeypatch.setattr(marking, "explore", searching)
    search = exercise.searches(right)[0]
    assert mark(Exercise("thrice", lambda answer: [search] * 3), right).passed
    assert 0.4 < given[0] <= 0.5
    assert given[0] - given[1] > 0.25
    assert given[2] == 0.1


@on_each_redis
def test_a_deadlock_ends_with_an_explanation(exercise):
    verdict = mark(exercise, lambda r: r.blpop("nothing", 0))
    assert not verdict.passed
    assert "deadlock" in verdict.sentence
    assert "waits for ever" in str(verdict).split("\n\n")[1]


def test_swallowing_the_crash_in_a_loop_does_not_hang(redis_client):
    def world():
        for key in redis_client.keys("*"):
            redis_client.delete(key)
        return Shop(redis_client)

    def check(world):
        if world.redis.get("n") != "1":
            raise Violation(f"n is {world.redis.get('n')}")

    def undead(w):
        while True:
            try:
                w.redis.incr("n")
                return
            except BaseException:
                pass

    exercise = Exercise(
        "survive", lambda answer: [dict(world=world, clients={"a": answer}, check=check, crashes=1)]
    )
    verdict = mark(exercise, undead)
    assert not verdict.passed
    assert verdict.sentence.startswith("Not yet: n is None")


@on_each_redis
@pytest.mark.parametrize("where", ["check", "always"])
def test_what_the_check_cannot_read_is_a_verdict_with_its_schedule(exercise, where):
    """It expects a string at "n"; the learner made a list of it."""

    def appends(r):
        r.rpush("n", 1)

    def reads(world):
        world.redis.get("n")

    search = {**exercise.searches(appends)[0], where: reads}
    verdict = mark(Exercise("read", lambda answer: [search]), appends)
    assert not verdict.passed
    assert verdict.sentence.startswith(
        "Not yet: the check cannot read what is stored (ResponseError: WRONGTYPE Operation"
    )
    assert "RPUSH n 1" in str(verdict)


def test_a_field_that_is_missing_for_the_check_is_a_verdict(exercise):
    def check(world):
        assert world.redis.hgetall("n")["count"] == "2"

    def other_field(r):
        r.hset("n", "other", 1)

    search = {**exercise.searches(other_field)[0], "check": check}
    verdict = mark(Exercise("read", lambda answer: [search]), other_field)
    assert verdict.sentence == (
        "Not yet: the check cannot read what is stored (KeyError: 'count'). "
        "Every schedule breaks it; the shortest:"
    )


def test_a_service_that_goes_away_in_the_check_is_no_fault_of_the_learner(exercise):
    def check(world):
        raise services.RedisGone("Redis went away")

    search = {**exercise.searches(right)[0], "check": check}
    with pytest.raises(services.RedisGone):
        mark(Exercise("read", lambda answer: [search]), right)


def test_one_schedule_has_no_shortest(exercise):
    alone = {**exercise.searches(raises)[0], "clients": {"ann": half_done}}
    verdict = mark(Exercise("alone", lambda answer: [alone]), half_done)
    assert verdict.sentence.endswith(" The only schedule breaks it:")


def half_done(world):
    world.redis.get("key")
    raise Violation("half done")


def test_what_is_handed_in_is_named_with_its_article(exercise):
    assert mark(exercise, exercise).sentence == (
        "Hand in your function itself, its name without parentheses; this is an Exercise."
    )


def test_where_nobody_makes_a_call_there_is_no_step_to_point_at(exercise):
    verdict = mark(exercise, does_nothing)
    assert str(verdict).startswith(
        "✗ Not yet: client 'ann' ended without a call on a service of the world: "
        "your function makes none, or not with what it is handed."
    )
    with pytest.raises(NoCallError, match="ann"):
        explore(**exercise.searches(does_nothing)[0])
    report = explore(**exercise.searches(raises)[0])
    assert "there is nothing to show" in mark(exercise, raises).sentence
    assert report.run.breaks_at is None
    assert "step 1" not in str(report)
    assert report.replay().redis is not None
    assert isinstance(report.error, RuntimeError)


@on_each_redis
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda r: r.flushdb(), "Your code cannot be searched: FLUSHDB cannot be searched"),
        (lambda r: r.set("n", b"\xff"), "Not yet: the check cannot read what is stored (Unicode"),
    ],
    ids=["reaches beyond", "not text"],
)
def test_what_the_search_cannot_do_is_a_verdict(exercise, answer, words):
    verdict = mark(exercise, answer)
    assert not verdict.passed
    assert verdict.sentence.startswith(words)


def test_code_that_cannot_be_searched_is_told_so(exercise):
    calls = []

    def counts_itself(r):
        calls.append(1)
        r.incr(f"n{len(calls)}")
        r.get("n")

    verdict = mark(exercise, counts_itself)
    assert not verdict.passed


def test_an_answer_that_keeps_something_is_told_where(exercise):
    def with_default(r, seen=[]):  # noqa: B006
        seen.append(1)
        r.incr(f"n{len(seen)}")
        r.get("n")

    space = {}
    exec(
        "count = 0\ndef answer(r):\n    global count\n    count += 1\n    r.set('n', count)", space
    )
    for answer, where in (
        (with_default, "It keeps something in `seen`, whose default value is made only once."),
        (space["answer"], "It keeps `count` in a global variable."),
    ):
        verdict = mark(exercise, answer)
        assert verdict.sentence.startswith(f"Your code cannot be searched. {where} What the search")


def test_what_is_kept_is_seen_by_its_change_and_told_where_a_schedule_breaks(exercise):
    """In a list of the module, by a helper of the same cell; what only is there is not named."""
    lines = (
        "import redis\nfine, seen = [1], []",
        "def note(n):\n    seen.append(n)",
        "def once(r):\n    if not seen:\n        note(fine[0])\n        r.set('n', 5)\n",
    )
    space = {}
    exec("\n".join(lines), space)
    assert " It keeps `seen` in a global variable." in mark(exercise, space["once"]).sentence
    exec("def forgets(r):\n    r.set('n', fine[0])", space)
    assert "It keeps" not in mark(exercise, space["forgets"]).sentence


@on_each_redis
def test_what_stands_still_is_said_where_a_schedule_breaks(exercise):
    def waits_for_the_key_to_expire(r):
        r.set("lock", "mine", ex=5)
        r.set("n", 1)

    sentence = mark(exercise, waits_for_the_key_to_expire).sentence
    assert " In this search the clock stands still, so 1 key that would expire stays. " in sentence


def test_a_check_that_calls_an_endless_answer_gives_up_once(exercise, monkeypatch):
    """The clients do nothing with it; a lock that nobody holds is asked for by the check alone."""
    monkeypatch.setattr(attempt, "SECONDS", 0.1)
    monkeypatch.setattr(looking, "MOST", 10**9)

    def waits(r):
        while not r.exists("never"):
            pass

    def check(world):
        asked.append(1)
        waits(world.redis)

    asked = []

    def two(answer):
        clients = {"ann": lambda w: w.redis.incr("a"), "bob": lambda w: w.redis.set("a", 7)}
        return [{**exercise.searches(answer)[0], "clients": clients, "check": check}]

    verdict = mark(Exercise("patience", two), waits)
    assert "the check calls your function, which does not end: given up" in verdict.sentence
    assert len(asked) == 1


def test_an_answer_that_sleeps_is_not_waited_for_in_a_check(exercise):
    def sleeps(r):
        time.sleep(3600)
        wrong(r)

    def check(world):
        for _ in range(3):
            sleeps(world.redis)
        if (n := world.redis.get("n")) != "5":
            raise Violation(f"the counter says {n}")

    def searches(answer):
        return [{**exercise.searches(answer)[0], "check": check}]

    start = time.monotonic()
    verdict = mark(Exercise("sleep", searches), sleeps)
    assert verdict.sentence.startswith("Not yet: the counter says 4. ")
    assert time.monotonic() - start < 300


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (1_186, "1,186"),
        (999_999, "999,999"),
        (2_579_312, "2.6 million"),
        (2_000_000, "2 million"),
        (53_000_000, "53 million"),
        (10**9, "1 billion"),
        (10**14, "100 trillion"),
        (98_584_453_651_265_839, "more than 10^16"),
    ],
)
def test_big_numbers_are_rounded_in_words(number, words):
    assert numbers.said(number) == words


@pytest.mark.parametrize(
    ("broken", "schedules", "words"),
    [
        (1, 1, "The only schedule breaks it"),
        (6, 6, "Every schedule breaks it"),
        (1, 6, "1 of 6 schedules breaks it"),
        (4, 6, "4 of 6 schedules break it"),
        (2_579_312, 98_584_453_651_265_839, "2.6 million of more than 10^16 schedules break it"),
        (98_584_453_651_265_838, 98_584_453_651_265_839, "Nearly every schedule breaks it"),
    ],
)
def test_the_share_of_schedules_in_words(broken, schedules, words):
    assert numbers.share(broken, schedules) == words


def test_threads_in_an_answer_are_refused_not_hung(exercise):
    def threaded(r):
        error = []

        def run():
            try:
                r.incr("n")
            except BaseException as e:
                error.append(e)

        t = threading.Thread(target=run)
        t.start()
        t.join()
        if error:
            raise error[0]

    verdict = mark(exercise, threaded)
    assert not verdict.passed
    assert "one thread" in verdict.sentence


def test_printing_is_swallowed(exercise, capsys):
    def chatty(r):
        print("hello")
        r.incr("n")

    assert mark(exercise, chatty).passed
    assert capsys.readouterr().out == ""


def test_an_answer_too_large_to_search_is_not_passed(exercise):
    def slow(r):
        for i in range(50):
            r.set(f"{time.monotonic()}{i}", i)
        r.incr("n")

    large = Exercise("large", lambda a: [{**exercise.searches(a)[0], "states": 50}])
    verdict = mark(large, slow)
    assert not verdict.passed
    assert verdict.sentence.startswith("Not decided:")


@pytest.mark.parametrize(
    ("answer", "passed"),
    [(4, True), (6, False), ("4", False), (4.0, False), (None, False), (..., False), (True, False)],
)
def test_a_prediction_is_compared_with_what_is_found(answer, passed):
    question = Prediction("How many break it?", truth=lambda: 4)
    assert mark(question, answer).passed == passed


def test_the_truth_is_found_out_once():
    asked = []
    question = Prediction("How many?", truth=lambda: asked.append(1) or len(asked))
    assert [mark(question, answer).passed for answer in (2, 1, 1)] == [False, True, True]


def test_a_prediction_in_words_does_not_mind_capitals():
    assert mark(Prediction("Who?", truth=lambda: "Ann"), " ann ").passed


THREE = {"first": False, "again": False, "mute": True}


@pytest.mark.parametrize(
    ("truth", "answer", "said"),
    [
        (THREE, dict(reversed(THREE.items())), f"✓ Right: {THREE}. The solution says why."),
        (THREE, {**THREE, "mute": False}, "✗ 2 of 3 are right. Not so: 'mute'."),
        (
            THREE,
            {**THREE, "mute": False, "first": True},
            "✗ 1 of 3 is right. Not so: 'first', 'mute'.",
        ),
        ({"a": 3, "b": 4}, {"a": 4, "b": 3}, "✗ 0 of 2 are right. Not so: 'a', 'b'."),
        ({"a": "Ann", "b": "Bob"}, {"a": "ann ", "b": "ann"}, "✗ 1 of 2 is right. Not so: 'b'."),
        (4, 6, "✗ You said 6; the search says otherwise."),
        ("Ann", "Bob", "✗ You said 'Bob'; the search says otherwise."),
        ({"a": 3}, {"a": 4}, "✗ You said {'a': 4}; the search says otherwise."),
    ],
)
def test_a_prediction_says_which_part_of_it_is_wrong(truth, answer, said):
    assert str(mark(Prediction("Which?", truth=lambda: truth), answer)) == said


DICT = "✗ Answer with a dict of these keys: 'first', 'again', 'mute', each True or False."


@pytest.mark.parametrize(
    ("truth", "answer", "said"),
    [
        (THREE, (False, False, True), DICT),
        (THREE, [False, False, True], DICT),
        (THREE, True, DICT),
        (THREE, {"first": False, "again": False}, DICT),
        (THREE, {"first": False, "again": False, "Mute": True}, DICT),
        (THREE, {**THREE, "more": True}, DICT),
        (THREE, {**THREE, "mute": None}, DICT),
        (THREE, {**THREE, "mute": "True"}, DICT),
        (THREE, {**THREE, "mute": 1}, DICT),
        ({"a": 3, "b": 4}, 3, "✗ Answer with a dict of these keys: 'a', 'b', each a whole number."),
        ({"a": 3, "b": True}, 3, "✗ Answer with a dict of these keys: 'a', 'b'."),
        (4, "4", "✗ Answer with a whole number."),
        (4, 4.0, "✗ Answer with a whole number."),
        (1, True, "✗ Answer with a whole number."),
        (True, 1, "✗ Answer with True or False."),
        ("Ann", 4, "✗ Answer with a str."),
        ([1], (1,), "✗ Answer with a list."),
    ],
)
def test_a_prediction_of_another_shape_is_told_the_shape_and_nothing_else(truth, answer, said):
    question = Prediction("Which?", lambda: truth, try_it="`explore(**first)`")
    assert str(mark(question, answer)) == said


def test_a_wrong_prediction_is_told_how_to_see_for_itself():
    question = Prediction("How many?", lambda: 4, try_it="`explore(**first)`.")
    assert mark(question, 6).sentence == (
        "You said 6; the search says otherwise. See for yourself: `explore(**first)`."
    )
    assert mark(question, 4).sentence == "Right: 4. The solution says why."
    assert "See" not in mark(question, None).sentence


# ------------------------------------------------------------------ what the ✓ line says


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ([{}], "2 schedules"),
        ([{"crashes": 1}], "10 schedules, up to 1 crash"),
        ([{"crashes": 1}, {"crashes": 1}], "20 schedules, up to 1 crash"),
        ([{}, {"crashes": 1}], "12 schedules, some with up to 1 crash"),
        (
            [{"crashes": 1, "lost_replies": 1}, {"lost_replies": 1, "preemptions": 0}],
            "44 schedules, some with up to 1 crash and up to 1 lost reply, "
            "some with up to 1 lost reply, up to 0 preemptions",
        ),
    ],
    ids=["none", "one", "twice", "two", "many"],
)
def test_a_pass_states_the_bounds_of_its_searches(exercise, bounds, said):
    case = {**exercise.searches(right)[0], "check": lambda world: None}
    clients = {"ann": lambda w: w.redis.incr("n"), "bob": lambda w: w.redis.incr("m")}
    searches = [{**case, "clients": clients, **bound} for bound in bounds]
    verdict = mark(Exercise("bounded", lambda answer: searches), right)
    assert str(verdict) == f"✓ Every schedule ends well. ({said}: none breaks it.)"


def test_a_pass_states_what_was_left_out_once(exercise):
    """Two searches in which somebody asks in vain, as `report.sentence` says of each."""

    def waits(world):
        while not world.redis.exists("n"):
            pass

    search = exercise.searches(right)[0]
    search["clients"]["cy"] = waits
    verdict = mark(Exercise("patience", lambda answer: [search, search]), right)
    words = "each asking in vain at most 3 times in a row"
    assert words in explore(**search).sentence
    assert verdict.passed
    assert verdict.sentence.count(words) == 1
    assert verdict.sentence.endswith(f" schedules, {words}: none breaks it.)")
