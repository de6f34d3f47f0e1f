#!/usr/bin/python3
"""What the ingest port does for the SDK beside taking its beacons, against a real engine, over plain
sockets:

    Tests/Process/site_surface.py --binary .build/release/heliograph

Files (names, caching, encodings, integrity) and paths of the owner's choosing; the device cookie; the
score that an answer brings, and that one without consent, or too late, is a 204; tracking links, which
lead nowhere but to their target; the pairing of conversions that a pixel told, too.
"""

import argparse
import base64
import concurrent.futures
import gzip
import hashlib
import html
import http.client
import json
import random
import statistics
import sys
import time
import urllib.request
from pathlib import Path

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from checks import Checks  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

RANDOM = random.Random(5)
CHECKS = Checks()
check = CHECKS.check
BROWSER = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/126.0.0.0 Safari/537.36")
SETTINGS = """
workers: 2
sdk:
  script: /assets/shop.js
  endpoint: /assets/in
sites:
  - name: shop
    keys: [hg_shop]
    origins: ["*"]
    automation: count
    consent: {default: 1, strict_default: 1, cookieless: session}
    links:
      - {name: spring, target: "https://shop.example/spring?a=1#top", source: letter, medium: email}
      - {name: own, target: "https://shop.example/?utm_source=own"}
    destinations:
      - {name: meta, kind: meta, pixel: "1234567890", token: {environment: HG_TEST_TOKEN}, paused: true}
      - {name: ga4, kind: ga4, measurement_id: G-ABC123DEF4, api_secret: {environment: HG_TEST_TOKEN},
         paused: true}
"""


def identifier() -> str:
    return "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22))


