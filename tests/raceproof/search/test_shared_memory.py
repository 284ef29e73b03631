"""What clients share or keep in Python's memory is refused, by every search alike."""

from __future__ import annotations

import threading
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, Flag, auto
from functools import cache, cached_property, lru_cache, partial
from queue import Queue
from types import SimpleNamespace
from typing import Any

import fakeredis
import pytest
import redis
from sqlalchemy.sql import quoted_name
from tests.raceproof.toys import Memory, Shop, empty, memory, nothing_to_check

from raceproof import NotDeterministicError, Unsearchable, Violation, explore
from raceproof.search.contents import contents_of, refill
from raceproof.search.held_in_modules import is_of_a_library
from raceproof.search.reach import reach

a_dict: dict[str, Any] = {}
a_list: list[Any] = []
a_set: set[Any] = set()
a_count: Counter[str] = Counter()
a_deque: deque[Any] = deque()
some_bytes = bytearray()
a_space = SimpleNamespace()
done = False
nothing: Any = None


class Settings:
    """What is read once and kept, in the object and in its class."""

    read: Any = None
    known: dict[str, Any]

    def on_the_object(self, world: Memory) -> None:
        if self.read is None:
            self.read = world.cells.read("mode")
        world.cells.write("seen", self.read)


class Reading:
    """The world that the client has now, for what takes no argument."""

    cells: Any


settings, reading = Settings(), Reading()


def in_a_dict(world: Memory) -> None:
    if "mode" not in a_dict:
        a_dict["mode"] = world.cells.read("mode")
    world.cells.write("seen", a_dict["mode"])


def in_a_list(world: Memory) -> None:
    if not a_list:
        a_list.append(world.cells.read("mode"))
    world.cells.write("seen", a_list[0])


def in_a_set(world: Memory) -> None:
    if not a_set:
        a_set.add(world.cells.read("mode"))
    world.cells.write("seen", len(a_set))


def in_a_count(world: Memory) -> None:
    if not a_count["mode"]:
        a_count["mode"] += 1 + world.cells.read("mode")
    world.cells.write("seen", a_count["mode"])


def in_a_deque(world: Memory) -> None:
    if not a_deque:
        a_deque.append(world.cells.read("mode"))
    world.cells.write("seen", a_deque[0])


def in_some_bytes(world: Memory) -> None:
    if not some_bytes:
        world.cells.read("mode")
        some_bytes.append(1)
    world.cells.write("seen", 1)


def in_a_space(world: Memory) -> None:
    if not hasattr(a_space, "mode"):
        a_space.mode = world.cells.read("mode")
    world.cells.write("seen", a_space.mode)


def in_a_name(world: Memory) -> None:
    global done
    if not done:
        world.cells.read("mode")
        done = True
    world.cells.write("seen", 1)


def in_a_name_of_nothing(world: Memory) -> None:
    global nothing
    if nothing is None:
        nothing = world.cells.read("mode") or "normal"
    world.cells.write("seen", nothing)


def in_a_name_that_is_not_there(world: Memory) -> None:
    try:
        world.cells.write("seen", not_there)  # type: ignore[name-defined]
    except NameError:
        globals()["not_there"] = world.cells.read("mode")


def in_a_class(world: Memory) -> None:
    if not hasattr(Settings, "known"):
        Settings.known = {"mode": world.cells.read("mode")}
    world.cells.write("seen", Settings.known["mode"])


@cache
def mode() -> Any:
    return reading.cells.read("mode")


def in_a_cached_function(world: Memory) -> None:
    reading.cells = world.cells
    world.cells.write("seen", mode())


@cache
def pair() -> Any:
    return mode(), mode()


def in_a_function_that_one_calls(world: Memory) -> None:
    reading.cells = world.cells
    world.cells.write("seen", pair())


def in_a_closure() -> Callable[[Memory], None]:
    known = None

    def client(world: Memory) -> None:
        nonlocal known
        if known is None:
            known = world.cells.read("mode") or "normal"
        world.cells.write("seen", known)

    return client


