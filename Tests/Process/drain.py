#!/usr/bin/python3
"""The end of an engine, as a balancer and its clients see it: readiness says no first, beacons are
taken a moment longer, what is under way is answered, then nothing listens any more.

    drain.py --binary .build/release/heliograph
"""

import argparse
import json
import signal
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine  # noqa: E402

BINARY = ".build/release/heliograph"
LEAD_MILLISECONDS = 2_000
WAIT_SECONDS_MAX = 20


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


def main() -> int:
    global BINARY
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=BINARY)
    BINARY = parser.parse_args().binary
    result = unittest.main(argv=[sys.argv[0]], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
