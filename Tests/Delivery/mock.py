#!/usr/bin/python3
"""A strict Meta, GA4 and webhook receiver on loopback, whose answers can be made to fail.

    mock.py [--port N] [--tls CERTIFICATE KEY]     runs alone, controlled by /__mock/… requests

Tests make a `Mock` in their own process. It writes down every request, refuses what the platforms
would refuse, counts what it took by (pixel, name, id), and plays the failures it was told to, in
order. Its clock is shifted by `shift` seconds.
"""

import argparse
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field

import ga4_rules
import meta_rules
from meta_rules import Refusal

NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes
    at: float
    secure: bool = False

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def platform(self) -> str:
        if "/mp/collect" in self.target:
            return "ga4"
        return "meta" if self.target.endswith("/events") else "webhook"

    @property
    def place(self) -> str:
        """Pixel, measurement id, or the webhook's path."""
        if self.platform == "meta":
            return self.target.split("/")[2]
        if self.platform == "ga4":
            return self.target.partition("measurement_id=")[2].partition("&")[0]
        return self.target


@dataclass
class Failure:
    """What happens to requests that match, `times` times, each with `probability`."""

    kind: str
    place: str = ""
    times: int = -1
    probability: float = 1.0
    values: dict = field(default_factory=dict)
    played: int = 0


@dataclass
class Rules:
    token: str = "token-of-the-test"
    ga_secret: str = "secret-of-the-test"
    versions: tuple = ("v24.0", "v25.0", "v26.0")
    test_mode: bool = False
    shift: float = 0.0
    double_digests: set = field(default_factory=set)

    def now(self) -> float:
        return time.time() + self.shift


class Mock:
    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None, seed: int = 1):
        self.rules = Rules()
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.failures: list[Failure] = []
        self.requests: list[Request] = []
        self.violations: list[str] = []
        # How often each (place, name, id) was taken, and how often it came at all.
        self.taken: dict[tuple, int] = {}
        self.came: dict[tuple, int] = {}
        # Bytes of an id in a request's body that make it refused: a platform's own mind.
        self.poison: set[str] = set()
        # Ids whose visitors have not agreed: whoever tells of them is in the wrong.
        self.forbidden: set[str] = set()
        # Texts that must not be found in any request.
        self.plaintexts: list[bytes] = []
        self.down = False
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    # --- Connections

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            if self.down:
                return reset(connection)
            if self.play_connection(connection):
                return
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = connection.makefile("rb")
            while True:
                request = read_request(reader, bool(self.tls))
                if request is None or not self.answer(connection, request):
                    break
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def play_connection(self, connection: socket.socket) -> bool:
        """Failures before any request is read."""
        failure = self.next_failure(None, ("refuse-handshake", "stall-handshake"))
        if failure is None:
            return False
        if failure.kind == "stall-handshake":
            time.sleep(failure.values.get("seconds", 10))
        reset(connection)
        return True

    # --- Requests

    def answer(self, connection: socket.socket, request: Request) -> bool:
        """False ends the connection."""
        if request.target.startswith("/__mock/"):
            send(connection, 200, self.control(request))
            return True
        if self.down:
            return reset(connection)
        with self.lock:
            self.requests.append(request)
        failure = self.next_failure(request, None)
        if failure is not None:
            return play(self, failure, connection, request)
        status, body = self.take(request)
        send(connection, status, body)
        return True

    def next_failure(self, request: Request | None, only: tuple | None) -> Failure | None:
        with self.lock:
            for failure in self.failures:
                if (failure.kind in ("refuse-handshake", "stall-handshake")) != (only is not None):
                    continue
                if request is not None and failure.place not in ("", request.place):
                    continue
                if failure.played == failure.times:
                    continue
                if self.random.random() >= failure.probability:
                    continue
                failure.played += 1
                return failure
        return None

    def take(self, request: Request) -> tuple[int, bytes]:
        """Takes all of a request or nothing, as the platform would."""
        self.check_bytes(request)
        if request.platform == "ga4":
            return self.take_ga4(request)
        if request.platform == "webhook":
            return self.take_webhook(request)
        try:
            pixel, events = meta_rules.check_request(request, self.rules)
        except Refusal as refusal:
            self.count_arrivals(request)
            if refusal.code != 190:
                self.violate(f"meta: {refusal}")
            return 400, meta_error(refusal.code, refusal.subcode, refusal.title)
        keys = [(pixel, event["event_name"], event["event_id"]) for event in events]
        with self.lock:
            for key in keys:
                self.came[key] = self.came.get(key, 0) + 1
            if any(key[2] in self.poison for key in keys):
                return 400, meta_error(100, 2804019, "a thing that Meta will not have")
            for key in keys:
                self.taken[key] = self.taken.get(key, 0) + 1
        return 200, json.dumps({"events_received": len(events), "messages": [],
                                "fbtrace_id": "trace"}).encode()

    def count_arrivals(self, request: Request) -> None:
        try:
            for event in json.loads(request.body)["data"]:
                key = (request.place, event["event_name"], event["event_id"])
                with self.lock:
                    self.came[key] = self.came.get(key, 0) + 1
        except (ValueError, KeyError, TypeError):
            pass

    def take_ga4(self, request: Request) -> tuple[int, bytes]:
        stream, events, wrong = ga4_rules.check_request(request, self.rules)
        if "/debug/" in request.target:
            return 200, json.dumps({"validationMessages": [
                {"fieldPath": what, "description": what, "validationCode": code}
                for code, what in wrong]}).encode()
        for code, what in wrong:
            self.violate(f"ga4: {code} {what}")
        with self.lock:
            for event in events:
                params = event.get("params", {})
                key = (stream, event.get("name"), params.get("transaction_id") or id(event))
                self.taken[key] = self.taken.get(key, 0) + 1
                self.came[key] = self.came.get(key, 0) + 1
        return 204, b""

    def take_webhook(self, request: Request) -> tuple[int, bytes]:
        with self.lock:
            key = (request.place, "webhook", request.headers.get("heliograph-delivery", ""))
            self.taken[key] = self.taken.get(key, 0) + 1
            self.came[key] = self.came.get(key, 0) + 1
        return 200, b""

    def check_bytes(self, request: Request) -> None:
        for text in self.plaintexts:
            if text in request.body or text in request.target.encode():
                self.violate(f"{request.platform}: personal data in the clear: {text!r}")
        if self.forbidden and request.platform == "meta":
            try:
                ids = {event["event_id"] for event in json.loads(request.body)["data"]}
            except (ValueError, KeyError, TypeError):
                return
            for one in ids & self.forbidden:
                self.violate(f"meta: {one} was told without consent")

    def violate(self, what: str) -> None:
        with self.lock:
            self.violations.append(what)

    # --- Control

    def control(self, request: Request) -> bytes:
        what, _, _ = request.target.removeprefix("/__mock/").partition("?")
        if what == "reset":
            with self.lock:
                for kept in (self.failures, self.requests, self.violations, self.taken, self.came):
                    kept.clear()
        elif what == "clock":
            self.rules.shift = json.loads(request.body)["shift"]
        elif what == "scenario":
            with self.lock:
                self.failures[:] = [Failure(**one) for one in json.loads(request.body)]
        with self.lock:
            shown = {
                "violations": self.violations,
                "requests": [f"{one.method} {one.place}" for one in self.requests],
                "events": [[*key, count] for key, count in self.taken.items()],
            }
        return json.dumps(shown.get(what, {})).encode()

    def fail(self, kind: str, **rest) -> Failure:
        names = {key: rest.pop(key) for key in ("place", "times", "probability") if key in rest}
        failure = Failure(kind, values=rest, **names)
        with self.lock:
            self.failures.append(failure)
        return failure

    def heal(self) -> None:
        with self.lock:
            self.failures.clear()
        self.down = False

    def close(self) -> None:
        self.listener.close()


