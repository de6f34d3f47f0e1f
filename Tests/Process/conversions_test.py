#!/usr/bin/python3
"""Conversions are found, shared among touches, and put into the outbox, once and with consent.

    conversions_test.py --binary .build/release/heliograph

Starts an engine of its own with three destinations that are paused, sends journeys, kills it in their
midst, and looks at PostgreSQL. The shares are held against paths worked out by hand and against a
model of its own over random paths.
"""

import argparse
import itertools
import json
import random
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
import psycopg2  # noqa: E402
from checks import Checks  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

SETTINGS = """sites:
  - name: shop
    keys: [key_shop]
    origins: ["*"]
    currency: EUR
    automation: count
    consent: {default: 1}
    conversions:
      - {event: quote_sent, as: lead, value: 25}
      - {form: newsletter, as: complete_registration}
      - {page: /thank-you, as: contact}
      - {band: hot, as: became_hot}
    destinations:
      - {name: meta, kind: meta, pixel: "1234567890", token: {environment: T1}, paused: true}
      - {name: ga, kind: ga4, measurement_id: G-TEST123, api_secret: {environment: T2}, paused: true}
"""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WAIT_SECONDS_MAX = 30
ALL = 63
DAY = 86_400.0
MODELS = ("first", "last", "last_non_direct", "linear", "time_decay", "position_based")


