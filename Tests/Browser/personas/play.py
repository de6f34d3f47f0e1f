"""Sends ten scripted people through the demo shop in one Chromium, and asks who they are.

    play.py --binary .build/release/heliograph [--only TEXT]… [--why] [--pictures FOLDER]
            [--json FILE] [--seed N]

They browse at the same time, each with storage of an own, against an engine of their own; then
score, band, profile and confidence are read from Redis and compared with who they are meant to be.
"""
import argparse
import asyncio
import json
import math
import pathlib
import sys
import time
import urllib.request
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import adapters  # noqa: E402
from adapters.interface import BrowserError  # noqa: E402
from personas.people import EVERYBODY, UNDETERMINED  # noqa: E402
from personas.person import Lost, Person, PhoneUser  # noqa: E402
from playwright.async_api import Error  # noqa: E402
from scene import Sleeper  # noqa: E402
from stage.stores import Stores  # noqa: E402
from suite import SITE  # noqa: E402

from engine import Engine  # noqa: E402  (Tests/Chaos, put on the path by stage.stores)

RIGHT_MINIMUM_OF_TEN = 9
# Between two people's first steps: nobody waits for all the others' pages to load.
APART_SECONDS = 0.3
PATIENCE_SECONDS = 25
# What a browser shows of a page on the commonest laptop screen, 1366 x 768.
LAPTOP = {"width": 1366, "height": 625}
# The page's own clock, set back: who comes again has been away by the device's time.
SET_BACK = """(() => {
    const back = %d, Real = Date, now = Date.now.bind(Date);
    window.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(now() - back); }
        static now() { return now() - back; }
    };
})()"""


@dataclass
class Outcome:
    persona: object
    seconds: float = 0.0
    # The visitor's hash in Redis, and what the read API says of why.
    values: dict = field(default_factory=dict)
    why: dict = field(default_factory=dict)
    fault: str = ""

    @property
    def got(self):
        return self.values.get("profile") or UNDETERMINED

    @property
    def right(self):
        band = self.values.get("band")
        return (not self.fault and self.got == self.persona.profile
                and (not self.persona.bands or band in self.persona.bands))

    def report(self):
        values = {name: value for name, value in self.values.items() if name != "state"}
        return {"persona": self.persona.name, "expected": self.persona.profile, "got": self.got,
                "right": self.right, "seconds": round(self.seconds), "redis": values,
                "probabilities": self.why.get("probabilities"), "fault": self.fault}


class Shop:
    """The engine's demo shop, and the browser that people come with; owned by the event loop."""

    def __init__(self, engine, browser, stores, options):
        self.engine = engine
        self.browser = browser
        self.stores = stores
        self.pictures = options.pictures
        self.seed = options.seed

    async def host(self, persona, place):
        """One person's way, from coming to being told about."""
        await asyncio.sleep(place * APART_SECONDS)
        outcome, began = Outcome(persona), time.monotonic()
        tab = await self.browser.visitor(phone=persona.phone)
        try:
            await self.visits(persona, tab)
            outcome.seconds = time.monotonic() - began
            outcome.values = await self.told(tab)
            outcome.why = await asyncio.to_thread(self.explained, await self.visitor(tab))
        except (Lost, BrowserError, Error, TimeoutError) as fault:
            outcome.fault = f"{type(fault).__name__}: {fault}"
        finally:
            await self.browser.leave(tab)
        return outcome

    async def visits(self, persona, tab):
        kind = PhoneUser if persona.phone else Person
        for visit, hours in enumerate(persona.visits_hours_ago):
            page = await tab.new_tab()
            if not persona.phone:
                await page.page.set_viewport_size(LAPTOP)
            if hours:
                await page.page.add_init_script(SET_BACK % (hours * 3_600_000))
            dice = f"{self.seed} {persona.name} {visit}"
            person = kind(page, self.engine.companion, dice, **persona.manner)
            await persona.play(person, visit)
            await self.picture(persona, page)
            moment = now_milliseconds()
            await page.goto("about:blank")
            await self.seen(tab, moment)
            await page.close()

    async def picture(self, persona, tab):
        if self.pictures:
            name = persona.name.replace(" ", "-").replace(",", "")
            await tab.page.screenshot(path=str(pathlib.Path(self.pictures) / f"{name}.png"))

    async def visitor(self, tab):
        found = [one["value"] for one in await tab.page.context.cookies()
                 if one["name"] == "_hg_d"]
        if not found:
            raise Lost("the SDK has set no device cookie")
        return found[0]

    async def seen(self, tab, moment):
        """Waits until what was told on leaving is part of the score."""
        visitor, end = await self.visitor(tab), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            values = await self.stores.visitor("demo", visitor)
            if values and int(values["seen"]) >= moment - 100:
                return values
            await asyncio.sleep(0.1)
        raise Lost(f"the last events of {visitor} never came to Redis: {values}")

    async def told(self, tab):
        return await self.stores.visitor("demo", await self.visitor(tab))

    def explained(self, visitor):
        """Only to be shown: the verdict stands on what Redis holds."""
        question = self.engine.companion_request(f"/api/v1/visitors/{visitor}/explain?site=demo")
        try:
            with urllib.request.urlopen(question, timeout=10) as answer:
                return json.load(answer)
        except OSError as fault:
            return {"probabilities": {}, "fault": str(fault)}


