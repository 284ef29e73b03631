"""Marking many answers in one process is marking each by itself, only sooner."""

from __future__ import annotations

import pytest
from tests.exercises import bank, marking_worker, service_memory

from raceproof.search import client_thread, exploration, replay, service_states, thread_watch
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

    def texts():
        marked = (
            marking_worker.mark(file.notebook, file.cell, file.call, name, answer.source)
            for name, answer in file.answers.items()
            if name in SOME[file.name]
        )
        return [told["text"] for told in marked]

    plain = texts()
    assert len(plain) == len(SOME[name])
    monkeypatch.setattr(exploration, "ServiceStates", service_memory.ServiceMemory)
    calls = []
    real = service_memory.ServiceMemory._execute
    monkeypatch.setattr(
        service_memory.ServiceMemory,
        "_execute",
        lambda self, *args: calls.append(1) or real(self, *args),
    )
    assert texts() == plain
    first, calls[:] = len(calls), []
    assert texts() == plain
    assert len(calls) < first / 2


def test_hurrying_is_for_what_does_not_end(monkeypatch):
    for module, name in (
        (client_thread, "PATIENCE"),
        (thread_watch, "_SLOW"),
        (attempt, "SECONDS"),
        (looking, "MOST"),
        (marking, "SECONDS"),
        (marking, "explore"),
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
