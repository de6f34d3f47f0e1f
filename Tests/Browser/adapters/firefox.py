"""Firefox ESR of Debian, driven by WebDriver BiDi over a WebSocket: no driver in between."""
import asyncio
import json
import re
import shutil
import tempfile

import websockets

from adapters import interface
from adapters.interface import BrowserError, pointer_actions

EXECUTABLE = "/usr/bin/firefox-esr"
START_SECONDS_MAX = 60
COMMAND_SECONDS_MAX = 60
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# A headless window is never the desktop's active one; pages must think that it is.
PREFERENCES = """user_pref("focusmanager.testmode", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.startup.page", 0);
user_pref("services.settings.server", "data:,");
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("general.smoothScroll", false);
"""


class Browser:
    name = "firefox"
    offers = {"bfcache", "tabs", "gpc", "navigation-api"}
    visitors_maximum = 1

    async def start(self):
        self.profile = tempfile.mkdtemp(prefix="heliograph-firefox-")
        with open(f"{self.profile}/user.js", "w", encoding="utf-8") as preferences:
            preferences.write(PREFERENCES)
        self.process = await asyncio.create_subprocess_exec(
            EXECUTABLE, "--headless", "--no-remote", "--profile", self.profile,
            "--remote-debugging-port=0", "--width=1280", "--height=900",
            stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL)
        address = await asyncio.wait_for(self._address(), START_SECONDS_MAX)
        self.drain = asyncio.create_task(self._drain())
        self.wire = await websockets.connect(f"{address}/session", max_size=None)
        self.replies, self.number = {}, 0
        self.reader = asyncio.create_task(self._read())
        await self.send("session.new", capabilities={})

    async def _address(self):
        while line := await self.process.stderr.readline():
            if found := LISTENING.search(line.decode(errors="replace")):
                return found.group(1)
        raise BrowserError("firefox ended before it listened")

    async def _drain(self):
        while await self.process.stderr.readline():
            pass

    async def _read(self):
        async for text in self.wire:
            message = json.loads(text)
            if waiting := self.replies.pop(message.get("id"), None):
                waiting.set_result(message)

    async def send(self, method, **parameters):
        self.number += 1
        reply = self.replies[self.number] = asyncio.get_running_loop().create_future()
        await self.wire.send(json.dumps(
            {"id": self.number, "method": method, "params": parameters}))
        message = await asyncio.wait_for(reply, COMMAND_SECONDS_MAX)
        if message["type"] == "error":
            raise BrowserError(f"{method}: {message['error']}: {message['message']}")
        return message["result"]

    async def stop(self):
        self.reader.cancel()
        self.drain.cancel()
        await self.wire.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    async def visitor(self):
        jar = (await self.send("browser.createUserContext"))["userContext"]
        tab = await Tab(self, jar).open("window")
        await self.send("browsingContext.setViewport", context=tab.context,
                        viewport={"width": 1280, "height": 800})
        return tab

    async def leave(self, tab):
        await self.send("browser.removeUserContext", userContext=tab.jar)


class Tab(interface.Tab):
    def __init__(self, browser, jar):
        self.browser = browser
        self.jar = jar
        self.context = None

    async def open(self, kind):
        made = await self.browser.send("browsingContext.create", type=kind, userContext=self.jar)
        self.context = made["context"]
        return self

    async def goto(self, url, wait=True):
        await self.browser.send("browsingContext.navigate", context=self.context, url=url,
                                wait="complete" if wait else "none")

    async def run(self, source):
        answer = await self.browser.send(
            "script.callFunction", functionDeclaration=f"async () => {{ {source} }}",
            target={"context": self.context}, awaitPromise=True, userActivation=True)
        if answer["type"] != "success":
            raise BrowserError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    async def play_steps(self, steps):
        await self.browser.send("input.performActions", context=self.context,
                                actions=pointer_actions(self, steps))

    async def new_tab(self):
        tab = await Tab(self.browser, self.jar).open("tab")
        await tab.to_front()
        return tab

    async def to_front(self):
        await self.browser.send("browsingContext.activate", context=self.context)

    async def close(self):
        await self.browser.send("browsingContext.close", context=self.context)
