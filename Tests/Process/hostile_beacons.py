#!/usr/bin/python3
"""Beacons and servers' events, right in form and hostile in content, against the running engine.

    with_engine.py --binary ENGINE -- Tests/Process/hostile_beacons.py {addresses}

Each is taken or answered with a problem, never with 500 or a closed connection; every event that
was acknowledged becomes a row of PostgreSQL, however odd its texts and numbers are, and none is
set aside as refused by the database: one poisoned event would hold up everything behind it.
"""

import argparse
import collections
import http.client
import json
import os
import random
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
import stores  # noqa: E402
from clients import Answer, Pool, identifier, post  # noqa: E402

ARCHIVE_SECONDS_MAX = 120
# Raw JSON, as no encoder would write it.
STRINGS = [
    '""', '"a"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"',
    '"\U0001F600"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u202e\\u200f"', '"\x7f\x80"', '"\\ufeff"',
    '"<script>alert(1)</script>"', '"\'; DROP TABLE heliograph.event; --"', '"=cmd()"', '"$1"',
    '"\\\\N"', '"\\\\x00"', '"{}"', '"' + "\u00e9" * 64 + '"', '"' + "x" * 600 + '"', '"\\u2028"',
    '"' + "x" * 63 + "\U0001F600" + '"', '"\\uffff\\ufffe"', '"%00%s%n"', '"a\\u0300" ', '"//a@b"',
    '"https://a/?q=\\u0000"', '"https://u:p@a/b?utm_source=\\ud800"',
]
NUMBERS = ["0", "-0", "1", "-1", "1.5", "1e3", "1e400", "-1e400", "1e-400", "0.1e-7", "65535",
           "9007199254740993", "18446744073709551616", "4294967295", "2147483648", "1" * 40,
           "0." + "1" * 40]
OTHERS = ["true", "false", "null", "[]", "{}", "[[[[[[]]]]]]", '{"a":{"a":1},"a":2}', "[1,2]",
          '{"\\u0000":"\\u0000"}', '{"' + "k" * 200 + '":1}', '{"":""}']
KINDS = ["pv", "ps", "ck", "fm", "nv", "id", "cs", "cu", "pv", "cu"]
MEMBERS = {"pv": ["u", "r", "ti", "x"], "cu": ["name", "props", "x"], "id": ["uid", "traits", "u"]}
DEEP = '{"a":' * 12 + "1" + "}" * 12


class Maker:
    """Makes one hostile beacon after another from one seed."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def value(self) -> str:
        chance = self.random.random()
        if chance < 0.55:
            return self.random.choice(STRINGS)
        return self.random.choice(NUMBERS if chance < 0.75 else [*OTHERS, DEEP])

    def event(self, number: int) -> str:
        kind = self.random.choice(KINDS)
        keys = MEMBERS.get(kind) or self.random.sample(
            ["p", "d", "v", "f", "h", "s", "a", "tx", "k", "ms", "x", "y", "el", "to", "fr"], 4)
        members = [f'"t":"{kind}"', f'"n":{number}', f'"p":{self.random.choice(["1", "65535"])}',
                   f'"o":{self.random.choice(["900", "0.5", "1e12", "-5"])}']
        members += [f'"{key}":{self.value()}' for key in keys]
        if kind == "cu":
            members.append(f'"name":{self.random.choice(STRINGS)}')
            members.append('"props":{' + ",".join(
                f"{self.random.choice(STRINGS)}:{self.value()}" for _ in range(3)) + "}")
        if self.random.random() < 0.1:
            members[self.random.randrange(len(members))] = f'"t":{self.value()}'
        self.random.shuffle(members)
        return "{" + ",".join(members) + "}"

    def server_event(self) -> str:
        members = [f'"type":"{self.random.choice(SERVER_KINDS)}"',
                   f'"messageId":"{identifier(self.random)}"', f'"event":{self.value()}',
                   f'"anonymousId":"{identifier(self.random)}"', '"writeKey":"hg_demo"']
        for name in self.random.sample(SERVER_MEMBERS, 4):
            value = self.value()
            if name in ("properties", "traits", "context") and self.random.random() < 0.8:
                value = "{" + ",".join(f"{self.key()}:{self.value()}" for _ in range(3)) + "}"
            members.append(f'"{name}":{value}')
        self.random.shuffle(members)
        return "{" + ",".join(members) + "}"

    def key(self) -> str:
        return self.random.choice(['"a"', '"ip"', '"page"', '"email"', '"userAgent"', *STRINGS])

    def server_request(self) -> tuple[str, bytes]:
        path = self.random.choice(list(SERVER_PATHS))
        count = 1 if path == "/v1/track" else self.random.choice((1, 2, 5))
        events = ",".join(self.server_event() for _ in range(count))
        return path, (SERVER_PATHS[path] % events).encode("utf-8", "surrogatepass")

    def request(self) -> tuple[str, bytes]:
        """A path and a body."""
        if self.random.random() < 0.35:
            return self.server_request()
        return "/v1/e", self.beacon()

    def beacon(self) -> bytes:
        now = int(time.time() * 1000)
        fields = {"v": "1", "k": '"hg_demo"', "st": str(now), "mt": "1000", "q": "1", "c": "7",
                  **{key: json.dumps(identifier(self.random)) for key in "wds"}}
        if self.random.random() < 0.3:
            fields["x"] = "{" + ",".join(f'"{key}":{self.value()}' for key in
                                         ("l", "z", "vw", "vh", "pr", "in", "wd")) + "}"
        if self.random.random() < 0.15:
            fields[self.random.choice([*fields, "u", "b", "lost"])] = self.value()
        count = self.random.choice((1, 1, 2, 4))
        fields["e"] = "[" + ",".join(self.event(number) for number in range(1, count + 1)) + "]"
        return ("{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}").encode(
            "utf-8", "surrogatepass")


# Members of a server's event, and the paths that take it.
SERVER_KINDS = ["track", "page", "identify", "screen", "group", "alias"]
SERVER_MEMBERS = ["event", "name", "userId", "url", "referrer", "title", "category", "groupId",
                  "previousId", "timestamp", "sentAt", "originalTimestamp", "channel", "consent",
                  "properties", "traits", "context", "integrations"]
SERVER_PATHS = {"/v1/batch": '{"batch":[%s],"writeKey":"hg_demo"}', "/v1/track": "%s",
                "/v1/events": '{"events":[%s],"key":"hg_demo"}'}
# Headers that become part of what is stored. Bytes beyond ASCII are allowed in a field (RFC 9110
# section 5.5), and nobody says which encoding they are in.
FIELD_NAMES = ["User_Agent", "Accept_Language", "Sec_CH_UA", "Sec_CH_UA_Mobile", "Referer",
               "Sec_CH_UA_Platform", "Accept_Encoding", "Sec_Fetch_Mode", "X_Forwarded_For",
               "Sec_GPC", "Origin", "Purpose"]
FIELDS = [
    "", "a", '"', "\\", '\\"', "\xff\xfe", "\xe2\x82", "\xed\xa0\x80", "\xf0\x9f\x98\x80", "{}",
    '"}', "\\u0000", "Mozilla/5.0 (" + "X" * 400, "1.2.3.4, ::1", "::ffff:1.2.3.4", "256.1.1.1",
    "Mozilla/5.0 (\xff; \"os\") Chrome/1" + "9" * 80, "Googlebot/2.1 \\\"", "curl/8.0\t\t",
    "a" * 3000, "de-DE\xff,en;q=0.9", "*", "'; DROP TABLE heliograph.event; --", "$(id)", "%00",
    "?1", "1",
]


def hostile_fields(source: random.Random) -> dict[str, str]:
    return {name: source.choice(FIELDS) for name in FIELD_NAMES if source.random() < 0.3}


def metrics(port: int) -> dict[str, float]:
    """Every counter, summed over the threads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    sums: collections.Counter = collections.Counter()
    for name, value in re.findall(r"^(heliograph_\w+)\S* (\S+)$", text, re.MULTILINE):
        sums[name] += float(value)
    return sums


