#!/usr/bin/python3
"""Settings reloaded under load: every answer and every row is of one reading of the settings.

    Tests/Process/reload_storm.py --binary .build/release/heliograph [--reloads 200] [--long]

Two settings take turns, with a broken file between them now and then. They differ in everything
that decides about a request: which site a key belongs to, which origins it allows, which
parameters of a page's address are kept. A request that saw a bit of each would be accepted where
neither accepts it, be answered with the other's origin, or leave a row that neither would write.
No connection may be dropped, and what was acknowledged is in PostgreSQL. --long makes 10 000
reloads.
"""

import argparse
import collections
import http.client
import os
import random
import re
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
import stores  # noqa: E402
from clients import Answer, Pool, beacon, identifier, post  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

SOURCE = random.Random(1_010)
CONNECTIONS = 8
# The same few, so that what grows is not the memory of visitors.
VISITORS = [identifier(SOURCE) for _ in range(200)]
BROKEN_EVERY = 5
RELOAD_SECONDS_MAX = 30
# What the load and the allocator need; 10 000 readings that nobody lets go of are more.
RESIDENT_GROWTH_BYTES_MAX = 48 << 20
ARCHIVE_SECONDS_MAX = 60
ORIGINS = {"a": "https://a.example", "b": "https://b.example"}
PAGE = "https://shop.example/?pa=1&pb=2"
SITES = {
    name: f"""sites:
  - name: site{name}
    keys: [hg_{name}, hg_both]
    origins: ["{ORIGINS[name]}"]
    url_parameters: [p{name}]
    limits: {{ events_per_second: {900_000 + number} }}
"""
    for number, name in enumerate("ab")
}
BROKEN = ["sites:\n  - name: SITE\n    keys: []\n", "sites: [\n", "sites:\n  - name: x\n"
          "    keys: [hg_a]\n    origins: [\"ftp://a.example\"]\n"]


def kinds() -> list[tuple[str, str]]:
    """Key and origin of what is sent."""
    return [(key, origin) for key in ("a", "b", "both") for origin in "ab"] + [("", "a"), ("", "b")]


def request(kind: tuple[str, str]) -> bytes:
    key, origin = kind
    if key:
        body = beacon(SOURCE, f"hg_{key}", visitor=SOURCE.choice(VISITORS), url=PAGE)
        return post(body, Origin=ORIGINS[origin])
    return (f"OPTIONS /v1/e HTTP/1.1\r\nHost: a\r\nOrigin: {ORIGINS[origin]}\r\n"
            "Access-Control-Request-Method: POST\r\n\r\n").encode()


def expected(kind: tuple[str, str], settings: str) -> tuple[int, str, str | None]:
    """Status, code and allowed origin under one of the settings."""
    key, origin = kind
    if not key:
        return 204, "", ORIGINS[origin] if origin == settings else None
    if key not in (settings, "both"):
        return 403, "key-unknown", "*"
    if origin != settings:
        return 403, "origin-not-allowed", "*"
    return 204, "", ORIGINS[origin]


class Load:
    """Posts until told to stop, and holds each answer against both settings."""

    def __init__(self, port: int):
        self.pool = Pool(port, CONNECTIONS)
        self.counts: collections.Counter = collections.Counter()
        self.mixed: list[str] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        cycle = kinds()
        number = 0
        while not self.stopping.is_set():
            while self.pool.send(request(cycle[number % len(cycle)]), cycle[number % len(cycle)]):
                number += 1
            self.pool.receive(0.05, self.take)
        while self.pool.busy:
            self.pool.receive(1.0, self.take)

    def take(self, kind: tuple[str, str], answer: Answer) -> None:
        seen = (answer.status, answer.code, answer.fields.get("access-control-allow-origin"))
        self.counts["answers"] += 1
        if answer.status == 204 and kind[0]:
            self.counts[f"site{kind[1]}"] += 1
        fits = [name for name in "ab" if expected(kind, name) == seen]
        self.counts[f"under {' or '.join(fits) or 'neither'}"] += 1
        if not fits:
            self.mixed.append(f"key {kind[0] or '(preflight)'} from {kind[1]}: {seen}")


