"""Random programs against the search, until told to stop: `make fuzz`."""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import time
from collections import Counter

from tests.raceproof.fuzz.choices import Seeded
from tests.raceproof.fuzz.compare import KINDS, Comparison, compare
from tests.raceproof.fuzz.shrink import shrink

HANG = 120  # seconds after which a program hangs: all stacks are printed, and that is the end


def main() -> int:
    """Compare; print each disagreement with its seed, and the counts at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--programs", type=int, default=None)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--on", action="append", help="only on this server")
    parser.add_argument("--most", type=int, default=120, help="schedules of a program")
    parser.add_argument("--size", type=int, default=60, help="schedules to aim at, at most")
    parser.add_argument("--no-full", action="store_true", help="leave merge=False out")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--verbose", "-v", action="store_true")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    schedules = 0
    until = time.monotonic() + given.seconds
    seeds = itertools.count(given.first)
    try:
        for seed in itertools.islice(seeds, given.programs):
            for kind in given.kind or KINDS:
                generate, servers = KINDS[kind]
                for on in servers:
                    if given.on and on not in given.on:
                        continue
                    program = generate(Seeded(f"{kind} {seed}"), on, given.size)
                    if given.verbose:
                        print(f"{kind} {seed} on {on}: {program!r}", flush=True)
                    faulthandler.dump_traceback_later(HANG, exit=True)
                    made = compare(program, on, given.most, not given.no_full)
                    counts[f"{on}: {made.verdict}"] += 1
                    schedules += made.schedules
                    if made.verdict == "refused":
                        refused[made.words] += 1
                    if made.verdict == "differ":
                        report(made, f"{kind} {seed}", on, given)
            if time.monotonic() > until:
                break
    except KeyboardInterrupt:
        print()
    for words, count in refused.most_common():
        print(f"refused {count}: {words}")
    print(f"{schedules:,} schedules; " + ", ".join(f"{n} {w}" for w, n in sorted(counts.items())))
    return int(any("differ" in words for words in counts))


def report(made: Comparison, seed: str, on: str, given: argparse.Namespace) -> None:
    """Print one disagreement, shrunk."""
    program = made.program
    if not given.no_shrink:
        full = not given.no_full

        def differs(smaller: object) -> bool:
            return compare(smaller, on, given.most, full).verdict == "differ"  # type: ignore[arg-type]

        faulthandler.cancel_dump_traceback_later()
        program = shrink(program, differs, tries=150)
        made = compare(program, on, given.most, full)
    print(f"--- seed {seed!r} on {on}: {made.words[:700]}\n{program!r}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
