"""What a scenario holds in its hands: a visitor's tabs, its own site, and what came of it."""
import asyncio
import time

import wire
from stage import pages
from stage.house import TAP, Recording
from stage.http import Request, forward

PATIENCE_SECONDS = 25
# A gesture that took so much longer than asked was no longer the gesture of the scenario.
DISTURBED_MILLISECONDS = 250
# Events that hold numbers alone: no text that the engine's sanitiser may have changed.
MEASURED = ("ps", "nv", "fm")


def head_of(event):
    return {name: event[name] for name in ("n", "t", "o", "p")}


class Failure(Exception):
    """Something that the scenario promises did not happen."""


def demand(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)))


def same(found, expected, what):
    demand(found == expected, what, "is", found, "and not", expected)


def near(found, expected, tolerance, what):
    demand(abs(found - expected) <= tolerance, what, "is", found, "and not within", tolerance,
           "of", expected)


def between(found, low, high, what):
    demand(low <= found <= high, what, "is", found, "and not from", low, "to", high)


class Sleeper:
    """Sleeps and wakes, and takes note of how late it woke: the machine's own lateness."""

    def __init__(self):
        self.late_milliseconds = 0.0
        self.task = asyncio.create_task(self.sleep())

    async def sleep(self, seconds=0.1):
        while True:
            began = time.monotonic()
            await asyncio.sleep(seconds)
            late = (time.monotonic() - began - seconds) * 1000
            self.late_milliseconds = max(self.late_milliseconds, late)

    def stop(self):
        self.task.cancel()