def in_an_argument(world: Memory, known: dict[str, Any]) -> None:
    if not known:
        known["mode"] = world.cells.read("mode")
    world.cells.write("seen", known["mode"])


CLIENTS: dict[str, Callable[[Memory], object]] = {
    client.__name__: client
    for client in (
        in_a_dict,
        in_a_list,
        in_a_set,
        in_a_count,
        in_a_deque,
        in_some_bytes,
        in_a_space,
        in_a_name,
        in_a_name_of_nothing,
        in_a_name_that_is_not_there,
        in_a_class,
        in_a_cached_function,
        in_a_function_that_one_calls,
    )
}
CLIENTS["in a closure"] = in_a_closure()
CLIENTS["in an argument"] = partial(in_an_argument, known={})
CLIENTS["in an object"] = settings.on_the_object


def search(*clients: Callable[[Memory], object], **bounds: Any) -> None:
    named = {f"client {n}": client for n, client in enumerate(clients)}
    explore(world=memory, clients=named, check=nothing_to_check, **bounds).assert_holds()


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_what_two_clients_remember_is_refused_and_forgotten(
    client: Callable[[Memory], object],
) -> None:
    said = set()
    for _ in range(3):
        with pytest.raises((Unsearchable, NotDeterministicError)) as error:
            search(client, client)
        said.add((str(error.value), *getattr(error.value, "__notes__", ())))
    assert len(said) == 1
    assert "clients look at" in str(said) or "'settings' is not in the world" in str(said)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_what_one_client_remembers_is_noticed_and_forgotten(
    client: Callable[[Memory], object],
) -> None:
    for _ in range(3):
        with pytest.raises(NotDeterministicError, match="behaved differently"):
            search(client, lambda world: world.cells.write("seen", 0))


def test_it_says_what_was_changed() -> None:
    with pytest.raises(Unsearchable, match="clients look at 'a_dict', which they or world"):
        search(in_a_dict, in_a_dict)
    with pytest.raises(NotDeterministicError) as error:
        search(in_a_dict)
    assert error.value.__notes__ == ["('a_dict' is not in the world, and was changed meanwhile)"]


def test_what_was_there_before_is_there_again() -> None:
    kept = {"a": [1, {"b": 2}]}
    wrote: list[str] = ["before"]

    def client(world: Memory) -> None:
        wrote.append("now")
        kept["a"].append(3)
        kept["a"][1]["b"] = 4  # type: ignore[index]
        kept["c"] = []
        world.cells.write("seen", len(wrote))

    for clients in ((client,), (client, client)):
        with pytest.raises((Unsearchable, NotDeterministicError)):
            search(*clients)
        assert (kept, wrote) == ({"a": [1, {"b": 2}]}, ["before"])


# --- one client fills what another looks at: no replay would differ -------------------------------


def test_a_flag_that_another_client_has_set() -> None:
    flags: list[str] = []

    def sets(world: Memory) -> None:
        flags.append("set")
        world.cells.write("x", 1)

    def looks(world: Memory) -> None:
        world.cells.write("x" if flags else "y", 1)

    with pytest.raises(Unsearchable, match="clients look at 'flags'"):
        search(sets, looks)


def test_a_name_that_one_client_only_sets_or_deletes() -> None:
    def sets(world: Memory) -> None:
        global done
        done = True
        world.cells.write("x", 1)

    def deletes(world: Memory) -> None:
        global done
        del done
        world.cells.write("x", 1)

    def looks(world: Memory) -> None:
        world.cells.write("y" if globals().get("done", True) and done else "x", 1)

    for client in (sets, deletes):
        with pytest.raises(Unsearchable, match="clients look at 'done'"):
            search(client, looks)
        assert done is False


