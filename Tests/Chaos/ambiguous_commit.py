#!/usr/bin/python3
"""Swallows the replies to COMMIT and to Redis flushes, then cuts: did it happen or not?

    ambiguous_commit.py --swallows 1000 --binary .build/release/heliograph [--seed N]

The store has done what it was asked; the engine learns only that the connection broke. What it does
next must neither lose nor double anything. One COMMIT in two and one pipeline in `REDIS_EVERY` are
answered into nothing, on both stores at once, and PostgreSQL's connection is now and then cut in
the middle of a COPY instead.
"""

import sys
import time

from judge import Verdict
from scene import Scene, arguments_parser, perform

POSTGRES_EVERY, REDIS_EVERY = 2, 40
COPY_CUT_EVERY_SECONDS = 5.0
STALLED_SECONDS_MAX = 60
SAY_EVERY_SECONDS = 20


def swallow(scene: Scene, swallows: int) -> None:
    redis, postgres = scene.stores.redis_proxy, scene.stores.postgres_proxy
    redis.swallow_every, redis.swallows_left = REDIS_EVERY, swallows
    postgres.swallow_every, postgres.swallows_left = POSTGRES_EVERY, swallows
    last, moved_at, said_at, copied_at = 0, time.monotonic(), 0.0, time.monotonic()
    while redis.swallows_left or postgres.swallows_left:
        time.sleep(0.1)
        now, total = time.monotonic(), redis.swallowed + postgres.swallowed
        if total > last:
            last, moved_at = total, now
        if now - moved_at > STALLED_SECONDS_MAX:
            scene.say(f"nothing to swallow for {STALLED_SECONDS_MAX} s, that is all")
            return
        if now - copied_at > COPY_CUT_EVERY_SECONDS and postgres.swallows_left:
            postgres.in_next_copy, copied_at = lambda: None, now
        if now - said_at > SAY_EVERY_SECONDS:
            said_at = now
            scene.say(f"swallowed: {postgres.swallowed} COMMIT, {redis.swallowed} flushes; "
                      f"{postgres.copies_cut} COPY cut; {scene.crowd.events()} events")


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--swallows", type=int, default=100)
    arguments = parser.parse_args()

    def act(scene: Scene, verdict: Verdict) -> None:
        swallow(scene, arguments.swallows)
        scene.quiet()
        scene.judge(verdict, 10 * arguments.swallows)
        redis, postgres = scene.stores.redis_proxy, scene.stores.postgres_proxy
        verdict.add("replies to COMMIT were swallowed", postgres.swallowed, [], arguments.swallows)
        verdict.add("replies to flushes were swallowed", redis.swallowed, [], arguments.swallows)
        verdict.figures["COPY cut in the middle"] = postgres.copies_cut

    verdict = perform("ambiguous-commit", arguments,
                      Scene(arguments.binary, arguments.seed, pause=0.05), act)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