class Scene:
    """An engine, its database, and the visitors that come to it."""

    def __init__(self, binary: str):
        self.engine = Engine(binary, settings=SETTINGS, environment={"T1": "t", "T2": "s"})
        self.engine.start()
        self.database = None
        self.connect()
        self.numbers = itertools.count(1)

    def connect(self) -> None:
        self.database = psycopg2.connect(self.engine.addresses()["postgres"])
        self.database.autocommit = True

    def rows(self, query: str, *values):
        with self.database.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def wait(self, name: str, is_so) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not is_so():
            if time.monotonic() > deadline:
                raise EngineError(f"waited in vain for: {name}")
            time.sleep(0.05)

    def visitor(self) -> str:
        return f"visitor-{next(self.numbers):012d}"

    def send(self, visitor: str, events: list[dict], *, ago_seconds=0.0, consent=ALL,
             context=None, window=None) -> str:
        """Sends a batch as it would have been sent a while ago; returns the window's id."""
        window = window or f"window-{next(self.numbers):012d}"
        now = int(time.time() * 1000)
        listed = [{"n": index + 1, "p": 1, "o": 0, **event} for index, event in enumerate(events)]
        for event in listed:
            event["o"] = event.get("o", 0) - int(ago_seconds * 1000)
        body = {"v": 1, "k": "key_shop", "st": now, "mt": 0, "w": window, "d": visitor,
                "s": "s" + window, "c": consent, "e": listed}
        if context is not None:
            body["x"] = context
        request = urllib.request.Request(self.engine.ingest + "/v1/e", json.dumps(body).encode(), {
            "User-Agent": AGENT, "Content-Type": "text/plain", "Origin": "https://shop.example",
            "Accept-Language": "en", "X-Forwarded-For": "203.0.113.9"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            if answer.status != 204:
                raise EngineError(f"a beacon was answered {answer.status}")
        return window


def page(url="https://shop.example/", referrer=None, **more) -> dict:
    event = {"t": "pv", "u": url, **more}
    if referrer:
        event["r"] = referrer
    return event


def custom(name: str, **props) -> dict:
    return {"t": "cu", "name": name, "props": props}


def check_journey(scene: Scene, checks: Checks) -> None:
    """One visitor from an advertisement to an order, with every kind of conversion."""
    visitor = scene.visitor()
    context = {"l": "en", "z": "Europe/Berlin", "vw": 1200, "vh": 800, "ids": {
        "_fbp": "fb.1.1700000000000.123", "_ga": "GA1.1.111.222", "_ga_TEST123": "GS1.1.333.1"}}
    basket = [{"item_id": "A1", "item_name": "Lamp", "price": 19.99, "quantity": 2}]
    window = scene.send(visitor, [
        page("https://shop.example/lamps?utm_source=news&utm_medium=cpc&utm_campaign=autumn"
             "&fbclid=AbC-123_x&email=a%40b.example", "https://l.facebook.com/"),
        custom("add_to_cart", items=basket, value=39.98, currency="USD"),
        custom("Order Completed", order_id="O-1", revenue=39.98, products=basket, coupon="X",
               secret="not to be told"),
        custom("quote_sent", plan="gold"),
        {"t": "fm", "f": "newsletter", "sb": 1, "ph": 1},
        {"t": "fm", "f": "newsletter", "sb": 0, "ph": 1},
        page("https://shop.example/thank-you", "https://shop.example/lamps", p=2),
        custom("color_changed", value=5),
    ], context=context)
    scene.wait("the journey's conversions", lambda: len(scene.rows(
        "SELECT 1 FROM heliograph.conversion WHERE visitor_id = %s", visitor)) >= 5)
    found = {row[0]: row for row in scene.rows(
        "SELECT name, value::float8, currency, order_id, page_url, details, withheld, conversion_id "
        "FROM heliograph.conversion WHERE visitor_id = %s AND name <> 'became_hot'", visitor)}
    checks.check("names", set(found) == {"add_to_cart", "purchase", "lead", "contact",
                                         "complete_registration"}, set(found))
    purchase = found["purchase"]
    checks.check("value, currency of the site, order",
                 purchase[1:4] == (39.98, "EUR", "O-1"), purchase)
    checks.check("currency of its own", found["add_to_cart"][2] == "USD", found["add_to_cart"])
    checks.check("fixed value", found["lead"][1] == 25, found["lead"])
    checks.check("page", purchase[4] is not None and "email" not in purchase[4]
                 and "utm_source=news" in purchase[4], purchase[4])
    checks.check("items and nothing undeclared", purchase[5] == {
        "items": [{"id": "A1", "name": "Lamp", "price": 19.99, "quantity": 2}],
        "coupon": "X"}, purchase[5])
    checks.check("the event's own id", purchase[7] == f"{window}-3", purchase[7])
    outbox = scene.rows("SELECT destination, seal IS NOT NULL, page_seal IS NOT NULL, "
                        "click_seal IS NOT NULL FROM heliograph.delivery "
                        "WHERE conversion_id = %s ORDER BY 1", f"{window}-3")
    checks.check("two deliveries with their seals", outbox == [
        ("ga", True, True, True), ("meta", True, True, True)], outbox)
    check_seals(scene, visitor, checks)


def check_seals(scene: Scene, visitor: str, checks: Checks) -> None:
    """Opened with the day's key they say what the browser said; in the clear it stands nowhere."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    row = scene.rows("SELECT page_seal, click_seal FROM heliograph.contact WHERE visitor_id = %s",
                     visitor)[0]
    opened = []
    for block in map(bytes, row):
        day = int.from_bytes(block[1:5], "little")
        key = (scene.engine.data / "keys" / "seal" / f"{day}.key").read_bytes()
        text = AESGCM(key).decrypt(block[5:17], block[17:], b"shop\0" + visitor.encode())
        opened.append(json.loads(text))
    checks.check("the page's seal", opened[0].get("fbp") == "fb.1.1700000000000.123"
                 and opened[0].get("ga") == "111.222" and opened[0].get("ua") == AGENT
                 and opened[0].get("ip") == "127.0.0.1"
                 and opened[0].get("gs") == {"TEST123": "GS1.1.333.1"}, opened[0])
    checks.check("the click's seal", opened[1].get("fbclid") == "AbC-123_x", opened[1])
    plain = scene.rows("SELECT count(*) FROM heliograph.event WHERE context::text ~ "
                       "'1700000000000|111.222' OR properties::text ~ '1700000000000|111.222'")
    checks.check("nothing of it in the rows", plain == [(0,)], plain)
    stranger = scene.visitor()
    scene.send(stranger, [page("https://shop.example/?fbclid=Strange-1", "https://x.example/")],
               consent=7)
    scene.wait("a click without consent", lambda: scene.rows(
        "SELECT 1 FROM heliograph.event WHERE visitor_id = %s", stranger))
    kept = scene.rows("SELECT properties->>'u' FROM heliograph.event WHERE visitor_id = %s", stranger)
    checks.check("no click id without consent", kept == [("https://shop.example/",)], kept)


def check_consent(scene: Scene, checks: Checks) -> None:
    """Every set of consent bits, and who is told."""
    cases = {1: ["ga"], 3: ["ga"], 7: ["ga"], 15: ["ga", "meta"], 63: ["ga", "meta"]}
    visitors = {bits: scene.visitor() for bits in cases}
    for bits, visitor in visitors.items():
        scene.send(visitor, [page(), custom("purchase", order_id=f"C-{bits}", value=1)],
                   consent=bits)
    scene.wait("conversions of all consents", lambda: scene.rows(
        "SELECT count(*) FROM heliograph.conversion WHERE order_id LIKE 'C-%%'")[0][0] == len(cases))
    for bits, told in cases.items():
        found = [row[0] for row in scene.rows(
            "SELECT destination FROM heliograph.delivery JOIN heliograph.conversion "
            "USING (site, conversion_id) WHERE order_id = %s ORDER BY 1", f"C-{bits}")]
        checks.check(f"consent {bits}", found == told, found)
    reasons = scene.rows("SELECT withheld FROM heliograph.conversion WHERE order_id = 'C-7'")[0][0]
    checks.check("the reason is told", reasons == {"meta": "without-advertising-consent"}, reasons)
    sealed = scene.rows("SELECT count(*) FROM heliograph.delivery JOIN heliograph.conversion "
                        "USING (site, conversion_id) WHERE order_id IN ('C-1', 'C-3', 'C-7') "
                        "AND seal IS NOT NULL")
    checks.check("nothing sealed without consent", sealed == [(0,)], sealed)


def check_orders(scene: Scene, checks: Checks) -> None:
    """An order that is reported twice, in one batch and in two, is told once."""
    visitor = scene.visitor()
    scene.send(visitor, [custom("purchase", order_id="R-1", value=5),
                         custom("purchase", order_id="R-1", value=5)])
    scene.wait("the first two", lambda: scene.rows(
        "SELECT count(*) FROM heliograph.conversion WHERE order_id = 'R-1'")[0][0] == 2)
    scene.send(visitor, [custom("purchase", order_id="R-1", value=5)])
    scene.wait("the third", lambda: scene.rows(
        "SELECT count(*) FROM heliograph.conversion WHERE order_id = 'R-1'")[0][0] == 3)
    found = scene.rows("SELECT destination, count(*) FROM heliograph.delivery JOIN "
                       "heliograph.conversion USING (site, conversion_id) "
                       "WHERE order_id = 'R-1' GROUP BY 1 ORDER BY 1")
    checks.check("one delivery of an order", found == [("ga", 1), ("meta", 1)], found)


def expected_credits(path: list[tuple[float, str]]) -> dict[str, list[float]]:
    """The shares of touches (age in days, channel), oldest first, by each model."""
    count = len(path)
    last = count - 1
    others = [index for index, (_, channel) in enumerate(path) if channel != "direct"]
    decay = [2 ** (-age / 7) for age, _ in path]
    if count <= 2:
        position = [1 / count] * count
    else:
        position = [0.4] + [0.2 / (count - 2)] * (count - 2) + [0.4]
    one = {index: [float(index == place) for place in range(count)] for index in range(count)}
    return {"first": one[0], "last": one[last], "last_non_direct": one[others[-1] if others else last],
            "linear": [1 / count] * count, "time_decay": [part / sum(decay) for part in decay],
            "position_based": position}


def touch_page(channel: str) -> dict:
    if channel == "paid_search":
        return page("https://shop.example/?utm_source=google&utm_medium=cpc", "https://google.com/")
    if channel == "referral":
        return page("https://shop.example/", "https://blog.example.net/post")
    return page("https://shop.example/")


def check_shares(scene: Scene, checks: Checks, seed: int) -> None:
    """Paths by hand, and random ones, each within the week that events may be late."""
    generator = random.Random(seed)
    paths = [
        [(0.0, "direct")],
        [(3.0, "paid_search"), (0.0, "direct")],
        [(6.0, "referral"), (4.0, "paid_search"), (1.0, "direct")],
        [(5.0, "direct"), (2.0, "direct")],
    ]
    for _ in range(40):
        ages = sorted({round(generator.uniform(0, 6.5), 3) for _ in range(generator.randint(1, 7))},
                      reverse=True)
        paths.append([(age, generator.choice(["paid_search", "referral", "direct"]))
                      for age in ages])
    visitors = []
    for path in paths:
        visitor = scene.visitor()
        for age, channel in path:
            scene.send(visitor, [touch_page(channel)], ago_seconds=age * DAY + 2)
        window = scene.send(visitor, [custom("lead")])
        visitors.append((visitor, f"{window}-1"))
    scene.wait("shares of every path", lambda: scene.rows(
        "SELECT count(DISTINCT conversion_id) FROM heliograph.attribution "
        "WHERE conversion_id = ANY(%s)", [id_ for _, id_ in visitors])[0][0] == len(paths))
    worst = 0.0
    for path, (_, conversion) in zip(paths, visitors):
        found = {model: {} for model in MODELS}
        for model, at, credit in scene.rows(
                "SELECT model, touched_at, credit FROM heliograph.attribution "
                "WHERE conversion_id = %s ORDER BY model, touched_at", conversion):
            found[model][at] = credit
        moments = sorted({at for shares in found.values() for at in shares})
        checks.check("touches of a path", len(moments) == len(path), (path, moments))
        for model, shares in expected_credits(path).items():
            given = [found[model].get(moment, 0.0) for moment in moments]
            worst = max(worst, abs(sum(given) - 1), *(abs(a - b) for a, b in zip(given, shares)))
    checks.check("shares as the models say, summing to 1", worst < 1e-6, worst)
    print(f"  {len(paths)} paths, six models, worst difference {worst:.1e} (seed {seed})")


def check_kill(scene: Scene, checks: Checks) -> None:
    """Killed in the midst, restarted: every acknowledged order is one conversion and two deliveries."""
    orders = [f"K-{number}" for number in range(300)]
    acknowledged = []
    for number, order in enumerate(orders):
        if number in (100, 200):
            scene.engine.kill()
            scene.engine.start()
            scene.connect()
        try:
            scene.send(scene.visitor(), [page(), custom("purchase", order_id=order, value=1)])
            acknowledged.append(order)
        except (urllib.error.URLError, OSError):
            continue
    scene.wait("every acknowledged order", lambda: scene.rows(
        "SELECT count(DISTINCT order_id) FROM heliograph.conversion WHERE order_id = ANY(%s)",
        acknowledged)[0][0] == len(acknowledged))
    time.sleep(0.5)
    twice = scene.rows("SELECT order_id FROM heliograph.conversion WHERE order_id LIKE 'K-%%' "
                       "GROUP BY order_id HAVING count(*) <> 1")
    checks.check("no order twice after kills", twice == [], twice)
    outbox = scene.rows("SELECT count(*), count(DISTINCT (destination, conversion_id)) FROM "
                        "heliograph.delivery JOIN heliograph.conversion USING (site, conversion_id) "
                        "WHERE order_id = ANY(%s)", acknowledged)
    checks.check("two deliveries an order", outbox == [(2 * len(acknowledged),) * 2], outbox)
    print(f"  {len(acknowledged)} orders acknowledged around 2 kills")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args()
    checks = Checks()
    try:
        scene = Scene(arguments.binary)
    except EngineError as error:
        sys.exit(f"conversions_test: {error}")
    try:
        check_journey(scene, checks)
        check_consent(scene, checks)
        check_orders(scene, checks)
        check_shares(scene, checks, arguments.seed)
        check_kill(scene, checks)
        scene.engine.stop()
    except EngineError as error:
        checks.check(str(error), False)
    finally:
        scene.engine.clean_up(keep=checks.failed > 0)
    print(f"conversions: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