class Scene:
    def __init__(self, house, stores, browser, site):
        self.house = house
        self.stores = stores
        self.browser = browser
        self.site = site
        self.wire = house.recordings[site] = Recording()
        self.tabs = []
        self.sleeper = Sleeper()
        self.kept = None
        # What a scenario measured, for the report.
        self.figures = {}
        self.tab = None
        # What the page may complain of, since the scenario makes it; and what the SDK may.
        self.faults_expected = False
        self.errors_expected = False
        self.gaps_expected = False
        # The engine deletes what it had of a visitor who takes the agreement back.
        self.forgets = False

    # ---- pages

    @property
    def host(self):
        return f"{self.site}.localhost"

    def url(self, path="/", host=None):
        return self.house.origin(host or self.host) + path

    @property
    def script(self):
        return self.house.origin(TAP) + "/hg.js"

    def show(self, path="/", body="", consent=7, script=None, **more):
        """Makes a page; `more` are attributes of the tag and what `pages.page` takes."""
        more.setdefault("data_consent", consent)
        if more["data_consent"] is None:
            del more["data_consent"]
        self.wire.pages[path] = pages.page(
            script or self.script, body, data_key=f"hg_{self.site}", **more)

    async def visit(self, path="/", **options):
        """A new visitor opens a page; the next visits of the scene are in the same tab."""
        if self.tab is None:
            self.tab = await self.browser.visitor(**options)
            self.tabs.append(self.tab)
        await self.tab.goto(self.url(path))
        return self.tab

    async def open(self, body="", path="/", phone=False, **more):
        """Shows a page and waits until its page view is told."""
        self.show(path, body, **more)
        before = len(self.told("pv"))
        tab = await self.visit(path, **({"phone": True} if phone else {}))
        await self.until(lambda: len(self.told("pv")) > before, "a page view at once")
        return tab

    async def leave(self):
        """Goes elsewhere, as following a link does."""
        await self.tab.goto("about:blank")

    async def served(self, path):
        """What the engine serves under a path."""
        request = Request("GET", path, [("Host", TAP)], b"")
        return (await forward(request, self.house.engine_port)).body

    async def leave_after(self, condition, keep):
        """Leaves the page with a value of it in hand, and waits for what was told."""
        self.kept = await self.tab.evaluate(keep)
        await self.leave()
        await self.until(condition, "what the page told")

    async def witness(self, tab=None):
        return await (tab or self.tab).evaluate("() => window.__witness")

    # ---- what came of it

    def told(self, kind=None):
        """Events that the engine has acknowledged."""
        return self.wire.events(kind)

    async def until(self, condition, what, seconds=PATIENCE_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            await asyncio.sleep(0.05)
        raise Failure(f"never came: {what}; told: {[e['t'] for e in self.told()]}, "
                      f"violations: {self.wire.violations}")

    async def until_async(self, condition, what, seconds=PATIENCE_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := await condition():
                return found
            await asyncio.sleep(0.1)
        raise Failure(f"never came: {what}")

    async def stored(self, kind=None):
        """The rows in PostgreSQL, once they are as many as were acknowledged."""
        async def whole():
            found = await self.stores.rows(self.site)
            return (found,) if len(found) >= len(self.told()) else None
        rows, = await self.until_async(
            whole, f"{len(self.told())} rows in PostgreSQL")
        wanted = sorted((batch["w"], e["n"]) for batch in self.wire.accepted for e in batch["e"])
        same(sorted((row["window_id"], row["n"]) for row in rows), wanted, "what is stored")
        self.compare(rows)
        return [row for row in rows if kind in (None, row["type"])]

    def compare(self, rows):
        """What is measured is stored as it was told, number for number."""
        told = {(batch["w"], e["n"]): e for batch in self.wire.accepted for e in batch["e"]}
        for row in rows:
            event = told[row["window_id"], row["n"]]
            if event["t"] in MEASURED:
                same({**row["properties"], **head_of(event)}, event, f"the stored {event['t']}")

    async def values(self, kind):
        """The properties of a kind's rows, in order."""
        return [row["properties"] for row in await self.stored(kind)]

    async def one(self, kind):
        found = await self.values(kind)
        same(len(found), 1, f"the number of {kind} rows ({found})")
        return found[0]

    async def after_leaving(self, kind="ps"):
        """Leaves the page and returns the rows of a kind that had to come of it."""
        await self.leave()
        await self.until(lambda: self.told(kind), kind)
        await self.settle()
        return await self.values(kind)

    async def summed(self, *names):
        """Leaves, and sums the summaries' arrays: one total for each name."""
        parts = await self.after_leaving("ps")
        totals = [sums([part.get(name) for part in parts]) for name in names]
        return totals[0] if len(names) == 1 else totals

    async def settle(self, seconds=0.4):
        """Until nothing has come for a moment."""
        count = -1
        while count != len(self.wire.lines):
            count = len(self.wire.lines)
            await asyncio.sleep(seconds)

    async def score(self, visitor=None):
        """The visitor's hash in Redis once it has one."""
        name = visitor or self.wire.accepted[-1]["d"]
        return await self.until_async(
            lambda: self.stores.visitor(self.site, name), f"a score of {name} in Redis")

    # ---- what holds in every scenario

    async def judge(self):
        same(self.wire.violations, [], "what broke the wire format")
        if not self.forgets:
            await self.stored()
        if not self.errors_expected:
            errors = [e for e in self.told("cu") if e["name"] == "hg_error"]
            same(errors, [], "what the SDK complains of")
        if not self.gaps_expected:
            wire.check_sequences(self.wire.accepted)

    def disturbed(self):
        """How late the machine was with gestures, when that was too late; else 0."""
        late = max([tab.late_milliseconds for tab in self.tabs] + [self.sleeper.late_milliseconds])
        return round(late) if late > DISTURBED_MILLISECONDS else 0

    async def close(self):
        self.sleeper.stop()
        if self.tab:
            await self.browser.leave(self.tab)


def sums(rows):
    """Positional arrays added up; absent ones count nothing."""
    known = [row for row in rows if row]
    width = max((len(row) for row in known), default=0)
    return [sum(row[at] for row in known if at < len(row)) for at in range(width)] or [0] * 8
