#!/usr/bin/python3
"""Who may ask the companion what: every endpoint of its own OpenAPI document, with every scope, on the
caller's site and on another; tokens by command and by API, expiry and revocation; a browser's session with
its cookie and its protection of changes; and the log of who read whom.

Starts an engine of its own with two sites and sends a visitor to each.
"""

import argparse
import http.client
import json
import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from engine import Engine  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
SETTINGS = """
sites:
  - {name: shop, keys: [key_shop], origins: ["*"], automation: count}
  - {name: blog, keys: [key_blog], origins: ["*"], automation: count}
"""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SCOPES = ["read:stats", "read:visitors", "read:live", "read:deliveries", "read:quality", "export",
          "write:attention", "write:views", "erase", "admin"]
# So many refusals are worth a card of what needs attention.
REFUSED = 6
# What one token may ask at once.
BURST = 190


class Api:
    """Requests to the companion with one credential."""

    def __init__(self, engine: Engine, token: str | None = None, cookie: str | None = None):
        self.port = engine.companion_port
        self.fields = {}
        if token:
            self.fields["Authorization"] = f"Bearer {token}"
        if cookie:
            self.fields["Cookie"] = cookie

    def ask(self, method: str, path: str, body=None, **fields) -> tuple[int, dict, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = self.fields | {name.replace("_", "-"): value for name, value in fields.items()}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, "/api/v1" + path, data, headers)
        answer = connection.getresponse()
        # A stream of events has no end; that it began is answer enough.
        is_stream = "event-stream" in answer.headers.get("Content-Type", "")
        text = b"" if is_stream else answer.read()
        connection.close()
        found = json.loads(text) if text[:1] in (b"{", b"[") else {}
        return answer.status, found, answer.headers

    def get(self, path: str) -> tuple[int, dict]:
        return self.ask("GET", path)[:2]


class Command:
    """`heliograph token …` beside the running engine."""

    def __init__(self, engine: Engine):
        self.engine = engine

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(self.engine.binary), "token", words[0], "--data", str(self.engine.data), "--config",
             str(self.engine.config), *words[1:]], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + (done.stderr if done.returncode else "")

    def create(self, *words: str) -> dict:
        status, text = self.run("create", "--json", *words)
        check(f"a token is made: {' '.join(words)}", status == 0, text)
        return json.loads(text)


# ---- something to read

def visit(engine: Engine, site: str) -> str:
    """A visitor with a page view, and events that are refused. Window and session have the same id."""
    device = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22))
    for number, kind in ((1, "pv"), *((2 + more, "") for more in range(REFUSED))):
        event = {"n": number, "p": 1, "o": 900, "t": kind, "u": f"https://{site}.example/"}
        beacon = {"v": 1, "k": f"key_{site}", "st": int(time.time() * 1000), "mt": 1000, "q": 1,
                  "w": device, "d": device, "s": device, "c": 15, "e": [event]}
        connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=20)
        connection.request("POST", "/v1/e", json.dumps(beacon), {
            "User-Agent": BROWSER, "Origin": f"https://{site}.example"})
        answer = connection.getresponse()
        answer.read()
        wanted = 204 if kind else 400
        check("a beacon is answered as its event deserves", answer.status == wanted, answer.status)
        connection.close()
    return device


def settle(engine: Engine, owner: Api, visitors: dict[str, str]) -> str:
    """Waits until both visitors can be read and what was refused is in its table; returns the id of
    something of the blog's that was refused."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        seen = [owner.get(f"/visitors/{visitors[site]}?site={site}")[0] for site in visitors]
        refused = owner.get("/rejected?site=blog")[1].get("items", [])
        cards = [owner.get(f"/sites/{site}/attention")[1].get("cards") for site in visitors]
        if seen == [200, 200] and refused and all(cards):
            return refused[0]["id"]
        time.sleep(0.1)
    raise SystemExit(f"the visits did not arrive: {seen}, {refused}; {engine.last_words()}")


# ---- the matrix

def operations(document: dict, visitors: dict[str, str], refused: str):
    """Every operation with a path for the shop and one for the blog; None where it has no site."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            pair = [fill(path, operation, site, visitors, refused) for site in ("shop", "blog")]
            yield method.upper(), path, operation, pair


def fill(path: str, operation: dict, site: str, visitors: dict, refused: str) -> str:
    thing = {"/rejected/{id}": refused, "/events/{id}/trace": f"{visitors[site]}-1",
             "/tokens/{id}": "nobody00", "/problems/{code}": "not-found"}.get(path, visitors[site])
    if path.startswith("/attention/"):
        thing = "refusals-up"
    filled = path.replace("{site}", site).replace("{id}", quote(thing)).replace("{code}", thing)
    filled = filled.replace("{metric}", "visitors").replace("{period}", "month")
    takes_site = any(p["name"] == "site" for p in operation["parameters"] if p["in"] == "query")
    return filled + (f"?site={site}" if takes_site else "")


