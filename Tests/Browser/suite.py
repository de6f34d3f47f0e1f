"""Plays the scenarios on the browsers, all at the same time, against a real engine.

    suite.py --binary .build/release/heliograph [--long] [--browser NAME]… [--only TEXT]…
             [--pictures FOLDER] [--json FILE]

The short form plays everything on Chromium and the essential scenarios on the others. With a
folder for pictures a visitor's journey through the demo shop goes on beside them.
"""
import argparse
import asyncio
import importlib
import json
import pathlib
import pkgutil
import sys
import time
import traceback

import adapters
import catalogue
import scenarios
from adapters.interface import BrowserError
from scene import Failure, Scene
from stage.house import House
from stage.stores import Stores
from wire import Violation

from engine import Engine, free_port  # noqa: E402  (Tests/Chaos, put on the path by stage.stores)

# How often a scenario is played whose gestures the machine was too busy for.
TIMES_MAXIMUM = 5
HERE = pathlib.Path(__file__).resolve().parent
SITE = """
  - name: {name}
    keys: [hg_{name}]
    origins: ["*"]
    automation: count
    consent: {{default: 1, cookieless: session}}
"""
# One tracking link for each browser; the house's port, to which it leads, is chosen before.
LINK = """      - name: spring-{name}
        target: http://spring-{name}.localhost:{port}/landed
        source: newsletter
        medium: email
"""


def load():
    for module in pkgutil.iter_modules(scenarios.__path__):
        importlib.import_module(f"scenarios.{module.name}")
    return catalogue.EVERY


def chosen(every, browser, options):
    """What is played here, and what is not with the reason."""
    played, left_out = [], []
    for at, one in enumerate(every):
        if options.only and not any(text in one.name for text in options.only):
            continue
        lacking = one.needs - browser.offers
        reason = one.not_on.get(browser.name) or (
            f"{browser.name} offers no {', '.join(sorted(lacking))} here" if lacking else None)
        if reason:
            left_out.append((one, reason))
        elif options.long or options.only or one.essential or browser.name == "chromium":
            played.append((at, one))
    return played, left_out


class Suite:
    def __init__(self, house, stores, options):
        self.house = house
        self.stores = stores
        self.options = options
        self.results = []
        self.figures = []

    async def browser(self, name):
        browser = adapters.browser(name)
        played, left_out = chosen(catalogue.EVERY, browser, self.options)
        for one, reason in left_out:
            self.note(name, one.name, "cannot", reason)
        await browser.start()
        try:
            # Longest first, so that no slow one is left alone at the end.
            waiting = sorted(played, key=lambda pair: -pair[1].seconds)
            count = min(browser.visitors_maximum, self.options.parallel or 99)
            again = []
            await asyncio.gather(*[self.work(browser, waiting, again) for _ in range(count)])
            for at, one in again:
                await self.alone(browser, at, one)
        finally:
            await browser.stop()

    async def work(self, browser, waiting, again):
        while waiting:
            at, one = waiting.pop(0)
            if not await self.play(browser, at, one, beside=True):
                again.append((at, one))

    async def alone(self, browser, at, one):
        """Once more, with nothing beside it, what the machine was too busy for."""
        for time_played in range(2, TIMES_MAXIMUM + 1):
            last = time_played == TIMES_MAXIMUM
            if await self.play(browser, at, one, time_played, last):
                return

    async def play(self, browser, at, one, time_played=1, last=False, beside=False):
        """Plays a scenario; false when it failed while gestures took far longer than asked, or
        beside others, which share its browser: alone it must pass."""
        site = site_name(browser.name, at, time_played)
        scene = Scene(self.house, self.stores, browser, site)
        began = time.monotonic()
        try:
            await asyncio.wait_for(self.acts(one, scene), one.seconds)
            self.note(browser.name, one.name, "passed", "", time.monotonic() - began)
        except Exception as failure:  # a scenario's own mistake must not end the others
            expected = isinstance(failure, (Failure, Violation, BrowserError))
            reason = str(failure) if expected else traceback.format_exc()
            if (scene.disturbed() or beside) and not last:
                late = scene.disturbed()
                cause = f"a gesture came {late} ms late" if late else "it failed beside others"
                print(f"{browser.name}: once more: {one.name}: {cause} ({reason[-300:]})",
                      flush=True)
                return False
            self.note(browser.name, one.name, "failed", reason, time.monotonic() - began)
        finally:
            if scene.figures:
                self.figures.append({"browser": browser.name, **scene.figures})
            await closed(scene)
        return True

    async def journey(self, addresses):
        """The demo shop, the live page and the read API, in a process of its own."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "journey.py"), str(addresses), self.options.pictures,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        told, _ = await process.communicate()
        outcome = "passed" if process.returncode == 0 else "failed"
        self.note("chromium", "a visitor's journey through the demo shop", outcome,
                  told.decode() if outcome == "failed" else "", time.monotonic() - began)

    async def acts(self, one, scene):
        await one.play(scene)
        await scene.judge()

    def note(self, browser, name, outcome, reason="", seconds=0.0):
        self.results.append({"browser": browser, "scenario": name, "outcome": outcome,
                             "reason": reason, "seconds": round(seconds, 1)})
        if outcome == "failed" or self.options.verbose:
            print(f"{browser}: {outcome}: {name} ({seconds:.1f} s) {reason}", flush=True)


async def closed(scene):
    try:
        await scene.close()
    except Exception as error:  # the browser may be gone already; the result stands
        print(f"{scene.browser.name}: closing {scene.site}: {error}", flush=True)


def site_name(browser, at, time_played=1):
    """A site of its own for each time that a scenario is played."""
    return f"{browser[0]}{at}" + "abcdef"[time_played - 1]


def sites(count, port=None):
    """Settings of everybody's sites; with the house's port, the shop's links lead there."""
    links = "".join(LINK.format(name=name, port=port) for name in adapters.NAMES)
    return "sites:" + "".join(
        SITE.format(name=site_name(browser, at, time_played)) for browser in adapters.NAMES
        for at in range(count) for time_played in range(1, TIMES_MAXIMUM + 1)
    ) + SITE.format(name="demo") + (f"    links:\n{links}" if port else "")


