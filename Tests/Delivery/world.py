"""A PostgreSQL of the test's own with an outbox in it, forwarders over it, and the mock behind them."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import psycopg2.extras
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Slow machines get so much more time; a wait that is over early costs nothing.
PATIENCE = 3
REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests/Chaos"))

from own_stores import OwnPostgres  # noqa: E402  (its folder is known only now)

MIGRATIONS = REPOSITORY / "Sources/Engine/Storage/Migrations"
PIXEL = "123456789012345"
DAY = 86_400
ALL_CONSENT = 63
DETAILS = {"items": [{"id": "sku-1", "name": "Lamp", "price": 10.5, "quantity": 1}], "coupon": "MAY",
           "engagement_milliseconds": 5400, "search_term": "lamp", "method": "card", "status": "ok"}


SCENARIOS = {}


def scenario(function):
    """Adds a scenario to the list; its text says what happens, what it returns are its figures."""
    SCENARIOS[function.__name__] = function
    return function


class Failed(Exception):
    """What was promised is not so."""


def check(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


class World:
    """One database, one data folder, any number of forwarders."""

    def __init__(self, folder: Path, binary: str, mock):
        self.folder = folder
        self.binary = binary
        self.mock = mock
        self.data = folder / "data"
        self.data.mkdir()
        self.random = random.Random(7)
        self.postgres = OwnPostgres(folder / "postgres")
        self.postgres.start()
        self.database = psycopg2.connect(self.postgres.address)
        self.database.autocommit = True
        self.migrate()
        self.key = self.make_key()
        self.forwarders: list[subprocess.Popen] = []
        self.sites: dict[str, list[str]] = {}
        (folder / "token").write_text(mock.rules.token + "\n")
        (folder / "secret").write_text("webhook-secret-of-the-test\n")
        (folder / "clock").write_bytes(bytes(8))
        self.log = folder / "forwarder.log"

    def migrate(self) -> None:
        with self.database.cursor() as cursor:
            cursor.execute("CREATE SCHEMA heliograph")
            for file in sorted(MIGRATIONS.glob("*.sql")):
                cursor.execute(file.read_text())

    def make_key(self) -> bytes:
        folder = self.data / "keys/seal"
        folder.mkdir(parents=True)
        key = os.urandom(32)
        self.today = int(time.time() // DAY)
        for day in range(self.today - 9, self.today + 3):
            (folder / f"{day}.key").write_bytes(key)
        return key

    # --- Settings

    def destination(self, site: str, name: str, **more) -> None:
        """A Meta destination of a site, or what `more` makes of it."""
        settings = {"name": name, "kind": "meta", "pixel": PIXEL,
                    "token": {"file": str(self.folder / "token")},
                    "endpoint": f"http://127.0.0.1:{self.mock.port}", **more}
        if settings["kind"] != "meta":
            for key in ("pixel", "token", "endpoint"):
                if key not in more:
                    del settings[key]
        self.sites.setdefault(site, []).append(settings)
        self.write_settings()

    def write_settings(self) -> None:
        sites = [{"name": name, "keys": [f"hg_{name}"], "origins": ["*"], "destinations": list_}
                 for name, list_ in self.sites.items()]
        url = (f"postgresql://heliograph@/postgres?host={self.postgres.folder}&port=5432")
        # JSON is YAML.
        (self.folder / "heliograph.yaml").write_text(
            json.dumps({"postgres": {"url": url}, "sites": sites}))

    # --- Conversions

    def seal(self, text: dict, site: str, visitor: str, day: int | None = None) -> bytes:
        day = self.today if day is None else day
        nonce = os.urandom(12)
        sealed = AESGCM(self.key).encrypt(nonce, json.dumps(text).encode(),
                                          f"{site}\0{visitor}".encode())
        return b"\1" + day.to_bytes(4, "little") + nonce + sealed

    def add(self, count: int, site: str = "shop", names: tuple = ("meta",), *, prefix: str = "c",
            consent: int = ALL_CONSENT, age_seconds: float = 60,
            canonical: tuple = ("purchase",)) -> list[str]:
        """Conversions with a delivery each for every destination named; returns their ids."""
        now = time.time() + self.mock.rules.shift
        conversions, deliveries, ids = [], [], []
        for number in range(count):
            one = f"{prefix}-{number}"
            visitor = f"visitor-{prefix}-{number}"
            at = now - age_seconds
            ids.append(one)
            conversions.append((at, at, 1, 0, consent, 0, False, False, site, one,
                                canonical[number % len(canonical)], visitor, f"user-{number}", 10.5,
                                "EUR", f"order-{one}", "https://shop.example/thanks",
                                json.dumps(DETAILS), "{}"))
            seals = self.seals(number, at, site, visitor)
            for destination in names:
                deliveries.append((site, destination, one, visitor, at, *seals))
        with self.database.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, """
                INSERT INTO heliograph.conversion (occurred_at, received_at, journal_offset, partition,
                    consent, flags, sensitive, bot, site, conversion_id, name, visitor_id, user_id,
                    value, currency, order_id, page_url, details, withheld) VALUES %s""", conversions,
                template="(to_timestamp(%s), to_timestamp(%s)" + ", %s" * 17 + ")", page_size=1000)
            psycopg2.extras.execute_values(cursor, """
                INSERT INTO heliograph.delivery (site, destination, conversion_id, visitor_id,
                    occurred_at, page_seal, identify_seal, click_seal) VALUES %s""", deliveries,
                template="(%s, %s, %s, %s, to_timestamp(%s), %s, %s, %s)", page_size=1000)
        return ids

    def seals(self, number: int, at: float, site: str, visitor: str) -> tuple:
        """What the visitor lets platforms know: page, identify and click."""
        person = hashlib.sha256(f"person-{number}@shop.example".encode()).hexdigest()
        texts = [
            {"ip": "8.8.8.8", "ua": "Mozilla/5.0 (X11)", "ga": f"{1_000_000 + number}.{int(at)}",
             "fbp": f"fb.1.{int(at * 1000)}.{number + 1}",
             "gs": {"ABC123DEF4": f"GS1.1.{int(at) - 60}.1.1.{int(at)}.0.0.0"}},
            {"m": {"em": [person], "external_id": [person]},
             "g": {"sha256_email_address": [person]}},
            {"fbclid": f"IwAR0abc_-{number}", "at": int(at * 1000) - 5_000},
        ]
        return tuple(psycopg2.Binary(self.seal(text, site, visitor)) for text in texts)

    def ask(self, text: str, *values):
        with self.database.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    def states(self, destination: str = "meta", site: str = "shop") -> dict[str, int]:
        return dict(self.ask("""SELECT state, count(*) FROM heliograph.delivery
            WHERE site = %s AND destination = %s GROUP BY state""", site, destination))

    # --- Forwarders

    def start(self, **environment) -> subprocess.Popen:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [self.binary, "forward", "--config", str(self.folder / "heliograph.yaml"),
                 "--data", str(self.data)],
                stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env={**os.environ, **environment})
        self.forwarders.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.forwarders:
            if process.poll() is None:
                process.terminate()
        for process in self.forwarders:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill(process)
        self.forwarders.clear()

    def wait(self, done, seconds: float, what: str):
        """Waits until `done()` is something, and returns it. `seconds` are those of a usual machine."""
        seconds *= PATIENCE
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = done()
            if found:
                return found
            time.sleep(0.1)
        raise Failed(f"not within {seconds:.0f} s: {what}; {self.states()}; log: "
                     + self.log.read_text()[-800:])

    def settled(self, count: int, seconds: float, *names: str) -> None:
        """Waits until so many deliveries of each destination have ended."""
        ends = ("delivered", "dead", "expired", "cancelled", "in_doubt", "held")
        for name in names or ("meta",):
            self.wait(lambda: sum(self.states(name).get(end, 0) for end in ends) >= count, seconds,
                      f"{count} deliveries of {name} settled")

    def close(self) -> None:
        self.stop()
        self.database.close()
        self.postgres.kill()
