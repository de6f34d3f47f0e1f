#!/usr/bin/python3
"""The CORS matrix: who may read what, origin by origin and request by request, against real
engines.

    Tests/Process/cors_matrix.py --binary .build/release/heliograph

The rule, from which every expectation is computed:

1. No answer has Access-Control-Allow-Credentials: the engine needs no cookies, so that a page's
   cookies never decide about anything, whether a request brings some or not.
2. A beacon that was taken is answered with exactly the request's origin where the site lists
   origins, with `*` where it takes any, and with nothing when the request has no origin.
3. A beacon from an origin that its site does not list is refused with 403. Refusals hold nothing
   about anybody, so any page may read them: `*`, never the origin itself.
4. A preflight names no site. Its origin is answered when some site lists it or takes any; another
   gets no Access-Control-Allow-Origin. It offers POST, the five headers that trackers of pages
   send, and at least ten minutes.
5. Events of servers (`/v1/events`, `/v1/batch`) are held to the same rule when they come from a
   page; they are answered 200, and 401 for an unknown key.
6. The script is public: `*` for everybody.
7. An answer that repeats the origin has `Vary: Origin`.

Origins are compared byte by byte (RFC 6454 section 6.2), `null` is listed by nobody.
"""

import argparse
import collections
import http.client
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine, EngineError  # noqa: E402

RANDOM = random.Random(6_454)
SHOP = "https://shop.example"
LISTED = {"hg_shop": [SHOP, "https://m.shop.example"],
          "hg_other": ["http://127.0.0.1:8080", "http://[::1]:3000"]}
SITES = """sites:
  - name: shop
    keys: [hg_shop]
    origins: ["https://shop.example", "https://m.shop.example"]
  - name: other
    keys: [hg_other]
    origins: ["http://127.0.0.1:8080", "http://[::1]:3000"]
"""
OPEN_SITE = """  - name: open
    keys: [hg_open]
    origins: ["*"]
"""
ORIGINS = {
    "none": None, "listed": SHOP, "listed too": "https://m.shop.example",
    "another site's": "http://127.0.0.1:8080", "another's, v6": "http://[::1]:3000",
    "other scheme": "http://shop.example", "other port": "https://shop.example:8443",
    "the scheme's port": "https://shop.example:443", "subdomain": "https://a.shop.example",
    "parent": "https://example", "longer suffix": "https://shop.example.evil.example",
    "longer prefix": "https://evilshop.example", "upper case": "https://SHOP.example",
    "trailing dot": "https://shop.example.", "trailing slash": "https://shop.example/",
    "with a path": "https://shop.example/a", "with a user": "https://a@shop.example",
    "null": "null", "star": "*", "other address": "http://127.0.0.2:8080",
    "a list": "https://shop.example, https://evil.example", "no scheme": "shop.example",
    "extension": "chrome-extension://abcdef", "unicode": "https://shop.example\xe4",
}
HEADERS = {"authorization", "content-type", "content-encoding", "anonymousid",
           "x-heliograph-debug"}
Wanted = collections.namedtuple("Wanted", "status allowed")


def identifier() -> str:
    return "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22))


def beacon(key: str) -> bytes:
    event = {"t": "pv", "n": 1, "o": 900, "p": 1, "u": "https://shop.example/"}
    return json.dumps({"v": 1, "k": key, "st": int(time.time() * 1000), "mt": 1000, "q": 1, "c": 7,
                       "w": identifier(), "d": identifier(), "s": identifier(),
                       "e": [event]}).encode()


def server_events(path: str, key: str) -> bytes:
    event = {"type": "track", "event": "seen", "anonymousId": identifier(),
             "messageId": identifier(), "visitor": identifier(), "id": identifier(), "name": "seen"}
    if path == "/v1/batch":
        return json.dumps({"batch": [event], "writeKey": key}).encode()
    return json.dumps({"events": [event], "key": key}).encode()


class Request:
    """A kind of request, and what the rule says about it."""

    def __init__(self, method: str, path: str, key: str = "", asks: str = "", headers: str = ""):
        self.method, self.path, self.key, self.asks, self.headers = (
            method, path, key, asks, headers)

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.method, self.path, self.key, self.asks, self.headers)))

    def wanted(self, origin: str | None, sites: dict[str, list[str]], has_open: bool) -> Wanted:
        if self.method == "GET":
            return Wanted(200, "*")
        if self.method == "OPTIONS":
            is_listed = has_open or any(origin in site for site in sites.values())
            return Wanted(204, origin if origin and is_listed else None)
        taken, unknown = (204, 403) if self.path == "/v1/e" else (200, 401)
        if self.key == "hg_unknown":
            return Wanted(unknown, "*" if origin else None)
        if origin is None:
            return Wanted(taken, None)
        if self.key == "hg_open":
            return Wanted(taken, "*")
        return Wanted(taken, origin) if origin in sites[self.key] else Wanted(403, "*")

    @property
    def body(self) -> bytes | None:
        if not self.key:
            return None
        return beacon(self.key) if self.path == "/v1/e" else server_events(self.path, self.key)

    def send(self, connection: http.client.HTTPConnection, origin: str | None,
             cookie: bool) -> http.client.HTTPResponse:
        fields = {"Content-Type": "text/plain"} if self.key else {}
        fields |= {"Access-Control-Request-Method": self.asks} if self.asks else {}
        fields |= {"Access-Control-Request-Headers": self.headers} if self.headers else {}
        # An authorisation would be a key to the paths of servers.
        fields |= {"Cookie": "session=secret"} if cookie else {}
        fields |= {"Authorization": "Basic YTpi"} if cookie and self.path == "/v1/e" else {}
        fields |= {"Origin": origin} if origin is not None else {}
        connection.request(self.method, self.path, self.body, fields)
        answer = connection.getresponse()
        answer.read()
        return answer


