#!/usr/bin/python3
"""What visitors type stays nowhere in the clear: not in a row, a key, a file, a log or a metric.

    personal_data.py --binary .build/release/heliograph [--long]

An engine with destinations is sent visitors whose every value is made up and occurs nowhere else:
addresses of mail, telephone, card, account and state numbers, secrets, in properties, names, titles,
page addresses, form labels and traits, through every wire format, with every consent. Then every byte
of PostgreSQL, Redis, the journal, checkpoints, outcome files, logs and metrics is searched for them,
in the clear and in the writings that they were sent in. Values that belong into rows are searched for
too, so that the search is known to find.
"""

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
import psycopg2  # noqa: E402
import stores  # noqa: E402
from checks import Checks  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

SETTINGS = """sites:
  - name: shop
    keys: [key_shop]
    origins: ["*"]
    automation: count
    consent: {default: 1}
    destinations:
      - {name: meta, kind: meta, pixel: "1234567890", token: {environment: T1}, paused: true}
      - {name: ga, kind: ga4, measurement_id: G-TEST123, api_secret: {environment: T2}, paused: true}
"""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WAIT_SECONDS_MAX = 120
CONSENTS = (1, 3, 7, 15, 63)


def luhn(digits: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(digits + "0")):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def iban(generator: random.Random) -> str:
    account = "".join(generator.choices("0123456789", k=18))
    rest = 98 - int(account + "131400") % 97
    return f"DE{rest:02d}{account}"


class Person:
    """One visitor's data: by what it is, the value and the text that must be found nowhere."""

    def __init__(self, number: int, generator: random.Random):
        digits = lambda count: "".join(generator.choices("0123456789", k=count))  # noqa: E731
        letters = "".join(generator.choices("bcdfghjklmnpqrstvwxz", k=9))
        self.visitor = f"visitor-{number:012d}"
        self.canary = "welcome" + "".join(generator.choices("bcdfghjklmnpqrstvwxz", k=12))
        ssn = f"{generator.randint(100, 665)}-{generator.randint(10, 99)}-{generator.randint(1000, 9999)}"
        self.values = {
            "email": f"{letters}@{letters[::-1]}.example",
            "phone": f"+49 151 {digits(8)}",
            "card": luhn("4" + digits(14)),
            "iban": iban(generator),
            "ssn": ssn,
            "password": f"Pw{letters}{digits(4)}!",
            "full_name": f"{letters.capitalize()} {letters[::-1].capitalize()}",
            "street_address": f"{digits(3)} {letters.capitalize()} Street",
            "health": "diabetes",
        }

    @property
    def needles(self) -> list[str]:
        """What would show a value, however it was written."""
        found = []
        for kind, value in self.values.items():
            if kind == "health":
                continue
            plain = value.replace(" ", "") if kind in ("phone",) else value
            found += [value, plain, urllib.parse.quote(value, safe=""),
                      base64.b64encode(value.encode()).decode().rstrip("=")[:-1]]
            # Nine digits alone are everywhere; longer numbers are not.
            if kind in ("card", "phone"):
                found.append("".join(character for character in value if character.isdigit()))
        return found