def body_of(operation: dict, site: str):
    if "requestBody" not in operation:
        return None
    needed = operation["requestBody"]["content"]["application/json"]["schema"].get("required", [])
    known = {"name": "by the matrix", "scopes": ["read:stats"], "token": "x", "site": site,
             "metrics": ["page_views"], "range": {"preset": "today"}, "kind": "rejected",
             "steps": [[{"page": "*"}]], "target": 5}
    return {name: known[name] for name in needed}


def matrix(engine: Engine, document: dict, visitors: dict, refused: str, tokens: dict) -> None:
    """A caller with the scope is let in, any other is told which scope is missing; what is of another
    site does not exist."""
    cells = 0
    for method, path, operation, (own, foreign) in operations(document, visitors, refused):
        wanted = operation.get("x-scope")
        if not operation["security"] or (method, path) == ("DELETE", "/session"):
            continue
        for scope, token in tokens.items():
            status, told, _ = Api(engine, token).ask(method, own, body_of(operation, "shop"))
            cells += 1
            if wanted and scope != wanted:
                check(f"{method} {path} is closed to {scope}",
                      status == 403 and told.get("code") == "scope-missing", (status, told))
            elif (method, path) == ("DELETE", "/attention/{id}"):
                check("a card that is not put away cannot be taken back", status == 404, told)
            elif wanted != "admin" and path != "/rejected/{id}" and (
                    wanted != "export" or (method, path) == ("GET", "/exports")):
                # Files need the scope of their rows besides, see companion_export.
                check(f"{method} {path} is open to {scope}", status in (200, 201), (status, told))
            if wanted and scope == wanted and wanted != "admin" and own != foreign:
                status, told, _ = Api(engine, token).ask(method, foreign, body_of(operation, "blog"))
                cells += 1
                check(f"{method} {path} of another site does not exist for {scope}",
                      status == 404, (status, told))
        status, told, headers = Api(engine).ask(method, own, body_of(operation, "shop"))
        check(f"{method} {path} is closed to nobody's", status == 401
              and headers["WWW-Authenticate"].startswith("Bearer"), (status, told))
    print(f"matrix: {cells} cells")


