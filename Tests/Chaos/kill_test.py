#!/usr/bin/python3
"""Kills the engine at random moments under load, and judges what is left.

    kill_test.py --kills 20 --binary .build/release/heliograph [--seed N] [--json FILE]
    kill_test.py --kills 1000 --events 10000000      until both are reached; about an hour

Senders post real traffic over keep-alive connections and repeat what was not answered. The engine
is killed with SIGKILL between batches, inside them, and while it recovers. At the end every
acknowledged event must have taken effect exactly once: in the rows, in the sessions, and in the
decayed sums of every visitor, compared with a fold written from the definitions alone.

With --events the senders are processes with full batches and a ledger of bits. Every id, every
content and every session is judged all the same; sums are compared for a sample of the visitors.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bulk_judge import judge_bulk, judge_senders
from bulk_traffic import BulkCrowd, read_ledgers
from engine import Engine, EngineError
from judge import Verdict, judge_all
from traffic import Crowd

# Of the kills, the share that comes while the engine is still starting up again.
EARLY_KILL_SHARE = 0.25
EARLY_SECONDS_MAX = 0.4
LOAD_SECONDS = (0.5, 3.0)
# Fewer events than this between two kills would mean that nothing was at stake.
EVENTS_PER_KILL_MIN = 50
# The promise is 2 s for each GiB of journal; a smaller journal has 2 s too.
READY_SECONDS_PER_GIB = 2.0
GIB = 1 << 30
# What waits for a store may be more than usual: PostgreSQL runs at a lower priority.
BULK_SETTINGS = "journal:\n  disk_budget_bytes: 8589934592\n"
PROGRESS_EVERY_KILLS = 10


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=0,
                        help="go on until so many events are acknowledged")
    parser.add_argument("--pause", type=float, default=0.0,
                        help="seconds between two batches of a sender, with --events")
    parser.add_argument("--hours-max", type=float, default=2.0,
                        help="no more kills after so long, with --events")
    parser.add_argument("--senders", type=int, help="threads (8); with --events processes (3)")
    parser.add_argument("--visitors", type=int, default=400)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    return parser.parse_args()


@dataclass
class Story:
    """What happened so far."""

    killed: int = 0
    under_load: int = 0
    early: int = 0
    # seconds until ready again, bytes of the journal then
    recoveries: list[tuple[float, int]] = field(default_factory=list)

    def figures(self) -> dict:
        seconds = sorted(second for second, _ in self.recoveries)
        bytes_max = max(size for _, size in self.recoveries)
        return {
            "kills": self.killed, "kills during recovery": self.early,
            "ready again p50 / p99 / max (s)": " / ".join(
                f"{value:.2f}" for value in (share(seconds, 0.5), share(seconds, 0.99),
                                             seconds[-1])),
            "journal at recovery, most (MiB)": bytes_max >> 20,
            "ready again p99 (s per GiB, less than 1 GiB counts as 1)": round(share(sorted(
                second / max(1.0, size / GIB) for second, size in self.recoveries), 0.99), 2),
        }


def share(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def journal_bytes(engine: Engine) -> int:
    """The disk blocks of the segments that stand in the journal's folder."""
    total = 0
    for segment in (engine.data / "journal").glob("*.hgj"):
        try:
            total += segment.stat().st_blocks * 512
        except FileNotFoundError:   # behind every store: the engine has cut it
            pass
    return total


def kill_once(engine: Engine, crowd, story: Story, kills: int, r: random.Random) -> None:
    before = crowd.batches()
    time.sleep(r.uniform(*LOAD_SECONDS))
    story.under_load += crowd.batches() > before
    engine.kill()
    story.killed += 1
    while story.killed < kills and r.random() < EARLY_KILL_SHARE:
        engine.launch()
        time.sleep(r.uniform(0, EARLY_SECONDS_MAX))
        engine.kill()
        story.killed += 1
        story.early += 1
    size = journal_bytes(engine)
    story.recoveries.append((engine.start(), size))


def kill_again_and_again(engine: Engine, crowd, arguments, r: random.Random) -> Story:
    story, told = Story(), 0
    deadline = time.monotonic() + arguments.hours_max * 3600
    while story.killed < arguments.kills or crowd.events() < arguments.events:
        if arguments.events and time.monotonic() > deadline:
            break
        kill_once(engine, crowd, story, arguments.kills, r)
        if not arguments.events or story.killed >= told + PROGRESS_EVERY_KILLS:
            told = story.killed
            print(f"    {time.strftime('%H:%M:%S')} kill {story.killed:>3} of {arguments.kills}: "
                  f"ready again after {story.recoveries[-1][0]:.2f} s, "
                  f"{crowd.events()} events acknowledged so far", flush=True)
    return story


def run(arguments: argparse.Namespace, engine: Engine) -> Verdict:
    r = random.Random(arguments.seed)
    print(f"kill_test: seed {arguments.seed}, {arguments.kills} kills; engine in {engine.folder}")
    print(f"    ready after {engine.start():.2f} s", flush=True)
    crowd = (BulkCrowd(arguments.seed, engine.ingest_port, engine.folder,
                       arguments.senders or 3, arguments.pause)
             if arguments.events else
             Crowd(arguments.seed, engine.ingest_port, arguments.senders or 8, arguments.visitors))
    crowd.start()
    try:
        story = kill_again_and_again(engine, crowd, arguments, r)
        time.sleep(1)
    finally:
        crowd.stop()
        if arguments.events:
            crowd.abandon()
    verdict = Verdict()
    least = max(arguments.events, EVENTS_PER_KILL_MIN * story.under_load)
    (judge_many if arguments.events else judge_few)(verdict, engine, crowd, arguments, least)
    judge_story(verdict, engine, arguments, story)
    return verdict


def judge_story(verdict: Verdict, engine: Engine, arguments, story: Story) -> None:
    verdict.add("kills came while events flowed", story.under_load, [],
                max(1, arguments.kills // 3))
    verdict.add("as many kills as asked for", story.killed, [], arguments.kills)
    stopped = engine.stop()
    verdict.add("the engine drains and leaves within 10 s", 1,
                [] if stopped <= 10 else [f"took {stopped:.1f} s"])
    verdict.figures |= {"seed": arguments.seed, **story.figures(),
                        "bound on a kill that loses (95 %, 3/N)": f"{300 / story.killed:.2f} %"}


def judge_few(verdict: Verdict, engine: Engine, crowd: Crowd, arguments, least: int) -> None:
    judge_all(verdict, engine, crowd.ledger, least)
    for text in crowd.refusals()[:3]:
        print(f"    refused: {text}")
    verdict.add("acknowledged batches were sent again", crowd.ledger.repeats_acknowledged, [], 5)


def judge_many(verdict: Verdict, engine: Engine, crowd: BulkCrowd, arguments, least: int) -> None:
    windows, ends = read_ledgers(crowd.ledgers)
    judge_bulk(verdict, engine, arguments.seed, windows, least)
    judge_senders(verdict, crowd, ends)
    verdict.add("acknowledged batches were sent again", verdict.figures["repeats acknowledged"],
                [], 5)


def main() -> int:
    arguments = parse()
    try:
        engine = Engine(arguments.binary, settings=BULK_SETTINGS if arguments.events else "")
    except EngineError as error:
        sys.exit(f"kill_test: {error}")
    verdict = None
    try:
        verdict = run(arguments, engine)
        verdict.print("kill-test")
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(
                {"passed": verdict.passed, "checks": verdict.checks, "figures": verdict.figures},
                indent=1))
    except EngineError as error:
        print(f"\n{error}\n\nkill-test: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=arguments.keep or not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
