#!/usr/bin/python3
"""The Hub in Chromium, against a running engine with real events.

    hub.py var/addresses.json [--pictures FOLDER] [--only TEXT] [--long]

The way in. Every page, wide and light, narrow and dark (--long: in two themes and three widths):
axe finds nothing, nothing overflows, no script fails, nothing breaks the policy. Then: a walk by
keyboard alone, hostile strings as event data, eight tabs with one stream, the companion going away
and coming back, and the panel of figures drawn from an answer of the documented shape.
"""

import argparse
import json
import pathlib
import sys
import time
import traceback

import axe_playwright_python

import hub_checks
import hub_insight
from browser import chromium
from hub_proxy import HubProxy
from hub_world import fill, richest_visitor, token

WIDTHS = {1440: 900, 1024: 768, 390: 844}
EVERY_LOOK = [(theme, width) for theme in ("light", "dark") for width in WIDTHS]
TWO_LOOKS = [("light", 1440), ("dark", 390)]
# What the short form looks at on a phone and walks through by keyboard: one of each kind of page.
FEW = ("overview", "visitor", "conversions", "settings")
SETTLED = "document.querySelector('main .card') && !document.querySelector('.card[aria-busy]')"
AXE = pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js"


class Hub:
    """A browser's window on the Hub; `faults` is what must stay empty."""

    def __init__(self, browser, server, addresses, visitor="", pictures=None, is_long=False):
        self.browser, self.server, self.addresses = browser, server, addresses
        self.token, self.is_long = token(addresses), is_long
        self.pictures = pictures
        self.visitor = visitor
        self.faults = []

    def window(self, width=1440, theme="light", is_known=True):
        context = self.browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=theme,
            locale="en-GB", reduced_motion="reduce")
        context.add_init_script(hub_checks.WATCH)
        if self.token and is_known:
            answer = context.request.post(
                f"{self.server.origin}/api/v1/session", data={"token": self.token},
                headers={"Sec-Fetch-Site": "same-origin"})
            if not answer.ok:
                self.faults.append(f"signing in: {answer.status} {answer.text()[:200]}")
        return context

    def page(self, context):
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("console", lambda message: self.hear(message))
        return page

    def hear(self, message):
        """Answers of 404 and 405 are of routes that a companion may not have yet."""
        text = message.text
        if message.type == "error" and not text.startswith("Failed to load resource"):
            self.faults.append(f"console: {text[:300]}")

    def open(self, page, place):
        page.goto("about:blank")
        page.goto(f"{self.server.url}#/{place}")
        self.settle(page)

    def settle(self, page):
        page.wait_for_selector("main h1")
        if not hub_checks.until(page, SETTLED):
            self.faults.append(f"a card never got an answer: {page.url}")

    def few_places(self):
        every = self.places()
        return every if self.is_long else {name: every[name] for name in FEW}

    def places(self):
        return {"overview": "overview", "live": "live", "visitors": "visitors",
                "visitor": f"visitors/{self.visitor}", "acquisition": "acquisition",
                "behaviour": "behaviour", "conversions": "conversions", "deliveries": "deliveries",
                "quality": "quality", "settings": "settings"}


def look_at_every_page(hub):
    """axe, overflow and a picture of each page, theme and width."""
    axe = AXE.read_text()
    found = []
    for theme, width in EVERY_LOOK if hub.is_long else TWO_LOOKS:
        context = hub.window(width, theme)
        page = hub.page(context)
        places = hub.places() if width > 390 else hub.few_places()
        for name, place in places.items():
            hub.open(page, place)
            where = f"{name} {width} {theme}"
            found += hub_checks.overflow(page, where)
            found += hub_checks.axe(page, axe, where)
            if hub.pictures:
                page.screenshot(path=hub.pictures / f"hub-{name}-{width}-{theme}.png",
                                full_page=True)
        context.close()
    return found


CHECKS = {
    "the way in": hub_checks.way_in,
    "every page": look_at_every_page,
    "by keyboard alone": hub_checks.keyboard,
    "hostile strings stay text": hub_checks.hostile,
    "tables for spreadsheets": hub_checks.saved_tables,
    "a funnel by keyboard": hub_insight.funnel,
    "goals by keyboard": hub_insight.goals,
    "a timeline by pages": hub_checks.whole_timeline,
    "eight tabs, one stream": hub_checks.one_stream,
    "without the companion": hub_checks.away,
    "a panel from an answer of the documented shape": hub_checks.documented_answer,
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("addresses", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--only", default="", help="part of a check's name")
    parser.add_argument("--long", action="store_true")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    addresses = {**json.loads(given.addresses.read_text()), "folder": given.addresses.parent}
    fill(addresses)
    server = HubProxy(addresses["companion"])
    done = {0: 0, 1: 0}
    with chromium() as browser:
        hub = Hub(browser, server, addresses, richest_visitor(addresses), given.pictures,
                  given.long)
        for name, check in CHECKS.items():
            if given.only not in name:
                continue
            began = time.monotonic()
            failed = run(hub, name, check)
            print(f"hub: {name}: {'FAILED' if failed else 'ok'}, {time.monotonic() - began:.1f} s",
                  flush=True)
            done[failed] += 1
    print(f"hub: {done[0]} passed, {done[1]} failed")
    return int(done[1] > 0)


def run(hub, name, check) -> int:
    hub.faults = []
    try:
        found = check(hub) + hub.faults
    except Exception:  # one check that fails must not hide the others
        traceback.print_exc()
        return 1
    for fault in found:
        print(f"hub: {name}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
