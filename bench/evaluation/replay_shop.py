#!/usr/bin/python3
"""Lives through half a year of a shop in a minute: sends the public data set to a real engine.

Each row of retentioneering's `ecom.csv.gz` becomes the beacon that the browser script would have sent
at that moment, from the visitor's own device and session. The engine's clock is set to that moment by
the chaos tests' shim, so the events take the way of every event and nothing is dated back.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Chaos"))

from shop import Tab, rows

from disks import WallClock, may_compile  # noqa: E402
from engine import Engine  # noqa: E402
from traffic import Connection  # noqa: E402

PROGRESS_EVERY = 2000


def send(engine: Engine, clock: WallClock, data: list[dict]) -> Counter:
    """Sends everything in the order of time. Returns the answers."""
    tabs: dict[str, Tab] = {}
    line = Connection(engine.ingest_port)
    answers: Counter = Counter()
    for number, row in enumerate(data):
        tab = tabs.setdefault(row["session_id"], Tab(row))
        body = tab.beacon(row)
        clock.stop_at(row["at"])
        for _ in range(5):
            status, _ = line.post("/v1/e", body)
            answers[status] += 1
            if status in ("200", "204"):
                break
            time.sleep(0.2)
        else:
            raise SystemExit(f"the engine did not take row {number}: {status}")
        if number % PROGRESS_EVERY == 0:
            print(f"\r  replaying {number} of {len(data)}", end="", flush=True)
    print(f"\r  replayed {len(data)} events of {len(tabs)} sessions; answers {dict(answers)}")
    return answers


def learn(engine: Engine, out: Path, end: datetime) -> None:
    """Lets the engine's own code fold its journal: examples at landmarks, by its scoring file and with
    weights that change once a week only, so that others can be refitted on the same past."""
    scoring = REPOSITORY / "config" / "scoring.yaml"
    weekly = engine.folder / "weekly.yaml"
    weekly.write_text(re.sub(r"merge_every: \S+", "merge_every: 7d", scoring.read_text()))
    for name, file in (("hourly", scoring), ("weekly", weekly)):
        command = [str(engine.binary), "score", "learn", "--data", str(engine.data), "--config",
                   str(engine.config), "--scoring", str(file), "--until",
                   end.strftime("%Y-%m-%dT%H:%M:%SZ"), "--examples", str(out / f"{name}.csv")]
        print(f"\nlearned with weights that change {name}:", flush=True)
        subprocess.run(command, check=True, cwd=REPOSITORY)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--data", required=True, type=Path, help="ecom.csv.gz")
    parser.add_argument("--out", required=True, type=Path, help="folder for the examples")
    parser.add_argument("--limit", type=int, help="only so many rows")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    arguments = parser.parse_args()
    if not may_compile():
        print("left out: the engine's clock cannot be moved without a C compiler")
        return 2
    arguments.out.mkdir(parents=True, exist_ok=True)
    data = rows(arguments.data)[:arguments.limit]
    engine = Engine(arguments.binary)
    clock = WallClock(engine.folder)
    engine.environment |= clock.environment()
    try:
        clock.stop_at(data[0]["at"])
        engine.start()
        send(engine, clock, data)
        time.sleep(1)
        end = datetime.fromtimestamp(data[-1]["at"] / 1000, timezone.utc) + timedelta(days=15)
        learn(engine, arguments.out, end)
        engine.stop()
    finally:
        engine.clean_up(keep=arguments.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
