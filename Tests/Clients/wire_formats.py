"""What servers and other trackers send, request by request: the answer, and the row it becomes.

Every case is a request to the real engine and what must come of it. What the mapping in
Sources/Engine/Wire/Formats/README.md says is checked against PostgreSQL, what must not come in as
well; at the end the engine is killed, started again, and sent everything once more.
"""

import base64
import gzip
import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

import stores

STORED_SECONDS_MAX = 20
# Between making a time here and its receipt.
LATE_SECONDS_TOLERANCE = 10
KEY = "hg_demo"
VISITOR = "visitor-0123456789abcdef"


class Checks:
    """Counts what does not hold."""

    def __init__(self):
        self.failures = 0

    def holds(self, condition: bool, what: str, detail: object = "") -> None:
        print(f"  {'ok  ' if condition else 'FAIL'} {what}{'' if condition else f': {detail}'}")
        self.failures += not condition


def send(base: str, path: str, body: bytes | str | dict | list | None = None, *,
         key: str | None = KEY, headers: dict | None = None) -> tuple[int, dict, bytes]:
    """Sends a request; a body makes it a POST. Returns status, headers and body of the answer."""
    fields = {"Content-Type": "application/json", **(headers or {})}
    if key is not None:
        fields["Authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    request = urllib.request.Request(base + path, data=body, headers=fields)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def track(**members) -> dict:
    return {"type": "track", "event": "x", "anonymousId": VISITOR, **members}


class Formats:
    """One run against one engine. `expected` are the rows, by message id."""

    def __init__(self, engine, checks: Checks):
        self.engine, self.checks = engine, checks
        self.expected: dict[str, dict] = {}
        self.requests: list[tuple] = []

    def taken(self, path: str, body, **options) -> bytes:
        """A request that must be taken, and is sent again after the restart."""
        status, _, answer = send(self.engine.ingest, path, body, **options)
        self.checks.holds(status == 200, f"{path} is taken", (status, answer))
        self.requests.append((path, body, options))
        return answer

    def refused(self, status: int, code: str, path: str, body, what: str, **options) -> None:
        found, headers, answer = send(self.engine.ingest, path, body, **options)
        problem = json.loads(answer)
        is_whole = {"code", "message", "reason", "where"} <= set(problem)
        self.checks.holds((found, problem.get("code"), is_whole) == (status, code, True),
                          f"{what}: {status} {code}", (found, answer))
        if status == 401:
            self.checks.holds("WWW-Authenticate" in headers, f"{what}: names a scheme")

    def row(self, message_id: str, **columns) -> str:
        self.expected[message_id] = columns
        return message_id

    # ---- what is taken ------------------------------------------------------------------------

    def calls(self) -> None:
        print("calls")
        self.taken("/v1/batch", {"sentAt": None, "batch": [
            track(messageId=self.row("c-track", type="cu", name="x", visitor_id=VISITOR,
                                     properties={"props": {"a": [1, "[email]"], "name": "Shoe",
                                                           "email": "[email]"}}),
                  properties={"a": [1, "m@x.yz"], "name": "Shoe", "email": "z@y.example"}),
            {"type": "page", "anonymousId": VISITOR, "name": "Home",
             "messageId": self.row("c-page", type="pv", name=None, properties={
                 "u": "https://a.example/p?utm_source=q", "ti": "T", "props": {"name": "Home"}}),
             "properties": {"url": "https://a.example/p?utm_source=q&mail=x#f", "title": "T",
                            "path": "/p"}},
            {"type": "screen", "anonymousId": VISITOR, "name": "Main", "category": "c",
             "messageId": self.row("c-screen", type="cu", name="$screen", properties={
                 "props": {"name": "Main", "category": "c", "zoom": 2}}),
             "properties": {"zoom": 2}},
            {"type": "identify", "anonymousId": VISITOR, "userId": "u-1",
             "messageId": self.row("c-id", type="id", user_id="u-1", visitor_id=VISITOR,
                                   properties={"uid": "u-1", "traits": {
                                       "plan": "pro", "note": "[email]"}}),
             "traits": {"plan": "pro", "email": "a", "first_name": "b", "note": "c@d.example"}},
            {"type": "identify", "anonymousId": VISITOR, "userId": "u-1", "channel": "server",
             "messageId": self.row("c-rudder", type="id", properties={
                 "uid": "u-1", "traits": {"plan": "pro"}}),
             "context": {"traits": {"plan": "pro", "phone": "1"}}},
            {"type": "group", "anonymousId": VISITOR, "groupId": "g-1",
             "messageId": self.row("c-group", type="cu", name="$group", properties={
                 "props": {"group": "g-1", "traits": {"size": 3}}}),
             "traits": {"size": 3, "name": "Acme"}},
            {"type": "alias", "userId": "u-1", "previousId": VISITOR,
             "messageId": self.row("c-alias", type="id", user_id="u-1", visitor_id=VISITOR,
                                   properties={"uid": "u-1", "previous": VISITOR})},
        ]})
        for call in ("track", "page", "screen", "identify", "group", "alias"):
            identifier = self.row(f"one-{call}")
            self.taken(f"/v1/{call}", {"event": "x", "userId": "u-2", "previousId": "p",
                                       "groupId": "g", "messageId": identifier})

    def envelopes(self) -> None:
        print("paths, keys and encodings")
        for path in ("/v1/b", "/batch", "/b", "/v1/import", "/beacon/v1/batch"):
            self.taken(path, {"batch": [track(messageId=self.row(f"at{path}"))]})
        one = {"batch": [track(messageId=self.row("key-body"))], "writeKey": KEY}
        self.taken("/v1/batch", one, key=None)
        one = {"batch": [track(messageId=self.row("key-bearer"))], "writeKey": KEY}
        self.taken("/v1/batch", one, key=None, headers={"Authorization": "Bearer some.oauth.token"})
        one = {"batch": [track(messageId=self.row("key-query"))]}
        self.taken(f"/v1/batch?writeKey={KEY}", one, key=None)
        bare = base64.b64encode(KEY.encode()).decode()
        one = {"batch": [track(messageId=self.row("key-bare"))]}
        self.taken("/v1/batch", one, key=None, headers={"Authorization": "Basic " + bare})
        packed = gzip.compress(json.dumps({"batch": [track(messageId=self.row("gzip"))]}).encode())
        self.taken("/v1/batch", packed, headers={"Content-Encoding": "gzip"})
        large = {"text": "t" * 30_000}
        many = [track(messageId=self.row(f"large-{number}"), properties=large)
                for number in range(110)]
        self.taken("/v1/batch", {"batch": many})

    def ids(self) -> None:
        print("ids")
        self.taken("/v1/batch", {"batch": [
            track(messageId=self.row("i-mail", user_id_like="h:", visitor_id=VISITOR),
                  userId="anna@example.com"),
            track(messageId=self.row("i-odd", visitor_length=32), anonymousId="odd id!"),
            track(messageId=self.row("i-number", user_id="17"), userId=17, anonymousId=None),
            track(messageId=self.row("i-null", user_id=None), userId="undefined"),
            {"type": "track", "event": "x", "messageId": self.row("i-user", user_id="u-3",
                                                                   visitor_length=32),
             "userId": "u-3"},
        ]})
        uuid_id = str(uuid.uuid4())
        self.taken("/v1/track", track(messageId=self.row("i-uuid", visitor_id=uuid_id),
                                      anonymousId=uuid_id))

    def times(self) -> None:
        print("times")
        now = time.time()
        self.taken("/v1/batch", {"batch": [
            track(messageId=self.row("t-old", late=7 * 86_400), timestamp=iso(now - 9 * 86_400)),
            track(messageId=self.row("t-late", late=3_600), timestamp=iso(now - 3_600)),
            track(messageId=self.row("t-future", late=0), timestamp=iso(now + 3_600)),
            track(messageId=self.row("t-none", late=0)),
            track(messageId=self.row("t-number", late=600), timestamp=int((now - 600) * 1000)),
        ]})
        # The sender's clock is an hour ahead; the event was half a minute before it was sent.
        self.taken("/v1/batch", {"sentAt": iso(now + 3_600), "batch": [
            track(messageId=self.row("t-skewed", late=30), timestamp=iso(now + 3_570))]})

    def verdicts(self) -> None:
        print("verdicts")
        events = [
            {"id": self.row("v-ok"), "name": "a", "visitor": VISITOR},
            {"id": self.row("v-time", late=0), "name": "a", "visitor": VISITOR, "time": "soon"},
            {"id": self.row("v-user", user_id=None), "name": "a", "visitor": VISITOR,
             "user": "u", "consent": 3},
            {"id": self.row("v-trait"), "type": "identify", "user": "u", "traits": {"mail": "a@b.example"}},
            {"id": "v-refused", "name": "a", "visitor": VISITOR, "consent": 0},
            {"id": "v-nobody", "name": "a", "user": "null"},
            {"id": "v-nameless", "type": "track", "user": "u"}, 7,
            {"id": "v-large", "name": "a", "user": "u", "properties": {"t": "t" * 33_000}},
        ]
        wanted = [("ok", None), ("warning", "time-replaced"), ("warning", "user-withheld"),
                  ("warning", "values-withheld"), ("drop", "event-without-consent"),
                  ("drop", "event-without-visitor"), ("drop", "event-field-missing"),
                  ("drop", "event-malformed"), ("drop", "event-too-large")]
        answer = json.loads(self.taken("/v1/events", events))
        found = [(one["result"], one.get("reason")) for one in answer["results"]]
        self.checks.holds(found == wanted, "each event has its verdict", found)
        lines = "\n".join([json.dumps({"id": self.row("v-line"), "name": "a", "visitor": VISITOR}),
                           "", "{broken", json.dumps({"events": []})])
        answer = json.loads(self.taken("/v1/events", lines,
                                       headers={"Content-Type": "application/x-ndjson"}))
        found = [one["result"] for one in answer["results"]]
        self.checks.holds(found == ["ok", "drop", "drop"], "each line has its verdict", found)

    def large(self) -> None:
        print("the largest requests")
        # The longest ids and reasons make the longest answer.
        events = [{"id": f"n-{number:05}-{'i' * 55}", "name": "a", "visitor": VISITOR,
                   "properties": {"mail": "a@b.example"}} for number in range(5_000)]
        for event in (events[0], events[-1]):
            self.row(event["id"])
        answer = json.loads(self.taken("/v1/events", events))
        self.checks.holds(len(answer["results"]) == 5_000, "5 000 events have their verdicts")

    def robots(self) -> None:
        print("robots")
        robot = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
        self.taken("/v1/events", [{"id": "r-silent", "name": "a", "visitor": VISITOR},
                                  {"id": "r-robot", "name": "a", "visitor": VISITOR,
                                   "context": robot}], key="hg_masked")

    def robots_stored(self) -> dict[str, bool]:
        return dict(stores.query(
            self.engine.addresses()["postgres"],
            "SELECT message_id, bot FROM heliograph.event WHERE site = 'masked'"))

    def check_robots(self) -> None:
        found = self.robots_stored()
        self.checks.holds(found == {"r-silent": False, "r-robot": True},
                          "a robot is one where a server says so, and nobody else", found)

    def without_ids(self) -> None:
        print("events without an id")
        body = {"batch": [track(event="unnamed"), track(event="unnamed")],
                "sentAt": "2026-01-01T00:00:00Z"}
        for _ in range(3):
            self.taken("/v1/batch", body)

    def images(self) -> None:
        print("images")
        known = f"writeKey={KEY}&anonymousId={VISITOR}"
        for path, status in ((f"/p.gif?k={KEY}&e=seen&campaign=c", 200), (f"/p.gif?k={KEY}", 400),
                             ("/p.gif?k=nobody&e=seen", 401), ("/p.gif", 401),
                             (f"/pixel/v1/track?{known}&event=seen", 200),
                             (f"/pixel/v1/page?{known}&name=n", 200)):
            found, headers, body = send(self.engine.ingest, path, key=None)
            is_image = body[:6] == b"GIF89a" and headers["Content-Type"] == "image/gif"
            is_fresh = headers["Cache-Control"] == "no-store"
            self.checks.holds((found, is_image, is_fresh) == (status, True, True),
                              f"{path}: {status} and an image", (found, headers))

    # ---- what is refused ----------------------------------------------------------------------

    def refusals(self) -> None:
        print("refusals")
        good = {"batch": [track()]}
        self.refused(401, "write-key-unknown", "/v1/batch", good, "no key", key=None)
        self.refused(401, "write-key-unknown", "/v1/batch", {**good, "writeKey": KEY},
                     "a wrong key in the header, a right one in the body", key="nobody")
        self.refused(403, "origin-not-allowed", "/v1/batch", good, "another origin",
                     key="hg_closed", headers={"Origin": "https://elsewhere.example"})
        self.refused(400, "batch-empty", "/v1/batch", {"batch": []}, "no events")
        self.refused(400, "batch-empty", "/v1/batch", {"batch": [7, {"type": "track"}]},
                     "no usable event")
        self.refused(400, "json-malformed", "/v1/batch", '{"batch":[', "half a body")
        self.refused(400, "field-missing", "/v1/batch", {"events": []}, "no batch")
        self.refused(400, "field-type", "/v1/batch", {"batch": {}}, "a batch that is no list")
        self.refused(413, "batch-too-large-for-a-request", "/v1/batch",
                     {"batch": [1] * 5_001}, "too many events")
        self.refused(400, "gzip-malformed", "/v1/batch", b"\x1f\x8bxx", "broken gzip",
                     headers={"Content-Encoding": "gzip"})
        bomb = gzip.compress(b" " * 5_000_000)
        self.refused(413, "inflated-too-large", "/v1/batch", bomb, "a gzip bomb",
                     headers={"Content-Encoding": "gzip"})
        self.refused(405, "method-not-allowed", "/v1/batch", None, "a GET")

    # ---- what is stored -----------------------------------------------------------------------

    def rows(self) -> dict[str, tuple]:
        return {row[0]: row[1:] for row in stores.query(
            self.engine.addresses()["postgres"],
            "SELECT message_id, type, name, visitor_id, user_id, properties, "
            "extract(epoch FROM received_at - occurred_at) FROM heliograph.event "
            "WHERE site = 'demo'")}

    def is_stored(self) -> bool:
        """Whether everything that was sent has come as far as its rows, what has no name included."""
        unnamed = stores.query(self.engine.addresses()["postgres"], "SELECT count(*) FROM "
                               "heliograph.event WHERE name = 'unnamed'")[0][0]
        return (unnamed >= 2 and len(self.robots_stored()) >= 2
                and set(self.expected) <= set(self.rows()))

    def check_rows(self, what: str) -> None:
        deadline = time.monotonic() + STORED_SECONDS_MAX
        while not self.is_stored() and time.monotonic() < deadline:
            time.sleep(0.1)
        rows = self.rows()
        missing = sorted(set(self.expected) - set(rows))
        self.checks.holds(not missing, f"{what}: everything taken is stored", missing[:5])
        wrong = [(name, rows[name]) for name, columns in self.expected.items()
                 if name in rows and not self.agrees(rows[name], columns)]
        self.checks.holds(not wrong, f"{what}: as the mapping says", wrong[:3])
        dropped = [name for name in rows if name in ("v-refused", "v-nobody", "v-large")]
        self.checks.holds(not dropped, f"{what}: what was dropped is not", dropped)
        counts = stores.query(
            self.engine.addresses()["postgres"],
            "SELECT count(*), count(DISTINCT message_id), "
            "count(*) FILTER (WHERE name = 'unnamed'), "
            "count(*) FILTER (WHERE properties::text LIKE '%%@%%') FROM heliograph.event")[0]
        self.checks.holds(counts[0] == counts[1], f"{what}: each event once", counts)
        self.checks.holds(counts[2] == 2, f"{what}: repeated bytes are one event each", counts)
        self.checks.holds(counts[3] == 0, f"{what}: no address in any row", counts)

    @staticmethod
    def agrees(row: tuple, columns: dict) -> bool:
        type_, name, visitor, user, properties, seconds = row
        if abs(float(seconds) - columns.get("late", float(seconds))) > LATE_SECONDS_TOLERANCE:
            return False
        # Enrichment adds members of its own; what was sent stands in those that are looked at.
        wanted = columns.get("properties", {})
        sent = {key: properties.get(key) for key in wanted or properties}
        found = {"type": type_, "name": name, "visitor_id": visitor, "user_id": user,
                 "properties": sent, "visitor_length": len(visitor),
                 "user_id_like": (user or "")[:2]}
        return all(found[column] == value for column, value in columns.items()
                   if column != "late")

    def run(self) -> None:
        for part in (self.calls, self.envelopes, self.ids, self.times, self.verdicts,
                     self.large, self.robots, self.without_ids, self.images, self.refusals):
            part()
        self.check_rows("at first")
        self.check_robots()
        self.engine.kill()
        self.engine.start()
        print("everything once more, after the engine was killed")
        for path, body, options in self.requests:
            send(self.engine.ingest, path, body, **options)
        # A row behind all others: when it is there, the others would be too.
        self.taken("/v1/track", track(messageId=self.row("last")))
        self.check_rows("after a kill")
