#!/usr/bin/python3
"""One person on several browsers: the same score at every key, through crashes, and apart on request.

    identity_test.py --binary .build/release/heliograph [--seed N]

Three workers own the browsers' partitions. A telephone and a desktop log in as the same user; from then on
both keys answer with what both have done together, and with what each would be alone once they are
parted. The engine is killed, Redis loses everything, `verify` compares every sum; who did not consent is
joined to nobody, and an address that a server sends is found in no store. Likely links, which are guesses,
are looked at in likely_links.py.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import EngineError  # noqa: E402
from identity_people import CONSENT, Browser  # noqa: E402
from likely_links import Links  # noqa: E402
from stores import query  # noqa: E402
from traffic import Connection  # noqa: E402
from verify_rebuild import Scene  # noqa: E402

SETTINGS = "workers: 3\n"
# Browsers of likely_links.py say behind which network they are.
PROXIES = 'ingest:\n  trusted_proxies: ["127.0.0.1/32"]\n'
WAIT_SECONDS_MAX = 60
ANN, BOB = "h1:" + "a" * 64, "h1:" + "b" * 64
ADDRESS = "Carol.Secret@mail.example"


class Story(Scene):
    """An engine of three workers, and what people do."""

    def __init__(self, arguments: argparse.Namespace):
        arguments.seconds = 0
        super().__init__(arguments)
        self.engine.write_settings(SETTINGS)
        settings = self.engine.config.read_text().replace("ingest:\n", PROXIES)
        self.engine.config.write_text(settings)
        self.seeds = iter(range(arguments.seed * 1000, arguments.seed * 1000 + 1000))

    def browser(self, consent: int = CONSENT) -> Browser:
        return Browser(self, next(self.seeds), consent)

    def post(self, path: str, body: dict) -> None:
        connection = Connection(self.engine.ingest_port)
        status, _ = connection.post(path, json.dumps(body).encode())
        connection.close()
        if not status.startswith("20"):
            self.checks.check(f"a batch is taken by {path}", False, status)

    def hash(self, visitor: str) -> dict[str, bytes]:
        redis = self.redis()
        flat = redis.call_bytes("HGETALL", f"hg:demo:v:{{{visitor}}}")
        redis.close()
        return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}

    def rows(self, statement: str, *parameters) -> list[tuple]:
        return query(self.engine.addresses()["postgres"], statement, parameters)

    def wait(self, name: str, is_so, found=lambda: None) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.checks.check(name, bool(is_so()), found())

    def expect_one(self, name: str, *browsers: Browser) -> None:
        """All browsers say the same, and that it is of a person."""
        def is_one() -> bool:
            said = {browser.reading for browser in browsers}
            return len(said) == 1 and None not in next(iter(said))
        self.wait(f"{name}: {len(browsers)} keys, one score", is_one,
                  lambda: [browser.reading for browser in browsers])

    def expect_alone(self, name: str, browser: Browser) -> None:
        self.wait(f"{name}: read alone",
                  lambda: browser.reading[0] is not None and browser.reading[-1] is None,
                  lambda: browser.reading)

    def expect_verified(self, name: str) -> None:
        self.settle()
        status, report = self.verify()
        different = [part for part in report.get("parts", []) if part["different"]]
        self.checks.check(f"{name}: verified", status == 0, different or report)

    def document(self, browser: Browser, path: str = "") -> dict:
        question = self.engine.companion_request(
            f"/api/v1/visitors/{browser.device}{path}?site=demo")
        with urllib.request.urlopen(question, timeout=30) as answer:
            return json.load(answer)

    def person(self, browser: Browser) -> dict:
        return self.document(browser).get("identity") or {}

    # ---- the story --------------------------------------------------------------------------------

    def log_in(self) -> None:
        self.phone, self.desktop = self.browser(), self.browser()
        self.phone.browse("pricing")
        self.desktop.browse("checkout")
        for browser in (self.phone, self.desktop):
            self.expect_alone("before the login", browser)
        self.alone = self.desktop.reading[:5]
        self.phone.log_in(ANN)
        self.expect_alone("one browser of a person", self.phone)
        self.desktop.log_in(ANN)
        self.expect_one("a login on a second device", self.phone, self.desktop)
        before = self.phone.reading[0]
        self.desktop.browse("pricing")
        self.wait("what one browser does moves the score of the other",
                  lambda: self.phone.reading[0] != before, lambda: before)
        self.expect_one("after more visits", self.phone, self.desktop)
        score = float(self.phone.reading[0])
        self.checks.check("together they are readier than one was alone",
                          score > float(self.alone[0]), (score, self.alone))

    def show(self) -> None:
        both = sorted((self.phone.device, self.desktop.device))
        for browser in (self.phone, self.desktop):
            self.wait("the companion tells the browsers of a person",
                      lambda: sorted(self.person(browser).get("visitors", [])) == both,
                      lambda: self.person(browser))
            told = self.document(browser, "/history")["history"]
            self.checks.check("histories are joined",
                              {point["visitor"] for point in told} == set(both), told)
        sums = [self.document(browser, "/explain")["sum"] for browser in (self.phone, self.desktop)]
        self.checks.check("the same explanation for both", abs(sums[0] - sums[1]) < 0.01, sums)
        self.expect_verified("two browsers, one person")

    def survive(self) -> None:
        before = self.phone.reading
        self.engine.kill()
        self.engine.start()
        self.wait("after kill -9 the score is the same", lambda: self.phone.reading == before,
                  lambda: (self.phone.reading, before))
        self.expect_one("after kill -9", self.phone, self.desktop)
        redis = self.redis()
        redis.call("FLUSHALL")
        redis.close()
        self.wait("after Redis lost everything the score is the same",
                  lambda: self.phone.reading == before == self.desktop.reading,
                  lambda: (self.phone.reading, self.desktop.reading, before))
        self.phone.browse("demo")
        self.engine.kill()
        self.engine.start()
        self.expect_one("killed right after a visit", self.phone, self.desktop)
        self.expect_verified("after two kills and a flush")

    def part(self) -> None:
        twin = self.browser()
        for page in ("pricing", "features"):
            twin.browse(page)
        self.expect_alone("a third browser", twin)
        before = twin.reading[:5]
        twin.log_in(ANN)
        self.expect_one("a third browser joins", self.phone, self.desktop, twin)
        joined = self.phone.reading
        status, said = self.identity("unlink", twin)
        self.checks.check("`identity unlink` says that it is done", status == 0, said)
        self.expect_alone("parted", twin)
        self.checks.check("parting restores what was read of it alone",
                          twin.reading[1:3] == before[1:3]
                          and abs(float(twin.reading[0]) - float(before[0])) <= 0.1,
                          (twin.reading, before))
        self.wait("the others go on without it", lambda: self.phone.reading != joined)
        self.expect_one("the others go on", self.phone, self.desktop)
        twin.log_in(ANN)
        self.engine.kill()
        self.engine.start()
        self.expect_alone("parted, logged in again, after kill -9", twin)
        self.expect_verified("after a parting")
        self.identity("relink", twin)
        self.expect_one("taken back", self.phone, self.desktop, twin)
        twin.log_in(BOB)
        self.expect_alone("another user logs in", twin)
        self.expect_one("the others are left alone", self.phone, self.desktop)

    def plain(self, *words: str) -> tuple[int, str]:
        """The exit status of a command on the engine's data, and what it said."""
        done = subprocess.run(
            [str(self.engine.binary), *words, "--data", str(self.engine.data),
             "--config", str(self.engine.config)],
            capture_output=True, text=True, timeout=300, env=self.engine.environment)
        return done.returncode, done.stdout + done.stderr

    def identity(self, verb: str, browser: Browser) -> tuple[int, str]:
        return self.plain("identity", verb, "demo", browser.device)

    def refuse(self) -> None:
        for bits in (1, 7, 13):
            stranger = self.browser(consent=bits)
            stranger.browse()
            stranger.log_in(ANN)
        taker = self.browser()
        taker.browse()
        taker.log_in(ANN)
        self.expect_one("with consent", self.phone, self.desktop, taker)
        taker.choose(7)
        self.expect_alone("consent to linking is withdrawn", taker)
        self.settle()
        members = self.rows("SELECT count(*) FROM heliograph.members_of('demo', %s)",
                            self.phone.device)
        self.checks.check("without consent there is no link", members == [(2,)], members)
        causes = self.rows("SELECT cause FROM heliograph.identity_change WHERE visitor_id = %s "
                           "ORDER BY journal_offset", taker.device)
        self.checks.check("the withdrawal is told", causes == [("identified",), ("withdrawn",)],
                          causes)

    def alias(self) -> None:
        old, new = self.browser(), self.browser()
        for browser in (old, new):
            browser.browse()
            self.expect_alone("before the alias", browser)
        around = {"writeKey": "hg_demo", "context": {"consent": {"bits": CONSENT}}}
        self.post("/v1/identify", {"userId": ADDRESS, "anonymousId": new.device, **around})
        self.post("/v1/alias", {"userId": ADDRESS, "previousId": old.device, **around})
        self.expect_one("a server's identify and alias", old, new)
        self.settle()
        self.expect_nowhere(ADDRESS)

    def expect_nowhere(self, text: str) -> None:
        redis = self.redis()
        held = b"".join(b"".join(redis.call_bytes("HGETALL", key)) + key.encode()
                        for key in redis.call("KEYS", "hg:demo:v:*"))
        redis.close()
        journal = b"".join(path.read_bytes() for path in self.engine.data.rglob("*.hgj"))
        states = b"".join(path.read_bytes() for path in self.engine.data.rglob("*.hgc"))
        rows = self.rows("SELECT t::text FROM heliograph.event t UNION ALL "
                         "SELECT t::text FROM heliograph.identity_change t")
        stores = {"Redis": held, "journal": journal, "checkpoints": states,
                  "rows": "".join(row[0] for row in rows).encode()}
        for store, content in stores.items():
            self.checks.check(f"the user's address is not in {store}",
                              text.lower().encode() not in content.lower() and len(content) > 100)

    def erase(self) -> None:
        third = self.browser()
        third.browse()
        third.log_in(ANN)
        self.expect_one("before the erasure", self.phone, self.desktop, third)
        status, said = self.plain("erase", "--site", "demo", "--visitor", third.device, "--yes")
        self.checks.check("one browser of a person is erased", status == 0, said)
        self.expect_one("the erased one is split off", self.phone, self.desktop)
        self.checks.check("its key is gone", third.hash == {}, third.hash)
        self.expect_verified("after erasing one browser")
        status, said = self.plain("erase", "--site", "demo", "--user", ANN, "--yes")
        self.checks.check("the person is erased", status == 0, said)
        left = [browser.hash for browser in (self.phone, self.desktop)]
        self.checks.check("all browsers of the person are gone", left == [{}, {}], left)
        rows = self.rows("SELECT count(*) FROM heliograph.identity_change WHERE visitor_id = ANY (%s)",
                         [self.phone.device, self.desktop.device, third.device])
        self.checks.check("no row tells of them", rows == [(0,)], rows)

    def play(self) -> None:
        self.engine.start()
        self.log_in()
        self.show()
        self.survive()
        self.part()
        self.refuse()
        self.alias()
        Links(self).play()
        self.expect_verified("at the end")
        self.erase()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", action="store_true")
    story = Story(parser.parse_args())
    begun = time.monotonic()
    try:
        story.play()
    except EngineError as error:
        story.checks.check("the engine runs", False, error)
    finally:
        story.engine.stop()
        story.engine.clean_up()
    checks = story.checks
    print(f"identity: {checks.passed} checks, {checks.failed} failed, "
          f"{time.monotonic() - begun:.0f} s")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
