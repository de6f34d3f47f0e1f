"""A TCP proxy between the engine and a store that misbehaves when told to.

It can delay, throttle, stop passing anything on (blackhole), refuse, cut every connection with a
reset, swallow a reply and then cut, and cut in the middle of a COPY. One thread runs all proxies
of a process; a test sets plain attributes, which that thread reads before each piece it passes on.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

PIECE_BYTES = 65536
BLACKHOLE_LOOKS_SECONDS = 0.02
RESET = struct.pack("ii", 1, 0)     # linger for no time: closing sends a reset


class PostgresReplies:
    """Frames what PostgreSQL sends: finds the end of a COMMIT, and the beginning of a COPY."""

    def __init__(self, connection: "Passage"):
        self.connection = connection
        self.pending = b""

    def seen_by_client(self, data: bytes) -> None:
        """What the client sends needs no framing here."""

    def before_lost(self, data: bytes) -> int | None:
        """How much of the data to pass on before the reply to swallow; None when it is not here."""
        offset = -len(self.pending)
        self.pending += data
        while len(self.pending) >= 5:
            kind, length = self.pending[:1], struct.unpack(">I", self.pending[1:5])[0] + 1
            if len(self.pending) < length:
                break
            message, self.pending = self.pending[5:length], self.pending[length:]
            if kind == b"G":
                self.connection.copying = True
            elif kind == b"C" and message.startswith(b"COPY"):
                self.connection.copying = False
            elif kind == b"C" and message == b"COMMIT\0" and self.connection.proxy.take_swallow():
                return max(0, offset)
            offset += length
        return None


class RedisReplies:
    """A reply to swallow is the next one after the client wrote values or positions."""

    def __init__(self, connection: "Passage"):
        self.connection = connection
        self.wrote = False

    def seen_by_client(self, data: bytes) -> None:
        self.wrote = self.wrote or b"HSET" in data or b"hg:pos:" in data

    def before_lost(self, data: bytes) -> int | None:
        if not self.wrote:
            return None
        self.wrote = False
        return 0 if self.connection.proxy.take_swallow() else None


@dataclass(eq=False)
class Passage:
    """One connection of a client and its counterpart to the store."""

    proxy: "FaultProxy"
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    copying: bool = False

    def cut(self) -> None:
        for writer in (self.client, self.server):
            stream = writer.get_extra_info("socket")
            try:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            except OSError:     # closed already, or a socket that knows no linger
                pass
            writer.transport.abort()


@dataclass(eq=False)
class FaultProxy:
    """Listens on a port of its own and passes on to `target`, a path or a (host, port)."""

    name: str
    target: str | tuple[str, int]
    replies: type
    delay_seconds: float = 0.0
    bytes_per_second: float = 0.0       # 0: as fast as it comes
    blackholed: bool = False
    refusing: bool = False
    # Replies that are still to be swallowed; every `swallow_every`-th of the right kind is.
    swallows_left: int = 0
    swallow_every: int = 1
    # Called from a thread of its own in the middle of the next COPY, which never gets to its end.
    in_next_copy: Callable[[], None] | None = None
    swallowed: int = 0
    copies_cut: int = 0
    connections_cut: int = 0
    refused: int = 0
    bytes_passed: int = 0
    port: int = 0
    _candidates: int = 0
    _passages: set[Passage] = field(default_factory=set)

    def start(self) -> None:
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), loop()).result(5)

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=PIECE_BYTES)
        return server.sockets[0].getsockname()[1]

    def heal(self) -> None:
        """Passes everything on again, as fast as it comes."""
        self.delay_seconds = self.bytes_per_second = 0.0
        self.blackholed = self.refusing = False
        self.swallows_left = 0
        self.in_next_copy = None

    def is_used(self) -> bool:
        return bool(self._passages)

    def cut(self) -> None:
        """Resets every connection that there is now."""
        done = threading.Event()

        def in_loop() -> None:
            for passage in list(self._passages):
                passage.cut()
                self.connections_cut += 1
            done.set()
        loop().call_soon_threadsafe(in_loop)
        done.wait(5)

    def take_swallow(self) -> bool:
        """Asked for each reply that could be swallowed."""
        if self.swallows_left <= 0:
            return False
        self._candidates += 1
        if self._candidates % self.swallow_every:
            return False
        self.swallows_left -= 1
        self.swallowed += 1
        return True

    # ---- one connection --------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            if self.refusing:
                self.refused += 1
                raise ConnectionRefusedError
            if isinstance(self.target, str):
                from_server, server = await asyncio.open_unix_connection(self.target)
            else:
                from_server, server = await asyncio.open_connection(*self.target)
        except OSError:
            Passage(self, client, client).cut()
            return
        passage = Passage(self, client, server)
        self._passages.add(passage)
        replies = self.replies(passage)
        try:
            await asyncio.gather(self._upwards(reader, server, passage, replies),
                                 self._downwards(from_server, client, passage, replies))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            passage.cut()
            self._passages.discard(passage)

    async def _upwards(self, reader, writer, passage: Passage, replies) -> None:
        while data := await reader.read(PIECE_BYTES):
            await self._hinder(data)
            if passage.copying and self.in_next_copy:
                await self._break_copy(writer, data)
                raise ConnectionResetError
            replies.seen_by_client(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _break_copy(self, writer, data: bytes) -> None:
        action, self.in_next_copy = self.in_next_copy, None
        writer.write(data[:len(data) // 2])
        await writer.drain()
        self.copies_cut += 1
        await asyncio.get_running_loop().run_in_executor(None, action)

    async def _downwards(self, reader, writer, passage: Passage, replies) -> None:
        while data := await reader.read(PIECE_BYTES):
            await self._hinder(data)
            lost = replies.before_lost(data)
            if lost is not None:
                # The client sees a reset where the reply would have come.
                writer.write(data[:lost])
                raise ConnectionResetError
            self.bytes_passed += len(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _hinder(self, data: bytes) -> None:
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if self.bytes_per_second:
            await asyncio.sleep(len(data) / self.bytes_per_second)
        while self.blackholed:
            await asyncio.sleep(BLACKHOLE_LOOKS_SECONDS)


_loop: asyncio.AbstractEventLoop | None = None


def loop() -> asyncio.AbstractEventLoop:
    """The thread that runs all proxies, started when the first one is."""
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
        threading.Thread(target=_loop.run_forever, name="proxies", daemon=True).start()
    return _loop
