#!/usr/bin/python3
"""Thousands of clients that dawdle beside good ones: the good ones hardly notice, the others go.

    with_engine.py --binary .build/release/heliograph -- Tests/Process/slow_clients.py {addresses}

Good clients are timed in turns without and with the slow ones, so that a noisy machine disturbs both
alike; what counts is the ratio of the least p99 of each, for what else a machine does only ever adds.
While that is too high, more turns follow, up to a bound: an engine that slow clients hold up stays
slow in all of them. `--long` has 5 000 slow clients and more turns.
"""

import argparse
import json
import multiprocessing
import random
import resource
import select
import socket
import string
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

CLOSED_SECONDS_MAX = 12
RATIO_MAX = 2.0
PAIRS_MAX = 6
# Slow clients move a byte this often: never silent for long, and never fast enough.
DRIP_SECONDS = 2.0
GOOD_CONNECTIONS = 16
GOOD_PAUSE_SECONDS = 0.002
TURN_SECONDS = 12.0
# Alone there is no slow one to wait for.
ALONE_SECONDS = 6.0
HOST = "Host: shop.example\r\n"


def beacon(window: str, number: int) -> bytes:
    now = int(time.time() * 1000)
    body = json.dumps({"v": 1, "k": "hg_demo", "st": now, "mt": 1_000, "w": window, "q": number,
                       "d": window, "c": 7, "e": [{"t": "pv", "n": number, "o": 900, "p": 1,
                                                   "u": "https://shop.example/"}]}).encode()
    return f"POST /v1/e HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n\r\n".encode() + body


def name() -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=22))


# ---- good clients -------------------------------------------------------------------------------


def good_clients(address: tuple, turns, results) -> None:
    """A process of its own: sends beacons for each turn's seconds and reports how long each took."""
    while (seconds := turns.get()) > 0:
        connections = [socket.create_connection(address, 30) for _ in range(GOOD_CONNECTIONS)]
        windows = [name() for _ in connections]
        times, failures, number = [], 0, 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            number += 1
            at = number % GOOD_CONNECTIONS
            began = time.perf_counter()
            try:
                connections[at].sendall(beacon(windows[at], number))
                good = b" 204 " in connections[at].recv(4_096)
            except OSError:
                good = False
            times.append(time.perf_counter() - began)
            failures += not good
            time.sleep(GOOD_PAUSE_SECONDS)
        for connection in connections:
            connection.close()
        results.put((times, failures))


# ---- slow clients -------------------------------------------------------------------------------


class SlowClient:
    """One that never ends what it began; knows when the engine ended it."""

    def __init__(self, kind: str, address: tuple):
        self.kind = kind
        self.socket = socket.socket()
        if kind == "reader":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.began = self.closed = 0.0

    def start(self) -> None:
        self.began = time.monotonic()
        if self.kind == "reader":
            # More answers than the kernel keeps for somebody who takes none.
            data = f"GET /metrics HTTP/1.1\r\n{HOST}\r\n" * 200
        elif self.kind == "header":
            data = f"POST /v1/e HTTP/1.1\r\n{HOST}X-Slow: "
        else:
            data = f"POST /v1/e HTTP/1.1\r\n{HOST}Content-Length: 9000\r\n\r\n"
        self.send(data.encode())

    def send(self, data: bytes) -> None:
        try:
            self.socket.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def drip(self) -> None:
        if self.kind != "reader" and self.began and not self.closed:
            self.send(b"x")

    def event(self, event: int) -> None:
        if event & (select.EPOLLERR | select.EPOLLHUP):
            return self.end()
        if not self.began and event & select.EPOLLOUT:
            self.start()
        if self.kind != "reader" and event & select.EPOLLIN:
            try:
                if not self.socket.recv(4_096):
                    self.end()
            except BlockingIOError:
                pass
            except OSError:
                self.end()

    def end(self) -> None:
        if not self.closed:
            self.closed = time.monotonic()


