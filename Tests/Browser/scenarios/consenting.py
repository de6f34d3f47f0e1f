"""What is told, kept on the device and stored under each state of consent."""
import asyncio
import pathlib
import sys

from catalogue import scenario
from scene import demand, same
from stage.pages import section

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Process"))
from consent_matrix import tcf  # noqa: E402  (strings as dialogues make them)

GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });"
KEPT = """() => [document.cookie, Object.keys(localStorage).filter(k => /hg/.test(k)),
    Object.keys(sessionStorage).filter(k => /hg/.test(k))]"""


async def use(scene, *kinds):
    """A little of everything, then away, until events of these kinds are told."""
    count = len(scene.told())
    tab = scene.tab
    await tab.scroll(300)
    await tab.click("#go")
    await asyncio.sleep(0.9)
    await scene.leave()
    for kind in kinds:
        await scene.until(lambda kind=kind: any(e["t"] == kind for e in scene.told()[count:]), kind)
    await scene.settle()


BODY = ("<button id=go data-cta=go style='position:fixed;top:90px;left:90px' "
        "onclick='this.title+=1'>Go</button>"
        + section("pricing") + section("faq") + section("about"))


@scenario("without consent nothing is sent and nothing is kept", essential=True)
async def nothing(scene):
    scene.show("/", BODY, consent=0)
    tab = await scene.visit("/")
    await asyncio.sleep(0.8)
    await tab.hg("track", "unheard")
    same(await tab.evaluate(KEPT), ["", [], []], "what is kept")
    await use(scene)
    same(len(scene.wire.lines), 0, "requests")


@scenario("measurement alone: page views and clicks, no device id, nothing kept", essential=True)
async def cookieless(scene):
    tab = await scene.open(BODY, consent=1)
    await asyncio.sleep(0.3)
    same(await tab.evaluate(KEPT), ["", [], []], "what is kept")
    await use(scene, "ck")
    same({event["t"] for event in scene.told()}, {"pv", "ck"}, "kinds told")
    demand(all("d" not in batch for batch in scene.wire.accepted), "a device id was told")
    rows = await scene.stored()
    same({row["consent"] for row in rows}, {1}, "consent")
    same(len({row["visitor_id"] for row in rows}), 1, "visitors")


@scenario("without storage the next page is another window of the same visit at most")
async def cookieless_next(scene):
    scene.show("/a", "a", consent=5)
    scene.show("/b", "b", consent=5)
    for path in ("/a", "/b"):
        await scene.visit(path)
    await scene.until(lambda: len(scene.told("pv")) == 2, "two page views")
    same(await scene.tab.evaluate(KEPT), ["", [], []], "what is kept")
    rows = await scene.stored("pv")
    same(len({row["window_id"] for row in rows}), 2, "windows")


@scenario("granted later: memory becomes storage in the same window", essential=True)
async def granted(scene):
    tab = await scene.open(BODY, consent=1)
    await tab.hg("consent", 7)
    await scene.until(lambda: scene.told("cs"), "the choice")
    cookie, local, session = await tab.evaluate(KEPT)
    demand("_hg_d=" in cookie and local and session, "what is kept:", cookie, local, session)
    await use(scene, "ck", "ps")
    rows = await scene.stored()
    same(len({row["window_id"] for row in rows}), 1, "windows")
    choice = [row for row in rows if row["type"] == "cs"][0]
    same([choice["properties"]["bits"], choice["consent"]], [7, 7], "the choice")
    demand(any(row["type"] == "ps" for row in rows), "no summary after consent")
    same((await scene.score())["band"], "cold", "the band")


@scenario("withdrawn: keys are deleted, one last word is said, then silence", essential=True)
async def withdrawn(scene):
    scene.forgets = True
    tab = await scene.open(BODY, consent=7)
    device = scene.wire.accepted[0]["d"]
    await tab.hg("consent", 0)
    await scene.until(lambda: scene.told("cs"), "the withdrawal")
    last = scene.wire.accepted[-1]
    same([last["d"], last["c"], last["e"][-1]["bits"]], [device, 0, 0], "the last word")
    cookie, local, session = await tab.evaluate(KEPT)
    same([cookie, session], ["", []], "what is kept")
    same([key.split(".")[-1] for key in local], ["c"], "keys: the choice itself")
    said = len(scene.wire.lines)
    await tab.hg("track", "unheard")
    await use(scene)
    same(len(scene.wire.lines), said, "requests after the withdrawal")

    async def forgotten():
        return not await scene.stores.visitor(scene.site, device)
    await scene.until_async(forgotten, "the visitor to be forgotten in Redis")


