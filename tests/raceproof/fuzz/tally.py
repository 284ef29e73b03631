"""What a campaign has done, as it prints it."""

from __future__ import annotations

import time
from collections import Counter

from tests.raceproof.fuzz.compare import Comparison
from tests.raceproof.fuzz.plan import Planned

SIZES = (1, 5, 20, 60, 120)  # schedules of a program, at most


class Tally:
    """Counts of comparisons by server and verdict, and how large the programs were."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[str] = Counter()
        self._sizes: Counter[int] = Counter()
        self._full = self._replayed = self._schedules = 0

    @property
    def differs(self) -> bool:
        """Whether anything disagreed."""
        return any(verdict == "differ" for _, verdict in self._verdicts)

    def note(self, plan: Planned, made: Comparison) -> None:
        """Count one comparison."""
        self._verdicts[plan.on, made.verdict] += 1
        if made.verdict in ("refused", "fakeredis fails"):
            self._refused[f"{made.verdict}: {made.words[:100]}"] += 1
        if made.verdict == "agree":
            self._full += plan.full
            self._replayed += plan.replays
            self._schedules += made.schedules
            self._sizes[next((n for n in SIZES if made.schedules <= n), 10**9)] += 1

    def __str__(self) -> str:
        servers: dict[str, list[str]] = {}
        for (on, verdict), count in sorted(self._verdicts.items()):
            servers.setdefault(on, []).append(f"{count:,} {verdict}")
        lines = [f"{on}: {', '.join(words)}" for on, words in servers.items()]
        agreed = sum(n for (_, verdict), n in self._verdicts.items() if verdict == "agree")
        sizes = ", ".join(f"{self._sizes[n]:,} up to {n}" for n in SIZES)
        lines.append(
            f"{agreed:,} agreed (merged and plain; {self._full:,} of them also in full, "
            f"{self._replayed:,} with replays) on {self._schedules:,} schedules: {sizes}"
        )
        lines += [f"{count:,} {words}" for words, count in self._refused.most_common(12)]
        return "\n".join([f"after {time.monotonic() - self._begun:,.0f} s", *lines])
