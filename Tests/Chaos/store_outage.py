#!/usr/bin/python3
"""Takes Redis and PostgreSQL away while events flow: paused, killed, emptied.

    store_outage.py --seconds 8 --binary .build/release/heliograph [--seed N] [--json FILE]

Ingest must go on answering 204 all the while, because the journal and not a store is what an
answer promises. Afterwards everything must be applied, and nothing twice.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import stores
from engine import Engine, EngineError
from judge import Verdict, judge_all
from own_stores import children
from traffic import Crowd

# A pause between two batches of one sender: this test is about staying up, not about speed.
PAUSE_SECONDS = 0.02
CALM_SECONDS = 3.0
BATCHES_PER_OUTAGE_MIN = 20


class Servers:
    """The private stores' processes: which they are, and what can be done to them."""

    def __init__(self, engine: Engine):
        self.engine = engine

    def redis_pid(self) -> int:
        client = stores.Redis(self.engine.addresses()["redis"])
        try:
            return self.checked(client.pid(), "redis-server")
        finally:
            client.close()

    def postgres_pids(self) -> list[int]:
        """The postmaster first, then its children: a stopped parent alone stops nothing."""
        folder = stores.query(self.engine.addresses()["postgres"], "SHOW data_directory")[0][0]
        postmaster = int(Path(folder, "postmaster.pid").read_text().split("\n", 1)[0])
        self.checked(postmaster, "postgres")
        return [postmaster, *children(postmaster)]

    def checked(self, pid: int, name: str) -> int:
        """Nothing is touched that is not this engine's own server."""
        if pid not in self.engine.private_servers():
            raise EngineError(f"{name} with pid {pid} does not run under {self.engine.folder}")
        return pid

    def flush_redis(self) -> None:
        client = stores.Redis(self.engine.addresses()["redis"])
        client.call("FLUSHALL")
        client.close()


def send_all(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            pass


def paused(pids: list[int], seconds: float) -> None:
    send_all(pids, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        send_all(pids, signal.SIGCONT)


def killed(pids: list[int], seconds: float) -> None:
    send_all(pids, signal.SIGKILL)
    time.sleep(seconds)


def outages(servers: Servers, seconds: float) -> list[tuple[str, Callable[[], None]]]:
    return [
        ("Redis paused", lambda: paused([servers.redis_pid()], seconds)),
        ("Redis killed", lambda: killed([servers.redis_pid()], seconds)),
        ("Redis emptied", servers.flush_redis),
        ("PostgreSQL paused", lambda: paused(servers.postgres_pids(), seconds)),
        ("PostgreSQL killed", lambda: killed(servers.postgres_pids()[:1], seconds)),
        ("both killed", lambda: killed(
            [servers.redis_pid(), servers.postgres_pids()[0]], seconds)),
    ]


def wait_for_stores(engine: Engine, seconds: float = 60) -> str | None:
    """Waits until both answer again, as the engine restarts a private server that died."""
    deadline = time.monotonic() + seconds
    trouble = "never asked"
    while time.monotonic() < deadline:
        try:
            stores.query(engine.addresses()["postgres"], "SELECT 1")
            client = stores.Redis(engine.addresses()["redis"])
            client.call("PING")
            client.close()
            return None
        except Exception as error:  # any trouble means: not yet
            trouble = str(error).strip()
            time.sleep(0.2)
    return f"not back after {seconds:.0f} s: {trouble}"


def disturb(engine: Engine, crowd: Crowd, verdict: Verdict, seconds: float) -> None:
    servers = Servers(engine)
    for name, outage in outages(servers, seconds):
        time.sleep(CALM_SECONDS)
        before = dict(crowd.ledger.statuses)
        acknowledged = crowd.ledger.batches_acknowledged
        began = time.monotonic()
        outage()
        trouble = wait_for_stores(engine)
        time.sleep(1)
        gained = crowd.ledger.batches_acknowledged - acknowledged
        others = {status: count - before.get(status, 0)
                  for status, count in crowd.ledger.statuses.items()
                  if status not in ("200", "204") and count > before.get(status, 0)}
        print(f"    {name}: {gained} batches acknowledged in {time.monotonic() - began:.1f} s, "
              f"other answers: {others or 'none'}", flush=True)
        verdict.add(f"{name}: ingest goes on answering 204", gained,
                    [f"{count} × {status}" for status, count in others.items()],
                    BATCHES_PER_OUTAGE_MIN)
        verdict.add(f"{name}: the stores come back", 1, [trouble] if trouble else [])


def run(arguments: argparse.Namespace, engine: Engine) -> Verdict:
    print(f"store_outage: seed {arguments.seed}; engine in {engine.folder}")
    engine.start()
    crowd = Crowd(arguments.seed, engine.ingest_port, senders=6, visitors=120,
                  pause_seconds=PAUSE_SECONDS)
    verdict = Verdict()
    crowd.start()
    try:
        disturb(engine, crowd, verdict, arguments.seconds)
        time.sleep(1)
    finally:
        crowd.stop()
    judge_all(verdict, engine, crowd.ledger, 6 * BATCHES_PER_OUTAGE_MIN)
    verdict.figures["seed"] = arguments.seed
    engine.stop()
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seconds", type=float, default=8, help="length of an outage")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    arguments = parser.parse_args()
    try:
        engine = Engine(arguments.binary)
    except EngineError as error:
        sys.exit(f"store_outage: {error}")
    verdict = None
    try:
        verdict = run(arguments, engine)
        verdict.print("store-outage")
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(
                {"passed": verdict.passed, "checks": verdict.checks, "figures": verdict.figures},
                indent=1))
    except EngineError as error:
        print(f"\n{error}\n\nstore-outage: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=arguments.keep or not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
