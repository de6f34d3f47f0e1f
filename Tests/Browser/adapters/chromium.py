"""Chromium of Debian, driven by Playwright; back/forward cache on, visitors as contexts."""
import asyncio
import contextlib
import shutil
import tempfile

from playwright.async_api import Error, async_playwright

from adapters import interface
from adapters.interface import BrowserError

EXECUTABLE = "/usr/bin/chromium"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
         "device_scale_factor": 2}
DESK = {"viewport": {"width": 1280, "height": 800}}
DOUBLE_CLICK_MILLISECONDS = 500


class Browser:
    name = "chromium"
    offers = {"touch", "prerender", "bfcache", "tabs", "offline", "navigation-api", "print"}
    # Visitors who may be at work side by side: each page takes itself for the focused one.
    visitors_maximum = 6

    async def start(self):
        self.playwright = await async_playwright().start()
        self.chromium = await self.playwright.chromium.launch(
            executable_path=EXECUTABLE, args=["--no-sandbox"],
            ignore_default_args=["--disable-back-forward-cache"])

    async def stop(self):
        await self.chromium.close()
        await self.playwright.stop()

    @contextlib.asynccontextmanager
    async def undriven(self, url):
        """A browser that nobody drives, at a page: one that is driven never prerenders."""
        profile = tempfile.mkdtemp(prefix="heliograph-chromium-")
        process = await asyncio.create_subprocess_exec(
            EXECUTABLE, "--headless", "--no-sandbox", f"--user-data-dir={profile}",
            "--remote-debugging-port=0", "--no-first-run", url,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        try:
            yield
        finally:
            process.kill()
            await process.wait()
            shutil.rmtree(profile, ignore_errors=True)

    async def visitor(self, phone=False):
        context = await self.chromium.new_context(**(PHONE if phone else DESK))
        return Tab(await context.new_page())

    async def leave(self, tab):
        await tab.page.context.close()


class Tab(interface.Tab):
    def __init__(self, page):
        self.page = page
        self.session = None
        # Milliseconds waited in gestures: the hand's clock, which no busy machine slows.
        self.waited = 0
        # Place, time by that clock, and count of the newest press.
        self.pressed = (None, 0, 0)

    async def goto(self, url, wait=True):
        try:
            await self.page.goto(url, wait_until="load" if wait else "commit")
        except Error as error:
            raise BrowserError(str(error)) from None

    async def run(self, source):
        try:
            return await self.page.evaluate(f"async () => {{ {source} }}")
        except Error as error:
            raise BrowserError(str(error)) from None

    async def play_steps(self, steps):
        mouse, keyboard = self.page.mouse, self.page.keyboard
        for kind, *given in steps:
            if kind == "move":
                self.mouse = tuple(given)
                await mouse.move(*given)
            elif kind == "wait":
                self.waited += given[0]
                await asyncio.sleep(given[0] / 1000)
            elif kind in ("down", "up"):
                await getattr(mouse, kind)(click_count=self.clicks(kind))
            elif kind == "wheel":
                await mouse.wheel(0, given[0])
            elif kind == "touch":
                await self.touch(*given)
            elif kind == "key":
                await keyboard.press(given[0])
            else:
                await {"press": keyboard.down, "release": keyboard.up}[kind](*given)

    def clicks(self, kind):
        """How many presses in a row this one makes, as a desktop counts them."""
        if kind == "down":
            place, waited, count = self.pressed
            again = place == self.mouse and self.waited - waited < DOUBLE_CLICK_MILLISECONDS
            self.pressed = (self.mouse, self.waited, count + 1 if again else 1)
        return self.pressed[2]

    async def new_tab(self):
        return Tab(await self.page.context.new_page())

    async def to_front(self):
        await self.page.bring_to_front()

    async def close(self):
        await self.page.close()

    async def really_focused(self):
        # Playwright makes every page believe that it has the focus.
        await self.devtools("Emulation.setFocusEmulationEnabled", enabled=False)

    # ---- what only this adapter offers

    async def devtools(self, method, **parameters):
        if not self.session:
            self.session = await self.page.context.new_cdp_session(self.page)
        return await self.session.send(method, parameters)

    async def offline(self, yes):
        await self.page.context.set_offline(yes)

    async def touch(self, kind, *points):
        """A raw touch: `Start`, `Move` or `End`, with the places of the fingers."""
        places = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        await self.devtools("Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=places)
