"""Scenarios: all platforms at once, what operators do by hand, and a whole engine."""

import hashlib
import hmac
import json
import subprocess
import sys
import time
import urllib.request

from world import PIXEL, REPOSITORY, Failed, World, check, scenario

sys.path.insert(0, str(REPOSITORY / "Tests/Chaos"))
from engine import Engine  # noqa: E402

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@scenario
def three_platforms(world: World, long: bool) -> str:
    """Every canonical conversion on every platform, held against checks that know nothing of ours."""
    canonical = ("page_view", "view_content", "search", "add_to_cart", "add_to_wishlist",
                 "initiate_checkout", "add_payment_info", "purchase", "lead", "complete_registration",
                 "contact", "schedule", "start_trial", "subscribe", "submit_application",
                 "find_location", "customize_product", "donate")
    count = len(canonical) * (50 if long else 10)
    endpoint = f"http://127.0.0.1:{world.mock.port}"
    world.mock.rules.ga_secret = "webhook-secret-of-the-test"
    world.mock.plaintexts = [b"@shop.example", b"order-c-0@"]
    secret = {"file": str(world.folder / "secret")}
    world.destination("shop", "meta")
    world.destination("shop", "ga4", kind="ga4", measurement_id="G-ABC123DEF4", api_secret=secret,
                      user_data=True, endpoint=endpoint)
    world.destination("shop", "own", kind="webhook", url=endpoint + "/hook", secret=secret,
                      allow_loopback=True, contact=["em"])
    world.add(count, names=("meta", "ga4", "own"), canonical=canonical)
    world.start()
    world.settled(count, 120, "meta", "ga4", "own")
    found = {name: world.states(name) for name in ("meta", "ga4", "own")}
    dead = world.ask("""SELECT DISTINCT destination, code, reason FROM heliograph.delivery
        WHERE state <> 'delivered'""")
    check(not world.mock.violations, f"{sorted(set(world.mock.violations))[:5]}")
    check(all(states == {"delivered": count} for states in found.values()), f"{found} {dead}")
    signed = [one for one in world.mock.requests if one.platform == "webhook"]
    check(all(is_signed(one, b"webhook-secret-of-the-test") for one in signed), "a bad signature")
    matched = sum("em" in event["user_data"] and "fbc" in event["user_data"]
                  for one in world.mock.requests if one.platform == "meta"
                  for event in json.loads(one.body)["data"])
    check(matched == count, f"{matched} of {count} with what was sealed")
    return (f"{len(canonical)} conversions, {count} times each platform: 0 violations, "
            f"{len(signed)} good signatures, sealed blocks opened for all")


def is_signed(request, secret: bytes) -> bool:
    parts = dict(part.split("=", 1) for part in
                 request.headers.get("heliograph-signature", "t=,v1=").split(","))
    text = parts["t"].encode() + b"." + request.body
    return hmac.compare_digest(hmac.new(secret, text, hashlib.sha256).hexdigest(), parts["v1"])


def command(world: World, *arguments: str) -> str:
    done = subprocess.run(
        [world.binary, *arguments, "--config", str(world.folder / "heliograph.yaml")],
        capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"{arguments}: {done.stdout} {done.stderr}")
    return done.stdout


@scenario
def ambiguous(world: World, long: bool) -> str:
    """A lost answer: repeated where a copy does no harm, kept in doubt where it would count."""
    endpoint = f"http://127.0.0.1:{world.mock.port}"
    secret = {"file": str(world.folder / "secret")}
    world.mock.rules.ga_secret = "webhook-secret-of-the-test"
    world.destination("shop", "ga4", kind="ga4", measurement_id="G-ABC123DEF4", api_secret=secret,
                      endpoint=endpoint)
    world.destination("shop", "holding", ambiguous="hold", pixel="42")
    world.add(6, names=("ga4",), canonical=("purchase", "lead"))
    world.add(10, names=("holding",), prefix="h")
    world.mock.fail("commit-then-reset", place="G-ABC123DEF4", times=4)
    world.mock.fail("commit-then-reset", place="42", times=1)
    world.start()
    world.settled(6, 60, "ga4")
    world.settled(10, 30, "holding")
    rows = world.ask("""SELECT c.name, d.state, d.doubts, count(*)::int FROM heliograph.delivery AS d
        JOIN heliograph.conversion AS c USING (site, conversion_id)
        WHERE d.destination = 'ga4' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""")
    doubtful_leads = sum(row[3] for row in rows if row[:3] == ("lead", "in_doubt", 1))
    repeated = sum(row[3] for row in rows if row[:3] == ("purchase", "delivered", 1))
    check(doubtful_leads + repeated == 4, f"{rows}")
    check(not [row for row in rows if row[0] == "lead" and row[1] == "delivered" and row[2]], f"{rows}")
    check(world.states("holding") == {"in_doubt": 10}, f"{world.states('holding')}")
    listed = json.loads(command(world, "delivery", "list", "--destination", "holding", "--json"))
    check(len(listed) == 10 and listed[0]["doubts"] == 1, f"{listed[:1]}")
    said = command(world, "delivery", "retry", "--destination", "holding", "--in-doubt")
    check("Nothing has changed" in said and world.states("holding") == {"in_doubt": 10}, said)
    command(world, "delivery", "retry", "--destination", "holding", "--in-doubt", "--yes")
    world.wait(lambda: world.states("holding") == {"delivered": 10}, 30, "the operator's retry")
    return (f"GA4: {repeated} purchases repeated, {doubtful_leads} leads kept in doubt; with hold: 10 in "
            "doubt until an operator sent them again")


