#!/usr/bin/python3
"""The end of an engine, as a balancer and its clients see it: readiness says no first, beacons are
taken a moment longer, what is under way is answered, then nothing listens any more.

    drain.py --binary .build/release/heliograph
    drain.py --rounds 200 --binary FILE      under load, over and over; one end in four is told twice
"""

import argparse
import json
import random
import signal
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine  # noqa: E402
from judge import Verdict  # noqa: E402
from scene import SETTINGS, Scene, perform  # noqa: E402

BINARY = ".build/release/heliograph"
LEAD_MILLISECONDS = 2_000
WAIT_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
# Whoever asks twice wants it now.
HASTY_SECONDS_MAX = 1
HASTY_SHARE = 0.25


def beacon() -> bytes:
    now = int(time.time() * 1000)
    window = f"w{time.monotonic_ns():021d}"[:22]
    body = json.dumps({"v": 1, "k": "hg_demo", "st": now, "mt": 1_000, "w": window, "q": 1,
                       "c": 1, "e": [{"t": "pv", "n": 1, "o": 900, "p": 1,
                                      "u": "https://a.example/"}]}).encode()
    return (f"POST /v1/e HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body)


class Drain(unittest.TestCase):
    def setUp(self):
        self.engine = Engine(BINARY)
        self.engine.config.write_text(
            f"ingest:\n  port: {self.engine.ingest_port}\n"
            f"  readiness_lead_milliseconds: {LEAD_MILLISECONDS}\n"
            f"companion:\n  port: {self.engine.companion_port}\n")
        self.engine.start()

    def tearDown(self):
        self.engine.clean_up()

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.engine.ingest_port),
                                              WAIT_SECONDS_MAX)
        self.addCleanup(connection.close)
        return connection

    def test_readiness_says_no_first(self):
        kept, late = self.connect(), self.connect()
        kept.sendall(beacon())
        self.assertIn(b" 204 ", kept.recv(4_096))
        half = beacon()
        late.sendall(half[:-10])
        self.engine.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.engine.status("/readyz") == 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.engine.status("/readyz"), 503)
        self.assertEqual(self.engine.status("/healthz"), 200)
        # Whoever was not told yet is served: on a connection that was kept, on a new one, and what
        # was half sent.
        kept.sendall(beacon())
        self.assertIn(b" 204 ", kept.recv(4_096))
        with self.connect() as new:
            new.sendall(beacon())
            self.assertIn(b" 204 ", new.recv(4_096))
        late.sendall(half[-10:])
        self.assertIn(b" 204 ", late.recv(4_096))
        under_way = self.connect()
        under_way.sendall(half[:-10])
        # Then idle connections end, and nobody listens; what is under way still gets an answer.
        self.assertEqual(kept.recv(1), b"")
        while time.monotonic() < deadline:
            try:
                self.connect().close()
            except ConnectionRefusedError:
                break
            time.sleep(0.01)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        under_way.sendall(half[-10:])
        answer = under_way.recv(4_096)
        self.assertIn(b" 503 ", answer)
        self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.engine.process.wait(WAIT_SECONDS_MAX), 0)


def end_once(scene: Scene, r: random.Random, troubles: list[str], ends: list[float]) -> None:
    """Told to stop under load: says no first, leaves in time, with status 0."""
    engine, process = scene.engine, scene.engine.process
    time.sleep(r.uniform(0.1, 0.8))
    began, is_hasty, said_no = time.monotonic(), r.random() < HASTY_SHARE, False
    process.send_signal(signal.SIGTERM)
    if is_hasty:
        time.sleep(r.uniform(0, 0.4))
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
    while process.poll() is None and time.monotonic() - began < WAIT_SECONDS_MAX:
        said_no = said_no or engine.status("/readyz") == 503
        time.sleep(0.01)
    seconds, status = time.monotonic() - began, process.poll()
    engine.kill()
    most = HASTY_SECONDS_MAX if is_hasty else STOP_SECONDS_MAX
    if not is_hasty:
        ends.append(seconds)
        if not said_no:
            troubles.append("readiness never said no")
    if seconds > most:
        troubles.append(f"left after {seconds:.1f} s, {most} s is most")
    if status != 0 and not is_hasty:
        troubles.append(f"status {status}")
    engine.start()


def rounds(arguments: argparse.Namespace) -> int:
    scene = Scene(arguments.binary, arguments.seed, pause=0.03, settings=SETTINGS)
    troubles: list[str] = []

    def act(scene: Scene, verdict: Verdict) -> None:
        r, ends = random.Random(arguments.seed), []
        for number in range(arguments.rounds):
            end_once(scene, r, troubles, ends)
            if number % 20 == 19:
                scene.say(f"{number + 1} rounds, {scene.crowd.events()} events acknowledged")
        scene.quiet()
        scene.judge(verdict, 100 * arguments.rounds)
        verdict.add("each end is orderly and in time", arguments.rounds, troubles)
        ends.sort()
        verdict.figures |= {
            "rounds": arguments.rounds, "told twice": arguments.rounds - len(ends),
            "leaving p50 / p99 / max (s)": " / ".join(
                f"{ends[min(len(ends) - 1, int(len(ends) * part))]:.2f}"
                for part in (0.5, 0.99, 1))}

    verdict = perform("drain-rounds", arguments, scene, act)
    return 0 if verdict and verdict.passed else 1


def main() -> int:
    global BINARY
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--rounds", type=int, default=0, help="ends under load instead")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="also write the rounds' report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    arguments = parser.parse_args()
    if arguments.rounds:
        return rounds(arguments)
    BINARY = arguments.binary
    result = unittest.main(argv=[sys.argv[0]], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