def test_who_only_adds_and_calls_one_that_looks() -> None:
    """Whichever of the two comes first among what is looked through."""
    seen: list[str] = []

    def adds(name: str) -> None:
        seen.append(name)

    def is_full() -> bool:
        return bool(seen)

    def looks_then_adds(world: Memory) -> None:
        world.cells.write("x" if seen else "y", 1)
        adds("a")

    def adds_then_looks(world: Memory) -> None:
        seen.append("a")
        world.cells.write("x" if is_full() else "y", 1)

    for client in (looks_then_adds, adds_then_looks):
        with pytest.raises(Unsearchable, match="clients look at 'seen'"):
            search(client, client)


def test_a_flag_that_is_taken_back() -> None:
    flags: set[str] = set()

    def busy(world: Memory) -> None:
        world.cells.read("x")
        if "busy" not in flags:
            flags.add("busy")
            world.cells.write("x", world.cells.read("x") + 1)
            flags.discard("busy")

    with pytest.raises(Unsearchable, match="clients look at 'flags'"):
        search(busy, busy)


def test_a_flag_in_a_class_that_both_name() -> None:
    class Service:
        ready = False

    def starts(world: Memory) -> None:
        world.cells.write("x", 1)
        Service.ready = True

    def asks(world: Memory) -> None:
        world.cells.read("x")
        world.cells.write("y", Service.ready)

    with pytest.raises(Unsearchable, match=r"clients look at 'Service.ready'"):
        search(starts, asks)


def test_what_a_function_returns_that_both_call() -> None:
    held: dict[str, int] = {}

    def remembered() -> dict[str, int]:
        return held

    def client(world: Memory) -> None:
        here = remembered()
        here.setdefault("x", world.cells.read("x"))
        world.cells.write("y", here["x"])

    with pytest.raises(Unsearchable, match="clients look at 'held'"):
        search(client, client)


def test_what_afterwards_looks_at_is_shared_too() -> None:
    seen: list[int] = []

    def client(world: Memory) -> None:
        seen.append(world.cells.read("x"))

    def last(world: Memory) -> None:
        world.cells.write("y", len(seen))

    with pytest.raises(Unsearchable, match="clients look at 'seen'"):
        explore(world=memory, clients={"a": client}, check=nothing_to_check, afterwards={"b": last})


def test_what_world_changes() -> None:
    made: list[int] = []

    def counted() -> Memory:
        made.append(1)
        return memory()

    def client(world: Memory) -> None:
        world.cells.write("made", min(len(made), 1))

    with pytest.raises(Unsearchable, match=r"clients look at 'made', which they or world\(\)"):
        explore(world=counted, clients={"a": client, "b": client}, check=nothing_to_check)


def test_much_is_looked_at_in_the_end() -> None:
    words = [str(n) for n in range(5000)]

    def client(world: Memory) -> None:
        words[0] = "other"
        world.cells.write("x", len(words))

    with pytest.raises(Unsearchable, match="clients look at 'words'"):
        search(client, client)
    assert words[0] == "0"


class Cart:
    """All carts have one list: each believes it to be its own."""

    items: list[int] = []  # noqa: RUF012

    def put(self, item: int) -> None:
        self._append(item)

    def _append(self, item: int) -> None:
        self.items.append(item)

    @property
    def is_full(self) -> bool:
        return len(self.items) > 0


def test_a_container_of_a_class_is_of_all_its_objects() -> None:
    def puts(world: Memory) -> None:
        Cart().put(1)
        world.cells.write("x", 1)

    def looks(world: Memory) -> None:
        world.cells.write("y" if Cart().is_full else "z", 1)

    for _ in range(2):
        with pytest.raises(Unsearchable, match=r"clients look at 'Cart.items'"):
            search(puts, looks)
    assert Cart.items == []


log: list[str] = []


class Deep:
    """What its methods use is used by who makes one."""

    def begin(self) -> bool:
        return self._ready() or bool(log)

    def _ready(self) -> bool:
        log.append("asked")
        return False


