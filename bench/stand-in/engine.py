#!/usr/bin/env python3
"""A slow, small engine with known faults, to find out whether the meter tells the truth.

It takes beacons, deduplicates by (window, number), writes `updated` of the visitor to Redis after
a set delay, and rows to PostgreSQL through psql. Faults are switched on by options; the meter must
see each of them. See check-meter beside this file.
"""
import argparse
import asyncio
import collections
import datetime
import json
import os
import subprocess
import time

COPY = "COPY heliograph.event (site, visitor_id, n, received_at) FROM STDIN;\n"


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis", required=True, help="path of Redis' unix socket")
    parser.add_argument("--psql", required=True, help="connection string for psql")
    parser.add_argument("--delay-ms", type=float, default=0, help="from ack to Redis")
    parser.add_argument("--lose-row-every", type=int, default=0)
    parser.add_argument("--refuse-every", type=int, default=0, help="503 with Retry-After: 1")
    parser.add_argument("--reset-every", type=int, default=0, help="take, then close unanswered")
    parser.add_argument("--fold-twice-every", type=int, default=0, help="no deduplication")
    return parser.parse_args()


class Engine:
    def __init__(self, given):
        self.given = given
        self.seen = set()
        self.folded = 0
        self.duplicates = 0
        self.requests = 0
        self.rows = collections.deque()
        self.folds = collections.deque()
        self.psql = subprocess.Popen(
            ["psql", "-q", "-d", given.psql], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def every(self, count):
        return count > 0 and self.requests % count == 0

    def take(self, body):
        """Returns the answer's bytes, or None to close the connection instead."""
        self.requests += 1
        if self.every(self.given.refuse_every):
            return b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno"
        now = int(time.time() * 1000)
        batch = json.loads(body)
        for event in batch["e"]:
            identity = (batch["w"], event["n"])
            if identity in self.seen and not self.every(self.given.fold_twice_every):
                self.duplicates += 1
                continue
            self.seen.add(identity)
            self.folded += 1
            lost = self.given.lose_row_every
            if not (lost and len(self.seen) % lost == 0):
                stamp = datetime.datetime.fromtimestamp(now / 1000, datetime.timezone.utc)
                self.rows.append(f"demo\t{batch['d']}\t{event['n']}\t{stamp.isoformat()}")
        self.folds.append((time.monotonic() + self.given.delay_ms / 1000, batch["d"], now))
        if self.every(self.given.reset_every):
            return None
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    def metrics(self):
        text = (
            f"heliograph_events_folded_total{{worker=\"0\"}} {self.folded}\n"
            f"heliograph_events_duplicate_total {self.duplicates}\n").encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text

    async def write_redis(self):
        reader, writer = await asyncio.open_unix_connection(self.given.redis)
        while True:
            while self.folds and self.folds[0][0] <= time.monotonic():
                _, visitor, now = self.folds.popleft()
                words = ["HSET", "hg:demo:v:{%s}" % visitor, "updated", str(now)]
                command = "*4\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
                writer.write(command.encode())
                await reader.readline()
            await asyncio.sleep(0.0005)

    async def write_rows(self):
        while True:
            await asyncio.sleep(0.1)
            if self.rows:
                lines = "\n".join(self.rows)
                self.rows.clear()
                self.psql.stdin.write((COPY + lines + "\n\\.\n").encode())
                self.psql.stdin.flush()


class Connection(asyncio.Protocol):
    def __init__(self, engine):
        self.engine = engine
        self.data = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, rest = self.data.split(b"\r\n\r\n", 1)
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if len(rest) < length:
                return
            self.data = rest[length:]
            self.answer(head, rest[:length])

    def answer(self, head, body):
        if head.startswith(b"GET"):
            self.transport.write(self.engine.metrics())
            self.transport.close()
            return
        answer = self.engine.take(body)
        if answer is None:
            self.transport.abort()
        else:
            self.transport.write(answer)


async def main():
    given = options()
    engine = Engine(given)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(engine), "127.0.0.1", given.port)
    print(os.getpid(), flush=True)
    await asyncio.gather(engine.write_redis(), engine.write_rows())


asyncio.run(main())
