"""What the tests with proxies share: an engine, stores of the test's own, senders, and the end."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from bulk_judge import judge_bulk, judge_senders
from bulk_traffic import BulkCrowd, read_ledgers
from engine import Engine, EngineError
from judge import Verdict
from own_stores import StoreError, Stores

# Of several workers and listeners, more can go wrong.
SETTINGS = "workers: 2\ncheckpoint_seconds: 10\n"


class Scene:
    """An engine whose stores are behind proxies, and senders that load it."""

    def __init__(self, binary: str, seed: int, senders: int = 2, pause: float = 0.02,
                 settings: str = SETTINGS, data: Path | None = None,
                 without: str = "", copies: int = 0):
        self.seed = seed
        self.copies = copies        # how often the senders send each batch again
        self.without = without      # types of events that the senders leave out
        self.engine = Engine(binary)
        if data:
            self.engine.data = data
        self.stores = Stores(self.engine.folder)
        self.extra_settings = settings
        self.senders, self.pause = senders, pause
        self.crowd: BulkCrowd | None = None
        self.began = time.monotonic()

    def start(self) -> None:
        self.stores.start()
        self.engine.write_settings(self.stores.settings() + self.extra_settings)
        self.engine.direct = self.stores.direct()
        seconds = self.engine.start()
        self.say(f"seed {self.seed}, engine in {self.engine.folder}, ready after {seconds:.2f} s")
        self.crowd = BulkCrowd(self.seed, self.engine.ingest_port, self.engine.folder,
                               self.senders, self.pause, self.without, self.copies)
        self.crowd.start()

    def say(self, text: str) -> None:
        print(f"    {time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    def quiet(self) -> None:
        """Everything works again, senders finish what they are at."""
        self.stores.heal()
        if self.engine.process.poll() is not None:
            self.engine.start()
        self.engine.wait_ready()
        self.crowd.stop()

    def judge(self, verdict: Verdict, acknowledged_min: int, **options) -> None:
        windows, ends = read_ledgers(self.crowd.ledgers)
        judge_bulk(verdict, self.engine, self.seed, windows, acknowledged_min,
                   without=self.without, **options)
        judge_senders(verdict, self.crowd, ends)
        verdict.figures["seed"] = self.seed

    def end(self, keep: bool) -> None:
        if self.crowd:
            self.crowd.abandon()
        self.stores.end()
        self.engine.clean_up(keep)


def arguments_parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    return parser


def perform(name: str, arguments: argparse.Namespace, scene: Scene,
            act: Callable[[Scene, Verdict], None]) -> Verdict | None:
    """Runs one scene to its verdict; a failed one keeps its folder."""
    verdict = Verdict()
    finished = False
    try:
        scene.start()
        act(scene, verdict)
        verdict.print(name)
        finished = True
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(
                {"passed": verdict.passed, "checks": verdict.checks, "figures": verdict.figures},
                indent=1))
    except (EngineError, StoreError) as error:
        print(f"\n{error}\n\n{name}: 0 passed, 1 failed")
    finally:
        scene.end(keep=arguments.keep or not (finished and verdict.passed))
    return verdict if finished else None
