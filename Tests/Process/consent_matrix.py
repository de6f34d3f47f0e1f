#!/usr/bin/python3
"""What becomes of a visitor under every state of consent, and that withdrawals are heard.

    consent_matrix.py --binary .build/release/heliograph

Each state is sent to a real engine and its stores are looked at: rows, id, score, flags, ledger.
Then visitors take their agreement back, the engine is killed and its stores are rebuilt.
"""

import argparse
import http.client
import json
import os
import re
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine, EngineError  # noqa: E402
from stores import Redis, postgres, query  # noqa: E402
from traffic import BROWSER  # noqa: E402
from checks import Checks  # noqa: E402

SITE = """
  - name: {name}
    keys: [hg_{name}]
    origins: ["*"]
    automation: count
    consent: {{{consent}}}
    destinations:
      - {{name: meta, kind: meta, pixel: "1", token: {{environment: TOLD}}, paused: true}}
      - {{name: ga4, kind: ga4, measurement_id: G-A, api_secret: {{environment: TOLD}},
         paused: true}}
"""
SETTINGS = "sites:" + SITE.format(name="demo", consent="default: 1") \
    + SITE.format(name="careful", consent="mode: strict") \
    + SITE.format(name="blind", consent="gpc: ignore, dnt: ignore")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STRICT, MINOR, OPTED_OUT = 64, 32, 16
FLAG_BITS = STRICT | MINOR | OPTED_OUT


