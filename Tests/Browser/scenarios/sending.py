"""The way to the engine when it is rough: refusals, outages, clocks, and the page's end."""
import asyncio

from catalogue import scenario
from scene import between, demand, same

RETRY_SOON = (503, [("Retry-After", "1")])


async def steps(scene, count):
    await scene.tab.evaluate(
        "(count) => { for (let i = 0; i < count; i++) hg('track', 'step', { i }) }", count)


async def all_steps(scene, count, seconds=40):
    await scene.until(lambda: len(scene.told("cu")) >= count, "every step", seconds)
    rows = sorted(await scene.stored("cu"), key=lambda row: row["n"])
    same([row["properties"]["props"]["i"] for row in rows], list(range(count)), "steps")


@scenario("what is queued leaves with the page", essential=True)
async def farewell(scene):
    await scene.open("<h1>x</h1>")
    await steps(scene, 5)
    await scene.leave()
    await all_steps(scene, 5)


@scenario("a refused batch comes again, whole, once, and after its Retry-After", essential=True)
async def refused(scene):
    scene.wire.faults = [RETRY_SOON, (429, []), (503, [])]
    scene.show("/", "<h1>x</h1>")
    await scene.visit("/")
    await scene.until(lambda: len(scene.wire.refused) == 3, "three tries")
    await steps(scene, 40)
    await scene.until(lambda: len(scene.told("cu")) >= 32, "what was queued")
    await scene.leave()
    await all_steps(scene, 40)
    tries = [batch for batch in scene.wire.refused + scene.wire.accepted if batch["q"] == 1]
    same(len({batch["b"] for batch in tries}), 1, "batch ids")
    same(len({str(batch["e"]) for batch in tries}), 1, "contents")
    same(len({batch["st"] for batch in tries}), len(tries), "send times")
    demand(tries[1]["st"] - tries[0]["st"] >= 1000, "the second try came early")


@scenario("a long Retry-After is kept: no try before its time")
async def patient(scene):
    scene.wire.faults = [(503, [("Retry-After", "4")])]
    scene.show("/", "<h1>x</h1>")
    await scene.visit("/")
    await scene.until(lambda: scene.wire.refused, "the first try")
    await scene.tab.hg("purchase", {"value": 1})
    await scene.until(lambda: scene.told("pv"), "the second try")
    first, second = scene.wire.refused[0], scene.wire.accepted[0]
    between(second["st"] - first["st"], 4000, 9000, "milliseconds between the tries")


@scenario("an engine that is gone for a while loses nothing of an open page", essential=True)
async def gone(scene):
    await scene.open("<h1>x</h1>")
    scene.wire.gone = True
    await steps(scene, 40)
    await scene.until(lambda: len(scene.wire.refused) >= 2, "tries in vain")
    scene.wire.gone = False
    await scene.tab.evaluate("() => void window.dispatchEvent(new Event('online'))")
    await scene.until(lambda: len(scene.told("cu")) >= 32, "what was queued")
    await scene.leave()
    await all_steps(scene, 40)


@scenario("offline, then online: what happened in between is told", needs={"offline"})
async def offline(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.offline(True)
    await steps(scene, 40)
    await asyncio.sleep(2)
    same(len(scene.told("cu")), 0, "events told while offline")
    await tab.offline(False)
    await scene.until(lambda: len(scene.told("cu")) >= 32, "what was queued")
    await scene.leave()
    await all_steps(scene, 40)


@scenario("a batch called wrong is dropped and counted as lost")
async def dropped(scene):
    scene.gaps_expected = True
    scene.wire.faults = [(400, [])]
    scene.show("/", "<h1>x</h1>")
    await scene.visit("/")
    await scene.until(lambda: scene.wire.refused, "the refusal")
    await scene.tab.hg("purchase", {"value": 1})
    await scene.until(lambda: scene.wire.accepted, "the next batch")
    same([scene.wire.accepted[0]["lost"], scene.wire.accepted[0]["q"]], [1, 2], "lost and number")


@scenario("a clock that is set while the page is open moves no event")
async def clock(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.hg("track", "before")
    # The browser's wall clock goes an hour ahead; its monotonic clock does not.
    await tab.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600e3 }")
    scene.wire.judged = False
    await tab.hg("track", "after")
    await tab.hg("purchase", {"value": 1})
    await scene.until(lambda: len(scene.told("cu")) == 3, "three events")
    rows = {row["name"]: row["occurred_at"].timestamp() for row in await scene.stored("cu")}
    between(rows["purchase"] - rows["before"], 0, 20, "seconds between the first and the last")
    between(rows["after"] - rows["before"], 0, 20, "seconds between the first and the second")


@scenario("a phone's and a desk's page tell their end by pagehide, with no unload listener")
async def no_unload(scene):
    tab = await scene.open("<h1>x</h1>", early=(
        "const add = EventTarget.prototype.addEventListener; window.heard = [];"
        "EventTarget.prototype.addEventListener = function (type) {"
        "heard.push(type); return add.apply(this, arguments) };"))
    heard = await tab.evaluate("() => window.heard")
    demand("pagehide" in heard or len(heard) == 0, "pagehide is not listened to:", heard)
    demand("unload" not in heard and "beforeunload" not in heard, "unload is listened to")


@scenario("the same-origin path: beacons and script through the site's own address",
          essential=True)
async def first_party(scene):
    own = scene.url("/hg.js")
    tab = await scene.open("<h1>x</h1>", script=own)
    await tab.hg("purchase", {"value": 5})
    await scene.until(lambda: scene.told("cu"), "the purchase")
    demand(all(request.host == scene.host for request in scene.wire.lines), "another host")
    row = (await scene.stored("cu"))[0]
    cookie = await tab.evaluate("() => document.cookie.match(/_hg_d=([^;]*)/)[1]")
    same(row["visitor_id"], cookie, "the device")


@scenario("on the first-party path the engine sets the device cookie for 13 months")
async def device_cookie(scene):
    await scene.open("<h1>x</h1>", script=scene.url("/hg.js"))
    await scene.until(lambda: scene.wire.answers, "an answer")
    headers = [value for answer in scene.wire.answers for name, value in answer.headers
               if name.lower() == "set-cookie"]
    demand(headers, "no cookie was set")
    device = scene.wire.accepted[0]["d"]
    demand(headers[0].startswith(f"_hg_d={device}"), "the cookie:", headers[0])
    demand("httponly" not in headers[0].lower(), "HttpOnly is on")
    age = int(headers[0].lower().split("max-age=")[1].split(";")[0])
    demand(age <= 395 * 86_400, "the cookie lives for", age)


@scenario("nothing is told twice: one batch id a batch, one row an event")
async def once(scene):
    await scene.open("<h1>x</h1>")
    await steps(scene, 64)
    await scene.tab.hg("purchase", {"value": 1})
    await scene.leave()
    await scene.settle()
    ids = [batch["b"] for batch in scene.wire.accepted]
    same(len(ids), len(set(ids)), "batch ids")
    same(len(await scene.stored("cu")), 65, "rows")
