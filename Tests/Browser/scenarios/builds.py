"""The other files of the SDK: the core, the module, and names that never change what they hold."""
import asyncio
import hashlib

from catalogue import scenario
from scene import demand, same
from stage.house import TAP, html
from stage.http import Request, forward
from stage.pages import WITNESS


@scenario("the core build tells page views, events, identity and consent, and no behaviour",
          essential=True)
async def core(scene):
    tab = await scene.open("<button data-cta=go id=go>Go</button>",
                           script=scene.house.origin(TAP) + "/hg-core.js")
    await tab.click("#go")
    await tab.hg("track", "still_here", {"a": 1})
    await tab.hg("identify", "h1:0123456789abcdef")
    await tab.hg("consent", 3)
    await scene.until(lambda: scene.told("cs"), "the choice")
    await scene.leave()
    await scene.settle()
    rows = await scene.stored()
    same(sorted(row["type"] for row in rows), ["cs", "cu", "id", "pv"], "kinds")
    same([row["properties"]["props"] for row in rows if row["type"] == "cu"], [{"a": 1}], "event")


@scenario("the module does nothing until it is started, and then what the script does",
          essential=True)
async def module(scene):
    tap = scene.house.origin(TAP)
    scene.wire.pages["/"] = html(
        f"<!doctype html><title>Module</title><script>{WITNESS}</script><h1>x</h1>"
        f"<script type=module>import * as hg from '{tap}/hg.mjs'; window.sdk = hg;"
        "hg.track('early', { a: 1 });</script>")
    tab = await scene.visit("/")
    await asyncio.sleep(0.8)
    same(len(scene.wire.lines), 0, "requests before the start")
    same(await tab.evaluate("() => typeof window.hg"), "undefined", "a global")
    await tab.evaluate("(key, endpoint) => sdk.start({ key, endpoint, consent: '7' })",
                       f"hg_{scene.site}", tap + "/v1/e")
    await scene.until(lambda: scene.told("pv"), "a page view")
    await tab.evaluate("() => sdk.track('later', { b: 2 })")
    await scene.leave()
    await scene.until(lambda: len(scene.told("cu")) == 2, "both events")
    rows = {row["name"]: row["properties"]["props"] for row in await scene.stored("cu")}
    same(rows, {"early": {"a": 1}, "later": {"b": 2}}, "events")


@scenario("the script is there under a name with its hash, for good")
async def immutable(scene):
    digest = hashlib.sha256(await scene.served("/hg.js")).hexdigest()[:12]
    path = f"/hg.{digest}.js"
    answer = await forward(Request("GET", path, [("Host", TAP)], b""), scene.house.engine_port)
    headers = {name.lower(): value for name, value in answer.headers}
    demand("immutable" in headers["cache-control"], "the cache:", headers)
    await scene.open("<h1>x</h1>", script=scene.house.origin(TAP) + path)
    same(len(await scene.stored("pv")), 1, "page views")
