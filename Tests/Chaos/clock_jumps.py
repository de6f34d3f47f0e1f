#!/usr/bin/python3
"""Sets the engine's wall clock by a second, an hour, a day, ten years, both ways, and stops it.

    clock_jumps.py --seconds 4 --binary .build/release/heliograph [--seed N]

All the while beacons are acknowledged, no timer runs wild (the engine's processor time stays what it
was), and nothing is lost or counted twice, repeats from before a jump included. The stores' and the
senders' clocks stay right; monotonic clocks go on, as they do when somebody sets a clock.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from disks import WallClock, may_compile
from judge import Verdict
from scene import Scene, arguments_parser, perform

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
TEN_YEARS = 3652 * DAY
JUMPS = {"+1 s": SECOND, "-1 s": -SECOND, "+1 h": HOUR, "-1 h": -HOUR, "+1 day": DAY,
         "-1 day": -DAY, "+10 y": TEN_YEARS, "-10 y": -TEN_YEARS}
# Of the processor time that the same seconds took before: a timer that runs wild takes all there is.
PROCESSOR_FACTOR_MAX = 2.5
EVENTS_SHARE_MIN = 0.5


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """What the engine does in so many seconds, beside what it did at first."""

    def __init__(self, scene: Scene, seconds: float):
        self.scene, self.seconds = scene, seconds
        self.events, self.processor = self.measure(lambda: None)

    def measure(self, jump: Callable[[], None]) -> tuple[int, float]:
        pid, events = self.scene.engine.process.pid, self.scene.crowd.events()
        processor = processor_seconds(pid)
        jump()
        time.sleep(self.seconds)
        return self.scene.crowd.events() - events, processor_seconds(pid) - processor

    def check(self, name: str, jump: Callable[[], None], verdict: Verdict) -> None:
        events, processor = self.measure(jump)
        self.scene.say(f"{name}: {events} events acknowledged ({self.events} at first), "
                       f"{processor:.2f} s of processor ({self.processor:.2f} s)")
        verdict.add(f"{name}: beacons are acknowledged", events, [],
                    round(self.events * EVENTS_SHARE_MIN))
        verdict.add(f"{name}: no timer runs wild", 1,
                    [] if processor <= PROCESSOR_FACTOR_MAX * self.processor + 0.2
                    else [f"{processor:.2f} s of processor, {self.processor:.2f} s before"])


def jump_about(scene: Scene, verdict: Verdict, clock: WallClock, seconds: float) -> None:
    time.sleep(2)
    meter = Meter(scene, seconds)
    for name, by in JUMPS.items():
        meter.check(name, lambda by=by: clock.set(by), verdict)
        meter.check(f"back from {name}", lambda: clock.set(0), verdict)
    meter.check("stuck", lambda: clock.stop_at(int(time.time() * 1000)), verdict)
    clock.set(0)
    # A start while the clock is wrong, and one after it was put right.
    for by in (DAY, 0):
        scene.engine.kill()
        clock.set(by)
        scene.engine.start()
        time.sleep(seconds / 2)


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="between two jumps")
    arguments = parser.parse_args()
    if not may_compile():
        print("clock_jumps: left out: no C compiler for the clock's shim")
        return 0
    scene = Scene(arguments.binary, arguments.seed, pause=0.05)
    clock = WallClock(scene.engine.folder)
    scene.engine.environment |= clock.environment()

    def act(scene: Scene, verdict: Verdict) -> None:
        jump_about(scene, verdict, clock, arguments.seconds)
        scene.quiet()
        # Live minutes are kept for two days of the engine's clock: they survive jumps of hours, which
        # the oracle makes, and not those of days and years. Nothing durable is taken from them.
        scene.judge(verdict, 1000, clock_milliseconds=(-TEN_YEARS, TEN_YEARS), live_minutes=False)

    verdict = perform("clock-jumps", arguments, scene, act)
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
