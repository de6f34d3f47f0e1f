"""The engine's answers as bytes, provoked from the real engine, and a server that repeats them."""

import gzip
import json
import socket
import threading
import time
from urllib.parse import urlsplit


def exchange(base: str, request: bytes) -> bytes:
    """Sends a request and returns the whole answer."""
    parts = urlsplit(base)
    with socket.create_connection((parts.hostname, parts.port), 10) as connection:
        connection.sendall(request)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            return answer
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    length = content_length(head)
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def post(body: bytes, key: str = "hg_demo") -> bytes:
    head = (f"POST /v1/batch?writeKey={key} HTTP/1.1\r\nHost: test\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


BATCH = b'{"batch":[{"type":"track","event":"x","userId":"u"}]}'


def provoke(engine, full_engine) -> dict[int, bytes]:
    """An answer of the engine for each status; `full_engine` is one with a small journal."""
    found = {
        200: exchange(engine.ingest, post(BATCH)),
        400: exchange(engine.ingest, post(b'{"batch":')),
        401: exchange(engine.ingest, post(BATCH, key="nobody")),
        413: exchange(engine.ingest, b"POST /v1/batch HTTP/1.1\r\nHost: test\r\n"
                      b"Content-Length: 5000000\r\n\r\n"),
        429: b"",
        503: b"",
    }
    for _ in range(20):
        found[429] = exchange(engine.ingest, post(BATCH, key="hg_slow"))
        if found[429].startswith(b"HTTP/1.1 429"):
            break
    large = large_batch()
    for _ in range(20):
        found[503] = exchange(full_engine.ingest, post(large))
        if found[503].startswith(b"HTTP/1.1 503"):
            break
    for status, answer in found.items():
        if not answer.startswith(f"HTTP/1.1 {status} ".encode()):
            raise AssertionError(f"wanted {status}, the engine said {answer[:120]!r}")
    return found


def large_batch() -> bytes:
    # Texts of more than 4 KiB are not searched for personal data and so not kept.
    texts = {f"text{number}": "plain words " * 250 for number in range(10)}
    event = {"type": "track", "event": "x", "userId": "u", "properties": texts}
    return json.dumps({"batch": [event] * 110}).encode()


class Repeater:
    """A server that gives recorded answers: each of `script` in turn, the last one for ever."""

    def __init__(self, script: list[bytes]):
        self.script = script
        self.attempts: list[float] = []
        self.bodies: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while True:
                request = read_answer(connection)
                if not request:
                    return
                self.attempts.append(time.monotonic())
                self.bodies.append(plain_body(request))
                answer = self.answer(request)
                connection.sendall(answer)
                if not answer or b"connection: close" in answer.lower():
                    return

    def answer(self, _request: bytes) -> bytes:
        return self.script[min(len(self.attempts), len(self.script)) - 1]

    def ids(self) -> list[str]:
        """The first message id of each request, by which one can be told from its repetition."""
        return [json.loads(body)["batch"][0]["messageId"] for body in self.bodies]

    def close(self) -> None:
        self.listener.close()


class Forgetter(Repeater):
    """Hands every request to the engine, and loses every other answer with its connection."""

    def __init__(self, engine_base: str):
        self.engine_base = engine_base
        super().__init__([])

    def answer(self, request: bytes) -> bytes:
        answer = exchange(self.engine_base, request)
        return answer if len(self.attempts) % 2 == 0 else b""


def plain_body(request: bytes) -> bytes:
    body = request.partition(b"\r\n\r\n")[2]
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
