#!/usr/bin/python3
"""Real clients, a real engine, real stores behind proxies, and faults from one seed.

    oracle.py --passes 1 --binary .build/release/heliograph [--seed N] [--json FILE]

Each pass lets every kind of fault happen once, in an order of the seed's, now and then two at a
time. Then everything works again, senders finish, and the judge asks: is every acknowledged event
there once, nothing that nobody sent, nothing altered; do the sums equal an independent fold; does a
fresh event go through within 5 s? A run in which too little happened fails, because it proves
nothing. What needs more rights than the test has (a small disk to fill) is left out, and said.
"""

import random
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from disks import SmallDisk, WallClock, may_compile, may_mount
from engine import EngineError
from faults import JUMPS_SECONDS, Fault, Stage, every_fault
from judge import Verdict
from scene import SETTINGS, Scene, arguments_parser, perform

TWO_AT_ONCE_SHARE = 0.5
CALM_SECONDS = (0.2, 1.2)
FAULT_SECONDS = (0.4, 2.5)
EVENTS_PER_FAULT_MIN = 100
READY_SECONDS_MAX = 30
# The engine leaves 5 % free for others; small segments let it notice a full disk soon.
DISK_MEBIBYTES = 256
DISK_SETTINGS = "journal:\n  disk_budget_bytes: 134217728\n  segment_bytes: 4194304\n"


@dataclass
class Log:
    """What happened, by kind of fault."""

    hits: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    misses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    troubles: list[str] = field(default_factory=list)

    def table(self) -> dict[str, dict]:
        return {name: {"hits": self.hits[name], "misses": self.misses[name],
                       "events acknowledged meanwhile": self.events[name]}
                for name in sorted({*self.hits, *self.misses})}


def schedule(kinds: list[Fault], passes: int, r: random.Random) -> list[list[Fault]]:
    """Every kind once in each pass; two in a row that have different places may go together."""
    steps: list[list[Fault]] = []
    for _ in range(passes):
        for fault in r.sample(kinds, len(kinds)):
            last = steps[-1] if steps else []
            if len(last) == 1 and last[0].place != fault.place and r.random() < TWO_AT_ONCE_SHARE:
                last.append(fault)
            else:
                steps.append([fault])
    return steps


def befall(stage: Stage, fault: Fault, log: Log) -> None:
    before, began = stage.scene.crowd.events(), time.monotonic()
    try:
        hit = fault.act(stage)
    except Exception as error:  # the judge decides; the schedule goes on
        log.troubles.append(f"{fault.name}: {error}")
        hit = False
    events = stage.scene.crowd.events() - before
    (log.hits if hit else log.misses)[fault.name] += 1
    log.events[fault.name] += events
    stage.scene.say(f"{fault.name}{'' if hit else ' (not hit)'}: "
                    f"{time.monotonic() - began:.1f} s, {events} events acknowledged")


def disturb(stage: Stage, steps: list[list[Fault]], log: Log) -> None:
    for number, step in enumerate(steps):
        time.sleep(stage.random.uniform(*CALM_SECONDS))
        # Each fault has luck of its own, so that threads cannot change what the seed says.
        threads = [threading.Thread(target=befall, args=(
            Stage(stage.scene, random.Random(f"{stage.scene.seed}-{number}-{fault.name}"),
                  stage.seconds, stage.disk, stage.clock, stage.recoveries), fault, log))
            for fault in step]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        try:
            stage.scene.engine.wait_ready(READY_SECONDS_MAX)
        except EngineError as error:
            log.troubles.append(f"not ready {READY_SECONDS_MAX} s after "
                                f"{' and '.join(fault.name for fault in step)}: {error}")
            return


def judge(scene: Scene, verdict: Verdict, stage: Stage, kinds: list[Fault], log: Log) -> None:
    clock = (1000 * min(JUMPS_SECONDS), 1000 * max(JUMPS_SECONDS)) if stage.clock else (0, 0)
    scene.judge(verdict, EVENTS_PER_FAULT_MIN * len(kinds), clock_milliseconds=clock)
    judge_worth(verdict, kinds, log)
    starts = sorted(stage.recoveries)
    verdict.figures |= {
        "faults": sum(log.hits.values()), "engine starts": len(starts),
        "ready again, longest (s)": round(starts[-1], 2) if starts else None,
        "faults by kind": log.table()}


def judge_worth(verdict: Verdict, kinds: list[Fault], log: Log) -> None:
    """Whether enough happened for the rest of the verdict to mean something."""
    hits = sum(log.hits.values())
    verdict.add("the engine comes back after every fault", hits, log.troubles)
    verdict.add("every kind of fault was hit", len(kinds),
                [f"{fault.name}: never" for fault in kinds if not log.hits[fault.name]])
    verdict.add("events were acknowledged under faults", sum(log.events.values()), [],
                EVENTS_PER_FAULT_MIN * hits)
    verdict.add("acknowledged batches were sent again",
                verdict.figures["repeats acknowledged"], [], 5)


def perform_round(arguments, seed: int) -> tuple[Verdict | None, Log]:
    """One round from one seed: to its verdict, and what happened."""
    r, log = random.Random(f"oracle-{seed}"), Log()
    disk = SmallDisk(DISK_MEBIBYTES) if may_mount() else None
    scene = Scene(arguments.binary, seed, pause=0.04,
                  settings=SETTINGS + (DISK_SETTINGS if disk else ""),
                  data=disk.folder / "var" if disk else None)
    clock = WallClock(scene.engine.folder) if may_compile() else None
    if clock:
        scene.engine.environment |= clock.environment()
    for what, missing in (("no small disk may be mounted here", not disk),
                          ("no C compiler for the clock's shim", not clock)):
        if missing:
            print(f"oracle: left out: {what}", flush=True)
    kinds = every_fault(bool(disk), bool(clock))

    def act(scene: Scene, verdict: Verdict) -> None:
        stage = Stage(scene, r, tuple(arguments.fault_seconds), disk, clock)
        time.sleep(1)
        disturb(stage, schedule(kinds, arguments.passes, r), log)
        if disk:
            disk.clear()
        scene.say("everything works again")
        scene.quiet()
        judge(scene, verdict, stage, kinds, log)
    try:
        return perform("oracle", arguments, scene, act), log
    finally:
        if disk:
            disk.end()


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--passes", type=int, default=1, help="times that every fault happens")
    parser.add_argument("--fault-seconds", type=float, nargs=2, default=FAULT_SECONDS,
                        metavar=("LEAST", "MOST"))
    arguments = parser.parse_args()
    verdict, _ = perform_round(arguments, arguments.seed)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
