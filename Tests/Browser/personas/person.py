"""A person at a mouse or a phone: goes places, reads, points, clicks and types at a human pace.

Every input is dispatched by the browser itself, so the page sees trusted events. Ways of the mouse
are recordings of people (PyPI `cursory`), bent to where they are to lead.
"""
import asyncio
import random
import time

from cursory import generate_trajectory
from playwright.async_api import Error

WORDS_PER_MINUTE = 238
NOTCH_PIXELS = 100
# Chromium gives a page no more than one place of the mouse per frame; the SDK looks at 20 a second.
SAMPLES_PER_SECOND = 40
# A point of a way that is so late is left out, as a mouse reports only where it is by then.
LATE_SECONDS = 0.03
PATIENCE_SECONDS = 20

WHERE = """(selector) => {
    const element = document.querySelector(selector);
    if (!element) return null;
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left, top, width, height, wide: innerWidth, high: innerHeight,
        above: scrollY, below: document.documentElement.scrollHeight - innerHeight - scrollY,
        words: ((element.innerText || '').match(/\\S+/g) || []).length };
}"""


class Lost(Exception):
    """The page is not what the person expected."""


class Person:
    """`hurry` above 1 makes somebody scroll, point and type faster than most."""

    def __init__(self, tab, origin, seed, hurry=1.0, directness=0.65):
        self.tab = tab
        self.origin = origin
        self.dice = random.Random(seed)
        self.hurry = hurry
        self.directness = directness

    # ---- time

    async def wait(self, seconds):
        await self.tab.play_steps([("wait", seconds * 1000)])

    async def think(self, low=0.3, high=0.7):
        await self.wait(self.dice.uniform(low, high) / self.hurry)

    # ---- where things are

    async def where(self, selector):
        found = await self.tab.evaluate(WHERE, selector)
        if found is None:
            raise Lost(f"nothing on {self.tab.page.url} matches {selector}")
        return found

    async def words(self, selector):
        return await self.tab.page.inner_text(selector)

    def expect(self, condition, what):
        if not condition:
            raise Lost(f"in vain expected {what}; at {self.tab.page.url}")

    async def place(self):
        """The page's path and how far it has loaded, or None while there is no page to ask."""
        try:
            return await asyncio.wait_for(self.tab.page.evaluate(
                "() => [location.pathname, document.readyState]"), 2)
        except (Error, TimeoutError):
            return None

    async def until(self, condition, what):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if await condition():
                return
            await asyncio.sleep(0.05)
        raise Lost(f"never came: {what}; at {self.tab.page.url}")

    async def arrived(self, path):
        async def there():
            return await self.place() == [path, "complete"]
        await self.until(there, path)
        await self.think(0.5, 1.0)

    # ---- going places

    async def enter(self, path):
        """By an address: a bookmark, an advertisement, a mail."""
        await self.tab.goto(self.origin + path)
        await self.think(0.5, 1.0)

    async def follow(self, selector, path, **pointing):
        await self.click(selector, **pointing)
        await self.arrived(path)

    async def back(self, path):
        try:
            await self.tab.page.evaluate("() => void setTimeout(() => history.back(), 0)")
        except Error:
            pass  # the page went before it could answer
        await self.arrived(path)

    async def away(self, seconds):
        """Looks at something else in another tab, and comes back."""
        await self.tab.devtools("Emulation.setFocusEmulationEnabled", enabled=False)
        other = await self.tab.new_tab()
        await other.goto("about:blank")
        await self.wait(seconds)
        await other.close()
        await self.tab.to_front()
        # Playwright's pages all believe that they have the focus: so does this one again.
        await self.tab.devtools("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.think()

    # ---- eyes

    async def bring(self, selector, share=0.42):
        """Scrolls until the middle of something (or its head, when it is tall) is in sight."""
        for _ in range(60):
            spot = await self.where(selector)
            middle = spot["top"] + min(spot["height"], spot["high"] * 0.8) / 2
            rest = middle - spot["high"] * share
            room = spot["below"] if rest > 0 else spot["above"]
            if abs(rest) <= NOTCH_PIXELS * 0.6 or room < 1:
                return spot
            await self.turn(min(abs(rest), room) * (1 if rest > 0 else -1))
        raise Lost(f"{selector} never came into sight")

    async def turn(self, pixels):
        """One stroke of the finger over the wheel: a few notches, and a moment."""
        notches = max(1, min(round(abs(pixels) / NOTCH_PIXELS), self.dice.randint(3, 5)))
        size = min(NOTCH_PIXELS, abs(pixels)) * (1 if pixels > 0 else -1)
        for _ in range(notches):
            await self.tab.play_steps([("wheel", size)])
            await self.wait(self.dice.uniform(0.03, 0.07) / self.hurry)
        await self.wait(self.dice.uniform(0.2, 0.45) / self.hurry)

    async def race(self, pixels):
        """Down in long strokes, for a first impression."""
        for _ in range(round(pixels / NOTCH_PIXELS / 8)):
            for _ in range(8):
                await self.tab.play_steps([("wheel", NOTCH_PIXELS)])
                await self.wait(self.dice.uniform(0.02, 0.05) / self.hurry)
            await self.wait(self.dice.uniform(0.15, 0.35) / self.hurry)

    async def read(self, selector, share=1.0):
        """Reads so much of a part of the page, word for word."""
        spot = await self.bring(selector)
        await self.stay(60 * share * spot["words"] / WORDS_PER_MINUTE)

    async def look(self, selector, seconds):
        await self.bring(selector)
        await self.stay(seconds)

    async def stay(self, seconds):
        """Rests here; the hand on the mouse moves a little now and then."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.8:
            await self.wait(min(left, self.dice.uniform(1.5, 3.5)))
            if end - time.monotonic() > 0.8:
                await self.drift()
        await self.wait(max(0.0, end - time.monotonic()))

    async def drift(self):
        x, y = self.tab.mouse
        await self.glide(x + self.dice.uniform(-90, 90), y + self.dice.uniform(-60, 60))

    # ---- the hand on the mouse

    async def glide(self, x, y):
        """Along a person's way to a place, at that person's pace."""
        size = self.tab.page.viewport_size
        end = (inside(x, size["width"]), inside(y, size["height"]))
        points, moments = generate_trajectory(
            self.tab.mouse, end, SAMPLES_PER_SECOND, seed=self.dice.randrange(2**31),
            directness=self.directness)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for (to_x, to_y), moment in zip(points, moments):
            ahead = began + moment / 1000 / self.hurry - loop.time()
            if ahead < -LATE_SECONDS:
                continue
            await asyncio.sleep(max(0.0, ahead))
            await self.move(inside(to_x, size["width"]), inside(to_y, size["height"]))
        await self.move(*end)

    async def move(self, x, y):
        if (x, y) != self.tab.mouse:
            await self.tab.play_steps([("move", x, y)])

    async def reach(self, selector):
        """Where something is that a hand can go to; scrolls only when it is out of sight."""
        spot = await self.where(selector)
        if 0 <= spot["top"] + spot["height"] / 2 <= spot["high"]:
            return spot
        return await self.bring(selector)

    async def point(self, selector):
        spot = await self.reach(selector)
        share = self.dice.uniform
        await self.glide(spot["left"] + spot["width"] * share(0.3, 0.7),
                         spot["top"] + spot["height"] * share(0.35, 0.65))

    async def hover(self, selector, seconds):
        await self.point(selector)
        await self.wait(seconds)

    async def click(self, selector, think=0.25):
        """Presses what the pointer was led to, after a moment's thought."""
        await self.point(selector)
        await self.wait(think * self.dice.uniform(0.7, 1.3))
        await self.press()

    async def press(self):
        await self.tab.play_steps([("down",), ("wait", self.dice.randint(60, 110)), ("up",)])

    async def move_off(self):
        """Takes the pointer from what it is on to some empty place."""
        x, y = self.tab.mouse
        await self.glide(x + self.dice.choice((-1, 1)) * self.dice.uniform(220, 340),
                         y + self.dice.uniform(-120, 120))

    # ---- keys

    async def type(self, text, seconds=0.2):
        for letter in text:
            pause = seconds * self.dice.uniform(0.6, 1.6)
            await self.tab.play_steps([("key", letter), ("wait", pause * 1000)])

    async def keys(self, *names, seconds=0.25):
        await self.type(names, seconds)

    async def fill(self, selector, text, think=0.4):
        await self.click(selector)
        await self.wait(think / self.hurry)
        await self.type(text)


class PhoneUser(Person):
    """The same person with a finger."""

    async def touch(self, kind, *places):
        await self.tab.play_steps([("touch", kind, *places)])

    async def stroke(self, start, end, seconds=0.25):
        """One finger over the glass; the page scrolls when it goes up or down."""
        await self.touch("Start", start)
        steps = max(3, round(seconds / 0.016))
        for step in range(1, steps + 1):
            share = 1 - (1 - step / steps) ** 2
            await self.touch("Move", tuple(round(a + (b - a) * share)
                                           for a, b in zip(start, end)))
            await self.wait(0.016)
        await self.touch("End")

    async def turn(self, pixels):
        size = self.tab.page.viewport_size
        distance = min(abs(pixels), self.dice.uniform(220, 380)) * (1 if pixels > 0 else -1)
        x, y = size["width"] * 0.7 + self.dice.uniform(-20, 20), size["height"] * 0.5
        await self.stroke((round(x), round(y + distance / 2)), (round(x), round(y - distance / 2)))
        await self.wait(self.dice.uniform(0.4, 0.8) / self.hurry)

    async def stay(self, seconds):
        await self.wait(seconds)

    async def tap(self, selector):
        spot = await self.reach(selector)
        place = (round(spot["left"] + spot["width"] * self.dice.uniform(0.35, 0.65)),
                 round(spot["top"] + spot["height"] * self.dice.uniform(0.4, 0.6)))
        await self.touch("Start", place)
        await self.wait(self.dice.uniform(0.06, 0.1))
        await self.touch("End")

    async def click(self, selector, think=0.25):
        await self.wait(think)
        await self.tap(selector)

    async def drag(self, selector, start, end, seconds):
        """Along something from one share of its width to another."""
        spot = await self.reach(selector)
        y = round(spot["top"] + spot["height"] / 2)
        await self.stroke((round(spot["left"] + spot["width"] * start), y),
                          (round(spot["left"] + spot["width"] * end), y), seconds)

    async def double_tap(self, selector):
        """To see it larger."""
        await self.tap(selector)
        await self.wait(0.1)
        await self.tap(selector)


def inside(place, pixels):
    return round(min(max(place, 2), pixels - 3))