class Client:
    """Requests over one connection."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=30)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.engine.ingest_port}"

    def ask(self, method: str, path: str, body: bytes | None = None,
            **fields: str) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"User-Agent": BROWSER, "Accept-Language": "en",
                   "Accept-Encoding": "gzip, br", "Sec-Fetch-Mode": "cors"}
        headers |= {name.replace("_", "-"): value for name, value in fields.items()}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer, answer.read()

    def send(self, beacon: dict, path: str = "/v1/e",
             **fields: str) -> tuple[http.client.HTTPResponse, bytes]:
        return self.ask("POST", path, json.dumps(beacon).encode(),
                        **{"Content_Type": "text/plain"} | fields)


def beacon(consent: int, *events: dict, device: str | None = None) -> dict:
    events = events or ({"t": "pv", "n": 1, "o": 900, "p": 1, "u": "https://shop.example/"},)
    whole = {"v": 1, "k": "hg_shop", "st": int(time.time() * 1000), "mt": 1000, "q": 1,
             "w": identifier(), "s": identifier(), "c": consent}
    if device:
        whole["d"] = device
    return whole | {"e": list(events)}


def conversion(twins: int | None, number: int = 1) -> dict:
    event = {"t": "cu", "n": number, "o": 950, "p": 1, "name": "purchase",
             "props": {"value": 20, "currency": "EUR"}}
    return event if twins is None else event | {"tw": twins}


# ---- files

def files(client: Client) -> None:
    folder = Path(__file__).resolve().parents[2] / "sdk-js" / "dist"
    for name in ("hg.js", "hg-core.js", "hg.mjs", "hg.d.ts"):
        if (folder / name).exists():
            file(client, name, (folder / name).read_bytes())
    check("maps are not served unasked", client.ask("GET", "/hg.js.map")[0].status == 404)
    manifest = folder / "manifest.json"
    if manifest.exists():
        for name, facts in json.loads(manifest.read_text())["files"].items():
            stem, ending = name.split(".", 1)
            answer, _ = client.ask("HEAD", f"/{stem}.{facts['hash']}.{ending}")
            check(f"the manifest's name of {name} is served", answer.status == 200, answer.status)
    own, body = client.ask("GET", "/assets/shop.js", Accept_Encoding="identity")
    usual, same = client.ask("GET", "/hg.js", Accept_Encoding="identity")
    check("the owner's path serves the script", own.status == 200 and body == same, own.status)
    check("the usual path goes on", usual.status == 200)


def file(client: Client, name: str, content: bytes) -> None:
    stem, ending = name.split(".", 1)
    digest = hashlib.sha256(content).hexdigest()[:12]
    plain, body = client.ask("GET", f"/{name}", Accept_Encoding="identity")
    check(f"{name} is served as it was built", plain.status == 200 and body == content)
    check(f"{name} is cached shortly", "max-age=3600" in plain.headers["Cache-Control"])
    check(f"{name} may be loaded with integrity",
          plain.headers["Access-Control-Allow-Origin"] == "*"
          and plain.headers["Cross-Origin-Resource-Policy"] == "cross-origin")
    kind = "text/plain" if ending == "d.ts" else "text/javascript"
    check(f"{name} has its type", plain.headers["Content-Type"] == f"{kind}; charset=utf-8")
    fixed, _ = client.ask("GET", f"/{stem}.{digest}.{ending}")
    check(f"{name} by its hash is kept for ever",
          fixed.status == 200 and "immutable" in fixed.headers["Cache-Control"], fixed.status)
    packed, body = client.ask("GET", f"/{name}", Accept_Encoding="gzip")
    if packed.headers["Content-Encoding"] == "gzip":
        check(f"{name} is packed", gzip.decompress(body) == content)
    again, body = client.ask("GET", f"/{name}", Accept_Encoding="gzip",
                             If_None_Match=packed.headers["ETag"])
    check(f"{name} is not sent again", again.status == 304 and body == b"", again.status)


def endpoint(client: Client) -> None:
    taken, _ = client.send(beacon(1), "/assets/in")
    check("beacons come to the owner's path", taken.status == 204, taken.status)
    preflight, _ = client.ask("OPTIONS", "/assets/in", Origin="https://shop.example",
                              Access_Control_Request_Method="POST")
    check("preflights too", preflight.status == 204
          and preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example")
    check("no other path does", client.send(beacon(1), "/assets/inn")[0].status in (404, 405))


# ---- the device cookie

def cookie(client: Client) -> None:
    device, own = identifier(), f"http://{client.host}"
    kept = f"_hg_d={device}; Max-Age=34128000; Path=/; SameSite=Lax"

    def line(consent: int, origin: str | None, *events: dict, **fields: str) -> str | None:
        fields |= {"Origin": origin} if origin else {}
        answer, _ = client.send(beacon(consent, *events, device=device), **fields)
        check("a beacon is taken whatever becomes of the cookie", answer.status == 204)
        return answer.headers["Set-Cookie"]

    choice = {"t": "cs", "n": 2, "o": 950, "p": 1, "bits": 1}
    check("it is set on the first-party path", line(3, own) == kept, line(3, own))
    check("with TLS in front it is secure",
          line(3, f"https://{client.host}") == kept + "; Secure")
    check("another host's pages get none", line(3, "https://shop.example") is None)
    check("without an origin there is none", line(3, None) is None)
    check("without consent there is none", line(1, own) is None)
    check("it is not renewed", line(3, own, Cookie=f"a=b; _hg_d={device}") is None)
    check("another id is replaced", line(3, own, Cookie=f"_hg_d={identifier()}") == kept)
    ended = line(1, own, choice, Cookie=f"_hg_d={device}")
    check("it ends with the consent", ended == "_hg_d=; Max-Age=0; Path=/; SameSite=Lax", ended)
    refused, _ = client.ask("POST", "/v1/e", b"{", Origin=own)
    check("a refusal sets none", refused.headers["Set-Cookie"] is None)


# ---- the score in the answer

def score(client: Client, engine: Engine) -> None:
    device = identifier()
    answer, body = client.send(beacon(15, device=device), "/v1/e?want=score",
                               Origin="https://shop.example")
    check("the answer brings the score", answer.status == 200
          and answer.headers["Content-Type"] == "application/json", (answer.status, body))
    told = json.loads(body or b"{}")
    check("with everything the contract names", list(told) == [
        "score", "band", "profile", "confidence", "likelihood", "updated"], told)
    check("in its ranges", 0 <= told.get("score", -1) <= 100 and 0 <= told["likelihood"] <= 1
          and 0 <= told["confidence"] <= 1 and told["band"] in ("cold", "warm", "hot"), told)
    check("of now", abs(time.time() * 1000 - told["updated"]) < 10_000, told)
    check("for the page that asked", answer.headers["Access-Control-Allow-Origin"] == "*")
    stored = visitor(engine, device)
    check("it is the score that is stored", stored is not None
          and abs(stored["score"] - told["score"]) < 0.2, (stored, told))
    for bits in (0, 1, 3, 11):
        quiet, body = client.send(beacon(bits, device=identifier()), "/v1/e?want=score")
        check(f"with consent {bits} nothing is told", quiet.status == 204 and body == b"",
              (quiet.status, body))
    check("nobody is told unasked", client.send(beacon(15, device=device))[0].status == 204)
    check("nor by another wish",
          client.send(beacon(15, device=device), "/v1/e?want=scores")[0].status == 204)
    repeated = beacon(15, device=identifier())
    statuses = [client.send(repeated, "/v1/e?want=score")[0].status for _ in range(2)]
    check("a repeat is durable, too", statuses[0] == 200 and statuses[1] in (200, 204), statuses)


def visitor(engine: Engine, device: str) -> dict | None:
    connection = http.client.HTTPConnection(engine.companion.removeprefix("http://"), timeout=30)
    for _ in range(40):
        connection.request("GET", f"/api/v1/visitors/{device}?site=shop",
                           headers=engine.companion_headers())
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            return json.loads(body)
        time.sleep(0.05)
    return None


def many_scores(engine: Engine) -> None:
    """Visitors who take turns on few connections get each their own score and nobody else's."""
    def visit(number: int) -> list[float]:
        client, times = Client(engine), []
        for _ in range(40):
            begun = time.monotonic()
            answer, body = client.send(beacon(15, device=identifier()), "/v1/e?want=score")
            times.append((time.monotonic() - begun) * 1000)
            check("each is answered", answer.status in (200, 204), answer.status)
            if answer.status == 200:
                check("with a first visit's score", json.loads(body)["band"] == "cold", body)
        return times

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        times = sorted(time for part in pool.map(visit, range(8)) for time in part)
    print(f"want=score, 8 at a time: p50 {statistics.median(times):.1f} ms, "
          f"p99 {times[int(len(times) * 0.99)]:.1f} ms, {len(times)} answers")


