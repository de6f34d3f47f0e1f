"""Likely links: which browsers may be one person's, as the companion tells it. Part of identity_test.py.

Browsers are used as people use them, days ago, behind networks of their own. A guess is told with its
reasons, the same from both sides; it joins nobody; it is not made without the consent of both, of a
crowd, or from what was known before a refusal; and it goes with whom it is about.
"""

import http.client
import json
import time
import urllib.error

from identity_people import CONSENT, Browser
from visits import uuid7

DAY_MILLISECONDS = 24 * 3600 * 1000
MINUTE_MILLISECONDS = 60 * 1000
DAYS = (5, 3, 2)
CROWD = 25


class Guest(Browser):
    """A browser on a network, whose visits lie in the past."""

    def __init__(self, story, seed: int, network: int, consent: int = CONSENT):
        super().__init__(story, seed, consent)
        self.network = network
        self.origin = int(time.time() * 1000) - 6 * DAY_MILLISECONDS
        self.moment = 0

    def post(self, body: dict) -> None:
        body["x"] = {"l": "de-DE", "z": "Europe/Berlin", "vw": 390, "vh": 844, "pr": 3}
        for event in body["e"]:
            event["o"] = self.moment
        connection = http.client.HTTPConnection("127.0.0.1", self.story.engine.ingest_port, timeout=10)
        connection.request("POST", "/v1/e", json.dumps(body), {
            "Origin": "https://shop.example", "Content-Type": "text/plain",
            "X-Forwarded-For": f"203.0.{self.network}.{7 + self.n % 200}"})
        status = connection.getresponse().status
        connection.close()
        if status // 100 != 2:
            self.story.checks.check("a visit is taken", False, status)

    def visit(self, days_ago: int, minutes: int) -> None:
        """A visit of five minutes that began so many minutes after a moment so many days ago."""
        self.session = uuid7(self.random)
        begun = (6 - days_ago) * DAY_MILLISECONDS + minutes * MINUTE_MILLISECONDS
        for self.moment in (begun, begun + 5 * MINUTE_MILLISECONDS):
            self.browse("pricing")

    def visit_often(self, minutes: int) -> None:
        for days_ago in DAYS:
            self.visit(days_ago, minutes)

    @property
    def links(self) -> list[dict] | None:
        """None while Redis does not know the browser."""
        try:
            return self.story.document(self)["links"]
        except urllib.error.HTTPError:
            return None

    def sees(self, *others: "Guest") -> bool:
        links = self.links
        return links is not None and sorted(link["visitor"] for link in links) == sorted(
            other.device for other in others)


class Links:
    """What is guessed, and what is not."""

    def __init__(self, story):
        self.story, self.check = story, story.checks.check
        self.networks = iter(range(1, 250))

    def pair(self, first: int = CONSENT, second: int = CONSENT) -> tuple[Guest, Guest]:
        """Two browsers alone on a network; one is taken up when the other was put down."""
        network = next(self.networks)
        phone, desktop = (Guest(self.story, next(self.story.seeds), network, consent)
                          for consent in (first, second))
        phone.visit_often(0)
        desktop.visit_often(9)
        return phone, desktop

    def expect(self, name: str, browser: Guest, *others: Guest) -> None:
        self.story.wait(f"links: {name}", lambda: browser.sees(*others), lambda: browser.links)

    def guess(self) -> None:
        self.phone, self.desktop = self.pair()
        neighbour = Guest(self.story, next(self.story.seeds), self.phone.network)
        neighbour.visit_often(300)
        self.expect("one browser to the other", self.phone, self.desktop)
        self.expect("and back", self.desktop, self.phone)
        self.expect("nobody to who is there at other times", neighbour)
        link, back = self.phone.links[0], self.desktop.links[0]
        self.check("links: sure enough, not certain", 0.9 <= link["confidence"] <= 0.99, link)
        self.check("links: as sure from both sides", link["confidence"] == back["confidence"], back)
        reasons = {reason["reason"] for reason in link["reasons"]}
        self.check("links: reasons are told", {"network", "handover", "zone"} <= reasons, link)
        self.check("links: no reason names the network", "203.0" not in json.dumps(link), link)
        for browser in (self.phone, self.desktop):
            self.check("links: nobody is joined by them", not self.story.person(browser)
                       and "joined" not in browser.hash and "state" in browser.hash)

    def refuse(self) -> None:
        refused = [self.pair(first, second)
                   for first, second in ((7, 15), (15, 7), (11, 15), (15, 11), (13, 15))]
        crowd = [Guest(self.story, next(self.story.seeds), 250) for _ in range(CROWD)]
        crowd[0].visit_often(0)
        crowd[1].visit_often(9)
        for guest in crowd[2:]:
            guest.visit(1, 0)
        self.story.settle()
        for pair in refused:
            bits = [browser.consent for browser in pair]
            told = [browser.links for browser in pair if browser.hash]
            self.check(f"links: none with consent {bits}", bool(told) and not any(told), told)
        self.expect("nobody to a crowd", crowd[0])

    def withdraw(self) -> None:
        phone, desktop = self.pair()
        self.expect("before the withdrawal", phone, desktop)
        desktop.moment = int(time.time() * 1000) - desktop.origin
        desktop.choose(7)
        self.expect("gone with the consent of one", phone)
        self.expect("gone on its own side too", desktop)
        desktop.choose(CONSENT)
        desktop.browse()
        self.story.settle()
        self.expect("what was known before the refusal stays forgotten", phone)

    def survive(self) -> None:
        before = [browser.links for browser in (self.phone, self.desktop)]
        self.story.engine.kill()
        self.story.engine.start()
        redis = self.story.redis()
        redis.call("FLUSHALL")
        redis.close()
        status, said = self.story.plain("rebuild")
        self.check("links: rebuilt", status == 0, said)
        self.story.wait("links: the same after kill -9, a lost Redis and a rebuild",
                        lambda: before == [browser.links for browser in (self.phone, self.desktop)],
                        lambda: (before, self.phone.links))

    def part(self) -> None:
        """Who was parted by hand is not guessed to be one."""
        for browser in (self.phone, self.desktop):
            browser.log_in("h1:" + "d" * 64)
        self.story.expect_one("links: logged in", self.phone, self.desktop)
        self.expect("none within a person", self.phone)
        self.story.identity("unlink", self.desktop)
        self.story.expect_alone("links: parted", self.desktop)
        self.story.settle()
        self.expect("none to who was parted", self.phone)

    def erase(self) -> None:
        phone, desktop = self.pair()
        self.expect("before the erasure", phone, desktop)
        status, said = self.story.plain(
            "erase", "--site", "demo", "--visitor", desktop.device, "--yes")
        self.check("links: one of two is erased", status == 0, said)
        self.expect("gone with whom it was about", phone)

    def play(self) -> None:
        self.guess()
        self.refuse()
        self.withdraw()
        self.survive()
        self.part()
        self.erase()
