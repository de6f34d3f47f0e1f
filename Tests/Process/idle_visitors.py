#!/usr/bin/python3
"""Visitors beyond their memory: the engine stays small, and everybody comes back as they were.

    idle_visitors.py --binary .build/release/heliograph [--long]

An engine with the least memory for visitors meets several times as many as fit. Then Redis loses
everything and gets everybody back, the first visitors return, the engine is killed and started
again; `heliograph verify` must find nothing wrong, and the metrics must show that people left,
came back, and that nothing was lost.
"""

import argparse
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1] / "Chaos"
sys.path[:0] = [str(CHAOS), str(Path(__file__).resolve().parent)]

from clients import beacon, identifier, post  # noqa: E402
from engine import Engine, EngineError  # noqa: E402
from stores import Redis  # noqa: E402

MEBIBYTES = 16
SETTINGS = f"memory:\n  visitors_mib: {MEBIBYTES}\ncheckpoint_seconds: 10\n"
# What a state takes, from the other side: the README's figure and some slack.
STATE_BYTES_MIN = 700
PIPELINE = 64


class Failure(Exception):
    """A promise that was not kept."""


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Failure(text)
    print(f"  ok: {text}", flush=True)


def send(engine: Engine, visitors: list[str], seed: int) -> None:
    """One batch of each visitor, many at a time on one connection."""
    source = random.Random(seed)
    with socket.create_connection(("127.0.0.1", engine.ingest_port), 30) as connection:
        for start in range(0, len(visitors), PIPELINE):
            group = visitors[start:start + PIPELINE]
            connection.sendall(b"".join(
                post(beacon(source, "hg_demo", events=2, visitor=visitor)) for visitor in group))
            answers = b""
            while answers.count(b"HTTP/1.1 ") < len(group) or not answers.endswith(b"\r\n\r\n"):
                received = connection.recv(1 << 16)
                if not received:
                    raise Failure("the engine hung up")
                answers += received
            refused = len(group) - answers.count(b"HTTP/1.1 204")
            if refused:
                raise Failure(f"{refused} of {len(group)} batches were not taken")


def metrics(engine: Engine) -> dict[str, float]:
    with urllib.request.urlopen(f"{engine.ingest}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    pairs = re.findall(r"^heliograph_(\w+)(?:\{[^}]*\})? ([0-9.e+]+)$", text, re.MULTILINE)
    found: dict[str, float] = {}
    for name, value in pairs:
        found[name] = found.get(name, 0) + float(value)
    return found


def wait_for(condition, text: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds:.0f} s: {text}")
        time.sleep(0.5)
    print(f"  ok: {text}", flush=True)


def redis_visitors(redis: Redis) -> int:
    found, cursor = 0, "0"
    while True:
        cursor, keys = redis.call("SCAN", cursor, "MATCH", "hg:demo:v:*", "COUNT", "5000")
        found += len(keys)
        if cursor == "0":
            return found


def verify(engine: Engine) -> tuple[int, str]:
    done = subprocess.run(
        [str(engine.binary), "verify", "--json", "--data", str(engine.data),
         "--config", str(engine.config)],
        capture_output=True, text=True, timeout=600, cwd=CHAOS.parents[1],
        env=engine.environment, check=False)
    return done.returncode, done.stdout + done.stderr


def run(engine: Engine, count: int) -> None:
    visitors = [identifier(random.Random(number)) for number in range(count)]
    engine.start()
    send(engine, visitors, seed=2)
    fitting = MEBIBYTES * 1024 * 1024 // STATE_BYTES_MIN
    wait_for(lambda: 0 < metrics(engine)["visitors_tracked"] <= fitting and
             metrics(engine)["visitors_cold"] + metrics(engine)["visitors_tracked"] >= count,
             f"of {count} visitors at most {fitting} stay in memory")
    now = metrics(engine)
    print(f"      {now['visitors_tracked']:.0f} in memory ({now['visitor_bytes'] / 1e6:.1f} MB), "
          f"{now['visitors_cold']:.0f} in files ({now['cold_disk_bytes'] / 1e6:.1f} MB, "
          f"{now['cold_memory_bytes'] / 1e6:.2f} MB of memory)")
    expect(now["visitor_bytes"] <= MEBIBYTES * 1024 * 1024 * 1.5, "memory is that of its limit")
    expect(now["cold_memory_bytes"] <= 4 * now["visitors_cold"] + (1 << 20),
           "to find who is in files takes at most 4 bytes of memory each")

    redis = Redis(engine.addresses()["redis"], timeout_seconds=60)
    wait_for(lambda: redis_visitors(redis) == count, "Redis has everybody")
    redis.call("FLUSHALL")
    expect(redis_visitors(redis) < count, "Redis has lost them")
    began = time.monotonic()
    wait_for(lambda: redis_visitors(redis) == count, "and has everybody again")
    print(f"      after {time.monotonic() - began:.1f} s")

    send(engine, visitors[:count // 4], seed=3)
    wait_for(lambda: metrics(engine)["visitors_returned_total"] >= count // 8,
             "idle visitors came back into memory")
    engine.kill()
    engine.start()
    send(engine, visitors[count // 8:count // 2], seed=4)
    wait_for(lambda: metrics(engine)["postgres_lag_records"] == 0, "PostgreSQL has everything")
    time.sleep(6)  # Sizes and losses are counted every 5 s.
    expect(metrics(engine)["cold_losses_total"] == 0, "nothing was lost")
    status, text = verify(engine)
    if status != 0:
        print(text[-3000:])
    expect(status == 0, "heliograph verify finds nothing wrong")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true", help="two million visitors")
    arguments = parser.parse_args()
    engine, status = None, 1
    try:
        engine = Engine(arguments.binary, settings=SETTINGS)
        run(engine, 2_000_000 if arguments.long else 80_000)
        print(f"1 passed, 0 failed (left in {engine.stop():.1f} s)")
        status = 0
    except (EngineError, Failure, OSError) as error:
        print(f"idle_visitors: {error}\n0 passed, 1 failed")
    finally:
        if engine:
            engine.clean_up(keep=status != 0)
    return status


if __name__ == "__main__":
    sys.exit(main())