def archived(addresses: dict, wanted: int) -> tuple[int, int]:
    """Rows of events and of what PostgreSQL refused, once all have come or nothing more does."""
    deadline = time.monotonic() + ARCHIVE_SECONDS_MAX
    while True:
        rows, refused = (stores.query(addresses["postgres"], f"SELECT count(*) FROM {table}")[0][0]
                         for table in ("heliograph.event", "heliograph.refused_row"))
        if rows + refused >= wanted or time.monotonic() > deadline:
            return rows, refused
        time.sleep(0.2)


def run(addresses: dict, count: int, seed: int) -> list[str]:
    port = urlsplit(addresses["ingest"]).port
    maker, pool, before = Maker(seed), Pool(port, 16), metrics(port)
    statuses: collections.Counter = collections.Counter()
    faults: list[str] = []

    def take(body: bytes, answer: Answer) -> None:
        code = answer.code if answer.status >= 400 else ""
        statuses[f"{answer.status} {code}".strip()] += 1
        if answer.status not in (200, 204, 400, 401, 403, 413, 422):
            faults.append(f"{answer.status} {code} for {body!r}")

    for _ in range(count):
        path, body = maker.request()
        fields = hostile_fields(maker.random)
        while not pool.send(post(body, path, **fields), body):
            pool.receive(1.0, take)
    while pool.busy:
        pool.receive(1.0, take)
    acknowledged = int(metrics(port)["heliograph_events_acknowledged_total"]
                       - before["heliograph_events_acknowledged_total"])
    rows, refused = archived(addresses, acknowledged)
    for status, number in statuses.most_common():
        print(f"{number:10}  {status}")
    print(f"{acknowledged:10}  events acknowledged\n{rows:10}  rows\n{refused:10}  refused rows")
    if pool.dropped:
        faults.append(f"{pool.dropped} connections were dropped")
    if rows != acknowledged or refused:
        faults.append(f"{acknowledged} events acknowledged, {rows} rows, {refused} refused rows")
    if statuses["204"] < count / 4 or len(statuses) < 3:
        faults.append("too few were taken, or too few refused, to tell anything")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", nargs="?", default=os.environ.get("HELIOGRAPH_ADDRESSES"))
    parser.add_argument("--count", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.addresses:
        parser.error("name the engine's addresses.json")
    addresses = json.loads(Path(options.addresses).read_text())
    faults = run(addresses, options.count, options.seed)
    print("\n".join(faults[:10]))
    print(f"hostile-beacons: {options.count - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
