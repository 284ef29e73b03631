"""Make page_views.csv: one day of page views in 50 ad zones of a site that does not exist.

    python data/make_page_views.py

Out: for each 5 minutes of the day (UTC) and each zone, how many views. The zones are popular as
Zipf says (the n-th gets 1/n of what the first gets), the day has a night and an evening, and for
half an hour one quiet zone is everywhere. The mean is 285 views a second, about what the post of
2010 saved in SQL transactions. The seed is fixed: every run writes the same bytes. Errors: only
what writing a file can raise; a file that is there is replaced.
"""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

SEED = 2010
ZONES = 50
SLOT = 300  # seconds
DAY = 86_400  # seconds
MEAN = 285  # views a second, over the day
BURST_ZONE, BURST_START, BURST_SECONDS, BURST = 37, 14 * 3600 + 1200, 1800, 180  # views a second


def rhythm(at: int) -> float:
    """How busy the site is at a second of the day; 1 is the mean."""
    hour = at / 3600
    return (
        1
        + 0.6 * math.cos((hour - 20) / 24 * math.tau)
        + 0.2 * math.cos((hour - 12.5) / 6 * math.pi)
    )


def burst(at: int) -> float:
    """Views a second that the burst adds: it jumps up and fades."""
    since = at - BURST_START
    return BURST * math.exp(-since / 900) if 0 <= since < BURST_SECONDS else 0.0


def views(chance: random.Random, expected: float) -> int:
    """A count around the expected one, as wide as a Poisson's."""
    return max(0, round(chance.gauss(expected, math.sqrt(expected))))


def main(path: Path) -> None:
    chance = random.Random(SEED)
    shares = [1 / rank for rank in range(1, ZONES + 1)]
    chance.shuffle(shares)
    while shares[BURST_ZONE - 1] > 1 / 25:
        chance.shuffle(shares)
    whole = sum(shares)
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["utc", *(f"zone {number}" for number in range(1, ZONES + 1))])
        for at in range(0, DAY, SLOT):
            middle = at + SLOT // 2
            row = []
            for number, share in enumerate(shares, 1):
                rate = MEAN * rhythm(middle) * share / whole
                rate += burst(middle) if number == BURST_ZONE else 0.0
                row.append(views(chance, rate * SLOT))
            table.writerow([f"{at // 3600:02}:{at % 3600 // 60:02}", *row])


if __name__ == "__main__":
    main(Path(__file__).parent / "page_views.csv")
