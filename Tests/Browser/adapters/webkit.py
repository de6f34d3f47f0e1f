"""WebKitGTK's MiniBrowser of Debian, driven by Selenium; needs a display (xvfb-run)."""
import asyncio
import os
import pathlib
import signal

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
# How long a browser may take to begin and to end. One that died under way leaves its driver waiting
# for ever, and with it everything that waits for an answer: then the driver is ended.
START_SECONDS_MAX = 60
END_SECONDS_MAX = 15


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
        service = Service(DRIVER)
        try:
            return Tab(await asyncio.wait_for(
                asyncio.to_thread(self._open, service), START_SECONDS_MAX))
        except asyncio.CancelledError:
            end(service)
            raise
        except asyncio.TimeoutError:
            end(service)
            raise BrowserError(f"no browser after {START_SECONDS_MAX} s") from None

    def _open(self, service):
        options = Options()
        options.binary_location = EXECUTABLE
        options.add_argument("--automation")
        options.set_capability("pageLoadStrategy", "normal")
        driver = webdriver.WebKitGTK(options=options, service=service)
        driver.set_script_timeout(SCRIPT_SECONDS_MAX)
        driver.set_window_size(1280, 900)
        return driver

    async def leave(self, tab):
        """A scenario that was given up may still wait for the driver, in a thread of its own."""
        try:
            await asyncio.wait_for(asyncio.to_thread(tab.driver.quit), END_SECONDS_MAX)
        except Exception as error:
            print(f"webkit: ended by force: {type(error).__name__}", flush=True)
            end(tab.driver.service)


def end(service):
    """Ends a driver and its browser; whoever waits for an answer of theirs is told that none comes."""
    if service.process is None:
        return
    for process in [*children(service.process.pid), service.process.pid]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def children(parent):
    """The processes below one, the farthest first."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(after_name[1]) == parent:
            child = int(status.parent.name)
            found += [*children(child), child]
    return found


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