def foreign_reads(engine: Engine, owner: Api, document: dict, visitors: dict, count: int) -> None:
    """Whatever is asked in whatever way, nothing of the other site is told: paths of the document filled
    with the other site's ids, its name written in all ways, beside the own one or left out."""
    dice, told, statuses = random.Random(7), [], {}
    order = {"name": "reads all", "scopes": ["read", "export"], "sites": ["shop"]}
    apis = [Api(engine, owner.ask("POST", "/tokens", order)[1]["token"])
            for _ in range(count // BURST + 1)]
    paths = [path for path, methods in document["paths"].items() if "get" in methods
             and methods["get"].get("x-scope") and "/live" != path]
    for number in range(count):
        path = dice.choice(paths)
        filled = path.replace("{site}", dice.choice(["blog", "%62log", "BLOG", "blog%00", "shop%2f..%2fblog"]))
        filled = filled.replace("{id}", dice.choice(
            [visitors["blog"], visitors["blog"] + "-1", "refusals-up", "0-0"]))
        if any(one["name"] == "site" and one["in"] == "query"
               for one in document["paths"][path]["get"]["parameters"]):
            filled += dice.choice(["", "?site=blog", "?site=%62log", "?site=BLOG", "?site=shop",
                                   "?site=shop&site=blog", "?site=blog&site=shop", "?site=*", "?site="])
        status, found, _ = apis[number // BURST].ask("GET", filled)
        statuses[status] = statuses.get(status, 0) + 1
        text = json.dumps(found)
        # The id that was asked for may come back; a row about it, or the site's name, may not.
        if status == 200 and ('"blog"' in text or (
                visitors["blog"] in text and not ("/trace" in path and all(
                    stage["state"] != "done" for stage in found["stages"])))):
            told.append((filled, text[:200]))
    check(f"{count} reads of another site tell nothing", not told, told[:3])
    check("and were asked", 429 not in statuses and statuses.get(404, 0) > count // 4, statuses)


# ---- tokens

def tokens_end(engine: Engine, command: Command, owner: Api, owner_token: str) -> list:
    made = command.create("--name", "short", "--scope", "read:stats")
    api = Api(engine, made["token"])
    check("a token opens", api.get("/sites")[0] == 200)
    status, text = command.run("list", "--json")
    listed = {one["id"]: one for one in json.loads(text)}
    check("it is listed without its secret", made["id"] in listed and made["token"] not in text)
    with psycopg2.connect(engine.addresses()["postgres"]) as database, database.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM heliograph.credential AS c")
        stored = "".join(row[0] for row in cursor.fetchall())
        check("and stored without it", made["token"][13:] not in stored)
        cursor.execute("UPDATE heliograph.credential SET expires_at = now() - interval '1 second'"
                       " WHERE credential_id = %s", (made["id"],))
    check("an expired one is refused", refused_soon(api))
    other = command.create("--name", "gone", "--scope", "read")
    api = Api(engine, other["token"])
    check("another opens", api.get("/sites")[0] == 200)
    streams = [Stream(engine, token) for token in (other["token"], owner_token)]
    check("revoking says so", command.run("revoke", other["id"])[0] == 0)
    check("a revoked one is refused", refused_soon(api))
    check("twice cannot be revoked", command.run("revoke", other["id"])[0] == 1)
    check("an unknown scope is named", "no scope all" in command.run(
        "create", "--name", "x", "--scope", "all")[1])
    wrong = made["token"][:-1] + ("A" if made["token"][-1] != "A" else "B")
    check("a typo is refused", Api(engine, wrong).get("/sites")[0] == 401)
    status, found, _ = owner.ask("GET", "/sites?token=" + made["token"])
    check("a token in the address is refused", (status, found["code"]) == (400, "token-in-url"))
    return streams


class Stream:
    """A live stream whose head has come."""

    def __init__(self, engine: Engine, token: str):
        self.connection = http.client.HTTPConnection("127.0.0.1", engine.companion_port, timeout=30)
        self.connection.request("GET", "/api/v1/live?site=shop",
                                headers={"Authorization": f"Bearer {token}"})
        self.text = self.connection.sock.recv(65_536)
        check("a stream opens", b" 200 " in self.text, self.text)

    def has_ended(self) -> bool:
        """Whether the connection ended, or the answer in chunks did."""
        sock = self.connection.sock
        while select.select([sock], [], [], 0)[0]:
            more = sock.recv(65_536)
            if not more:
                return True
            self.text += more
        return self.text.endswith(b"0\r\n\r\n")


def only_the_revoked_ends(revoked: Stream, other: Stream) -> None:
    """Within one heartbeat, while others go on."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not revoked.has_ended():
        time.sleep(0.1)
    check("a revoked token's stream ends", revoked.has_ended())
    check("and nobody else's", not other.has_ended())


def refused_soon(api: Api) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if api.get("/sites")[0] == 401:
            return True
        time.sleep(0.1)
    return False


def nobody_rises(engine: Engine, command: Command, owner: Api) -> None:
    """A token can make others, but none that can do more than itself."""
    site = Api(engine, command.create("--name", "site's", "--scope", "admin", "--scope", "read:stats",
                                      "--site", "shop")["token"])
    order = {"name": "child", "scopes": ["read:stats"], "sites": ["shop"]}
    status, child, _ = site.ask("POST", "/tokens", order)
    check("a token like itself", status == 201, child)
    check("which opens", Api(engine, child["token"]).get("/sites")[1]["sites"][0]["name"] == "shop")
    for more in ({"scopes": ["read:visitors"]}, {"sites": None}, {"sites": ["shop", "blog"]},
                 {"scopes": ["owner"]}):
        status, found, _ = site.ask("POST", "/tokens", order | more)
        check(f"none with {more}", status == 403, (status, found))
    check("nor the list of all", site.get("/tokens")[0] == 403)
    check("nor the log of all", site.get("/audit")[0] == 403)
    check("the owner revokes by API", owner.ask("DELETE", f"/tokens/{child['id']}")[0] == 200)
    check("with effect", Api(engine, child["token"]).get("/sites")[0] == 401)


# ---- a browser

def session(engine: Engine, owner_token: str) -> None:
    """What the log told the first browser opens once; its cookie reads, and changes only for our pages."""
    code = [line.split("#")[1].strip() for line in engine.log.read_text().splitlines()
            if "/welcome#" in line][-1]
    nobody = Api(engine)
    status, told, _ = nobody.ask("POST", "/session", {"token": code}, Sec_Fetch_Site="cross-site")
    check("another site's page signs nobody in", (status, told["code"]) == (403, "csrf"))
    status, told, headers = nobody.ask("POST", "/session", {"token": code})
    cookie = headers["Set-Cookie"]
    check("the code opens a session", status == 200 and told["kind"] == "session", told)
    check("in a cookie that only we get", all(part in cookie for part in
          ("HttpOnly", "SameSite=Strict", "Path=/")) and cookie.startswith("hg="), cookie)
    check("once", nobody.ask("POST", "/session", {"token": code})[0] == 401)
    secure = nobody.ask("POST", "/session", {"token": owner_token}, X_Forwarded_Proto="https")[2]
    check("behind TLS in a stricter one", secure["Set-Cookie"].startswith("__Host-hg=")
          and "; Secure" in secure["Set-Cookie"], secure["Set-Cookie"])
    browser = Api(engine, cookie=cookie.split(";")[0])
    status, me = browser.get("/me")
    check("the session reads", status == 200 and me["csrf"] == told["csrf"], me)
    order = {"name": "by a browser", "scopes": ["read:stats"]}
    for fields in ({}, {"Sec_Fetch_Site": "same-origin"}, {"X_HG_CSRF": me["csrf"]},
                   {"Sec_Fetch_Site": "cross-site", "X_HG_CSRF": me["csrf"]},
                   {"Sec_Fetch_Site": "same-origin", "X_HG_CSRF": "x" * 24}):
        status, found, _ = browser.ask("POST", "/tokens", order, **fields)
        check(f"no change with {fields}", (status, found.get("code")) == (403, "csrf"), found)
    own = {"Sec_Fetch_Site": "same-origin", "X_HG_CSRF": me["csrf"]}
    check("our page's change", browser.ask("POST", "/tokens", order, **own)[0] == 201)
    check("signing out", browser.ask("DELETE", "/session", **own)[0] == 200)
    check("ends it", browser.get("/me")[0] == 401)


def pages(engine: Engine, owner: Api) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", engine.companion_port, timeout=20)
    for path, status in (("/", 303), ("/install", 303), ("/welcome", 200), ("/demo/", 200),
                         ("/assets/welcome.js", 200), ("/healthz", 200)):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        check(f"{path} for nobody", answer.status == status, answer.status)
    connection.request("GET", "/healthz", headers={"Host": "rebound.example"})
    answer = connection.getresponse()
    answer.read()
    check("another name is none of ours", answer.status == 421)
    mode = (engine.data / "companion-token").stat().st_mode & 0o777
    check("the owner's token is the owner's", mode == 0o600, oct(mode))
    check("wrong methods are named", owner.ask("PUT", "/visitors")[0] == 405)


def audit(engine: Engine, owner: Api, visitors: dict, command: Command) -> None:
    """Who read whom stands in the log, and goes with the person."""
    reader = command.create("--name", "the reader", "--scope", "read:visitors")
    for path in ("", "/history", "/explain"):
        Api(engine, reader["token"]).get(f"/visitors/{visitors['blog']}{path}?site=blog")
    Api(engine, reader["token"]).get("/visitors/nobody-at-all?site=blog")
    deadline, lines = time.monotonic() + 20, []
    while time.monotonic() < deadline and len(lines) < 3:
        time.sleep(0.2)
        lines = [one for one in walk(owner, "/audit?limit=7") if one["actor"] == reader["id"]]
    check("each read is noted", sorted(one["action"] for one in lines)
          == ["explanation", "history", "visitor"], lines)
    check("with whom", {(one["site"], one["visitor"]) for one in lines}
          == {("blog", visitors["blog"])}, lines)
    actions = {one["action"] for one in walk(owner, "/audit?limit=50")}
    check("changes are noted", {"token-created", "token-revoked", "signed-in", "signed-out"} <= actions,
          actions)


def walk(api: Api, path: str) -> list[dict]:
    """All pages of a list; no row twice."""
    items, cursor = [], ""
    while cursor is not None:
        status, page = api.get(path + cursor)
        items += page["items"]
        cursor = page["next_cursor"] and f"&cursor={quote(page['next_cursor'])}"
    return items


def guessing(engine: Engine) -> None:
    """Whoever tries tokens is slowed down. Last, because it is this address that is slowed down."""
    nobody, statuses = Api(engine), []
    for _ in range(60):
        statuses.append(nobody.ask("POST", "/session", {"token": "guess"})[0])
    check("guessing is slowed down", statuses[0] == 401 and statuses[-1] == 429, statuses)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    engine = Engine(arguments.binary, settings=SETTINGS)
    try:
        engine.start()
        owner_token = (engine.data / "companion-token").read_text()
        owner, command = Api(engine, owner_token), Command(engine)
        visitors = {site: visit(engine, site) for site in ("shop", "blog")}
        refused = settle(engine, owner, visitors)
        status, document = Api(engine).get("/openapi.json")
        check("the document is open to all", status == 200 and document["openapi"] == "3.1.0")
        tokens = {scope: command.create("--name", scope, "--scope", scope, "--site", "shop")["token"]
                  for scope in SCOPES}
        matrix(engine, document, visitors, refused, tokens)
        foreign_reads(engine, owner, document, visitors, 10_000 if arguments.long else 500)
        streams = tokens_end(engine, command, owner, owner_token)
        nobody_rises(engine, command, owner)
        session(engine, owner_token)
        pages(engine, owner)
        audit(engine, owner, visitors, command)
        only_the_revoked_ends(*streams)
        guessing(engine)
    finally:
        engine.stop()
        engine.clean_up(keep=bool(os.environ.get("KEEP")))
    print(f"companion-access: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