def leaver(engine: Engine) -> None:
    """Who leaves while an answer waits harms nobody."""
    client = Client(engine)
    first = beacon(15, device=identifier())
    body = json.dumps(first).encode()
    client.connection.putrequest("POST", "/v1/e?want=score")
    client.connection.putheader("Content-Length", str(len(body)))
    client.connection.putheader("User-Agent", BROWSER)
    client.connection.endheaders(body)
    client.connection.close()
    check("the next is answered",
          Client(engine).send(beacon(15, device=identifier()), "/v1/e?want=score")[0].status == 200)


# ---- tracking links

def links(client: Client) -> None:
    answer, body = client.ask("GET", "/r/spring")
    wanted = ("https://shop.example/spring?a=1&utm_source=letter&utm_medium=email"
              "&utm_campaign=spring&_hgl=spring#top")
    check("a link leads to its target", answer.status == 302 and body == b""
          and answer.headers["Location"] == wanted, answer.headers["Location"])
    check("and is remembered by nobody", answer.headers["Cache-Control"] == "no-store"
          and answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin")
    carried, _ = client.ask("GET", "/r/own?gclid=G1&utm_source=x&utm_term=t&sku=4&url=//evil.example"
                            "&_hg=1.abc.mf0.00&utm_content=%0d%0aX-Evil:%201")
    location = carried.headers["Location"]
    check("of a request only the listed is carried over", location
          == "https://shop.example/?utm_source=own&utm_campaign=own&_hgl=own&gclid=G1&utm_term=t"
          "&_hg=1.abc.mf0.00", location)
    check("nobody adds a header", carried.headers["X-Evil"] is None)
    head, _ = client.ask("HEAD", "/r/spring")
    check("HEAD says where", head.status == 302 and head.headers["Location"] == wanted)
    for path in ("/r/nobody", "/r/", "/r/spring/x", "/r/../metrics", "/r/%2e%2e", "/r//evil.example",
                 "/r/https://evil.example", "/r/SPRING"):
        unknown, page = client.ask("GET", path)
        check(f"{path} leads nowhere", unknown.status == 404 and b"leads nowhere" in page
              and unknown.headers["Location"] is None, unknown.status)
    posted, _ = client.ask("POST", "/r/spring", b"x")
    check("links are only followed", posted.status == 405 and posted.headers["Allow"] == "GET, HEAD")
    client.ask("GET", "/r/spring", Sec_Purpose="prefetch")
    client.ask("GET", "/r/spring", User_Agent="Slackbot-LinkExpanding 1.0 (+https://api.slack.com)")
    text = client.ask("GET", "/metrics")[1].decode()
    lines = [line for line in text.splitlines() if line.startswith("heliograph_link_clicks_total{")]
    spring = 'heliograph_link_clicks_total{site="shop",link="spring",by='
    check("people are counted, once for each click", f'{spring}"person"}} 1' in lines, lines)
    check("apart from programs", f'{spring}"program"}} 1' in lines, lines)
    check("unknown links make no label", not any("nobody" in line for line in lines), lines)


# ---- pairs

def pairs(client: Client, engine: Engine) -> None:
    """Four purchases: two that Meta's pixel told, too, one that Google's did, one that none did."""
    for twins in (1, 3, None, 0):
        sent, _ = client.send(beacon(63, conversion(twins), device=identifier()))
        check("a conversion is taken", sent.status == 204, sent.status)
    with psycopg2.connect(engine.addresses()["postgres"]) as database:
        database.autocommit = True
        cursor = database.cursor()
        for _ in range(200):
            cursor.execute("SELECT count(*) FROM heliograph.delivery")
            if cursor.fetchone()[0] == 8:
                break
            time.sleep(0.05)
        # The platforms are outside; that they took the deliveries is said here in their place.
        cursor.execute("UPDATE heliograph.delivery SET state = 'delivered',"
                       " settled_at = occurred_at + interval '3 seconds'")
        cursor.execute("SELECT properties->>'tw' FROM heliograph.event WHERE name = 'purchase'")
        stored = sorted(row[0] or "" for row in cursor.fetchall())
    check("the row tells of the pixels", stored == ["", "0", "1", "3"], stored)
    connection = http.client.HTTPConnection(engine.companion.removeprefix("http://"), timeout=30)
    connection.request("GET", "/api/v1/sites/shop/deliveries/health",
                       headers=engine.companion_headers())
    found = {one["destination"]: one.get("pairing")
             for one in json.loads(connection.getresponse().read())["destinations"]}
    check("Meta's pairs are counted", found.get("meta") == {
        "delivered": 4, "paired": 2, "rate": 0.5, "median_gap_seconds": 3}, found)
    check("Google's apart", found.get("ga4") == {
        "delivered": 4, "paired": 1, "rate": 0.25, "median_gap_seconds": 3}, found)


# ---- the install page

def install(engine: Engine) -> None:
    connection = http.client.HTTPConnection(engine.companion.removeprefix("http://"), timeout=30)
    connection.request("GET", "/install?site=shop", headers=engine.companion_headers())
    answer = connection.getresponse()
    page = html.unescape(answer.read().decode())
    check("the install page is there", answer.status == 200, answer.status)
    check("with the site's key, the owner's paths and the digest",
          f'src="{engine.ingest}/assets/shop.' in page and 'data-key="hg_shop"' in page
          and f'data-endpoint="{engine.ingest}/assets/in"' in page)
    source = page.split('integrity="')[1].split('"')[0]
    path = page.split(f'src="{engine.ingest}')[1].split('"')[0]
    with urllib.request.urlopen(engine.ingest + path) as file:
        digest = base64.b64encode(hashlib.sha384(file.read()).digest()).decode()
    check("and the file has that digest", source == f"sha384-{digest}", source)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    try:
        engine = Engine(options.binary, {"HG_TEST_TOKEN": "x" * 30}, settings=SETTINGS)
        try:
            engine.start()
            client = Client(engine)
            for part in (files, endpoint, cookie, links):
                part(client)
            score(client, engine)
            pairs(client, engine)
            install(engine)
            many_scores(engine)
            leaver(engine)
            engine.stop()
        finally:
            engine.clean_up(keep=CHECKS.failed > 0)
    except EngineError as error:
        sys.exit(f"site_surface: {error}")
    print(f"site surface: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