def run_slow(address: tuple, counts: dict[str, int]) -> list[SlowClient]:
    """Opens them all, lets them dawdle until the engine has closed the last, or far too long."""
    poll, everyone, clients = select.epoll(), [], {}
    waiting = [kind for kind, count in counts.items() for _ in range(count)]
    random.shuffle(waiting)
    began = dripped = time.monotonic()
    while time.monotonic() - began < CLOSED_SECONDS_MAX * 2.5:
        # Opened a few at a time, or the queue of the kernel would throw some away.
        for _ in range(min(100, len(waiting))):
            one = SlowClient(waiting.pop(), address)
            everyone.append(one)
            # By number, which the next one may get when this one is gone.
            clients[one.socket.fileno()] = one
            reads = 0 if one.kind == "reader" else select.EPOLLIN
            poll.register(one.socket, reads | select.EPOLLOUT)
        for number, event in poll.poll(0.02):
            one = clients[number]
            one.event(event)
            if one.closed:
                poll.unregister(one.socket)
                one.socket.close()
            elif one.began:
                poll.modify(number, 0 if one.kind == "reader" else select.EPOLLIN)
        if time.monotonic() - dripped > DRIP_SECONDS:
            dripped = time.monotonic()
            for one in everyone:
                one.drip()
        if not waiting and all(one.closed for one in everyone):
            break
    for one in everyone:
        one.socket.close()
    return everyone


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def judge_slow(clients: list[SlowClient]) -> bool:
    good = True
    for kind in sorted({one.kind for one in clients}):
        mine = [one for one in clients if one.kind == kind]
        left = sum(not one.closed for one in mine)
        times = [one.closed - one.began for one in mine if one.closed]
        longest = max(times, default=0.0)
        print(f"slow {kind}: {len(mine)}, closed after {min(times, default=0):.1f} to "
              f"{longest:.1f} s, left open {left}", flush=True)
        good = good and left == 0 and longest <= CLOSED_SECONDS_MAX
    return good


class Turns:
    """Turns of good clients, alone and beside slow ones, and what came of them."""

    def __init__(self, address: tuple, counts: dict[str, int]):
        self.address, self.counts = address, counts
        self.alone, self.beside, self.failures, self.are_closed = [], [], 0, True
        self.turns, self.results = multiprocessing.Queue(), multiprocessing.Queue()
        self.process = multiprocessing.Process(target=good_clients,
                                               args=(address, self.turns, self.results))
        self.process.start()

    def pair(self) -> None:
        self.turns.put(ALONE_SECONDS)
        self.take(self.alone)
        self.turns.put(TURN_SECONDS)
        self.are_closed = judge_slow(run_slow(self.address, self.counts)) and self.are_closed
        self.take(self.beside)
        print(f"p99 so far: {self.least(self.alone) * 1000:.2f} ms alone, "
              f"{self.least(self.beside) * 1000:.2f} ms beside slow clients", flush=True)

    def take(self, into: list) -> None:
        times, failed = self.results.get()
        into.append(times)
        self.failures += failed

    def end(self) -> None:
        self.turns.put(0)
        self.process.join()

    @staticmethod
    def least(turns: list) -> float:
        return min(percentile(times, 0.99) for times in turns)

    @property
    def ratio(self) -> float:
        return self.least(self.beside) / self.least(self.alone)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", type=Path, help="addresses.json of a running engine")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    place = urlsplit(json.loads(arguments.addresses.read_text())["ingest"])
    scale = 1_000 if arguments.long else 200
    turns = Turns((place.hostname, place.port),
                  {"header": 2 * scale, "body": 2 * scale, "reader": scale})
    pairs = 0
    while pairs < (3 if arguments.long else 2) or (turns.ratio > RATIO_MAX and pairs < PAIRS_MAX):
        turns.pair()
        pairs += 1
    turns.end()
    for title, many in (("alone", turns.alone), ("beside slow clients", turns.beside)):
        times = sum(many, [])
        print(f"good clients {title}: {len(times)} beacons, p50 "
              f"{percentile(times, 0.5) * 1000:.2f} ms, p99 {percentile(times, 0.99) * 1000:.2f} ms")
    print(f"p99 ratio {turns.ratio:.2f} (at most {RATIO_MAX}), "
          f"failures of good clients {turns.failures}")
    passed = turns.are_closed and turns.failures == 0 and turns.ratio <= RATIO_MAX
    print(f"slow-clients: {int(passed)} passed, {int(not passed)} failed")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
