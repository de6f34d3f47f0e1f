#!/usr/bin/python3
"""A store is away for minutes while events flow; then the backlog must drain, and all be right.

    long_outage.py --store redis --minutes 10 --binary .build/release/heliograph [--seed N]
    long_outage.py --store postgres --minutes 10      comes back, and is killed in a COPY, twice

Shown: the share of beacons that were acknowledged, their latency against that before and after,
and how many times faster than events arrive the backlog drains.
"""

import sys
import time

import stores
from judge import Verdict
from scene import SETTINGS, Scene, arguments_parser, perform

BEFORE, DURING, AFTER = 0, 1, 2
ACKNOWLEDGED_SHARE_MIN = 0.9999
DRAIN_FACTOR_MIN = 3.0
DRAIN_SECONDS_MAX = 900
# A backlog smaller than this many seconds of traffic says nothing of the rate at which it drains.
BACKLOG_SECONDS_MIN = 20
LATENCY_FACTOR_MAX = 1.1
KILLS_IN_COPY = 2


def rows(scene: Scene) -> int:
    address = scene.stores.postgres.address
    return stores.query(address, "SELECT count(*) FROM heliograph.event")[0][0]


def positions(scene: Scene) -> int:
    """The sum of the positions that Redis has taken: records, each a batch of the senders'."""
    client = stores.Redis(scene.stores.redis.url)
    try:
        found = client.call("MGET", *[f"hg:pos:{partition}" for partition in range(256)])
        return sum(int(position or 0) for position in found)
    finally:
        client.close()


def drained(scene: Scene, store: str) -> int:
    """How much the store has, in its own measure."""
    return rows(scene) if store == "postgres" else positions(scene)


def arrived(scene: Scene, store: str) -> int:
    return scene.crowd.events() if store == "postgres" else scene.crowd.batches()


def be_away(scene: Scene, store: str, seconds: float) -> None:
    server = getattr(scene.stores, store)
    server.kill()
    scene.say(f"{server.name} is away for {seconds:.0f} s")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(60, max(0.1, end - time.monotonic())))
        scene.say(f"{scene.crowd.events()} events acknowledged")
    server.start()


def kill_in_copies(scene: Scene, verdict: Verdict) -> None:
    proxy, server = scene.stores.postgres_proxy, scene.stores.postgres
    for _ in range(KILLS_IN_COPY):
        before, deadline = proxy.copies_cut, time.monotonic() + 60
        proxy.in_next_copy = server.kill
        while proxy.copies_cut == before and time.monotonic() < deadline:
            time.sleep(0.05)
        server.start()
    verdict.add("PostgreSQL was killed in the middle of a COPY", proxy.copies_cut, [],
                KILLS_IN_COPY)


def drain(scene: Scene, verdict: Verdict, store: str) -> None:
    """Measures how fast the backlog goes while events go on arriving."""
    began, had, came = time.monotonic(), drained(scene, store), arrived(scene, store)
    backlog = came - had
    while time.monotonic() - began < DRAIN_SECONDS_MAX:
        time.sleep(0.5)
        have, arriving = drained(scene, store), arrived(scene, store)
        # What was under way when the senders' counts were read is not a backlog.
        if have >= arriving * 0.999:
            break
    seconds = time.monotonic() - began
    rate, arrival = (have - had) / seconds, max(1e-9, (arriving - came) / seconds)
    unit = "rows" if store == "postgres" else "records"
    scene.say(f"backlog of {backlog} {unit} drained in {seconds:.1f} s at {rate:.0f}/s, "
              f"arrival {arrival:.0f}/s")
    verdict.add(f"the backlog drains at {DRAIN_FACTOR_MIN:.0f} × arrival or faster", backlog,
                [] if rate >= DRAIN_FACTOR_MIN * arrival else [f"{rate / arrival:.1f} ×"],
                round(BACKLOG_SECONDS_MIN * arrival))
    verdict.figures |= {"backlog": f"{backlog} {unit}", "drained in (s)": round(seconds, 1),
                        "drain rate / arrival": round(rate / arrival, 1)}


def judge_answers(scene: Scene, verdict: Verdict) -> None:
    good, bad = scene.crowd.answers(DURING)
    share = good / max(1, good + bad)
    verdict.add("beacons are acknowledged while the store is away", good + bad,
                [] if share >= ACKNOWLEDGED_SHARE_MIN else [f"only {share:.4%}"], 1000)
    for name, phase in (("before", BEFORE), ("during", DURING), ("after", AFTER)):
        verdict.figures[f"latency p50 / p99 {name} (ms)"] = " / ".join(
            f"{1000 * scene.crowd.latency_seconds(phase, part):.2f}" for part in (0.5, 0.99))
    verdict.figures["acknowledged while away"] = f"{share:.4%} of {good + bad}"


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--store", choices=["redis", "postgres"], required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calm-seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0.05)
    arguments = parser.parse_args()

    def act(scene: Scene, verdict: Verdict) -> None:
        time.sleep(5)
        scene.crowd.enter(BEFORE + 3)   # what the start cost is nobody's phase
        scene.crowd.enter(BEFORE)
        time.sleep(arguments.calm_seconds)
        scene.crowd.enter(DURING)
        be_away(scene, arguments.store, 60 * arguments.minutes)
        scene.crowd.enter(AFTER)
        if arguments.store == "postgres":
            kill_in_copies(scene, verdict)
        drain(scene, verdict, arguments.store)
        time.sleep(arguments.calm_seconds)
        judge_answers(scene, verdict)
        scene.quiet()
        scene.judge(verdict, 1000)

    scene = Scene(arguments.binary, arguments.seed, pause=arguments.pause, settings=SETTINGS)
    verdict = perform(f"long-outage-{arguments.store}", arguments, scene, act)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
