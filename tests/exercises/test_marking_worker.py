"""Marking many answers in one process is marking each by itself, only sooner."""

from __future__ import annotations

import pytest
from tests.exercises import bank, client_memory, marking_worker, service_memory

from raceproof.search import client_thread, exploration, replay, service_states, thread_watch
from raceproof.search.client import Client
from raceproof.search.service_states import ServiceStates
from raceproof.wire.redis import looking
from workshop.exercises import attempt, marking

SOME = {
    "00_count_all": [
        "INCR",
        "read, add, write",
        "WATCH, and gives up when it fails",
        "a key that expires",
    ],
    "03_post": ["number, then value", "a key that expires at once"],
}


@pytest.fixture
def in_the_notebooks(monkeypatch):
    monkeypatch.chdir(bank.NOTEBOOKS)
    monkeypatch.setattr(replay, "SCHEDULES", 2)  # as in the bank


@pytest.mark.parametrize("name", SOME)
def test_what_is_remembered_changes_no_verdict(name, in_the_notebooks, monkeypatch):
    file = bank.read(bank.ANSWERS / f"{name}.py")
    calls = counted(monkeypatch, ServiceStates, "_execute")
    found = counted(monkeypatch, Client, "_find_out")

    def texts():
        calls.clear()
        found.clear()
        marked = (
            marking_worker.mark(file.notebook, file.cell, file.call, name, answer.source)
            for name, answer in file.answers.items()
            if name in SOME[file.name]
        )
        return [told["text"] for told in marked]

    plain, moved = texts(), len(found)
    assert len(plain) == len(SOME[name])
    monkeypatch.setattr(exploration, "ServiceStates", service_memory.ServiceMemory)
    monkeypatch.setattr(exploration, "Client", client_memory.client)
    assert texts() == plain
    first = len(calls)
    assert texts() == plain
    assert len(calls) < first / 2
    same_clients = name == "03_post"  # in all of its searches
    assert len(found) < moved * (0.95 if same_clients else 1.1)


def counted(monkeypatch, cls, name):
    """Return a list that grows with each call of a method."""
    calls, real = [], getattr(cls, name)
    monkeypatch.setattr(cls, name, lambda *args: calls.append(1) or real(*args))
    return calls


def test_hurrying_is_for_what_does_not_end(monkeypatch):
    for module, name in (
        (client_thread, "PATIENCE"),
        (thread_watch, "_SLOW"),
        (attempt, "SECONDS"),
        (looking, "MOST"),
        (marking, "SECONDS"),
        (marking, "STATES"),
        (replay, "SCHEDULES"),
        (service_states, "REMADE_FIRST"),
        (service_states, "REMADE_LATER"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    by_the_clock = client_thread.PATIENCE * thread_watch._SLOW / 10
    before = (client_thread.PATIENCE, attempt.SECONDS, looking.MOST)
    marking_worker.hurry()
    now = (client_thread.PATIENCE, attempt.SECONDS, looking.MOST)
    assert all(later < earlier for later, earlier in zip(now, before, strict=True))
    assert by_the_clock < client_thread.PATIENCE * thread_watch._SLOW  # on a busy machine
    assert marking.SECONDS == marking_worker.PATIENCE
