#!/usr/bin/python3
"""A thousand gzip bombs at once, and bodies that never end: all refused, memory stays in bounds.

    with_engine.py --binary .build/release/heliograph -- Tests/Process/gzip_bombs.py {addresses}
"""

import argparse
import gzip
import json
import os
import re
import resource
import selectors
import socket
import sys
import threading
import time
import unittest
import zlib
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 1_000
RESIDENT_GROWTH_BYTES_MAX = 64 << 20
INFLATED_BYTES = 10 << 20
UNFINISHED_BYTES = 300_000
WAIT_SECONDS_MAX = 60
ADDRESSES: dict = {}


def request(body: bytes, coding: str, length: int | None = None) -> bytes:
    return (f"POST /v1/e HTTP/1.1\r\nHost: shop.example\r\nContent-Encoding: {coding}\r\n"
            f"Content-Length: {length or len(body)}\r\n\r\n").encode() + body


def connect() -> socket.socket:
    address = urlsplit(ADDRESSES["ingest"])
    return socket.create_connection((address.hostname, address.port), WAIT_SECONDS_MAX)


def resident_bytes() -> int:
    status = Path(f"/proc/{ADDRESSES['pid']}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def cpu_seconds() -> float:
    fields = Path(f"/proc/{ADDRESSES['pid']}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Peak(threading.Thread):
    """The most memory that the engine has between `with` and its end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before = self.most = resident_bytes()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.005):
            self.most = max(self.most, resident_bytes())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()
        self.most = max(self.most, resident_bytes())

    @property
    def growth(self) -> int:
        return self.most - self.before


def answers(sockets: list[socket.socket]) -> list[bytes]:
    """What each connection says until its end, or until it has said a whole answer's head."""
    texts = {one: b"" for one in sockets}
    selector = selectors.DefaultSelector()
    for one in sockets:
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while selector.get_map() and time.monotonic() < deadline:
        for key, _ in selector.select(1):
            try:
                part = key.fileobj.recv(65_536)
            except OSError:
                part = b""
            texts[key.fileobj] += part
            if not part or b"}\n" in texts[key.fileobj] or b" 204 " in texts[key.fileobj]:
                selector.unregister(key.fileobj)
    return [texts[one] for one in sockets]


def bomb() -> bytes:
    return gzip.compress(bytes(INFLATED_BYTES), 9)


def beacon_body() -> bytes:
    now = int(time.time() * 1000)
    return json.dumps({"v": 1, "k": "hg_demo", "st": now, "mt": 1_000, "q": 1, "c": 1,
                       "w": f"w{time.monotonic_ns():021d}"[:22], "e": [
                           {"t": "pv", "n": 1, "o": 900, "p": 1, "u": "https://a.example/"}],
                       }).encode()


class GzipBombs(unittest.TestCase):
    def tearDown(self):
        """Whatever came before, the next beacon is taken."""
        with connect() as connection:
            connection.sendall(request(gzip.compress(beacon_body()), "gzip"))
            self.assertIn(b" 204 ", connection.recv(4_096))

    def fire(self, body: bytes, coding: str) -> tuple[list[bytes], int, float]:
        """Holds all connections one byte before the end of their bomb, then ends them together."""
        with connect() as first:
            first.sendall(request(body, coding))
            first.recv(4_096)
        sockets, used = [], cpu_seconds()
        with Peak() as peak:
            for _ in range(CONNECTIONS):
                one = connect()
                one.sendall(request(body[:-1], coding, len(body)))
                sockets.append(one)
            for one in sockets:
                one.sendall(body[-1:])
            texts = answers(sockets)
        for one in sockets:
            one.close()
        return texts, peak.growth, (cpu_seconds() - used) / CONNECTIONS

    def check(self, name: str, body: bytes, coding: str):
        texts, growth, seconds = self.fire(body, coding)
        refused = sum(b'"inflated-too-large"' in text for text in texts)
        print(f"{name}: {CONNECTIONS} at once, {len(body)} bytes each for {INFLATED_BYTES}: "
              f"{refused} refused, memory +{growth / 2**20:.1f} MiB, "
              f"{seconds * 1000:.2f} ms of CPU each", flush=True)
        self.assertEqual(refused, CONNECTIONS)
        self.assertLessEqual(growth, RESIDENT_GROWTH_BYTES_MAX)

    def test_a_gzip(self):
        self.check("gzip", bomb(), "gzip")

    def test_b_deflate(self):
        self.check("deflate", zlib.compress(bytes(INFLATED_BYTES), 9), "deflate")

    def test_many_members_are_one_too_many(self):
        members = gzip.compress(b"{}") * 2_000
        texts, growth, _ = self.fire(members, "gzip")
        # Where the engine is slow they come to more than it holds, and some are told to come back.
        refusals = (b'"gzip-malformed"', b'"overloaded"')
        self.assertEqual({text for text in texts if not any(one in text for one in refusals)}, set())
        self.assertTrue(any(refusals[0] in text for text in texts))
        self.assertLessEqual(growth, RESIDENT_GROWTH_BYTES_MAX)

    def test_stacked_codings_are_not_undone(self):
        for coding in ["gzip, gzip", "gzip\r\nContent-Encoding: gzip", "br", "gzip, deflate"]:
            with connect() as one:
                one.sendall(request(gzip.compress(gzip.compress(b"{}")), coding))
                self.assertIn(b'"encoding-unsupported"', one.recv(4_096), coding)

    def test_z_bodies_without_end_share_a_budget(self):
        """Each sends a third of what a body may have: together far more than may be held."""
        part = os.urandom(UNFINISHED_BYTES)
        good = connect()
        sockets = []
        with Peak() as peak:
            for _ in range(CONNECTIONS):
                one = connect()
                try:
                    one.sendall(request(part, "gzip", 1 << 20))
                except OSError:
                    pass  # The engine may have answered and closed before it had read all.
                sockets.append(one)
            good.sendall(request(gzip.compress(beacon_body()), "gzip"))
            self.assertIn(b" 204 ", good.recv(4_096))
            told = self.told_to_come_back(sockets)
        for one in sockets + [good]:
            one.close()
        print(f"unfinished: {CONNECTIONS} × {UNFINISHED_BYTES} bytes: {told} told to come back, "
              f"memory +{peak.growth / 2**20:.1f} MiB", flush=True)
        self.assertGreater(told, CONNECTIONS // 2)
        self.assertLessEqual(peak.growth, RESIDENT_GROWTH_BYTES_MAX)

    def told_to_come_back(self, sockets: list[socket.socket]) -> int:
        """How many are, as soon as they are more than half, or when the engine had time enough."""
        waiting, told = set(sockets), 0
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while told <= CONNECTIONS // 2 and waiting and time.monotonic() < deadline:
            for one in list(waiting):
                one.setblocking(False)
                try:
                    told += b'"overloaded"' in one.recv(4_096)
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                waiting.discard(one)
            time.sleep(0.05)
        return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", type=Path, help="addresses.json of a running engine")
    arguments = parser.parse_args()
    ADDRESSES.update(json.loads(arguments.addresses.read_text()))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    result = unittest.main(argv=[sys.argv[0]], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
