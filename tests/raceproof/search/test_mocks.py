"""Mocks and pytest's caplog: to be called is their use, and to be asked about it is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never
from unittest.mock import AsyncMock, MagicMock, Mock, NonCallableMock, create_autospec, patch

import pytest
from tests.raceproof.toys import Cells, Memory, memory, nothing_to_check

from raceproof import Report, Unsearchable, explore
from raceproof.search.mocks import contents_of_mock


def send_mail(text: str) -> str:
    """Really sends."""
    return text


LOG = logging.getLogger("shop")


def host(world: Memory) -> None:
    world.cells.write("n", world.cells.read("n") + 1)
    if world.cells.read("n") == 2:
        send_mail("we are complete")


def guest(world: Memory) -> None:
    world.cells.write("n", world.cells.read("n") + 1)


def searched(check: Callable[[Any], object], **how: Any) -> Report:
    return explore(world=memory, clients={"host": host, "guest": guest}, check=check, **how)


ASKS: dict[str, Callable[[Any], object]] = {
    "called": lambda mail: mail.called,
    "call_count": lambda mail: mail.call_count,
    "call_args": lambda mail: mail.call_args,
    "mock_calls": lambda mail: mail.mock_calls,
    "assert_not_called": lambda mail: mail.assert_not_called(),
}


@pytest.mark.parametrize("asks", ASKS.values(), ids=ASKS)
def test_a_check_that_asks_how_it_was_called_is_refused(asks: Callable[[Any], object]) -> None:
    with patch(f"{__name__}.send_mail") as mail:

        def check(world: object) -> None:
            asks(mail)

        for _ in range(2):
            with pytest.raises(Unsearchable, match="looks at 'the calls of send_mail'"):
                searched(check)


@pytest.mark.parametrize("kind", [Mock, MagicMock])
def test_a_mock_that_only_keeps_quiet_is_searched(kind: type) -> None:
    with patch(f"{__name__}.send_mail", new_callable=kind, return_value="sent"):
        found = searched(nothing_to_check)
    assert found.verdict == "holds"


class Mailer:
    def send(self, text: str) -> None:
        """Really sends."""


MAILER = Mailer()


def sends(world: Memory) -> None:
    world.cells.write("n", 1)
    MAILER.send("x")
    Mailer().send("x")
    send_mail("x")


def is_told(world: object) -> None:
    assert send_mail.called  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["send_mail", "MAILER", "Mailer", "Mailer.send"])
def test_a_mock_with_a_signature_that_keeps_quiet_is_searched(what: str) -> None:
    clients = {"a": sends, "b": sends}
    with patch(f"{__name__}.{what}", autospec=True):
        found = explore(world=memory, clients=clients, check=nothing_to_check)
    assert found.verdict == "holds"
    with patch(f"{__name__}.send_mail", create_autospec(send_mail)):
        assert searched(nothing_to_check).verdict == "holds"


REPO = create_autospec(Mailer, instance=True)


def test_what_a_mock_says_that_it_is_is_not_believed() -> None:
    """Its methods say that they are functions; they are mocks, which hold what mocks hold."""

    def client(world: Memory) -> None:
        world.cells.write("n", 1)
        REPO.send("x")

    clients = {"a": client, "b": client}
    assert explore(world=memory, clients=clients, check=nothing_to_check).verdict == "holds"
    REPO.send.side_effect = [1, 2, 3, 4]
    with pytest.raises(Unsearchable, match="clients look at 'REPO'"):
        explore(world=memory, clients=clients, check=nothing_to_check)


def test_a_check_that_asks_one_with_a_signature_is_refused() -> None:
    with (
        patch(f"{__name__}.send_mail", autospec=True),
        pytest.raises(Unsearchable, match="looks at 'the calls of send_mail'"),
    ):
        searched(is_told)


def test_answers_in_turn_of_one_with_a_signature_are_refused() -> None:
    mail = create_autospec(send_mail, side_effect=["a", "b", "c", "d"])

    def client(world: Memory) -> None:
        world.cells.write(mail("x"), 1)

    with pytest.raises(Unsearchable, match="clients look at"):
        explore(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)


@pytest.mark.parametrize("spec", [dict, list, Mailer])
def test_a_mock_of_a_container_is_none(spec: type) -> None:
    mock = Mock(spec=spec)

    def client(world: Memory) -> None:
        world.cells.write("n", 1)
        mock.copy if spec is not Mailer else mock.send("x")

    assert explore(world=memory, clients={"a": client}, check=nothing_to_check).holds


def test_a_function_whose_name_begins_as_that_of_a_mock_asks_for_nothing() -> None:
    mail = Mock()

    def client(world: Memory) -> None:
        mail.send("x")
        if world.cells.read("n") > 9:
            assert_never(world)  # type: ignore[arg-type]
        world.cells.write("n", 1)

    clients = {"a": client, "b": client}
    assert explore(world=memory, clients=clients, check=nothing_to_check).holds


def test_a_client_that_asks_how_it_was_called_is_refused() -> None:
    mail = Mock()

    def sends(world: Memory) -> None:
        world.cells.write("x", 1)
        mail.send("x")

    def waits(world: Memory) -> None:
        world.cells.read("y")
        world.cells.write("good" if was_sent() else "bad", 1)

    def was_sent() -> bool:
        return mail.send.called

    with pytest.raises(Unsearchable, match="clients look at 'the calls of mock"):
        explore(world=memory, clients={"a": sends, "b": waits}, check=nothing_to_check)


def test_a_client_that_asks_only_for_its_own_calls_is_refused() -> None:
    mail = Mock()

    def sends(world: Memory) -> None:
        world.cells.read("x")
        if not mail.called:
            mail("x")
        world.cells.write("x", 1)

    with pytest.raises(Unsearchable, match="clients look at 'the calls of mock"):
        explore(world=memory, clients={"a": sends}, check=nothing_to_check)


IN_TURN = [1, 2, 3, 4]
ANSWERS: dict[str, tuple[dict[str, Any], Callable[[Mock], int]]] = {
    "the mock": ({"side_effect": IN_TURN}, lambda mail: mail()),
    "an attribute": ({"send.side_effect": IN_TURN}, lambda mail: mail.send()),
    "what it returns": ({"return_value.side_effect": IN_TURN}, lambda mail: mail()()),
}


@pytest.mark.parametrize(("made", "asks"), ANSWERS.values(), ids=ANSWERS)
def test_answers_that_two_clients_take_in_turn_are_refused(
    made: dict[str, Any], asks: Callable[[Mock], int]
) -> None:
    mail = Mock(**made)

    def client(world: Memory) -> None:
        world.cells.read("x")
        world.cells.write("x", asks(mail))

    with pytest.raises(Unsearchable, match="clients look at 'mail'"):
        explore(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)


def test_an_attribute_that_a_client_gives_a_mock_is_refused() -> None:
    mail = Mock(busy=False)

    def sets(world: Memory) -> None:
        world.cells.read("x")
        mail.busy = True

    def looks(world: Memory) -> None:
        world.cells.read("y")
        world.cells.write("x", int(mail.busy))

    with pytest.raises(Unsearchable, match="clients look at 'mail'"):
        explore(world=memory, clients={"a": sets, "b": looks}, check=nothing_to_check)


def test_calls_change_nothing_that_a_mock_answers() -> None:
    mail = MagicMock()
    mail.box.__len__.return_value = 3
    before = contents_of_mock(mail)
    mail.send("x").sent_at.isoformat()
    assert (len(mail.box), len(mail)) == (3, 0)
    assert contents_of_mock(mail) == before


def test_a_mock_for_asyncio_answers_as_any_other() -> None:
    mail = AsyncMock(side_effect=[1, 2])
    answers = [one for one in contents_of_mock(mail) if hasattr(one, "__next__")]
    assert len(answers) == 1


def test_a_mock_that_nobody_can_call_has_attributes() -> None:
    assert contents_of_mock(NonCallableMock(busy=True)) == ["busy", True]


def test_a_mock_that_is_its_own_answer_is_gone_through_once() -> None:
    chain = Mock()
    chain.add.return_value = chain
    assert contents_of_mock(chain) == []


@dataclass
class World:
    cells: Any
    mail: Any


def test_a_mock_in_the_world_that_clients_call_is_refused() -> None:
    mail = Mock()

    def client(world: World) -> None:
        world.cells.write("x", 1)
        world.mail.send("x")

    with pytest.raises(Unsearchable, match=r"clients look at 'world\.mail'"):
        explore(
            world=lambda: World(Cells(), mail),
            clients={"a": client, "b": client},
            check=nothing_to_check,
        )


def test_a_check_that_reads_what_clients_logged_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def client(world: Memory) -> None:
        if world.cells.read("left"):
            world.cells.write("left", 0)
        else:
            LOG.warning("sold out")

    def check(world: object) -> None:
        assert "sold out" in caplog.text

    with pytest.raises(Unsearchable, match="a check looks at 'caplog'"):
        explore(world=memory, clients={"a": client, "b": client}, check=check)