def test_a_list_that_a_method_uses_which_another_calls() -> None:
    def client(world: Memory) -> None:
        world.cells.write("x" if Deep().begin() else "y", 1)

    with pytest.raises(Unsearchable, match="clients look at 'log'"):
        search(client, client)
    assert log == []


@dataclass
class Furnished(Memory):
    """A world with something in it that is no service."""

    box: Any = None


class Box:
    def __init__(self) -> None:
        self.flag = False


@pytest.mark.parametrize(
    ("make", "fill"),
    [
        (Box, lambda box: setattr(box, "flag", True)),
        (SimpleNamespace, lambda box: setattr(box, "flag", True)),
        (deque, lambda box: box.append(1)),
        (bytearray, lambda box: box.append(1)),
        (lambda: (Box(), []), lambda box: box[1].append(1)),
    ],
)
def test_a_field_of_the_world_that_is_no_service(
    make: Callable[[], Any], fill: Callable[[Any], None]
) -> None:
    box = make()

    def client(world: Furnished) -> None:
        world.cells.read("x")
        fill(world.box)

    before = repr(box) if isinstance(box, deque | bytearray) else ""
    for _ in range(2):
        with pytest.raises(Unsearchable, match=r"clients look at 'world.box', which"):
            explore(
                world=lambda: Furnished(memory().cells, box=box),
                clients={"a": client, "b": lambda world: world.cells.write("x", 1)},
                check=nothing_to_check,
            )
    assert before in ("", repr(box))


# --- by other names, and in other things ----------------------------------------------------------


@dataclass
class Reporter:
    """The first one to come reports: who that is, is kept in a dict that both are given."""

    name: str
    leaders: dict[str, str]

    def __call__(self, world: Memory) -> None:
        world.cells.read("day")
        if self.leaders.setdefault("first", self.name) == self.name:
            world.cells.write("report", len(self.name))


def test_one_dict_in_two_objects() -> None:
    leaders: dict[str, str] = {}
    for _ in range(2):
        with pytest.raises(Unsearchable, match=r"clients look at 'self.leaders'"):
            search(Reporter("ann", leaders), Reporter("bobby", leaders))
    search(Reporter("ann", {}), Reporter("bobby", {}))


def claiming(claims: Callable[[str], bool], name: str) -> Callable[[Memory], None]:
    def client(world: Memory) -> None:
        world.cells.read("day")
        if claims(name):
            world.cells.write("report", len(name))

    return client


@pytest.mark.parametrize("maxsize", [None, 2])
def test_what_a_cached_function_gives_to_all(maxsize: int | None) -> None:
    @lru_cache(maxsize)
    def leaders() -> dict[str, str]:
        return {}

    def claims(name: str) -> bool:
        return leaders().setdefault("first", name) == name

    for _ in range(2):
        with pytest.raises(Unsearchable, match="clients look at 'leaders'"):
            search(claiming(claims, "ann"), claiming(claims, "bobby"))


class ByMethod:
    first: str | None = None

    @classmethod
    def claims(cls, name: str) -> bool:
        cls.first = cls.first or name
        return cls.first == name


class Single(type):
    made: dict[type, Any] = {}  # noqa: RUF012

    def __call__(cls, *args: Any) -> Any:
        if cls not in Single.made:
            Single.made[cls] = super().__call__(*args)
        return Single.made[cls]


class Only(metaclass=Single):
    def __init__(self, name: str) -> None:
        self.name = name


by_word: dict[str, Callable[[str], bool]] = {}
leader: dict[str, str] = {}
queue: Queue[str] = Queue()
lock = threading.Lock()
stopped = threading.Event()
own = UserDict[str, str]()
chained = ChainMap[str, str]({})


def first(name: str) -> bool:
    return leader.setdefault("first", name) == name


by_word["first"] = first


class Word:
    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def leads(self) -> bool:
        return first(self.name)


