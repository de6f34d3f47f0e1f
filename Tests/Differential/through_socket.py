"""The mutated streams of the differential test, sent to the running engine: each request that the
framer counts is answered once and in order, what it refuses is answered 4xx or 5xx and closed,
and after all of it the connection still knows where the next request begins.

    Tests/Differential/run --through addresses.json [--count N] [--seed S]

A pipelined request that asks for /healthz is the witness: it is put behind every stream that ends
between two requests, and must be the last that is answered.
"""

import contextlib
import json
import re
import selectors
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

OPEN_MAXIMUM = 64
STREAM_SECONDS_MAX = 30
HANG_SECONDS = 4
WITNESS = b"GET /healthz HTTP/1.1\r\nHost: witness\r\nConnection: close\r\n\r\n"


@dataclass
class Exchange:
    """One stream on a connection of its own, and what came back."""

    stream: bytes
    methods: list[bytes]
    end: str
    place: str
    socket: socket.socket
    began: float
    output: bytes
    input: bytes = b""
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    is_closing: bool = False
    is_ended: bool = False

    @property
    def wanted(self) -> int:
        """Answers: one a request, one for a refusal, one for the witness."""
        return len(self.methods) + (self.end in ("refused", "idle"))

    @property
    def is_done(self) -> bool:
        waits = self.end in ("inside a head", "inside a body")
        return self.is_ended or (waits and len(self.statuses) >= self.wanted)

    def read(self) -> None:
        """Takes the answers that have come whole from the input."""
        while (end := self.input.find(b"\r\n\r\n")) >= 0:
            head = self.input[:end]
            status = int(head.split(b" ", 2)[1])
            if status == 100:
                self.input = self.input[end + 4:]
                continue
            number = len(self.statuses)
            has_body = number >= len(self.methods) or self.methods[number] != b"HEAD"
            found = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
            length = int(found[1]) if found and has_body and status != 304 else 0
            if len(self.input) < end + 4 + length:
                return
            self.statuses.append(status)
            self.bodies.append(self.input[end + 4:end + 4 + length])
            self.is_closing |= b"\r\nConnection: close" in head
            self.input = self.input[end + 4 + length:]

    def fault(self) -> str:
        """What is wrong with the answers; empty when nothing is."""
        if self.input:
            return f"half an answer: {self.input[:80]!r}"
        if any(not 200 <= status < 600 or status == 500 for status in self.statuses):
            return f"statuses {self.statuses}"
        if len(self.statuses) > self.wanted:
            return f"{len(self.statuses)} answers, {self.wanted} are due"
        if len(self.statuses) < self.wanted and not self.is_closing:
            return f"only {len(self.statuses)} answers of {self.wanted}"
        if self.end == "refused" and len(self.statuses) == self.wanted and self.statuses[-1] < 400:
            return f"a refusal was answered {self.statuses[-1]}"
        if self.end == "idle" and len(self.statuses) == self.wanted and self.bodies[-1] != b"ok\n":
            return "the witness was not the last"
        return ""


class Sender:
    """Keeps a number of exchanges under way."""

    def __init__(self, addresses: Path):
        found = json.loads(addresses.read_text())
        parts = urlsplit(found["ingest"])
        self.address, self.pid = (parts.hostname, parts.port), found["pid"]
        self.selector = selectors.DefaultSelector()
        self.faults: list[str] = []
        self.counts = {"streams": 0, "answers": 0, "closed early": 0, "slow": 0}

    def send(self, stream: bytes, own, place: str) -> None:
        while len(self.selector.get_map()) >= OPEN_MAXIMUM:
            self.receive()
        one = socket.create_connection(self.address, STREAM_SECONDS_MAX)
        one.setblocking(False)
        output = stream + (WITNESS if own.end == "idle" else b"")
        methods = [request.method for request in own.requests if request.complete]
        exchange = Exchange(stream, methods, own.end, place, one, time.monotonic(), output)
        events = selectors.EVENT_READ | selectors.EVENT_WRITE
        self.selector.register(one, events, exchange)

    def finish(self) -> None:
        while self.selector.get_map():
            self.receive()

    def receive(self) -> None:
        for key, events in self.selector.select(0.2):
            exchange = key.data
            # What the engine closes on purpose may come as a reset while we still write.
            with contextlib.suppress(BlockingIOError):
                self._step(exchange, events)
            if exchange.is_done:
                self._conclude(exchange)
        now = time.monotonic()
        for key in list(self.selector.get_map().values()):
            if now - key.data.began > STREAM_SECONDS_MAX:
                self._conclude(key.data)

    def _step(self, exchange: Exchange, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE and exchange.output:
                sent = exchange.socket.send(exchange.output)
                exchange.output = exchange.output[sent:]
                if not exchange.output:
                    self.selector.modify(exchange.socket, selectors.EVENT_READ, exchange)
            if events & selectors.EVENT_READ:
                data = exchange.socket.recv(65536)
                exchange.input += data
                exchange.is_ended = not data
        except (ConnectionResetError, BrokenPipeError):
            exchange.is_ended = True
        exchange.read()

    def _conclude(self, exchange: Exchange) -> None:
        self.selector.unregister(exchange.socket)
        exchange.socket.close()
        fault = exchange.fault()
        seconds = time.monotonic() - exchange.began
        if not exchange.is_done:
            fault = f"nothing more came for {seconds:.0f} s; {fault}"
        self.counts["streams"] += 1
        self.counts["answers"] += len(exchange.statuses)
        self.counts["closed early"] += len(exchange.statuses) < exchange.wanted
        self.counts["slow"] += seconds > HANG_SECONDS
        if fault:
            self.faults.append(f"{exchange.place}: {fault}\n  stream {exchange.stream!r}\n"
                               f"  {exchange.end}, methods {exchange.methods}, "
                               f"statuses {exchange.statuses}")

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024