class Reloads:
    """Puts one file after the other into force, and waits for each to be read."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.head = engine.config.read_text().split("sites:")[0]
        self.connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=30)

    def counted(self) -> tuple[float, float]:
        """Reloads done and refused so far."""
        self.connection.request("GET", "/metrics")
        text = self.connection.getresponse().read().decode()
        found = dict(re.findall(r'^heliograph_(reloads(?:_refused)?)_total (\S+)$', text,
                                re.MULTILINE))
        return float(found["reloads"]), float(found["reloads_refused"])

    def install(self, text: str, is_broken: bool) -> None:
        before = self.counted()
        spare = self.engine.config.with_suffix(".new")
        spare.write_text(self.head + text)
        spare.replace(self.engine.config)
        os.kill(self.engine.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + RELOAD_SECONDS_MAX
        while self.counted()[is_broken] <= before[is_broken]:
            if time.monotonic() > deadline:
                raise EngineError(f"a reload was not seen within {RELOAD_SECONDS_MAX} s")

    def storm(self, count: int) -> None:
        for number in range(count):
            is_broken = number % BROKEN_EVERY == BROKEN_EVERY - 1
            text = SOURCE.choice(BROKEN) if is_broken else SITES["ba"[number % 2]]
            self.install(text, is_broken)


def archived(engine: Engine, wanted: dict[str, int]) -> list[str]:
    """What PostgreSQL says against the acknowledged beacons."""
    deadline = time.monotonic() + ARCHIVE_SECONDS_MAX
    query = ("SELECT site, properties->>'u', count(*)::int FROM heliograph.event "
             "WHERE type = 'pv' GROUP BY 1, 2")
    while True:
        rows = stores.query(engine.addresses()["postgres"], query)
        counts = collections.Counter()
        for site, _, number in rows:
            counts[site] += number
        if counts == wanted or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    faults = [f"{number} rows of {site} have the page {url}" for site, url, number in rows
              if url != f"https://shop.example/?p{site[-1]}={'12'['ab'.index(site[-1])]}"]
    if counts != wanted:
        faults.append(f"rows {dict(counts)}, acknowledged {wanted}")
    return faults


def resident_bytes(engine: Engine) -> int:
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def run(engine: Engine, count: int) -> list[str]:
    engine.start()
    reloads, load = Reloads(engine), Load(engine.ingest_port)
    load.thread.start()
    try:
        reloads.storm(20)
        began, resident = time.monotonic(), resident_bytes(engine)
        reloads.storm(count)
        grown = resident_bytes(engine) - resident
    finally:
        load.stopping.set()
        load.thread.join()
    seconds = time.monotonic() - began
    done, refused = reloads.counted()
    wanted = {site: load.counts[site] for site in ("sitea", "siteb")}
    faults = load.mixed[:10] + archived(engine, wanted)
    if load.pool.dropped:
        faults.append(f"{load.pool.dropped} connections were dropped")
    if grown > RESIDENT_GROWTH_BYTES_MAX:
        faults.append(f"memory grew by {grown >> 20} MiB")
    if min(wanted.values()) < count / 2:
        faults.append(f"too few were accepted to tell anything: {wanted}")
    print(f"{done:.0f} reloads and {refused:.0f} refused in {seconds:.0f} s, beside "
          f"{load.counts['answers']} answers on {CONNECTIONS} connections")
    for name, number in sorted(load.counts.items()):
        print(f"{number:10}  {name}")
    print(f"{len(load.mixed):10}  mixed")
    print(f"{load.pool.dropped:10}  connections dropped")
    print(f"{grown >> 10:10}  KiB that memory grew by")
    engine.stop()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--reloads", type=int, default=200)
    parser.add_argument("--long", action="store_true", help="10 000 reloads")
    options = parser.parse_args()
    faults = ["the engine did not go on"]
    try:
        engine = Engine(options.binary, settings=SITES["a"])
        try:
            faults = run(engine, 10_000 if options.long else options.reloads)
        finally:
            engine.clean_up(keep=bool(faults))
    except EngineError as error:
        sys.exit(f"reload_storm: {error}")
    print("\n".join(faults))
    print(f"reload-storm: {0 if faults else 1} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
