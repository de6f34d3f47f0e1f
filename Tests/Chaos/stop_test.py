#!/usr/bin/python3
"""Stops the engine at bad moments: it must leave within 10 s, cleanly, and lose nothing.

    stop_test.py --binary .build/release/heliograph [--seed N]

Each time the engine is told to stop while events flow and something is in its way: PostgreSQL or
Redis does not answer, clients do not read their answers, or a request is never finished. What the
stores lack then must be there after the next start.
"""

import argparse
import signal
import socket
import sys
import time

from engine import Engine, EngineError
from judge import Verdict, judge_all
from store_outage import Servers, send_all
from traffic import Crowd

STOP_SECONDS_MAX = 10
FLOW_SECONDS = 2.0
BATCHES_MIN = 100
SETTINGS = "workers: 3\n"


class Deaf:
    """Clients that ask for much and read nothing: their answers stay with the engine."""

    def __init__(self, port: int, count: int = 24):
        self.sockets = []
        for number in range(count):
            # Differently many, so that some fill the kernel's buffers and not the engine's limit.
            asked = 10 * (number + 1)
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", port))
            client.setblocking(False)
            try:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * asked)
            except BlockingIOError:
                pass
            self.sockets.append(client)

    def close(self) -> None:
        for client in self.sockets:
            client.close()


class Unfinished(Deaf):
    """Clients that begin a request and never end it."""

    def __init__(self, port: int, count: int = 4):
        super().__init__(port, 0)
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"POST /v1/e HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{")
            self.sockets.append(client)


class Frozen:
    """Stores that hold their connections and say nothing."""

    def __init__(self, pids: list[int]):
        self.pids = pids
        send_all(pids, signal.SIGSTOP)

    def close(self) -> None:
        send_all(self.pids, signal.SIGCONT)


def obstacles(engine: Engine) -> list:
    servers = Servers(engine)
    return [
        ("clients that do not read", lambda: Deaf(engine.ingest_port)),
        ("requests that do not end", lambda: Unfinished(engine.ingest_port)),
        ("PostgreSQL frozen", lambda: Frozen(servers.postgres_pids())),
        ("Redis frozen", lambda: Frozen([servers.redis_pid()])),
    ]


def stop_once(engine: Engine, name: str, obstacle, verdict: Verdict) -> None:
    time.sleep(FLOW_SECONDS)
    hindrance = obstacle()
    try:
        time.sleep(FLOW_SECONDS)
        seconds = engine.stop()
    finally:
        hindrance.close()
    status = engine.process.returncode
    print(f"    {name}: left after {seconds:.1f} s with status {status}", flush=True)
    verdict.add(f"{name}: the engine leaves within {STOP_SECONDS_MAX} s", 1,
                [] if seconds <= STOP_SECONDS_MAX else [f"{seconds:.1f} s"])
    verdict.add(f"{name}: it leaves with status 0", 1, [f"status {status}"] if status else [])
    engine.start()


def run(arguments: argparse.Namespace, engine: Engine) -> Verdict:
    print(f"stop_test: seed {arguments.seed}; engine in {engine.folder}")
    verdict = Verdict()
    engine.start()
    crowd = Crowd(arguments.seed, engine.ingest_port, senders=4, visitors=80)
    crowd.start()
    try:
        for name, obstacle in obstacles(engine):
            stop_once(engine, name, obstacle, verdict)
        time.sleep(1)
    finally:
        crowd.stop()
    judge_all(verdict, engine, crowd.ledger, BATCHES_MIN)
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    verdict = None
    try:
        engine = Engine(arguments.binary, settings=SETTINGS)
    except EngineError as error:
        sys.exit(f"stop_test: {error}")
    try:
        verdict = run(arguments, engine)
        verdict.print("stop-test")
    except EngineError as error:
        print(f"\n{error}\n\nstop-test: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=arguments.keep or not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