class Sender:
    """Sends a person's data by every way there is."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.events = 0
        self.refused = 0

    def post(self, path: str, body, headers=None) -> None:
        request = urllib.request.Request(
            self.engine.ingest + path, json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": AGENT, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError:
            self.refused += 1

    def beacon(self, person: Person, consent: int) -> None:
        values = person.values
        coded = {key: urllib.parse.quote(value, safe="") for key, value in values.items()}
        now = int(time.time() * 1000)
        page = (f"https://shop.example/users/{coded['email']}/x?q={coded['phone']}"
                f"&utm_source={person.canary}&utm_content={coded['email']}"
                f"&next=%2Fa%3Fe%3D{coded['email']}#email={coded['email']}")
        events = [
            {"t": "pv", "u": page, "r": f"https://{values['email']}/?card={values['card']}",
             "ti": f"Account of {values['email']}"},
            {"t": "ck", "a": f"mailto:{values['email']}", "g": values["phone"], "x": 1, "y": 1},
            {"t": "fm", "f": f"order for {values['email']}", "sb": 1, "ph": 1,
             "ff": [[values["email"], 1, 2], [values["card"], 1]]},
            {"t": "cu", "name": f"paid with {values['card']}", "props": {}},
            {"t": "cu", "name": "purchase", "props": {
                **values, "value": 5, "order_id": person.canary, "nested": {"deep": [values]},
                values["email"]: 1, "note": f"call {values['phone']} or mail {values['email']}",
                "coded": base64.b64encode(json.dumps(values).encode()).decode(),
                "json": json.dumps({"iban": values["iban"], "social": values["ssn"]}),
                "double": urllib.parse.quote(coded["email"], safe=""), "ssn": values["ssn"]}},
            {"t": "id", "uid": "user-" + person.visitor, "traits": {**values, "address": values}},
        ]
        self.events += len(events)
        self.post("/v1/e", {
            "v": 1, "k": "key_shop", "st": now, "mt": 0, "w": f"window-{person.visitor[8:]}",
            "d": person.visitor, "s": f"session-{person.visitor[8:]}", "c": consent, "x": {
                "l": "en", "z": "America/New_York",
                "ids": {"_fbp": "fb.1.1700000000000.1", "_ga": "GA1.1.1.2"}},
            "e": [{"n": index + 1, "p": 1, "o": 0, **event} for index, event in enumerate(events)]},
            {"Content-Type": "text/plain", "Origin": "https://shop.example"})

    def servers(self, person: Person, consent: int) -> None:
        values = person.values
        key = {"Authorization": "Basic " + base64.b64encode(b"key_shop:").decode()}
        around = {"anonymousId": person.visitor, "context": {
            "consent": {"bits": consent}, "traits": values, "userAgent": AGENT,
            "page": {"url": f"https://shop.example/?email={values['email']}",
                     "title": values["full_name"] + " " + values["email"]}}}
        batch = [
            {"type": "track", "event": "Order Completed", "properties": values, **around},
            {"type": "track", "event": f"Mail to {values['email']}", **around},
            {"type": "identify", "userId": values["email"], "traits": values, **around},
            {"type": "page", "name": values["email"], "properties": {
                "url": f"https://shop.example/{values['ssn']}?phone={values['phone']}",
                "title": f"Hello {values['email']}", "referrer": f"https://x.example/{values['email']}",
                **values}, **around},
            {"type": "group", "groupId": values["email"], "traits": values, **around},
            {"type": "alias", "userId": values["email"], "previousId": values["phone"], **around},
        ]
        for event in batch:
            event["messageId"] = f"{person.visitor}-{batch.index(event)}"
        self.events += len(batch) + 3
        self.post("/v1/batch", {"batch": batch}, key)
        self.post("/v1/track", {**batch[0], "messageId": person.visitor + "-t"}, key)
        self.post("/v1/e", {"v": 1, "k": "key_shop", "w": "x", "e": values})
        self.post("/v1/batch", {"batch": [{"type": "unknown", **values}, values["email"]]}, key)


def dump(engine: Engine) -> bytes:
    """PostgreSQL's rows as text, all of Redis, metrics: what files may hold compressed."""
    connection = psycopg2.connect(engine.addresses()["postgres"])
    texts = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
                       "WHERE nspname = 'heliograph' AND relkind IN ('r', 'p') AND NOT relispartition")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM heliograph."{table}" AS t')
            texts += [row[0] for row in cursor.fetchall()]
            if table == "rejected_event":
                cursor.execute('SELECT convert_from(bytes, \'LATIN1\') FROM heliograph.rejected_event')
                texts += [row[0] for row in cursor.fetchall()]
    connection.close()
    redis = stores.Redis(engine.addresses()["redis"], 60)
    for key in redis.call("KEYS", "*"):
        kind = redis.call("TYPE", key)
        command = {"hash": ("HGETALL",), "zset": ("ZRANGE",), "string": ("GET",)}.get(kind, ("TYPE",))
        arguments = [key, "0", "-1"] if kind == "zset" else [key]
        texts.append(repr(redis.call_bytes(command[0], *arguments)))
    with urllib.request.urlopen(engine.ingest + "/metrics", timeout=10) as answer:
        texts.append(answer.read().decode())
    return "\n".join(texts).encode("utf-8", "replace")


