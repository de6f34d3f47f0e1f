"""Clients of the ingest port that keep their connections: one thread, many sockets."""

import json
import random
import selectors
import socket
import time
from collections.abc import Callable

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def identifier(source: random.Random) -> str:
    return "".join(source.choices(ALPHABET, k=22))


def beacon(source: random.Random, key: str, events: int = 1, visitor: str = "",
           url: str = "https://shop.example/") -> bytes:
    """A batch of page views of a visitor, who has one session, in a window of its own."""
    now = int(time.time() * 1000)
    views = [{"t": "pv", "n": number, "o": 900, "p": number, "u": url}
             for number in range(1, events + 1)]
    visitor = visitor or identifier(source)
    return json.dumps({"v": 1, "k": key, "st": now, "mt": 1_000, "q": 1, "c": 7,
                       "w": identifier(source), "d": visitor, "s": visitor, "e": views}).encode()


def post(body: bytes, path: str = "/v1/e", **fields: str) -> bytes:
    lines = {"Host": "shop.example", "Content-Type": "text/plain", "User-Agent": "Mozilla/5.0",
             "Content-Length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class Answer:
    """One answer, and when it came."""

    def __init__(self, head: bytes, body: bytes):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        pairs = (line.split(":", 1) for line in lines[1:])
        self.fields = {name.lower(): value.strip() for name, value in pairs}
        self.body, self.at = body, time.monotonic()

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"] if self.body else ""


class _Connection:
    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input, self.token = b"", None

    def answer(self) -> Answer | None:
        """What has come whole; None when more is needed."""
        end = self.input.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.input[:end]
        at = head.lower().find(b"\r\ncontent-length:")
        length = int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.input) < end + 4 + length:
            return None
        body = self.input[end + 4:end + 4 + length]
        self.input = self.input[end + 4 + length:]
        return Answer(head, body)


class Pool:
    """Connections that each carry one request at a time. A connection that the engine ends without
    having said `Connection: close` is counted in `dropped`, and replaced."""

    def __init__(self, port: int, connections: int):
        self.port, self.dropped, self.renewed = port, 0, 0
        self.selector = selectors.DefaultSelector()
        self.idle: list[_Connection] = []
        for _ in range(connections):
            self._open()

    def _open(self) -> None:
        connection = _Connection(self.port)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.idle.append(connection)

    def send(self, data: bytes, token: object) -> bool:
        """False when every connection is busy."""
        if not self.idle:
            return False
        connection = self.idle.pop()
        connection.token = token
        connection.socket.sendall(data)
        return True

    def receive(self, seconds: float, take: Callable[[object, Answer], None]) -> None:
        """Hands what comes within `seconds` to `take`, and returns once something came."""
        for key, _ in self.selector.select(seconds):
            connection = key.data
            try:
                data = connection.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self._replace(connection, was_told=False)
                continue
            connection.input += data
            if answer := connection.answer():
                token, connection.token = connection.token, None
                if answer.fields.get("connection") == "close":
                    self._replace(connection, was_told=True)
                else:
                    self.idle.append(connection)
                take(token, answer)

    def _replace(self, connection: _Connection, was_told: bool) -> None:
        self.dropped += not was_told
        self.renewed += was_told
        self.selector.unregister(connection.socket)
        connection.socket.close()
        if connection in self.idle:
            self.idle.remove(connection)
        self._open()

    @property
    def busy(self) -> int:
        return len(self.selector.get_map()) - len(self.idle)

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            key.data.socket.close()
        self.selector.close()