class Slotted:
    __slots__ = ("__owner",)

    def claims(self, name: str) -> bool:
        if not hasattr(self, "_Slotted__owner"):
            self.__owner = name
        return self.__owner == name


class Closed:
    def lets(self) -> bool:
        return True


class Open:
    def lets(self) -> bool:
        return False


class Board:
    seen: defaultdict[str, str] = defaultdict(str)  # noqa: RUF012

    @classmethod
    def claims(cls, name: str) -> bool:
        return by_classmethod.setdefault("first", name) == name

    def claim(self, name: str) -> bool:
        return self.look().setdefault("first", name) == name

    def look(self) -> dict[str, str]:
        return getattr(self, "se" + "en")  # type: ignore[no-any-return]


by_classmethod: dict[str, str] = {}


def opened() -> bool:
    return True


def closed() -> bool:
    return False


door = SimpleNamespace(lets=opened)


def in_a_function(name: str) -> bool:
    lets: bool = door.lets()
    door.lets = closed
    return lets


class Kept(dict[str, str]):
    """A dict that says what it is."""


class Names(list[str]):
    """A list that says what it is."""


class Money(int):
    """A number that says what it is."""


kept, names, paid, ordered = Kept(), Names(), Money(0), OrderedDict[str, str]()


def first_of(known: list[str], name: str) -> bool:
    if not known:
        known.append(name)
    return known[0] == name


def in_a_number(name: str) -> bool:
    global paid
    before = paid
    paid = Money(1)
    return before == Money(0)


slotted, in_a_set_of = Slotted(), {Slotted()}
breaker = SimpleNamespace(state=Closed)


def in_a_queue(name: str) -> bool:
    if queue.empty():
        queue.put_nowait(name)
        return True
    return False


def in_an_event(name: str) -> bool:
    if stopped.is_set():
        return False
    stopped.set()
    return True


def in_a_state(name: str) -> bool:
    lets: bool = breaker.state().lets()
    breaker.state = Open
    return lets


WAYS: dict[str, Callable[[str], bool]] = {
    "a method of the class": ByMethod.claims,
    "a metaclass": lambda name: Only(name).name == name,
    "a function in a dict": lambda name: by_word["first"](name),
    "a function that a property calls": lambda name: Word(name).leads,
    "a slot": lambda name: slotted.claims(name),
    "an object in a set": lambda name: next(iter(in_a_set_of)).claims(name),
    "a queue": in_a_queue,
    "an event": in_an_event,
    "a lock": lambda name: lock.acquire(blocking=False),
    "a UserDict": lambda name: own.setdefault("first", name) == name,
    "a ChainMap": lambda name: chained.setdefault("first", name) == name,
    "a class in an attribute": in_a_state,
    "a function in an attribute": in_a_function,
    "a dict of a class": lambda name: Board().claim(name),
    "a dict of one's own": lambda name: kept.setdefault("first", name) == name,
    "a list of one's own": lambda name: first_of(names, name),
    "a number of one's own": in_a_number,
    "an OrderedDict": lambda name: ordered.setdefault("first", name) == name,
    "a name that a classmethod uses": lambda name: Board.claims(name),
}


@pytest.mark.parametrize("claims", WAYS.values(), ids=WAYS)
def test_who_was_first_is_kept_in_python(claims: Callable[[str], bool]) -> None:
    for _ in range(2):
        with pytest.raises(Unsearchable, match="clients look at"):
            search(claiming(claims, "ann"), claiming(claims, "bobby"))


def test_an_ordered_dict_is_filled_again_in_its_order() -> None:
    held = OrderedDict(a=1, b=2)
    before = contents_of(held)
    held.move_to_end("a")
    del held["b"]
    refill(held, before or [])
    assert list(held.items()) == [("a", 1), ("b", 2)]


