"""What the tests need of Redis, PostgreSQL and the companion, in a few lines each."""

import json
import re
import socket
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit

import psycopg2


class Redis:
    """A client for the handful of commands the tests use; replies are decoded to text."""

    def __init__(self, url: str, timeout_seconds: float = 5.0):
        if url.startswith("unix://"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout_seconds)
            self.socket.connect(url.removeprefix("unix://"))
        else:
            parts = urlsplit(url)
            self.socket = socket.create_connection(
                (parts.hostname, parts.port or 6379), timeout_seconds)
        self.reader = self.socket.makefile("rb")

    def call(self, *arguments: str):
        """The reply with its texts decoded."""
        return decoded(self.call_bytes(*arguments))

    def call_bytes(self, *arguments: str):
        encoded = [str(argument).encode() for argument in arguments]
        request = b"*%d\r\n" % len(encoded)
        for argument in encoded:
            request += b"$%d\r\n%s\r\n" % (len(argument), argument)
        self.socket.sendall(request)
        return self._reply()

    def _reply(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise RuntimeError(f"Redis says: {rest.decode()}")
        if kind == b"$":
            return None if rest == b"-1" else self._bulk(int(rest))
        return [self._reply() for _ in range(int(rest))]

    def _bulk(self, count: int) -> bytes:
        return self.reader.read(count + 2)[:-2]

    def state(self, visitor: str, site: str = "demo") -> bytes | None:
        return self.call_bytes("HGET", f"hg:{site}:v:{{{visitor}}}", "state")

    def visitor(self, visitor: str, site: str = "demo") -> dict[str, str]:
        flat = self.call("HGETALL", f"hg:{site}:v:{{{visitor}}}")
        return dict(zip(flat[::2], flat[1::2]))

    def pid(self) -> int:
        return int(re.search(r"process_id:(\d+)", self.call("INFO", "server")).group(1))

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


def decoded(reply):
    if isinstance(reply, bytes):
        return reply.decode(errors="replace")
    return [decoded(part) for part in reply] if isinstance(reply, list) else reply


def postgres(address: str):
    """A connection that sees each statement's own moment."""
    connection = psycopg2.connect(address, connect_timeout=5)
    connection.autocommit = True
    return connection


def query(address: str, statement: str, parameters: tuple = ()) -> list[tuple]:
    connection = postgres(address)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()
    finally:
        connection.close()


def companion_visitor(engine, visitor: str, site: str = "demo") -> dict | None:
    """The companion's answer about a visitor, or None when it does not know the visitor."""
    try:
        question = engine.companion_request(f"/api/v1/visitors/{quote(visitor)}?site={site}")
        with urllib.request.urlopen(question, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise
