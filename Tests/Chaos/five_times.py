#!/usr/bin/python3
"""Sends every batch five times, over connections of their own and across kills: counted once.

    five_times.py --seconds 60 --binary .build/release/heliograph [--seed N]

The copies come at random later moments, most of them after another kill of the engine, some after
Redis was emptied or PostgreSQL killed.
"""

import random
import sys
import time

from judge import Verdict
from scene import Scene, arguments_parser, perform

COPIES = 4
CALM_SECONDS = (0.5, 3.0)


def restart_again_and_again(scene: Scene, seconds: float) -> int:
    r, starts, end = random.Random(scene.seed), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(r.uniform(*CALM_SECONDS))
        if r.random() < 0.2:
            scene.stores.redis.flush()
        if r.random() < 0.1:
            scene.stores.postgres.kill()
            scene.stores.postgres.start()
        if r.random() < 0.2:
            scene.engine.stop()
        else:
            scene.engine.kill()
        scene.engine.start()
        starts += 1
    return starts


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()

    def act(scene: Scene, verdict: Verdict) -> None:
        starts = restart_again_and_again(scene, arguments.seconds)
        scene.quiet()
        scene.judge(verdict, 1000)
        first, again = scene.crowd.batches(), verdict.figures["repeats acknowledged"]
        # The last words of a sender that is told to stop may go unanswered.
        verdict.add(f"each batch was acknowledged {COPIES + 1} times", again,
                    [] if again >= COPIES * first * 0.99 else [f"{again} copies of {first}"])
        verdict.add("the engine was started again meanwhile", starts, [], 3)
        verdict.figures["starts of the engine"] = starts

    verdict = perform("five-times", arguments,
                      Scene(arguments.binary, arguments.seed, pause=0.01, copies=COPIES), act)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