def requests(has_open: bool) -> list[Request]:
    kinds = [Request("POST", "/v1/e", key) for key in ("hg_shop", "hg_other", "hg_unknown")]
    if has_open:
        kinds.append(Request("POST", "/v1/e", "hg_open"))
    kinds += [Request("OPTIONS", "/v1/e", asks=asks, headers=headers)
              for asks, headers in (("POST", "content-type"), ("PUT", "x-evil"))]
    for path in ("/v1/events", "/v1/batch"):
        kinds += [Request("POST", path, "hg_shop"), Request("POST", path, "hg_unknown"),
                  Request("OPTIONS", path, asks="POST", headers="authorization,content-type")]
    return [*kinds, Request("GET", "/hg.js")]


def faults(request: Request, origin: str | None, wanted: Wanted,
           answer: http.client.HTTPResponse) -> list[str]:
    """How an answer differs from the rule."""
    found = []
    allowed = answer.headers.get_all("Access-Control-Allow-Origin") or [None]
    if answer.status != wanted.status:
        found.append(f"status {answer.status}, not {wanted.status}")
    if allowed != [wanted.allowed]:
        found.append(f"allows {allowed}, not {wanted.allowed}")
    if "Access-Control-Allow-Credentials" in answer.headers:
        found.append("allows credentials")
    varies = [one.strip().lower() for one in (answer.headers["Vary"] or "").split(",")]
    if origin not in (None, "*") and wanted.allowed == origin and "origin" not in varies:
        found.append("repeats the origin without Vary")
    return found + (preflight_faults(request, answer) if request.method == "OPTIONS" else [])


def preflight_faults(request: Request, answer: http.client.HTTPResponse) -> list[str]:
    found = []
    methods = {one.strip() for one in answer.headers["Access-Control-Allow-Methods"].split(",")}
    if methods != {"POST"}:
        found.append(f"offers {methods}")
    fields = {one.strip().lower()
              for one in answer.headers["Access-Control-Allow-Headers"].split(",")}
    if fields != HEADERS:
        found.append(f"offers the fields {fields}")
    if int(answer.headers["Access-Control-Max-Age"]) < 600:
        found.append("does not last")
    return found


def run(binary: str, has_open: bool) -> tuple[int, list[str]]:
    """The cells of one engine: their number, and what is wrong."""
    engine = Engine(binary, settings=SITES + (OPEN_SITE if has_open else ""))
    wrong, cells, rows = [], 0, {}
    try:
        engine.start()
        connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=30)
        for name, origin in ORIGINS.items():
            for request in requests(has_open):
                for cookie in (False, True):
                    wanted = request.wanted(origin, LISTED, has_open)
                    answer = request.send(connection, origin, cookie)
                    cells += 1
                    found = faults(request, origin, wanted, answer)
                    where = f"{request.name}, origin {name}, {'with' if cookie else 'no'} cookie"
                    wrong += [f"{where}: {fault}" for fault in found]
                    rows.setdefault(name, {})[request.name] = shown(answer, origin, found)
        engine.stop()
    finally:
        engine.clean_up()
    print_table(rows, has_open)
    return cells, wrong


def shown(answer: http.client.HTTPResponse, origin: str | None, found: list[str]) -> str:
    allowed = answer.headers["Access-Control-Allow-Origin"]
    what = "-" if allowed is None else "echo" if allowed == origin != "*" else allowed
    return f"{answer.status} {what}{' WRONG' if found else ''}"


def print_table(rows: dict[str, dict[str, str]], has_open: bool) -> None:
    names = list(next(iter(rows.values())))
    print(f"\nSites that list origins{' and one that takes any' if has_open else ''}; status, "
          "Access-Control-Allow-Origin")
    for number, name in enumerate(names, 1):
        print(f"  ({number}) {name}")
    print(f"{'origin':18}" + "".join(f"{'(' + str(number) + ')':>10}"
                                     for number in range(1, len(names) + 1)))
    for row, cells in rows.items():
        print(f"{row:18}" + "".join(f"{cells[name]:>10}" for name in names))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    options = parser.parse_args()
    cells, wrong = 0, []
    try:
        for has_open in (False, True):
            more, faulty = run(options.binary, has_open)
            cells, wrong = cells + more, wrong + faulty
    except EngineError as error:
        sys.exit(f"cors_matrix: {error}")
    print("\n".join(wrong))
    print(f"cors: {cells - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