@scenario("profiling withdrawn alone: summaries end, page views go on")
async def less(scene):
    tab = await scene.open(BODY, consent=7)
    await tab.scroll(300)
    await tab.hg("consent", 3)
    await scene.until(lambda: scene.told("cs"), "the choice")
    count = len(scene.told("ps"))
    await use(scene)
    same(len(scene.told("ps")), count, "summaries after the choice")
    same({batch["c"] for batch in scene.wire.accepted if batch["e"][0]["t"] == "ps"}, {7},
         "consent of the summaries")


@scenario("the choice is remembered on the next page")
async def remembered(scene):
    tab = await scene.open(BODY, consent=1)
    await tab.hg("consent", 7)
    await scene.until(lambda: scene.told("cs"), "the choice")
    await scene.open(BODY, path="/next", consent=1)
    rows = await scene.stored("pv")
    same([row["consent"] for row in rows], [1, 7], "consent of the page views")


@scenario("Global Privacy Control clears profiling, linking, inference and advertising",
          essential=True)
async def privacy_control(scene):
    await scene.open(BODY, consent=63, early=GPC)
    await use(scene, "ck")
    rows = await scene.stored()
    same({row["consent"] for row in rows}, {3}, "consent")
    same({row["type"] for row in rows}, {"pv", "ck"}, "kinds")


@scenario("an explicit choice stands against Global Privacy Control")
async def explicit(scene):
    tab = await scene.open(BODY, consent=63, early=GPC)
    await tab.hg("consent", 63, {"explicit": True})
    await scene.until(lambda: scene.told("cs"), "the choice")
    await use(scene, "ps")
    rows = await scene.stored()
    choice = [row for row in rows if row["type"] == "cs"][0]
    same([choice["properties"]["bits"], choice["consent"]], [63, 63], "the choice")
    same(scene.wire.accepted[-1]["cp"].get("ex"), 1, "the mark of an explicit choice")
    demand(any(row["type"] == "ps" for row in rows), "no summary after the choice")


@scenario("what a TCF dialogue says goes with every batch, and its change is told at once")
async def dialogue(scene):
    less, more = tcf([1, 8]), tcf(list(range(1, 12)))
    tab = await scene.open(
        BODY, consent=63,
        calls="window.__tcfapi = (_, __, take) => { (window.answer = "
              "text => take({tcString: text, eventStatus: 'useractioncomplete'}, true))"
              f"('{less}') }};")
    await tab.evaluate("(text) => answer(text)", more)
    await scene.until(lambda: scene.told("cs"), "the changed answer")
    same(scene.told("cs")[0]["src"], "tcf", "the source")
    said = [batch["cp"]["tc"] for batch in scene.wire.accepted]
    same([said[0], said[-1]], [less, more], "what was said")
    same(len(set(said)), 2, "different answers")
    await use(scene, "ps")
    rows = await scene.stored()
    same([row["consent"] for row in rows if row["type"] == "pv"], [3], "what the first allows")
    same({row["consent"] for row in rows if row["type"] == "ps"}, {63}, "what the second allows")


@scenario("Google Consent Mode is read from the page's data layer")
async def consent_mode(scene):
    await scene.open(BODY, consent=63, calls=(
        "window.dataLayer = []; function gtag() { dataLayer.push(arguments) }"
        "gtag('consent', 'default', {ad_storage: 'denied', analytics_storage: 'granted'});"))
    await use(scene)
    same({batch["cp"]["gm"] for batch in scene.wire.accepted}, {"gduu"}, "the mode")
    zones = {batch["cp"]["z"] for batch in scene.wire.accepted}
    zone = await scene.tab.evaluate(
        "() => Intl.DateTimeFormat().resolvedOptions().timeZone")
    same(zones, {zone}, "the time zone")


@scenario("consent given before the script came is the first that holds")
async def early(scene):
    await scene.open(BODY, consent=1, calls="hg('consent', 7);")
    await use(scene)
    rows = await scene.stored()
    same({row["consent"] for row in rows}, {7}, "consent")
    same([row["properties"]["bits"] for row in rows if row["type"] == "cs"], [7], "the choice")