def play(mock: Mock, failure: Failure, connection: socket.socket, request: Request) -> bool:
    """Plays a failure; false ends the connection."""
    values = failure.values
    if not failure.kind.startswith("commit"):
        mock.count_arrivals(request)
    if failure.kind == "commit-then-reset":
        mock.take(request)
        return reset(connection)
    if failure.kind == "reset":
        return reset(connection)
    if failure.kind == "never":
        time.sleep(values.get("seconds", 30))
        return reset(connection)
    if failure.kind == "commit-then-delay":
        mock.take(request)
        time.sleep(values.get("seconds", 10))
        return reset(connection)
    if failure.kind == "half-answer":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"eve")
        return reset(connection)
    if failure.kind == "drip":
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
            connection.sendall(bytes([byte]))
            time.sleep(values.get("seconds", 1))
        return False
    if failure.kind == "huge":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n")
        connection.sendall(b"x" * 9_000_000)
        return False
    if failure.kind == "meta-error":
        body = meta_error(values["code"], values.get("subcode"), values.get("title", "played"),
                          values.get("transient", False))
        send(connection, values.get("status", 400), body, values.get("headers"))
        return True
    # kind "status"
    send(connection, values["status"], values.get("body", "<html>no</html>").encode(),
         values.get("headers"))
    return True


def meta_error(code: int, subcode: int | None, title: str, transient: bool = False) -> bytes:
    error = {"message": title, "type": "OAuthException", "code": code, "is_transient": transient,
             "error_user_title": title, "fbtrace_id": "trace"}
    if subcode:
        error["error_subcode"] = subcode
    return json.dumps({"error": error}).encode()


def send(connection: socket.socket, status: int, body: bytes, headers: dict | None = None) -> None:
    lines = [f"HTTP/1.1 {status} Answer", "Content-Type: application/json"]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body if status != 204 else b""))


def reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.close()
    return False


def read_request(reader, secure: bool) -> Request | None:
    line = reader.readline(8192).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (text := reader.readline(8192).decode("latin-1").strip()):
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = reader.read(length)
    if len(body) < length:
        return None  # its sender died
    return Request(line[0], line[1], headers, body, time.monotonic(), secure)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    given = options.parse_args()
    context = None
    if given.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*given.tls)
    mock = Mock(given.port, context)
    print(f"listening at 127.0.0.1:{mock.port}", flush=True)
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
