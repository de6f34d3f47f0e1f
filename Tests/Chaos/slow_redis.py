#!/usr/bin/python3
"""Redis slow, stuck, emptied and set back: what clients feel of it, and how soon it is whole again.

    slow_redis.py --seconds 30 --binary .build/release/heliograph [--seed N]

Calm and trouble take turns, so that a busy machine slows both alike. Afterwards Redis is emptied,
and later replaced by an older state; each time it is measured how long it takes until Redis stands
at the last record again, while events go on arriving.
"""

import signal
import sys
import time

import stores
from judge import Verdict
from scene import Scene, arguments_parser, perform

CALM, DELAYED, STUCK = 0, 1, 2
DELAY_SECONDS = 0.2
LATENCY_FACTOR_MAX = 1.1
# A percentile of a shared machine moves by itself; less than this is no difference.
LATENCY_SLACK_SECONDS = 0.01
REBUILT_SECONDS_MAX = 60
# Positions are written one pipeline after what they stand for.
POSITIONS_BEHIND_MAX = 20


def take_turns(scene: Scene, seconds: float) -> None:
    redis, proxy = scene.stores.redis, scene.stores.redis_proxy
    for _ in range(2):
        scene.crowd.enter(CALM)
        time.sleep(seconds / 2)
        scene.crowd.enter(DELAYED)
        proxy.delay_seconds = DELAY_SECONDS
        time.sleep(seconds / 2)
        proxy.heal()
        scene.crowd.enter(CALM)
        time.sleep(seconds / 2)
        scene.crowd.enter(STUCK)
        redis.send(signal.SIGSTOP)
        time.sleep(seconds)
        redis.send(signal.SIGCONT)


def judge_latency(scene: Scene, verdict: Verdict) -> None:
    calm = scene.crowd.latency_seconds(CALM, 0.99)
    for name, phase in (("calm", CALM), ("delayed", DELAYED), ("stuck", STUCK)):
        good, bad = scene.crowd.answers(phase)
        p99 = scene.crowd.latency_seconds(phase, 0.99)
        verdict.figures[f"{name}: p50 / p99 (ms), answers, others"] = (
            f"{1000 * scene.crowd.latency_seconds(phase, 0.5):.2f} / {1000 * p99:.2f}, "
            f"{good}, {bad}")
        verdict.add(f"Redis {name}: every beacon is acknowledged", good,
                    [f"{bad} were not"] if bad else [], 100)
        if phase != CALM:
            most = LATENCY_FACTOR_MAX * calm + LATENCY_SLACK_SECONDS
            verdict.add(f"Redis {name}: clients feel nothing of it", good,
                        [] if p99 <= most else [f"p99 {1000 * p99:.1f} ms, {1000 * most:.1f} ms "
                                                "is most"])


def behind(scene: Scene) -> int:
    """Records that Redis lacks of those that PostgreSQL or Redis ever stood at."""
    archived = stores.query(scene.stores.postgres.address,
                            'SELECT partition, "offset" FROM heliograph.position')
    client = stores.Redis(scene.stores.redis.url)
    try:
        taken = client.call("MGET", *[f"hg:pos:{partition}" for partition, _ in archived])
    finally:
        client.close()
    return sum(max(0, offset - int(position or 0))
               for (_, offset), position in zip(archived, taken))


def measure_amnesia(scene: Scene, verdict: Verdict, name: str, forget) -> None:
    forget()
    began, lacked = time.monotonic(), behind(scene)
    while behind(scene) > POSITIONS_BEHIND_MAX:
        if time.monotonic() - began > REBUILT_SECONDS_MAX:
            break
        time.sleep(0.05)
    seconds = time.monotonic() - began
    scene.say(f"{name}: {lacked} records behind, whole again after {seconds:.2f} s, "
              f"{scene.crowd.events()} events so far")
    verdict.add(f"{name}: Redis is whole again within {REBUILT_SECONDS_MAX} s", lacked,
                [] if seconds < REBUILT_SECONDS_MAX else [f"{behind(scene)} records behind"])
    verdict.figures[f"{name}: whole again after (s)"] = round(seconds, 2)


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()

    def act(scene: Scene, verdict: Verdict) -> None:
        redis = scene.stores.redis
        time.sleep(3)
        redis.snapshot()
        take_turns(scene, arguments.seconds)
        scene.crowd.enter(3)
        time.sleep(3)
        judge_latency(scene, verdict)
        measure_amnesia(scene, verdict, "Redis set back", redis.restore)
        time.sleep(2)
        measure_amnesia(scene, verdict, "Redis emptied", redis.flush)
        scene.quiet()
        scene.judge(verdict, 1000)

    verdict = perform("slow-redis", arguments,
                      Scene(arguments.binary, arguments.seed, pause=0.05), act)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