def now_milliseconds():
    return int(time.time() * 1000)


async def browse(engine, people, options):
    browser = adapters.browser("chromium")
    await browser.start()
    stores, sleeper = Stores(engine.addresses()), Sleeper()
    shop = Shop(engine, browser, stores, options)
    try:
        outcomes = await asyncio.gather(
            *[shop.host(one, place) for place, one in enumerate(people)])
    finally:
        sleeper.stop()
        await browser.stop()
        stores.close()
    return outcomes, sleeper.late_milliseconds


# ---- the report


def show(outcomes):
    print(f"{'persona':34} {'expected':17} {'got':17} {'P':>5} {'conf':>5} {'score':>6} "
          f"{'band':5} {'s':>4}")
    for one in outcomes:
        chances = sorted(one.why.get("probabilities", {}).values(), reverse=True) or [0]
        print(f"{one.persona.name:34} {one.persona.profile:17} {one.got:17} {chances[0]:5.2f} "
              f"{float(one.values.get('confidence', 0)):5.2f} "
              f"{float(one.values.get('score', 0)):6.1f} {one.values.get('band', '-'):5} "
              f"{one.seconds:4.0f}{'' if one.right else '  WRONG'} {one.fault}")


def confusion(outcomes):
    names = sorted({one.persona.profile for one in outcomes} | {one.got for one in outcomes})
    print("\nexpected \\ got    " + " ".join(f"{name[:12]:>12}" for name in names))
    for row in names:
        counts = [sum(one.persona.profile == row and one.got == name for one in outcomes)
                  for name in names]
        print(f"{row:17} " + " ".join(f"{count or '.':>12}" for count in counts))


def explain(outcomes):
    for one in outcomes:
        print(f"\n{one.persona.name}: {json.dumps(one.why, indent=1)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--only", action="append", help="people whose name or profile holds this")
    parser.add_argument("--why", action="store_true", help="shows what led to each outcome")
    parser.add_argument("--pictures", help="where a picture of everybody's last page goes")
    parser.add_argument("--seed", type=int, default=0, help="others with the same intentions")
    parser.add_argument("--json", help="where the report goes")
    # Options of the suite may be handed over along with these.
    options, _ = parser.parse_known_args()
    people = [one for one in EVERYBODY if not options.only
              or any(text in f"{one.name} {one.profile}" for text in options.only)]
    if not people:
        sys.exit(f"personas: nobody is like {options.only}")
    began = time.monotonic()
    outcomes, late_milliseconds = run(people, options)
    if options.why:
        explain(outcomes)
    show(outcomes)
    confusion(outcomes)
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps([one.report() for one in outcomes], indent=1), encoding="utf-8")
    right = sum(one.right for one in outcomes)
    wanted = math.ceil(len(people) * RIGHT_MINIMUM_OF_TEN / 10)
    print(f"\n{right} of {len(people)} right in {time.monotonic() - began:.0f} s; "
          f"the machine was {late_milliseconds:.0f} ms late at worst")
    print(f"personas: {int(right >= wanted)} passed, {int(right < wanted)} failed")
    sys.exit(0 if right >= wanted else 1)


def run(people, options):
    """What came of them, and how late the machine was at worst, in milliseconds."""
    engine = Engine(options.binary, settings="sites:" + SITE.format(name="demo"))
    try:
        engine.start()
        told = asyncio.run(browse(engine, people, options))
        engine.stop()
    finally:
        engine.clean_up()
    return told


if __name__ == "__main__":
    main()