@scenario
def tested_by_hand(world: World, long: bool) -> str:
    """`destination test` shows what each platform says, in words."""
    endpoint = f"http://127.0.0.1:{world.mock.port}"
    secret = {"file": str(world.folder / "secret")}
    world.mock.rules.test_mode = True
    world.destination("shop", "meta")
    world.destination("shop", "ga4", kind="ga4", measurement_id="G-ABC123DEF4", api_secret=secret,
                      endpoint=endpoint)
    world.destination("shop", "own", kind="webhook", url=endpoint + "/hook", secret=secret,
                      allow_loopback=True)
    said = []
    for name, more in (("meta", ("--code", "TEST1")), ("ga4", ()), ("own", ())):
        said.append(command(world, "destination", "test", "--site", "shop", "--destination", name,
                            *more).strip().splitlines()[-1])
    check(all("taken" in one for one in said), f"{said}")
    check(b"TEST1" in world.mock.requests[0].body, "no test code")
    check("/debug/" in world.mock.requests[1].target, "not GA4's debug address")
    check(b'"test":true' in world.mock.requests[2].body.replace(b" ", b""), "no mark of a test")
    world.mock.rules.token = "another-token-than-the-forwarder-has"
    done = subprocess.run(
        [world.binary, "destination", "test", "--site", "shop", "--destination", "meta", "--code", "T",
         "--config", str(world.folder / "heliograph.yaml")], capture_output=True, text=True)
    check(done.returncode == 1 and "190" in done.stdout, f"{done.returncode} {done.stdout}")
    check("token-of-the-test" not in done.stdout + done.stderr, "the token was shown")
    return "three platforms took their tests, a refused token is said in words and not shown"


@scenario
def whole_engine(world: World, long: bool) -> str:
    """From a browser's beacon to the platform, by `heliograph up` alone."""
    endpoint = f"http://127.0.0.1:{world.mock.port}"
    settings = "sites: " + json.dumps([{
        "name": "shop", "keys": ["key_shop"], "origins": ["*"], "currency": "EUR",
        "automation": "count", "destinations": [
            {"name": "meta", "kind": "meta", "pixel": PIXEL, "endpoint": endpoint,
             "token": {"file": str(world.folder / "token")}}]}]) + "\n"
    engine = Engine(world.binary, settings=settings)
    engine.start()
    try:
        begun = time.monotonic()
        window, denied = "window-000000000001", "window-000000000002"
        world.mock.forbidden = {f"{denied}-2"}
        beacon(engine, window, "visitor-000000000001", 63)
        beacon(engine, denied, "visitor-000000000002", 7)
        key = (PIXEL, "Purchase", f"{window}-2")
        world.wait(lambda: key in world.mock.taken, 30, "the purchase at the platform")
        seconds = time.monotonic() - begun
        page = wait_for(lambda: [one for one in get(engine, "/api/v1/sites/shop/deliveries")["items"]
                                 if one["state"] == "delivered"])
        check(page[0]["conversion"] == f"{window}-2", f"{page}")
        health = wait_for(lambda: [
            one for one in get(engine, "/api/v1/sites/shop/deliveries/health")["destinations"]
            if one["accepted"] == 1 and one["match_keys"]])[0]
        check(health["state"] == "open" and health["match_keys"].get("fbp") == 1, f"{health}")
        metrics = urllib.request.urlopen(engine.ingest + "/metrics", timeout=10).read().decode()
        wanted = 'heliograph_delivery_accepted_total{site="shop",destination="meta"} 1'
        check(wanted in metrics, "no metric of the delivery")
        check(not world.mock.violations, f"{world.mock.violations[:3]}")
        check(len(world.mock.taken) == 1, f"{world.mock.taken}")
    finally:
        engine.kill()
        engine.clean_up()
    return f"a purchase was at the platform {seconds:.1f} s after its beacon, one without consent never"


def wait_for(ask, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.2)
    raise Failed(f"waited in vain; last: {ask()}")


def get(engine, path: str):
    with urllib.request.urlopen(engine.companion_request(path), timeout=10) as answer:
        return json.loads(answer.read())


def beacon(engine, window: str, visitor: str, consent: int) -> None:
    body = {"v": 1, "k": "key_shop", "st": int(time.time() * 1000), "mt": 0, "w": window, "d": visitor,
            "s": "s" + window, "c": consent,
            "x": {"l": "en", "z": "America/New_York", "ids": {"_fbp": "fb.1.1700000000000.123"}},
            "e": [{"n": 1, "p": 1, "o": 0, "t": "pv", "u": "https://shop.example/thanks"},
                  {"n": 2, "p": 1, "o": 0, "t": "cu", "name": "Order Completed",
                   "props": {"order_id": "O-1", "revenue": 39.98, "currency": "EUR"}}]}
    request = urllib.request.Request(
        engine.ingest + "/v1/e", json.dumps(body).encode(),
        {"User-Agent": AGENT, "Content-Type": "text/plain", "Origin": "https://shop.example"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        check(answer.status == 204, f"a beacon was answered {answer.status}")