def search(places: list[Path], needles: list[str], list_file: Path) -> dict[str, str]:
    """Which needles lie in which file; by grep, which walks any number of texts in one pass."""
    list_file.write_text("\n".join(needles) + "\n")
    command = ["grep", "-raoF", "--with-filename", "-f", str(list_file), *map(str, places)]
    answer = subprocess.run(command, capture_output=True, check=False,
                            env={**os.environ, "LC_ALL": "C"})
    list_file.unlink()
    found: dict[str, str] = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        place, _, needle = line.partition(":")
        found.setdefault(needle, place)
    return found


def wait_until_stored(cursor, people: list[Person]) -> None:
    """Until every visitor's order is a conversion, which comes last, and files hold what was said."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        cursor.execute("SELECT count(*) FROM heliograph.conversion WHERE order_id IS NOT NULL")
        if cursor.fetchone()[0] >= len(people):
            break
        time.sleep(0.2)
    time.sleep(1)
    cursor.execute("CHECKPOINT")


def count_rows(cursor) -> tuple[int, int, int, int]:
    """Rows, those that say what was taken out, conversions about health, and those told to Meta."""
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE properties ? '$pii') "
                   "FROM heliograph.event")
    rows, marked = cursor.fetchone()
    cursor.execute("SELECT count(*) FROM heliograph.conversion WHERE sensitive")
    sensitive = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM heliograph.delivery JOIN heliograph.conversion "
                   "USING (site, conversion_id) WHERE sensitive AND destination = 'meta'")
    return rows, marked, sensitive, cursor.fetchone()[0]


def judge(engine: Engine, sender: Sender, people: list[Person], checks: Checks) -> None:
    connection = psycopg2.connect(engine.addresses()["postgres"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        wait_until_stored(cursor, people)
        rows, marked, sensitive, told = count_rows(cursor)
    rows_file = engine.folder / "rows.txt"
    rows_file.write_bytes(dump(engine))
    needles = sorted({needle for person in people for needle in person.needles
                      if len(needle) >= 9})
    with tempfile.TemporaryDirectory() as folder:
        places = [engine.folder, *engine.system_folders()]
        found = search(places, needles, Path(folder) / "needles")
        welcome = search([rows_file], [person.canary for person in people],
                         Path(folder) / "welcome")
    size = int(subprocess.run(["du", "-cm", *map(str, places)], capture_output=True,
                              text=True, check=True).stdout.split()[-2])
    print(f"  {len(people)} visitors, {sender.events} events, {rows} rows of which {marked} say "
          f"what was taken out; {len(needles)} writings searched for in {size} MiB")
    checks.check("nothing in the clear", not found, list(found.items())[:12])
    checks.check("the search finds what belongs there", len(welcome) == len(people), len(welcome))
    checks.check("rows say what was taken out", marked > len(people) * 5, marked)
    checks.check("health closes advertising", sensitive >= len(people) and told == 0,
                 (sensitive, told))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--long", action="store_true", help="10 000 visitors")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    people = [Person(number, generator) for number in range(10_000 if arguments.long else 150)]
    checks = Checks()
    try:
        engine = Engine(arguments.binary, settings=SETTINGS, environment={"T1": "t", "T2": "s"})
        engine.start()
    except EngineError as error:
        sys.exit(f"personal_data: {error}")
    try:
        sender = Sender(engine)
        for number, person in enumerate(people):
            sender.beacon(person, CONSENTS[number % len(CONSENTS)])
            sender.servers(person, CONSENTS[number % len(CONSENTS)])
        judge(engine, sender, people, checks)
        engine.stop()
    except EngineError as error:
        checks.check(str(error), False)
    finally:
        engine.clean_up(keep=checks.failed > 0)
    print(f"personal data: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
