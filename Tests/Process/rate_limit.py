#!/usr/bin/python3
"""How exact the limits on senders are: what is accepted per site, visitor and address against what
the settings allow, while each sender offers three times as much.

    Tests/Process/rate_limit.py --binary .build/release/heliograph [--long]

Counted is from when every burst has been spent, for 6 s, with --long 60 s. Two listeners share the
clocks, and every sender uses connections to both. Judged by the accepted amount, never by a time.
"""

import argparse
import itertools
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from clients import Answer, Pool, beacon, identifier, post  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

SOURCE = random.Random(771)
TOLERANCE = 0.01
# A burst is spent within a second at three times its rate; one more for a busy machine.
WARM_SECONDS = 2.0
OFFERED = 3
CONNECTIONS = 24
QUOTA = 500
INGEST = """ingest:
  loops: 2
  trusted_proxies: ["127.0.0.1/32"]
"""
SETTINGS = """limits:
  visitor_events_per_second: 60
  visitor_events_burst: 60
  address_requests_per_second: 80
  address_requests_burst: 80
sites:
  - name: single
    keys: [hg_single]
    origins: ["*"]
    limits: { events_per_second: 150, events_burst: 150 }
  - name: batches
    keys: [hg_batches, hg_batches_new]
    origins: ["*"]
    limits: { events_per_second: 400, events_burst: 400 }
  - name: quota
    keys: [hg_quota]
    origins: ["*"]
    limits: { events_per_day: 500 }
  - name: free
    keys: [hg_free]
    origins: ["*"]
"""


@dataclass
class Sender:
    """One who is limited: what he sends, and how much of it may pass in a second."""

    name: str
    code: str
    rate: float
    offered: float
    events: int
    make: object
    accepted: int = 0
    refused: int = 0
    total: int = 0
    faults: list[str] = field(default_factory=list)

    def take(self, answer: Answer, counts: bool) -> None:
        if answer.status == 204:
            self.accepted += self.events * counts
            self.total += self.events
        elif answer.status == 429 and answer.code == self.code:
            self.refused += self.events * counts
            if not answer.fields.get("retry-after", "").isdigit():
                self.faults.append("a 429 without Retry-After")
        else:
            self.faults.append(f"{answer.status} {answer.body[:120]!r}")


def from_address(forwarded_for: str) -> bytes:
    return post(beacon(SOURCE, "hg_free"), X_Forwarded_For=forwarded_for)


def senders() -> list[Sender]:
    visitor = identifier(SOURCE)
    keys = itertools.cycle(("hg_batches", "hg_batches_new"))
    hosts = itertools.cycle(f"2001:db8:7:1::{number:x}" for number in range(1, 200))
    other = itertools.count(1)
    return [
        Sender("a site, single events", "site-rate", 150, 150 * OFFERED, 1,
               lambda: post(beacon(SOURCE, "hg_single"))),
        Sender("a site, batches of 5, two keys", "site-rate", 400, 400 * OFFERED, 5,
               lambda: post(beacon(SOURCE, next(keys), 5))),
        Sender("a visitor", "visitor-rate", 60, 60 * OFFERED, 2,
               lambda: post(beacon(SOURCE, "hg_free", 2, visitor))),
        Sender("a day's quota", "site-quota", 0, 250, 1, lambda: post(beacon(SOURCE, "hg_quota"))),
        Sender("an IPv4 address", "address-rate", 80, 80 * OFFERED, 1,
               lambda: from_address("203.0.113.7")),
        # What a client writes himself stands to the left of what the trusted proxy adds.
        Sender("an IPv4 address that forges others", "address-rate", 80, 80 * OFFERED, 1,
               lambda: from_address(f"198.51.{next(other) % 250}.1, 203.0.113.8")),
        Sender("an IPv6 /64 of 199 addresses", "address-rate", 80, 80 * OFFERED, 1,
               lambda: from_address(next(hosts))),
        Sender("a thousand addresses", "", 50, 100, 1,
               lambda: from_address(f"192.0.{next(other) % 1000 // 250}.{next(other) % 250 + 1}")),
        Sender("nobody limited", "", 50, 50, 1, lambda: post(beacon(SOURCE, "hg_free"))),
    ]


class Run:
    """Offers for a while, and counts what comes back between two moments."""

    def __init__(self, port: int, who: list[Sender]):
        self.pool, self.who = Pool(port, CONNECTIONS), who
        self.began, self.ended, self.is_counting = 0.0, 0.0, False

    def go(self, seconds: float) -> None:
        start = time.monotonic()
        sent = [0] * len(self.who)
        while (now := time.monotonic()) < start + WARM_SECONDS + seconds:
            if not self.is_counting and now >= start + WARM_SECONDS:
                self.is_counting, self.began = True, now
            for number, sender in enumerate(self.who):
                due = (now - start) * sender.offered / sender.events
                while sent[number] < due and self.pool.send(sender.make(), sender):
                    sent[number] += 1
            self.pool.receive(0.002, self.take)
        self.ended = time.monotonic()
        self.is_counting = False
        while self.pool.busy:
            self.pool.receive(1.0, self.take)
        self.pool.close()

    def take(self, sender: Sender, answer: Answer) -> None:
        sender.take(answer, self.is_counting)


def judge(sender: Sender, seconds: float) -> tuple[str, str]:
    """A line of the table, and what is wrong."""
    wanted = sender.rate * seconds
    if sender.code == "site-quota":
        line = f"{sender.name:34} {'':>8} {QUOTA:10} {sender.total:10}"
        is_right = sender.total == QUOTA
    elif not sender.code:
        line = f"{sender.name:34} {'':>8} {'':>10} {sender.accepted:10}"
        is_right = sender.refused == 0 and sender.accepted > 0
    else:
        share = sender.accepted / wanted - 1
        line = (f"{sender.name:34} {sender.rate:8.0f} {wanted:10.0f} {sender.accepted:10} "
                f"{sender.refused:10} {share:+8.2%}")
        is_right = abs(share) <= TOLERANCE and sender.refused > wanted
    fault = "" if is_right else f"{sender.name}: not what the settings allow"
    return line, fault or next(iter(sender.faults), "")


HEADING = (f"{'sender':34} {'a second':>8} {'allowed':>10} {'accepted':>10} {'refused':>10} "
           f"{'off by':>8}")


def measure(binary: str, seconds: float) -> list[str]:
    """Prints the table; what is wrong in it."""
    engine = Engine(binary, settings=SETTINGS)
    text = engine.config.read_text()
    engine.config.write_text(text.replace("ingest:\n", INGEST))
    try:
        engine.start()
        who = senders()
        run = Run(engine.ingest_port, who)
        run.go(seconds)
        engine.stop()
    finally:
        engine.clean_up()
    lines, faults = zip(*(judge(sender, run.ended - run.began) for sender in who))
    print(f"over {run.ended - run.began:.2f} s, on two listeners\n{HEADING}")
    print("\n".join(lines))
    faults = [fault for fault in faults if fault]
    if run.pool.dropped:
        faults.append(f"{run.pool.dropped} connections were dropped")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true", help="60 s instead of 6 s")
    options = parser.parse_args()
    try:
        faults = measure(options.binary, 60.0 if options.long else 6.0)
    except EngineError as error:
        sys.exit(f"rate_limit: {error}")
    print("\n".join(faults))
    print(f"rate-limit: {len(senders()) - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
