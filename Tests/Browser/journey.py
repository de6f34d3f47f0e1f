"""A visitor's journey through the demo shop, seen in Redis, in the read API and on the live page.

Usage: journey.py var/addresses.json [folder for screenshots]. Needs a running engine.
"""
import json
import pathlib
import sys
import time
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError

from browser import chromium, hover, scroll_like_a_person
from redis_reader import Redis

FIELDS = ("score", "band", "profile", "confidence", "likelihood", "model", "updated", "seen")
BANDS = ("cold", "warm", "hot")
PATIENCE_SECONDS = 45
# Pages that anybody must be able to use; axe looks at them in both colours.
PAGES = ("/live", "/install", "/install/reference", "/demo/")


class Failure(Exception):
    """Something that the journey promises did not happen."""


def demand(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)))


class Journey:
    """One run; `steps` is what the report shows."""

    def __init__(self, addresses, pictures, folder):
        self.addresses = addresses
        self.folder = folder
        self.pictures = pictures
        self.redis = Redis(addresses["redis"])
        self.steps = []
        self.visitor = None
        self.faults = []

    @property
    def token(self):
        """Of whoever runs the engine; it lies beside the addresses."""
        return self.folder.joinpath("companion-token").read_text(encoding="utf-8")

    def sign_in(self, page):
        """Who comes without a session is led to the page for it, and from there back."""
        page.goto(self.url("/live"))
        demand("/welcome" in page.url, "the live page is shown to somebody who has not signed in")
        page.locator("#token").fill(self.token)
        page.locator("#form button").click()
        page.wait_for_url(self.url("/live"))

    def url(self, path):
        return self.addresses["companion"] + path

    def state(self):
        return self.redis.hash(f"hg:demo:v:{{{self.visitor}}}")

    def wait_for(self, page, condition, what):
        """Waits in the page's own loop, so that its scripts go on; returns what held."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            page.wait_for_timeout(100)
        raise Failure(f"never came: {what}; Redis holds {self.state() if self.visitor else None}")

    def note(self, step):
        values = self.state()
        score = float(values["score"])
        self.steps.append({"step": step, "score": score, "band": values["band"]})
        print(f"journey: {step}: score {score}, {values['band']}, {values['profile']}")
        return score

    def scored_after(self, page, moment, what):
        """Waits until an event that happened at or after `moment` is part of the score."""
        self.wait_for(page, lambda: int(self.state().get("seen", 0)) >= moment, what)

    # ---- the way through the shop

    def visit_home(self, page):
        page.goto(self.url("/demo/"))
        self.wait_for(page, lambda: self.cookie(page), "the device cookie of the SDK")
        self.visitor = self.cookie(page)
        self.wait_for(page, self.state, "the visitor in Redis")
        scroll_like_a_person(page, 960)
        moment = now_milliseconds()
        # The SDK tells what came together when its window is left for another one.
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        self.scored_after(page, moment - 50, "the summary of the first page")
        return self.note("first page")

    def look_around(self, page):
        hover(page, page.locator("[data-cta=see-pricing]"), 1500)
        page.locator("[data-cta=see-pricing]").click()
        page.wait_for_url("**/pricing.html")
        scroll_like_a_person(page, 640)
        moment = now_milliseconds()
        page.goto(self.url("/demo/product.html"))
        self.scored_after(page, moment, "the product page")
        scroll_like_a_person(page, 960)
        return self.note("after prices and product")

    def begin_checkout(self, page):
        hover(page, page.locator("[data-cta=add-to-cart]"), 700)
        page.locator("[data-cta=add-to-cart]").click()
        page.locator(".basket").click()
        page.wait_for_url("**/checkout.html")
        page.locator("#name").click()
        moment = now_milliseconds()
        page.keyboard.type("Ada Example", delay=60)
        self.scored_after(page, moment, "the start of the form")
        return self.note("form begun")

    def fill_in(self, page):
        page.locator("#email").click()
        page.keyboard.type("ada@shop.example", delay=30)
        page.locator("#street").click()
        page.keyboard.type("Lamp Street 7", delay=30)
        moment = now_milliseconds()
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        self.scored_after(page, moment - 50, "the form's progress")
        return self.note("form half filled in")

    def cookie(self, page):
        found = [c["value"] for c in page.context.cookies() if c["name"] == "_hg_d"]
        return found[0] if found else None

    # ---- what must hold

    def check_state(self):
        values = self.state()
        for field in FIELDS:
            demand(values.get(field), "Redis lacks", field, "for", self.visitor, values)
        demand(0 <= float(values["score"]) <= 100, "score", values["score"])
        demand(values["band"] in BANDS, "band", values["band"])
        for field in ("confidence", "likelihood"):
            demand(0 <= float(values[field]) <= 1, field, values[field])
        for field in ("updated", "seen"):
            demand(abs(int(values[field]) - now_milliseconds()) < 600_000, field, values[field])

    def check_api(self):
        url = self.url(f"/api/v1/visitors/{self.visitor}?site=demo")
        question = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(question, timeout=10) as answer:
            values = json.load(answer)
        demand(values["visitor"] == self.visitor, "the API answers for", values["visitor"])
        demand(len(values["terms"]) == 27, "the API gives", len(values["terms"]), "terms")
        weights = [abs(term["contribution"]) for term in values["terms"]]
        demand(weights == sorted(weights, reverse=True), "terms are not in the order of weight")
        demand(any(weights), "no term weighs anything")
        # Scores sink by themselves, so the API may be a little below Redis.
        distance = abs(values["score"] - float(self.state()["score"]))
        demand(distance <= 5, "API and Redis differ by", distance)

    def check_live_page(self, live):
        name = "Visitor " + self.visitor[-4:]
        card = live.locator(".card").filter(has_text=name).first
        self.wait_for(live, lambda: card.count() > 0, "the visitor on the live page")
        expected = float(self.state()["score"])
        number = card.locator(".score-number")
        self.wait_for(live, lambda: abs(float(number.inner_text()) - expected) <= 5,
                      "the newest score on the live page")
        self.wait_for(live, lambda: card.locator(".term").count() == 5, "five signals on the card")
        demand(live.locator("#state").inner_text() == "Live", "the live page is not live")
        self.check_minutes(live)

    def check_minutes(self, live):
        """The last minutes stand in numbers, in bars and, for those who ask, in a table."""
        figure = live.locator("#minutes-views")
        self.wait_for(live, lambda: figure.inner_text().isdigit(), "page views on the live page")
        demand(live.locator("#minutes-event-bars rect").count() == 30, "there are not 30 bars")
        live.locator("#minutes-table summary").click()
        rows = live.locator("#minutes-rows tr")
        self.wait_for(live, lambda: rows.count() == 30, "a row for each minute")
        views = sum(int(text) for text in live.locator("#minutes-rows tr td:nth-child(3)")
                    .all_inner_texts())
        demand(views == int(figure.inner_text()), "the table has", views, "page views, not",
               figure.inner_text())
        live.locator("#minutes-table summary").click()

    def take_pictures(self, live):
        if not self.pictures:
            return
        self.pictures.mkdir(parents=True, exist_ok=True)
        looks = ((1440, 900, "light"), (1440, 900, "dark"), (390, 844, "dark"))
        for width, height, scheme in looks:
            live.set_viewport_size({"width": width, "height": height})
            live.emulate_media(color_scheme=scheme)
            live.wait_for_timeout(600)
            live.screenshot(path=str(self.pictures / f"live-{width}-{scheme}.png"))

    def check_access(self, browser):
        for scheme in ("light", "dark"):
            # Without motion: what just fades in is judged as it will stay.
            context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
            page = self.watch(context.new_page())
            self.judge_access(page, "/welcome", scheme)
            self.sign_in(page)
            for path in PAGES:
                self.judge_access(page, path, scheme)
            context.close()

    def judge_access(self, page, path, scheme):
        page.goto(self.url(path))
        found = Axe().run(page)
        demand(not found.violations_count, path, f"({scheme}) is not for everybody:\n",
               found.generate_report())

    def watch(self, page):
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: message.type == "error"
                and self.faults.append(f"{message.text} at {message.location.get('url')}"))
        return page

    def run(self, browser):
        live = self.watch(browser.new_context(viewport={"width": 1440, "height": 900}).new_page())
        self.sign_in(live)
        shop = browser.new_context(viewport={"width": 1280, "height": 800})
        page = self.watch(shop.new_page())
        first = self.visit_home(page)
        self.check_state()
        self.look_around(page)
        form = self.begin_checkout(page)
        demand(form > first, "the score after the form start,", form, "is not above", first)
        self.fill_in(page)
        self.check_state()
        self.check_api()
        self.check_live_page(live)
        self.take_pictures(live)
        self.check_access(browser)
        demand(not self.faults, "the pages complained:", self.faults)


def now_milliseconds():
    return int(time.time() * 1000)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    addresses = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for role in ("ingest", "companion", "redis"):
        if not addresses.get(role):
            sys.exit(f"journey: FAILED: {sys.argv[1]} names no address for {role}")
    journey = Journey(addresses, pictures, pathlib.Path(sys.argv[1]).parent)
    try:
        with chromium() as browser:
            journey.run(browser)
    except (Failure, PlaywrightError) as failure:
        sys.exit(f"journey: FAILED: {failure}")
    report = {"visitor": journey.visitor, "steps": journey.steps, "redis": journey.state()}
    report["redis"].pop("state", None)
    print("journey: passed", json.dumps(report))


if __name__ == "__main__":
    main()