def test_what_is_looked_through_of_a_class() -> None:
    """What a method of the class, a static one, and each kind of property names beside it."""
    lists: dict[str, list[int]] = {name: [] for name in "abcde"}
    a, b, c, d, e = lists.values()

    class Owner:
        @classmethod
        def of_class(cls) -> int:
            return len(a)

        @staticmethod
        def static() -> int:
            return len(b)

        @cached_property
        def kept(self) -> int:
            return len(c)

        @property
        def asked(self) -> int:
            return len(d)

        @asked.setter
        def asked(self, value: int) -> None:
            assert len(e) < value

    owner = Owner()
    seen = {id(spot.get()) for spot in reach([lambda world: owner]).spots}
    assert {name for name, one in lists.items() if id(one) in seen} == {*"abcde"}


def test_a_flag_that_is_taken_back_beside_much_else() -> None:
    much, busy = list(range(3000)), []

    def client(world: Memory) -> None:
        world.cells.read("x")
        if not busy:
            busy.append(1)
            world.cells.write("x", world.cells.read("x") + much[1])
            busy.clear()

    with pytest.raises(Unsearchable, match="clients look at 'busy'"):
        search(client, client)


# --- what is as it should be ----------------------------------------------------------------------


class Right(Flag):
    READ = 1
    WRITE = 2


class Counting(redis.Redis):
    """A client that counts its commands in itself."""

    asked = 0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.asked += 1
        return super().execute_command(*args, **options)


def test_libraries_of_debian_are_libraries() -> None:
    for folder in ("site-packages", "dist-packages"):
        assert is_of_a_library({"__name__": "x", "__file__": f"/usr/lib/{folder}/x.py"})
    assert not is_of_a_library({"__name__": "x", "__file__": "/home/me/x.py"})


def test_what_python_keeps_for_an_enum() -> None:
    search(*[lambda world: world.cells.write("x", (Right.READ | Right.WRITE).value)] * 2)


def test_a_service_that_keeps_something_in_itself() -> None:
    def world() -> Shop:
        client = Counting(connection_pool=fakeredis.FakeRedis().connection_pool)
        return Shop(empty(client))

    clients = {name: lambda shop: shop.redis.incr("x") for name in ("a", "b")}
    explore(world=world, clients=clients, check=nothing_to_check).assert_holds()


class Suite:
    """As unittest's are: the first world is made after the search has begun."""

    shop: Any = None

    def world(self) -> Memory:
        self.shop = self.shop or memory()
        return memory()

    def client(self, world: Memory) -> None:
        assert self.shop, self
        world.cells.write("x", 1)


class Quoted(str):
    """Made anew by each world; a library's would be as good."""


def test_an_equal_text_made_anew_is_no_change() -> None:
    class Config:
        made = quoted_name("a", quote=True)
        own = Quoted("a")

    def world() -> Memory:
        Config.made, Config.own = quoted_name("a", quote=True), Quoted("a")
        return memory()

    def client(world: Memory) -> None:
        world.cells.write(Config.made + Config.own, 1)

    explore(
        world=world, clients={"a": client, "b": client}, check=nothing_to_check, merge=False
    ).assert_holds()


def test_what_the_first_world_makes() -> None:
    suite = Suite()
    explore(
        world=suite.world, clients={"a": suite.client, "b": suite.client}, check=nothing_to_check
    ).assert_holds()


def test_an_object_that_says_nothing_of_itself() -> None:
    class Shy:
        __slots__ = ()

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    class Owner:
        inner = Shy()

    shy = (Shy(), Owner())

    def client(world: Memory) -> None:
        world.cells.write("x", 1 if shy else 0)

    search(client, client)


# --- what tells nobody anything -------------------------------------------------------------------


def test_what_is_only_written_disturbs_no_search_and_is_kept() -> None:
    wrote: list[str] = []
    last: dict[str, str] = {}
    ways: set[int] = set()

    def client(world: Memory) -> None:
        wrote.append("began")
        last["client"] = "began"
        ways.add(world.cells.read("x"))
        world.cells.write("x", 1)

    search(client, client)
    assert (wrote.count("began") > 2, last, ways) == (True, {"client": "began"}, {0, 1})


