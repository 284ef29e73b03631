"""Random programs against the search, until told to stop: `make fuzz`."""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import re
import time

from tests.raceproof.fuzz.compare import Comparison, compare
from tests.raceproof.fuzz.plan import KINDS, Planned, planned
from tests.raceproof.fuzz.shrink import shrink
from tests.raceproof.fuzz.tally import Tally

from raceproof.search import service_states

HANG = 120  # seconds after which a program hangs: all stacks are printed, and that is the end
SAYS = 300  # seconds after which the counts are printed again


def main() -> int:
    """Compare; print each disagreement with its seed, and the counts at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--programs", type=int, default=None, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--on", action="append", help="only on this server")
    parser.add_argument("--only", default="", help="only programs in which this pattern is found")
    parser.add_argument("--most", type=int, default=120, help="schedules of a program")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--verbose", "-v", action="store_true")
    given = parser.parse_args()
    service_states.REMADE_FIRST = 0  # programs are small: write states from the first time on
    tally, until, says = Tally(), time.monotonic() + given.seconds, time.monotonic() + SAYS
    seeds = itertools.islice(itertools.count(given.first), given.programs)
    try:
        for seed in seeds:
            for kind in given.kind or KINDS:
                for plan in planned(kind, seed):
                    there = not given.on or plan.on in given.on
                    if there and re.search(given.only, repr(plan.program)):
                        tally.note(plan, one(plan, f"{kind} {seed}", given))
            if time.monotonic() > until:
                break
            if time.monotonic() > says:
                print(tally, flush=True)
                says += SAYS
    except KeyboardInterrupt:
        print()
    print(tally)
    return int(tally.differs)


def one(plan: Planned, seed: str, given: argparse.Namespace) -> Comparison:
    """Compare one program; print a disagreement, shrunk."""
    if given.verbose:
        print(f"{seed} on {plan.on}: {plan.program!r}", flush=True)
    faulthandler.dump_traceback_later(HANG, exit=True)
    full = given.most if plan.full else 0
    made = compare(plan.program, plan.on, given.most, full, plan.replays)
    faulthandler.cancel_dump_traceback_later()
    if made.verdict == "differ":
        print(f"--- seed {seed!r} on {plan.on}: {made.words[:700]}\n{plan.program!r}", flush=True)
        if not given.no_shrink:

            def differs(smaller: object) -> bool:
                return compare(smaller, plan.on, given.most, full).verdict == "differ"  # type: ignore[arg-type]

            program = shrink(plan.program, differs, tries=150)
            smaller = compare(program, plan.on, given.most, full)
            print(f"    shrunk: {smaller.words[:700]}\n{program!r}", flush=True)
    return made


if __name__ == "__main__":
    raise SystemExit(main())
