#!/usr/bin/python3
"""The disk says EIO to one fdatasync of the journal: nothing more is acknowledged, the engine ends
with a status that is not 0 within a second, it does not ask the disk again, and the next start holds
every event that was acknowledged.

strace attaches to a running engine and makes the N-th fdatasync of the first segment fail.

    fsync_error.py --binary .build/release/heliograph [--rounds N]
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine, EngineError  # noqa: E402
from traffic import Connection  # noqa: E402

SENDERS = 4
EXIT_STATUS = 70
END_SECONDS_MAX = 1.0
# What one answer may take from the journal's thread to the client's clock.
ANSWER_SECONDS_MAX = 0.25
STORED_SECONDS_MAX = 30
CALL = re.compile(r"^(?:\[pid +)?(?:\d+\]? +)?(\d+\.\d+) fdatasync\(.*= (-?\d+)(?: EIO)?")


class Sender(threading.Thread):
    """Sends page views one after the other until the engine is gone."""

    def __init__(self, port: int, index: int):
        super().__init__(daemon=True)
        self.connection = Connection(port)
        self.window = f"w{time.monotonic_ns():020d}{index}"[:22]
        self.acknowledged: list[tuple[str, float]] = []
        self.stopping = False

    def run(self):
        number = 0
        while not self.stopping:
            number += 1
            body = json.dumps({
                "v": 1, "k": "hg_demo", "st": int(time.time() * 1000), "mt": 1_000,
                "w": self.window, "q": number, "c": 1,
                "e": [{"t": "pv", "n": number, "o": 900, "p": 1, "u": "https://a.example/"}]})
            status, _ = self.connection.post("/v1/e", body.encode())
            if status == "204":
                self.acknowledged.append((f"{self.window}-{number}", time.time()))
            elif status in ("refused", "broken", "timeout"):
                return


def attach(pid: int, segment: Path, call: int, output: Path) -> subprocess.Popen:
    """Returns once strace watches every thread of the engine."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-ttt", "-p", str(pid), "-P", str(segment), "-e", "trace=fdatasync",
         "-e", f"inject=fdatasync:error=EIO:when={call}", "-o", str(output)],
        stderr=subprocess.PIPE, text=True)
    for line in tracer.stderr:
        if "attached" in line:
            # The rest is read, so that strace never waits for us.
            threading.Thread(target=tracer.stderr.read, daemon=True).start()
            return tracer
        if "ptrace" in line or "not permitted" in line:
            tracer.wait()
            raise PermissionError(line.strip())
    raise EngineError("strace ended before it was attached")


def calls(output: Path) -> list[tuple[float, bool]]:
    """Time and success of each fdatasync of the segment."""
    found = (CALL.match(line) for line in output.read_text().splitlines())
    return [(float(call[1]), call[2] == "0") for call in found if call]


class Failure(Exception):
    """A promise was broken."""


def check(condition: bool, text: str) -> None:
    if not condition:
        raise Failure(text)


def rows(engine: Engine) -> set[str]:
    with psycopg2.connect(engine.addresses()["postgres"]) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT window_id || '-' || n, count(*) FROM heliograph.event GROUP BY 1")
            found = cursor.fetchall()
    check(all(count == 1 for _, count in found), "an event has two rows")
    return {name for name, _ in found}


def round_once(binary: str, call: int) -> tuple[int, float]:
    """Returns how many events were acknowledged, and how long the engine took to end."""
    engine = Engine(binary)
    output = Path(tempfile.mkdtemp(prefix="heliograph-fsync-")) / "trace"
    try:
        engine.start()
        first = Sender(engine.ingest_port, 9)
        first.start()
        segment = engine.data / "journal" / "0000000001.hgj"
        while not first.acknowledged:
            time.sleep(0.01)
        tracer = attach(engine.process.pid, segment, call, output)
        senders = [Sender(engine.ingest_port, index) for index in range(SENDERS)]
        for sender in senders:
            sender.start()
        status = engine.process.wait(60)
        ended = time.time()
        tracer.wait(10)
        for sender in [first, *senders]:
            sender.stopping = True
            sender.join(15)
        acknowledged = [pair for sender in [first, *senders] for pair in sender.acknowledged]
        made = calls(output)
        failed = [at for at, succeeded in made if not succeeded]
        check(len(failed) == 1, f"{len(failed)} calls failed, not 1")
        check(made[-1][0] == failed[0], "the disk was asked again after it had failed")
        check(status == EXIT_STATUS, f"ended with status {status}, not {EXIT_STATUS}")
        seconds = ended - failed[0]
        check(seconds <= END_SECONDS_MAX, f"ended {seconds:.2f} s after the failure")
        late = [name for name, at in acknowledged if at > failed[0] + ANSWER_SECONDS_MAX]
        check(not late, f"{len(late)} events were acknowledged after the failure")
        engine.start()
        expect_rows(engine, {name for name, _ in acknowledged})
        engine.stop()
        return len(acknowledged), seconds
    finally:
        engine.clean_up()
        shutil.rmtree(output.parent, ignore_errors=True)


def expect_rows(engine: Engine, names: set[str]) -> None:
    deadline = time.monotonic() + STORED_SECONDS_MAX
    lost = names
    while lost and time.monotonic() < deadline:
        time.sleep(0.2)
        lost = names - rows(engine)
    check(not lost, f"{len(lost)} acknowledged events are lost, such as {next(iter(lost), '')}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("skipped: strace is not installed")
        return 0
    dice = random.Random(options.seed)
    print(f"seed {options.seed}")
    try:
        for number in range(options.rounds):
            call = dice.randint(1, 60)
            acknowledged, seconds = round_once(options.binary, call)
            print(f"round {number + 1}: fdatasync {call} failed; {acknowledged} acknowledged, "
                  f"0 lost; ended after {seconds * 1000:.0f} ms")
    except PermissionError as error:
        print(f"skipped: strace may not attach here ({error})")
    except (Failure, EngineError) as error:
        print(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
