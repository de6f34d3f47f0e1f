#!/usr/bin/python3
"""Kills the engine at random moments under load, and judges what is left.

    kill_test.py --kills 20 --binary .build/release/heliograph [--seed N] [--json FILE]

Senders post real traffic over keep-alive connections and repeat what was not answered. The engine
is killed with SIGKILL between batches, inside them, and while it recovers. At the end every
acknowledged event must have taken effect exactly once: in the rows, in the sessions, and in the
decayed sums of every visitor, compared with a fold written from the definitions alone.
"""

import argparse
import json
import random
import sys
import time

from engine import Engine, EngineError
from judge import Verdict, judge_all
from traffic import Crowd

# Of the kills, the share that comes while the engine is still starting up again.
EARLY_KILL_SHARE = 0.25
EARLY_SECONDS_MAX = 0.4
LOAD_SECONDS = (0.5, 3.0)
# Fewer events than this between two kills would mean that nothing was at stake.
EVENTS_PER_KILL_MIN = 50


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--visitors", type=int, default=400)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    return parser.parse_args()


def kill_again_and_again(engine: Engine, crowd: Crowd, kills: int, r: random.Random) -> dict:
    """Returns how long recoveries took and how many kills came under load."""
    recoveries, under_load, early = [], 0, 0
    killed = 0
    while killed < kills:
        before = crowd.ledger.batches_acknowledged
        time.sleep(r.uniform(*LOAD_SECONDS))
        under_load += crowd.ledger.batches_acknowledged > before
        engine.kill()
        killed += 1
        while killed < kills and r.random() < EARLY_KILL_SHARE:
            engine.launch()
            time.sleep(r.uniform(0, EARLY_SECONDS_MAX))
            engine.kill()
            killed += 1
            early += 1
        seconds = engine.start()
        recoveries.append(seconds)
        print(f"    kill {killed:>3} of {kills}: ready again after {seconds:.2f} s, "
              f"{len(crowd.ledger.acknowledged())} events acknowledged so far", flush=True)
    return {"recoveries": recoveries, "under_load": under_load, "early": early}


def run(arguments: argparse.Namespace, engine: Engine) -> Verdict:
    r = random.Random(arguments.seed)
    print(f"kill_test: seed {arguments.seed}, {arguments.kills} kills; engine in {engine.folder}")
    print(f"    ready after {engine.start():.2f} s", flush=True)
    crowd = Crowd(arguments.seed, engine.ingest_port, arguments.senders, arguments.visitors)
    crowd.start()
    try:
        story = kill_again_and_again(engine, crowd, arguments.kills, r)
        time.sleep(1)
    finally:
        crowd.stop()
    verdict = Verdict()
    judge_all(verdict, engine, crowd.ledger, EVENTS_PER_KILL_MIN * story["under_load"])
    for text in crowd.refusals()[:3]:
        print(f"    refused: {text}")
    verdict.add("kills came while events flowed", story["under_load"], [],
                max(1, arguments.kills // 3))
    verdict.add("acknowledged batches were sent again", crowd.ledger.repeats_acknowledged, [], 5)
    stopped = engine.stop()
    verdict.add("the engine drains and leaves within 10 s", 1,
                [] if stopped <= 10 else [f"took {stopped:.1f} s"])
    verdict.figures |= {"seed": arguments.seed, "kills": arguments.kills,
                        "kills during recovery": story["early"],
                        "longest recovery (s)": round(max(story["recoveries"]), 2)}
    return verdict


def main() -> int:
    arguments = parse()
    try:
        engine = Engine(arguments.binary)
    except EngineError as error:
        sys.exit(f"kill_test: {error}")
    verdict = None
    try:
        verdict = run(arguments, engine)
        verdict.print("kill-test")
        if arguments.json:
            with open(arguments.json, "w", encoding="utf-8") as file:
                json.dump({"passed": verdict.passed, "checks": verdict.checks,
                           "figures": verdict.figures}, file, indent=1)
    except EngineError as error:
        print(f"\n{error}\n\nkill-test: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=arguments.keep or not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