class Basket:
    def __init__(self) -> None:
        self.all: list[int] = []

    def add(self, one: int) -> int:
        self.all.append(one)
        return len(self.all)


def test_an_object_of_ones_own_may_tell_what_it_is_given() -> None:
    basket = Basket()

    def client(world: Memory) -> None:
        world.cells.write("x", min(2, basket.add(1)))

    with pytest.raises(Unsearchable, match="clients look at 'basket'"):
        search(client, client)


class Worker:
    """Keeps what it has done, from the beginning of each run."""

    def __init__(self, name: str) -> None:
        self.name, self.done = name, [0]

    def __call__(self, world: Memory) -> None:
        self.done = []
        self.done.append(world.cells.read("x"))
        world.cells.write("x", self.done[0] + 1)


def test_what_only_one_client_has_is_its_own() -> None:
    with pytest.raises(AssertionError, match="lost"):
        explore(
            world=memory,
            clients={"ann": Worker("ann"), "bob": Worker("bob")},
            check=lambda world: _counted(world.cells.numbers["x"]),
        ).assert_holds()


def _counted(count: int) -> None:
    if count != 2:
        raise Violation("lost")


def test_a_remembered_function_that_calls_nobody() -> None:
    @cache
    def twice(number: int) -> int:
        return 2 * number

    def client(world: Memory) -> None:
        world.cells.write("x", twice(2))

    search(client, client)
    assert twice.cache_info().currsize == 1


def test_the_world_of_a_report_can_be_looked_at_later() -> None:
    labels = ["x"]

    def client(world: Memory) -> None:
        world.cells.write(labels[0], world.cells.read(labels[0]) + 1)

    report = explore(
        world=memory,
        clients={"a": client, "b": client},
        check=lambda world: _counted(world.cells.numbers["x"]),
    )
    labels.append("y")
    assert report.replay().cells.numbers == {}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    assert not any(
        [a_dict, a_list, a_set, a_count, a_deque, some_bytes, vars(a_space), done, nothing]
    )


class Perm(Flag):
    READ = auto()
    WRITE = auto()


class Planet(Enum):
    EARTH = 1
    MARS = 2

    def visit(self) -> None:
        self.visits = getattr(self, "visits", 0) + 1


def test_what_python_remembers_in_a_member_of_an_enum_disturbs_nobody() -> None:
    def client(world: Memory) -> None:
        world.cells.write("may", (Perm.READ & ~Perm.WRITE).value)

    case = dict(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)
    for member in Perm:
        vars(member).pop("_inverted_", None)
    assert explore(**case).holds


def test_what_clients_keep_in_a_member_of_an_enum_is_refused_and_taken_back() -> None:
    def client(world: Memory) -> None:
        Planet.EARTH.visit()
        world.cells.write("visits", Planet.EARTH.visits)

    case = dict(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)
    for before in (None, 3):  # None: it has no such attribute
        vars(Planet.EARTH).pop("visits", None)
        if before is not None:
            Planet.EARTH.visits = before
        for _ in range(2):
            with pytest.raises(Unsearchable, match=r"clients look at 'Planet\.EARTH'"):
                explore(**case)
            assert getattr(Planet.EARTH, "visits", None) == before


KEPT: dict[str, int] = {}


@dataclass
class Keeping:
    cells: Any

    def first(self) -> bool:
        return KEPT.setdefault("first", len(KEPT)) == 0 and KEPT.update(more=1) is None


def test_what_a_method_of_the_world_keeps_is_shared() -> None:
    def client(world: Keeping) -> None:
        world.cells.read("x")
        world.cells.write("first" if world.first() else "second", 1)

    with pytest.raises(Unsearchable, match="clients look at 'KEPT'"):
        explore(
            world=lambda: Keeping(memory().cells),
            clients={"a": client, "b": client},
            check=nothing_to_check,
        )
    assert KEPT == {}
