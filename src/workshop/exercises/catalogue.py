"""The exercises of the notebooks: number and title, in reading order."""

from __future__ import annotations

NAMES = (
    "00.1 count all visitors",
    "01.1 which readers miss nothing",
    "01.2 a reader that misses nothing",
    "01.3 a send that may be repeated",
    "02.1 which queues lose nothing",
    "02.2 a janitor with two lists",
    "02.3 finish once",
    "03.1 which boards end right",
    "03.2 a watch that ends right",
    "03.3 a post that may be repeated",
    "04.1 which flushes lose nothing",
    "04.2 a flush that loses nothing",
    "04.3 a hit that may be repeated",
    "05.1 how many transfers get through",
    "05.2 number and balance",
    "05.3 a deposit once",
    "05.4 the first answer is the answer",
    "06.1 how an order comes out",
    "06.2 three classes in every order",
    "06.3 a combination of halves",
    "07.1 which changes hold",
    "07.2 a refresh that may be repeated",
)


def name_of(title: str) -> str:
    """Return the number and title of an exercise of ours; a title of another's as it is."""
    return next((name for name in NAMES if name.partition(" ")[2] == title), title)
