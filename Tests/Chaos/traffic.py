"""Senders: threads that post batches over keep-alive connections, and never give up silently."""

import gzip
import random
import socket
import threading
import time
from collections import deque

from ledger import Ledger
from visits import Batch, Visitor

ANSWER_SECONDS_MAX = 8.0
RETRY_SECONDS = 0.05
TRIES_MAX = 400
# Of batches that found nobody home, the share that is never sent again: a closed laptop.
GIVE_UP_SHARE = 0.1
REPEAT_SHARE = 0.02
# A desktop browser's name, so that nobody is taken for a robot or for a finger on glass.
BROWSER = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/150.0.0.0 Safari/537.36")
GZIP_SHARE = 0.1


class Connection:
    """One keep-alive connection; any doubt about its state ends it."""

    def __init__(self, port: int):
        self.port = port
        self.socket: socket.socket | None = None

    def post(self, path: str, body: bytes) -> tuple[str, bytes]:
        """Returns the status and the raw head, or the kind of failure and nothing."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), 2)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.settimeout(ANSWER_SECONDS_MAX)
            head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                    f"Origin: https://shop.example\r\nUser-Agent: {BROWSER}\r\n"
                    f"Content-Type: text/plain\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n")
            self.socket.sendall(head.encode() + body)
            return self._answer()
        except ConnectionRefusedError:
            self.close()
            return "refused", b""
        except OSError as error:
            self.close()
            return "timeout" if isinstance(error, TimeoutError) else "broken", b""

    def _answer(self) -> tuple[str, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, rest = received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            rest += self._more()
        if b"connection: close" in head.lower():
            self.close()
        return head.split(b" ", 2)[1].decode(), head + b"\r\n\r\n" + rest

    def _more(self) -> bytes:
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError("closed by the engine")
        return part

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Sender(threading.Thread):
    """Sends the batches of its own visitors, one at a time, until told to stop."""

    def __init__(self, number: int, seed: int, port: int, ledger: Ledger, visitors: int,
                 pause_seconds: float = 0.0):
        super().__init__(name=f"sender-{number}", daemon=True)
        self.random = random.Random(f"{seed}-{number}")
        self.visitors = [Visitor(self.random.getrandbits(64)) for _ in range(visitors)]
        self.ledger = ledger
        self.connection = Connection(port)
        self.pause_seconds = pause_seconds
        self.stopping = threading.Event()
        self.giving_up = threading.Event()
        self.recent: deque[Batch] = deque(maxlen=500)
        self.refusals: list[str] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            batch = self.random.choice(self.visitors).next_batch()
            self.ledger.issue(batch.events)
            if self.send(batch):
                self.recent.append(batch)
            if self.recent and self.random.random() < REPEAT_SHARE:
                self.send(self.random.choice(self.recent), repeat=True)
            if self.pause_seconds:
                time.sleep(self.pause_seconds)
        self.connection.close()

    def send(self, batch: Batch, repeat: bool = False) -> bool:
        """Tries until an answer comes, as the SDK does; true when it was acknowledged."""
        for attempt in range(TRIES_MAX):
            self.ledger.attempt(batch.events, attempt > 0)
            status = self._try(batch, repeat)
            if status in ("200", "204"):
                return True
            if status.startswith("4") and status not in ("408", "425", "429"):
                return False
            if self.giving_up.is_set() or self.random.random() < GIVE_UP_SHARE:
                return False
            time.sleep(RETRY_SECONDS * (1 + self.random.random()))
        return False

    def _try(self, batch: Batch, repeat: bool) -> str:
        body = batch.body()
        zipped = self.random.random() < GZIP_SHARE
        began = time.monotonic()
        status, answer = self.connection.post(
            "/v1/e?z=1" if zipped else "/v1/e", gzip.compress(body, 1) if zipped else body)
        self.ledger.answer(batch.events, status, time.monotonic() - began, repeat)
        if status.startswith("4") and len(self.refusals) < 5:
            self.refusals.append(answer.decode(errors="replace")[-600:])
        return status


class Crowd:
    """All the senders of a test."""

    def __init__(self, seed: int, port: int, senders: int = 8, visitors: int = 400,
                 pause_seconds: float = 0.0):
        self.ledger = Ledger()
        self.senders = [Sender(number, seed, port, self.ledger, max(1, visitors // senders),
                               pause_seconds) for number in range(senders)]

    def start(self) -> None:
        for sender in self.senders:
            sender.start()

    def stop(self) -> None:
        """Lets each sender finish what it is at; the engine is expected to be up."""
        for sender in self.senders:
            sender.stopping.set()
        for sender in self.senders:
            sender.join(30)
            sender.giving_up.set()
            sender.join(ANSWER_SECONDS_MAX + 5)

    def events(self) -> int:
        return len(self.ledger.acknowledged())

    def batches(self) -> int:
        return self.ledger.batches_acknowledged

    def refusals(self) -> list[str]:
        return [text for sender in self.senders for text in sender.refusals]