def bit_text(fields: list[tuple[int, int, int]], length: int) -> str:
    """Numbers as (first bit, bits, value), as consent strings hold them."""
    bits = ["0"] * (-(-length // 6) * 6)
    for start, count, value in fields:
        bits[start:start + count] = f"{value:0{count}b}"
    return "".join(LETTERS[int("".join(bits[at:at + 6]), 2)] for at in range(0, len(bits), 6))


def tcf(purposes: list[int], vendor: bool = True) -> str:
    fields = [(0, 6, 2), (138, 1, 1), (213, 16, 755), (984, 1, int(vendor))]
    return bit_text(fields + [(151 + purpose, 1, 1) for purpose in purposes], 985 + 29)


# A section of Virginia (9) that speaks of a child, and one that opts out of sale.
CHILD = "DBABRg~" + bit_text([(0, 6, 1), (32, 2, 1)], 64)
SALE_OPT_OUT = "DBABRg~" + bit_text([(0, 6, 1), (12, 2, 1)], 64)


class Browser:
    """One visitor's tab."""

    def __init__(self, port: int, agent: str = BROWSER):
        self.port = port
        self.agent = agent
        self.device = "d" + uuid.uuid4().hex[:20]
        self.window = "w" + uuid.uuid4().hex[:20]
        self.session = "s" + uuid.uuid4().hex[:20]
        self.n = 0

    def event(self, kind: str, **fields) -> dict:
        self.n += 1
        return {"n": self.n, "t": kind, "o": self.n * 10, "p": 1, **fields}

    def post(self, events: list[dict], consent: int | None, headers: list[tuple] = (),
             device: bool = True, site: str = "demo", **members) -> int:
        now = int(time.time() * 1000)
        body = {"v": 1, "k": "hg_" + site, "b": "b" + uuid.uuid4().hex[:20], "w": self.window,
                "q": 1, "s": self.session, "st": now, "mt": 1000, **members}
        if consent is not None:
            body["c"] = consent
        if device:
            body["d"] = self.device
        self.body = json.dumps({**body, "e": events}).encode()
        return self.send(headers)

    def send(self, headers: list[tuple] = ()) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest("POST", "/v1/e")
        for name, value in [("Origin", "https://shop.example"), ("User-Agent", self.agent),
                            ("Accept-Language", "de"), ("Content-Type", "text/plain"),
                            ("Content-Length", str(len(self.body))), *headers]:
            connection.putheader(name, value)
        connection.endheaders(self.body)
        status = connection.getresponse().status
        connection.close()
        return status

    def visit(self, consent: int | None, headers: list[tuple] = (), **members) -> int:
        """A page, and a choice that says what the batch says."""
        return self.post([self.event("pv", u="https://shop.example/a"),
                          self.event("cu", name="add_to_cart")], consent, headers, **members)

    def choose(self, bits: int, headers: list[tuple] = (), device: bool = True, **fields) -> int:
        return self.post([self.event("cs", bits=bits, src="dialogue", **fields)], bits, headers,
                         device)


class Scene:
    def __init__(self, binary: str):
        self.engine = Engine(binary, settings=SETTINGS, environment={"TOLD": "secret"})
        self.checks = Checks(tells_all=True)

    # ---- looking at the stores ------------------------------------------------------------------

    def sql(self, statement: str, *parameters) -> list[tuple]:
        return query(self.engine.addresses()["postgres"], statement, parameters)

    def run_sql(self, statement: str, *parameters) -> None:
        connection = postgres(self.engine.addresses()["postgres"])
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
        connection.commit()
        connection.close()

    def score(self, visitor: str, site: str = "demo") -> bool:
        redis = Redis(self.engine.addresses()["redis"])
        found = redis.call("HGET", f"hg:{site}:v:{{{visitor}}}", "score")
        redis.close()
        return found is not None

    def eventually(self, look, seconds: float = 10):
        deadline = time.monotonic() + seconds
        while not (found := look()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def settle(self) -> None:
        """Waits until what was acknowledged so far is in both stores."""
        marker = Browser(self.engine.ingest_port)
        assert marker.visit(7) == 204
        stored = "SELECT 1 FROM heliograph.event WHERE visitor_id = %s"
        self.eventually(lambda: self.sql(stored, marker.device) and self.score(marker.device))
        time.sleep(0.6)

    # ---- the matrix -----------------------------------------------------------------------------

    # state, what is sent, then: bits that hold (None: nothing is stored), whose id, score, flags
    STATES = [
        ("nothing agreed to", {"consent": 0}, None, None, False, 0),
        ("silent on a strict site", {"consent": None, "site": "careful"}, None, None, False, 0),
        ("silent in the EEA", {"consent": None, "cp": {"z": "Europe/Berlin"}}, None, None, False,
         0),
        ("silent elsewhere", {"consent": None, "cp": {"z": "America/Denver"}}, 1, "day", False, 0),
        ("measurement", {"consent": 1}, 1, "day", False, 0),
        ("and storage", {"consent": 3}, 3, "own", False, 0),
        ("and profiling", {"consent": 7}, 7, "own", True, 0),
        ("and advertising, in the EEA", {"consent": 47, "cp": {"z": "Europe/Rome"}}, 47, "own",
         True, STRICT),
        ("everything", {"consent": 63}, 63, "own", True, 0),
        ("Global Privacy Control", {"consent": 63, "headers": [("Sec-GPC", "1")]}, 3, "own", False,
         OPTED_OUT),
        ("the same in two lines", {"consent": 63, "headers": [("Sec-GPC", "1")] * 2}, 3, "own",
         False, OPTED_OUT),
        ("Sec-GPC: 0", {"consent": 63, "headers": [("Sec-GPC", "0")]}, 63, "own", True, 0),
        ("Sec-GPC: 1, 1", {"consent": 63, "headers": [("Sec-GPC", "1, 1")]}, 63, "own", True, 0),
        ("Do Not Track", {"consent": 63, "headers": [("DNT", "1")]}, 3, "own", False, OPTED_OUT),
        ("a site that looks away", {"consent": 63, "site": "blind",
                                    "headers": [("Sec-GPC", "1"), ("DNT", "1")]}, 63, "own", True,
         0),
        ("chosen here, against the browser", {"consent": 63, "headers": [("Sec-GPC", "1")],
                                              "cp": {"ex": 1}}, 63, "own", True, 0),
        ("opted out of sale in Virginia", {"consent": 63, "cp": {"gp": SALE_OPT_OUT}}, 3, "own",
         False, OPTED_OUT),
        ("us_privacy", {"consent": 63, "cp": {"up": "1YYN"}}, 3, "own", False, OPTED_OUT),
        ("a child", {"consent": 63, "cp": {"gp": CHILD}}, 1, "day", False, MINOR),
        ("a dialogue that allows less", {"consent": 63, "cp": {"tc": tcf([1, 8])}}, 3, "own", False,
         0),
        ("a dialogue that allows all", {"consent": 63, "cp": {"tc": tcf(list(range(1, 12)))}}, 63,
         "own", True, 0),
        ("a dialogue in the first batch's context",
         {"consent": 63, "x": {"tc": tcf([1, 8]), "z": "Europe/Paris"}}, 3, "own", False, STRICT),
        ("a dialogue nobody can read", {"consent": 63, "cp": {"tc": "COtry"}}, None, None, False,
         0),
        ("Consent Mode", {"consent": 63, "cp": {"gm": "gddd"}}, 23, "own", True, 0),
    ]

    def matrix(self) -> None:
        sent = []
        for name, said, *expected in self.STATES:
            browser = Browser(self.engine.ingest_port, BROWSER + " " + uuid.uuid4().hex)
            status = browser.visit(**said)
            self.checks.check(f"{name}: acknowledged", status == 204, status)
            sent.append((name, said.get("site", "demo"), browser, expected))
        self.settle()
        for name, site, browser, expected in sent:
            self.look(name, site, browser, *expected)

    def look(self, name: str, site: str, browser: Browser, bits, whose, scored: bool,
             flags: int) -> None:
        rows = self.sql("SELECT visitor_id, consent, type FROM heliograph.event "
                        "WHERE window_id = %s", browser.window)
        if bits is None:
            told = self.sql("SELECT 1 FROM heliograph.conversion WHERE conversion_id = %s",
                            f"{browser.window}-2")
            self.checks.check(f"{name}: no row, no score, no conversion", not rows and not told
                              and not self.score(browser.device, site), rows)
            return
        visitor = rows[0][0] if rows else ""
        is_own = visitor == browser.device
        is_day = bool(re.fullmatch("[0-9a-f]{32}", visitor)) and not is_own
        self.checks.check(f"{name}: two rows with {bits}",
                          [row[1] for row in rows] == [bits, bits], rows)
        self.checks.check(f"{name}: id is the {'visitor' if whose == 'own' else 'day'}'s",
                          is_own if whose == "own" else is_day, visitor)
        told = sorted(row[0] for row in self.sql(
            "SELECT destination FROM heliograph.delivery WHERE conversion_id = %s",
            f"{browser.window}-2"))
        expected = ["ga4", "meta"] if bits & 8 else ["ga4"]
        self.checks.check(f"{name}: told to {' and '.join(expected)}", told == expected, told)
        self.checks.check(f"{name}: {'a' if scored else 'no'} score",
                          self.score(visitor, site) == scored, visitor)
        self.flags_of[name] = (browser, flags)
        self.holds[name] = bits

    def ledger(self) -> None:
        """Flags are frozen in the record; the ledger shows them."""
        for name, (browser, flags) in self.flags_of.items():
            said = next(state[1] for state in self.STATES if state[0] == name)
            again = {key: value for key, value in said.items() if key != "consent"}
            bits = said["consent"] if said["consent"] is not None else 1
            # A device that is named without storage is one that is to be forgotten.
            browser.post([browser.event("cs", bits=bits, src="again")], bits,
                         device=self.holds[name] & 2 > 0, **again)
        self.settle()
        for name, (browser, flags) in self.flags_of.items():
            rows = self.sql("SELECT flags, said, consent, source FROM heliograph.consent_record "
                            "WHERE visitor_id = %s OR visitor_id IN (SELECT visitor_id FROM "
                            "heliograph.event WHERE window_id = %s)", browser.device,
                            browser.window)
            self.checks.check(f"{name}: one row in the ledger, flags {flags}",
                              len(rows) == 1 and rows[0][0] & FLAG_BITS == flags, rows)

    # ---- withdrawals ----------------------------------------------------------------------------

    def withdraw(self) -> list[Browser]:
        """From profiling to nothing, to measurement alone, and to all but profiling."""
        gone = []
        for bits in (0, 1, 3):
            browser = Browser(self.engine.ingest_port)
            browser.visit(7)
            self.checks.check(f"7 to {bits}: had a score",
                              self.eventually(lambda: self.score(browser.device)))
            status = browser.choose(bits)
            self.checks.check(f"7 to {bits}: acknowledged", status == 204, status)
            self.checks.check(f"7 to {bits}: the score is gone",
                              self.eventually(lambda: not self.score(browser.device)))
            # The same beacon again is a repeat.
            browser.send()
            gone.append(browser)
        self.settle()
        for browser, bits in zip(gone, (0, 1, 3)):
            self.expect_gone(f"7 to {bits}", browser, bits)
        return gone

    def expect_gone(self, name: str, browser: Browser, bits: int) -> None:
        ledger = self.sql("SELECT said, consent, source, signals->>'bits' FROM "
                          "heliograph.consent_record WHERE visitor_id = %s", browser.device)
        held = bits if bits & 2 else 0
        self.checks.check(f"{name}: one row in the ledger",
                          ledger == [(bits, held, "dialogue", str(bits))], ledger)
        choices = self.sql("SELECT count(*) FROM heliograph.event WHERE window_id = %s "
                           "AND type = 'cs'", browser.window)[0][0]
        self.checks.check(f"{name}: the choice is {'a row' if bits & 2 else 'no row'}",
                          choices == (1 if bits & 2 else 0), choices)
        noted = self.sql("SELECT count(*) FROM heliograph.withdrawal WHERE visitor_id = %s",
                         browser.device)[0][0]
        self.checks.check(f"{name}: withdrawal noted", noted == (0 if bits & 2 else 1), noted)
        self.checks.check(f"{name}: no score", not self.score(browser.device))

    def refuse_unknown(self) -> None:
        """Who was never known leaves nothing by refusing."""
        browser = Browser(self.engine.ingest_port)
        status = browser.choose(0)
        self.settle()
        found = [self.sql(f"SELECT count(*) FROM heliograph.{table} WHERE visitor_id = %s",
                          browser.device)[0][0]
                 for table in ("event", "session", "consent_record", "withdrawal")]
        self.checks.check("a stranger's refusal leaves nothing", status == 204 and not any(found),
                          found)

    def cookieless_withdrawal(self) -> None:
        browser = Browser(self.engine.ingest_port, BROWSER + " cookieless")
        browser.visit(5, device=False)
        self.settle()
        rows = self.sql("SELECT DISTINCT visitor_id FROM heliograph.event WHERE window_id = %s",
                        browser.window)
        visitor = rows[0][0]
        self.checks.check("without storage, with profiling: a score for the day",
                          self.score(visitor), rows)
        browser.choose(0, device=False)
        self.checks.check("and it goes", self.eventually(lambda: not self.score(visitor)))

    def string_withdraws(self) -> None:
        """The choice's own string says less than the page's bits."""
        browser = Browser(self.engine.ingest_port)
        browser.visit(63)
        self.settle()
        event = browser.event("cs", bits=63, src="tcf", tc=tcf([]))
        status = browser.post([event], 63)
        self.checks.check("a string without purposes takes the score",
                          status == 204 and self.eventually(lambda: not self.score(browser.device)))
        self.settle()
        rows = self.sql("SELECT said, consent, signals->>'tc' FROM heliograph.consent_record "
                        "WHERE visitor_id = %s", browser.device)
        self.checks.check("and is kept as proof", rows == [(63, 0, tcf([]))], rows)

    def cancel_deliveries(self) -> None:
        """What waits and rests on advertising is cancelled; what rests on less is not."""
        browser = Browser(self.engine.ingest_port)
        browser.visit(63)
        self.settle()
        states = [("pending", 63), ("retry", 63), ("held", 63), ("sending", 63), ("delivered", 63),
                  ("pending", 7)]
        for index, (state, bits) in enumerate(states):
            self.run_sql(
                "INSERT INTO heliograph.conversion (occurred_at, received_at, journal_offset, "
                "partition, consent, flags, sensitive, bot, site, conversion_id, name, visitor_id, "
                "details, withheld) VALUES (now(), now(), 0, 0, %s, 0, false, false, 'demo', %s, "
                "'purchase', %s, '{}', '{}')", bits, f"{browser.window}-x{index}", browser.device)
            self.run_sql(
                "INSERT INTO heliograph.delivery (site, destination, conversion_id, visitor_id, "
                "occurred_at, state, seal) VALUES ('demo', 'meta', %s, %s, now() - interval '1 s', "
                "%s, 'x')", f"{browser.window}-x{index}", browser.device, state)
        browser.choose(7)
        self.settle()
        rows = self.sql("SELECT state, reason, seal IS NULL FROM heliograph.delivery WHERE "
                        "visitor_id = %s AND conversion_id LIKE '%%-x_' "
                        "ORDER BY conversion_id", browser.device)
        cancelled = ("cancelled", "consent-withdrawn", True)
        expected = [cancelled] * 3 + [("sending", None, False), ("delivered", None, False),
                                      ("pending", None, False)]
        self.checks.check("advertising withdrawn: three of six deliveries cancelled",
                          rows == expected, rows)
        browser.choose(0)
        self.settle()
        rows = self.sql("SELECT state FROM heliograph.delivery WHERE visitor_id = %s "
                        "AND conversion_id LIKE '%%-x_' ORDER BY conversion_id", browser.device)
        self.checks.check("everything withdrawn: none waits",
                          [row[0] for row in rows]
                          == ["cancelled"] * 3 + ["sending", "delivered", "cancelled"], rows)

    # ---- kills and rebuilds ---------------------------------------------------------------------

    def kill_after(self) -> Browser:
        """The acknowledged withdrawal outlives the engine."""
        browser = Browser(self.engine.ingest_port)
        browser.visit(7)
        self.settle()
        status = browser.choose(0)
        self.engine.kill()
        self.engine.start()
        self.checks.check("killed right after the acknowledgement: the score goes",
                          status == 204
                          and self.eventually(lambda: not self.score(browser.device)))
        self.settle()
        self.expect_gone("killed", browser, 0)
        return browser

    def rebuild(self, gone: list[Browser]) -> None:
        for words in ([], ["--from", "journal"]):
            self.engine.stop()
            if words:
                for file in (self.engine.data / "checkpoints").glob("p*.hgc"):
                    file.unlink()
            done = os.spawnve(
                os.P_WAIT, str(self.engine.binary),
                [str(self.engine.binary), "rebuild", *words, "--data", str(self.engine.data),
                 "--config", str(self.engine.config)], self.engine.environment)
            self.engine.start()
            back = [browser.device for browser in gone if self.score(browser.device)]
            self.checks.check(f"rebuilt {' '.join(words) or 'as is'}: nobody comes back",
                              done == 0 and not back, (done, back))
            counts = self.sql("SELECT count(*) FROM heliograph.consent_record "
                              "WHERE visitor_id = ANY(%s)", [one.device for one in gone])[0][0]
            self.checks.check("one row each in the ledger", counts == len(gone), counts)

    # ---- names without cookies ------------------------------------------------------------------

    def name_of(self, agent: str) -> str:
        browser = Browser(self.engine.ingest_port, agent)
        browser.visit(1, device=False)
        self.settle()
        return self.sql("SELECT visitor_id FROM heliograph.event WHERE window_id = %s",
                        browser.window)[0][0]

    def cookieless(self) -> None:
        agent = BROWSER + " day"
        first = self.name_of(agent)
        self.checks.check("two tabs are one visitor of the day", self.name_of(agent) == first)
        self.checks.check("another browser is another", self.name_of(agent + "x") != first)
        salts = self.engine.data / "keys" / "cookieless.salts"
        self.checks.check("salts for their owner alone", salts.stat().st_mode & 0o777 == 0o600,
                          oct(salts.stat().st_mode))
        self.engine.kill()
        self.engine.start()
        self.checks.check("a restart keeps names", self.name_of(agent) == first)
        self.engine.stop()
        salts.unlink()
        self.engine.start()
        split = self.name_of(agent)
        self.checks.check("lost salts split visitors once",
                          split != first and self.name_of(agent) == split)
        self.engine.stop()
        salts.write_bytes(b"damaged")
        self.engine.start()
        self.checks.check("damaged salts split visitors once more",
                          self.name_of(agent) not in (first, split))

    def play(self) -> None:
        self.flags_of, self.holds = {}, {}
        self.engine.start()
        self.matrix()
        self.ledger()
        gone = self.withdraw()
        self.refuse_unknown()
        self.cookieless_withdrawal()
        self.string_withdraws()
        self.cancel_deliveries()
        gone.append(self.kill_after())
        self.cookieless()
        self.rebuild(gone)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    arguments = parser.parse_args()
    try:
        scene = Scene(arguments.binary)
    except EngineError as error:
        sys.exit(f"consent_matrix: {error}")
    try:
        scene.play()
    except EngineError as error:
        scene.checks.check("the engine does its part", False, str(error))
    finally:
        scene.engine.clean_up()
    print(f"consent-matrix: {scene.checks.passed} passed, {scene.checks.failed} failed")
    return 0 if scene.checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
