"""What a notice board costs: beside bare PUBLISH, beside polling, and with a thousand browsers.

    python benches/notice_boards.py [--rounds 5] [--posts 2000] [--seen 30] [--browsers 10 100 1000]

What a post takes of the processor; how soon a reader sees it, and what it asks for meanwhile; how
soon waiting browsers are answered. All on one private server. A whole run takes two and a half
minutes; what it finds is written to benches/results/notice_boards.*. For the second server of HTTP
it makes an environment in build/bench, the first time from the network.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benches.compared import pages
from benches.compared.ratios import rounds
from benches.waiting_readers import posting, reading, results, waking

from workshop import services


def main() -> None:
    """Measure everything; print and write it."""
    parser = argparse.ArgumentParser(description="Notice boards")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=2000, help="of each way in each round")
    parser.add_argument("--seen", type=int, default=30, help="posts that each reader waits for")
    parser.add_argument("--every", type=float, default=0.1, help="seconds between these")
    parser.add_argument("--browsers", type=int, nargs="+", default=[10, 100, 1000])
    how = parser.parse_args()
    on = pages.machine()
    client = services.redis("bench", fresh=True)
    url = services.redis_url("bench")
    found: dict[str, list[pages.Row]] = {}
    found["posts"] = results.posts(rounds(how.rounds, posting.trials(client, how.posts)))
    readers = {
        name: partial(reading.read, client, url, name, how.seen, how.every) for name in reading.WAYS
    }
    found["reads"] = results.reads(rounds(max(1, how.rounds - 2), readers))
    woken: dict[tuple[str, int], list[waking.Waking]] = {}
    for http in waking.SERVERS:
        with waking.hall(url, http) as (server, browsers):
            waking.wake(client, server, browsers, max(how.browsers))  # the first of all is slower
            sizes = {
                (http, size): partial(waking.wake, client, server, browsers, size)
                for size in how.browsers
            }
            woken |= rounds(how.rounds, sizes)
    found["wakes"] = results.wakes(woken)
    for table in results.tables(found):
        print(table)
    results.write({"machine": on, "how": vars(how), **found})
    by_name = {row["way"]: row for row in found["posts"]}
    print(f"{posting.OURS}: {by_name[posting.OURS]['times']:.1f} times {posting.BARE} (wanted: 2)")
    for row in found["wakes"]:
        print(f"{row['browsers']:,} browsers, {row['http']}: p99 {row['p99']} ms (wanted: 50)")


if __name__ == "__main__":
    main()
