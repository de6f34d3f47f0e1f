"""WebKitGTK's MiniBrowser of Debian, driven by Selenium; needs a display (xvfb-run)."""
import asyncio
import os

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.command import Command
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from adapters import interface
from adapters.interface import BrowserError, pointer_actions

DRIVER = "/usr/bin/WebKitWebDriver"
EXECUTABLE = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
SCRIPT_SECONDS_MAX = 60


class Browser:
    name = "webkit"
    offers = {"bfcache", "tabs"}
    visitors_maximum = 1

    async def start(self):
        if not os.environ.get("DISPLAY"):
            raise BrowserError("WebKitGTK needs a display: run this under xvfb-run -a")

    async def stop(self):
        """Every visitor has had a browser of its own."""

    async def visitor(self):
        return Tab(await asyncio.to_thread(self._open))

    def _open(self):
        options = Options()
        options.binary_location = EXECUTABLE
        options.add_argument("--automation")
        options.set_capability("pageLoadStrategy", "normal")
        driver = webdriver.WebKitGTK(options=options, service=Service(DRIVER))
        driver.set_script_timeout(SCRIPT_SECONDS_MAX)
        driver.set_window_size(1280, 900)
        return driver

    async def leave(self, tab):
        await asyncio.to_thread(tab.driver.quit)


class Tab(interface.Tab):
    def __init__(self, driver, handle=None):
        self.driver = driver
        self.handle = handle or driver.current_window_handle
        # The window that Selenium talks to; tabs of one driver share it.
        driver.shown = self.handle
        # WebKitGTK's driver takes a wheel's delta for its place: it turns by the difference to the
        # last one, and a pause turns it back. So each tick tells the sum of all turns.
        self.wheel = [0]

    async def _do(self, action, *given):
        """Selenium waits; the other browsers' tasks must not."""
        def here():
            if self.driver.shown != self.handle:
                self.driver.switch_to.window(self.handle)
                self.driver.shown = self.handle
            return action(*given)
        try:
            return await asyncio.to_thread(here)
        except WebDriverException as error:
            raise BrowserError(f"{type(error).__name__}: {error.msg}") from None

    async def goto(self, url, wait=True):
        if wait:
            await self._do(self.driver.get, url)
        else:
            await self.run(f"setTimeout(() => location.assign({url!r})); return ''")

    async def run(self, source):
        answer = await self._do(
            self.driver.execute_async_script,
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {source} }})().then(v => done([v]), e => done([null, String(e)]));")
        if len(answer) > 1:
            raise BrowserError(answer[1])
        return answer[0]

    async def play_steps(self, steps):
        actions = pointer_actions(self, steps, self.wheel)
        await self._do(self.driver.execute, Command.W3C_ACTIONS, {"actions": actions})

    async def new_tab(self):
        def opened():
            self.driver.switch_to.new_window("tab")
            return self.driver.current_window_handle
        return Tab(self.driver, await self._do(opened))

    async def to_front(self):
        await self._do(lambda: None)

    async def close(self):
        await self._do(self.driver.close)