async def run(engine, options, port):
    house = House(engine.ingest_port, port)
    await house.open()
    stores = Stores(engine.addresses())
    suite = Suite(house, stores, options)
    try:
        tasks = [suite.browser(name) for name in options.browser]
        if options.pictures and not options.only:
            tasks.append(suite.journey(engine.addresses_file))
        await asyncio.gather(*tasks)
    finally:
        await house.close()
        stores.close()
    return suite


def report(suite, options, seconds):
    results = suite.results
    outcomes = ("passed", "failed", "cannot")
    print("\nbrowser    " + " ".join(f"{outcome:>7}" for outcome in outcomes))
    for name in options.browser:
        counts = [sum(r["browser"] == name and r["outcome"] == outcome for r in results)
                  for outcome in outcomes]
        print(f"{name:10} " + " ".join(f"{count:7}" for count in counts))
    for one in results:
        if one["outcome"] == "cannot":
            print(f"  not on {one['browser']}: {one['scenario']}: {one['reason']}")
    for figures in suite.figures:
        print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    if options.json:
        told = {"results": results, "figures": suite.figures}
        pathlib.Path(options.json).write_text(json.dumps(told, indent=1), encoding="utf-8")
    failed = sum(one["outcome"] == "failed" for one in results)
    passed = sum(one["outcome"] == "passed" for one in results)
    print(f"scenarios: {passed} passed, {failed} failed in {seconds:.0f} s")
    return failed == 0 and passed > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true", help="everything on every browser")
    parser.add_argument("--browser", action="append", choices=adapters.NAMES)
    parser.add_argument("--only", action="append", help="scenarios whose name holds this")
    parser.add_argument("--parallel", type=int, help="visitors of a browser at a time, at most")
    parser.add_argument("--pictures", help="where the journey's pictures go")
    parser.add_argument("--json", help="where the results go")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.browser = options.browser or list(adapters.NAMES)
    began = time.monotonic()
    port = free_port()
    engine = Engine(options.binary, settings=sites(len(load()), port))
    try:
        engine.start()
        suite = asyncio.run(run(engine, options, port))
        engine.stop()
    finally:
        engine.clean_up()
    sys.exit(0 if report(suite, options, time.monotonic() - began) else 1)


if __name__ == "__main__":
    main()
