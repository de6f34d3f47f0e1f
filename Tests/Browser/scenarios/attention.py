"""Signals 17 to 19: ways back, loops, and when the visitor looks elsewhere."""
import asyncio

from catalogue import scenario
from scene import between, demand, near, same


# Seen with a plain page: what the next page writes is not there after the way back, and stays away.
NO_TRAIL = {"firefox": "a page from Firefox's cache has its own copy of sessionStorage, so it never "
                       "learns of the page it was left for"}


def pages(scene, *paths, **more):
    for path in paths:
        scene.show(path, f"<h1>{path}</h1><button id=act onclick='this.title+=1'>Act</button>"
                   + "".join(f"<a id=to{other[1:]} href='{other}'>{other}</a> " for other in paths),
                   **more)


async def views(scene, count, what):
    await scene.until(lambda: len(scene.told("pv")) >= count, what)


async def follow(scene, name, count):
    """Follows a link as a visitor does."""
    await scene.tab.click(name, hover_milliseconds=30)
    await views(scene, count, f"the page behind {name}")


async def back(scene, count):
    await scene.tab.evaluate("() => void setTimeout(() => history.back())")
    await views(scene, count, "the way back")


@scenario("a quick way back without a deed is a U-turn", essential=True, not_on=NO_TRAIL)
async def u_turn(scene):
    pages(scene, "/a", "/b")
    await scene.visit("/a")
    await views(scene, 1, "the first page")
    await follow(scene, "#tob", 2)
    await back(scene, 3)
    moves = await scene.after_leaving("nv")
    same([(m["ty"], m["fr"]) for m in moves], [("u", "/b")], "moves")
    between(moves[0]["dw"], 50, 7000, "milliseconds there")


@scenario("a way back after a deed is no U-turn", not_on=NO_TRAIL)
async def way_back(scene):
    pages(scene, "/a", "/b")
    await scene.visit("/a")
    await views(scene, 1, "the first page")
    await follow(scene, "#tob", 2)
    await scene.tab.click("#act")
    await back(scene, 3)
    moves = await scene.after_leaving("nv")
    same([(m["ty"], m["fr"]) for m in moves], [("b", "/b")], "moves")


@scenario("a late way back is no U-turn", not_on=NO_TRAIL)
async def late(scene):
    pages(scene, "/a", "/b")
    await scene.visit("/a")
    await views(scene, 1, "the first page")
    await follow(scene, "#tob", 2)
    await asyncio.sleep(7.2)
    await back(scene, 3)
    moves = await scene.after_leaving("nv")
    same([m["ty"] for m in moves], ["b"], "moves")
    between(moves[0]["dw"], 7000, 12_000, "milliseconds there")


@scenario("to and fro between two pages is a loop")
async def loop(scene):
    pages(scene, "/a", "/b")
    await scene.visit("/a")
    await views(scene, 1, "the first page")
    for count, name in ((2, "#tob"), (3, "#toa"), (4, "#tob")):
        await scene.tab.click("#act")
        await follow(scene, name, count)
    moves = await scene.after_leaving("nv")
    same([(m["ty"], m["fr"], m["lp"]) for m in moves if m["ty"] == "l"], [("l", "/a", 2)], "loops")


@scenario("looking elsewhere for five seconds is a switch of tabs", needs={"tabs"}, essential=True)
async def tab_switch(scene):
    tab = await scene.open("<h1>Compare me</h1>")
    await tab.really_focused()
    other = await tab.new_tab()
    await other.goto(scene.url("/nothing"))
    await asyncio.sleep(5.4)
    await other.close()
    await tab.to_front()
    await asyncio.sleep(1)
    away = (await scene.witness())["away"]
    vz = await scene.summed("vz")
    demand(away, "the browser never came back")
    same(vz[6], sum(5000 <= gone <= 300_000 for gone in away), "absences of 5 s to 5 min")
    demand(vz[6] >= 1, "no absence was long enough:", away)
    near(vz[5], sum(away), 60 * len(away), "milliseconds away")
    demand(vz[3] + vz[4] >= 1, "hidden and blurred:", vz)


@scenario("active time is what is visible, focused and in use; elapsed time is all")
async def active(scene):
    tab = await scene.open("<h1>Look</h1>")
    await tab.play([("move", 50, 50), ("wait", 2000), ("move", 90, 90), ("wait", 500)])
    vz = await scene.summed("vz")
    between(vz[2], 2500, 9000, "active milliseconds")
    near(vz[2], vz[7], 400, "active of elapsed milliseconds")
    near(vz[1], vz[0], 5, "focused of visible milliseconds")


@scenario("thirty seconds without input end active time", seconds=100)
async def idle(scene):
    tab = await scene.open("<h1>Look</h1>")
    await tab.play([("move", 50, 50), ("move", 80, 80)])
    await asyncio.sleep(34)
    vz = await scene.summed("vz")
    between(vz[2], 29_000, 33_500, "active milliseconds")
    demand(vz[7] >= 34_000, "elapsed milliseconds:", vz)


@scenario("a page from the back/forward cache counts on as a page view of its own",
          needs={"bfcache"}, essential=True)
async def cached(scene):
    pages(scene, "/a", "/b")
    await scene.visit("/a")
    await views(scene, 1, "the first page")
    await scene.tab.click("#act")
    await follow(scene, "#tob", 2)
    await back(scene, 3)
    restored = (await scene.witness())["restored"]
    same(restored, 1, "restored from the cache")
    await scene.tab.hg("purchase", {"value": 1})
    await scene.until(lambda: scene.told("cu"), "the purchase")
    await scene.after_leaving("ps")
    rows = await scene.stored("pv")
    same([row["properties"]["nt"] for row in rows], ["n", "n", "c"], "how pages were reached")
    same(len({row["session_id"] for row in rows}), 1, "the number of sessions")
    same(len({row["window_id"] for row in rows}), 2, "the number of windows")


@scenario("a prerendered page is counted when it is shown, and not before", needs={"prerender"})
async def prerendered(scene):
    rules = ('<script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/b"],'
             '"eagerness": "immediate"}]}</script>')
    # The first page goes on by itself, two seconds after the second was prerendered.
    scene.show("/a", "<h1>a</h1>", head=rules,
               early="setTimeout(() => { location.href = '/b' }, 3000)")
    scene.show("/b", "<h1>b</h1>")
    async with scene.browser.undriven(scene.url("/a")):
        await views(scene, 1, "the first page")
        await asyncio.sleep(1.5)
        same(len(scene.told("pv")), 1, "page views before anybody looked")
        await views(scene, 2, "the prerendered page")
        await scene.settle()
    kinds = [row["nt"] for row in await scene.values("pv")]
    same(kinds, ["n", "p"], "how pages were reached")
