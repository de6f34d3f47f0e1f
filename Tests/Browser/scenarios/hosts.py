"""Pages that make it hard: strict policies, broken built-ins, frames, the script twice."""
import asyncio
import base64
import hashlib

from catalogue import scenario
from scene import demand, same
from stage.house import html
from stage.pages import WITNESS


async def works(scene, name="still_here"):
    """An event still finds its way, with its values."""
    await scene.tab.evaluate("(name) => void hg('track', name, { a: [1, 'x'] })", name)
    await scene.leave()
    await scene.until(lambda: any(e.get("name") == name for e in scene.told("cu")), "life")
    row = [row for row in await scene.stored("cu") if row["name"] == name][0]
    same(row["properties"]["props"], {"a": [1, "x"]}, "the properties")


# What a page may have done before our script comes: events still find their way.
BEFORE = [
    ("prototypes", "Object.prototype.extra = 1; Array.prototype.other = 2;"),
    ("toJSON", "Array.prototype.toJSON = String.prototype.toJSON = () => 'broken';"),
    ("storage that throws", "for (const name of ['localStorage', 'sessionStorage']) "
     "Object.defineProperty(window, name, { get() { throw new DOMException('no') } });"),
    ("storage that is full", "Storage.prototype.setItem = () => { throw new DOMException('full', "
                             "'QuotaExceededError') };"),
    ("fetch that throws", "window.fetch = () => { throw TypeError('no fetch here') };"),
    ("observers that throw", "for (const kind of ['Intersection', 'Resize', 'Mutation']) "
     "window[kind + 'Observer'] = function () { throw Error('no') };"),
]
# What it may do afterwards: we go on with what the browser gave.
AFTER = [
    ("JSON", "JSON.stringify = () => 'broken'; JSON.parse = () => { throw Error('no') };"),
    ("Promise", "window.Promise = function () { throw Error('no') };"),
    ("timers", "window.setTimeout = window.requestIdleCallback = () => { throw Error('no') };"),
    ("fetch", "window.fetch = () => { throw TypeError('no fetch here') };"),
    ("addEventListener", "EventTarget.prototype.addEventListener = function () "
                         "{ throw Error('patched') };"),
    ("localStorage", "Storage.prototype.setItem = Storage.prototype.getItem = "
                     "() => { throw new DOMException('no') };"),
]


async def unharmed(scene):
    await scene.tab.play([("move", 40, 40), ("wheel", 60), ("down",), ("up",)])
    await asyncio.sleep(0.3)
    same((await scene.witness())["faults"], [], "what the page complains of")
    await works(scene)


def before(name, broken):
    @scenario(f"on a page with {name}, broken before us, events find their way")
    async def play(scene):
        scene.errors_expected = True
        scene.show("/", "<button id=go>Go</button>", early=broken)
        await scene.visit("/")
        # Where `fetch` throws, beacons at the end of the page are what is left.
        await asyncio.sleep(0.8)
        await unharmed(scene)


def after(name, broken):
    @scenario(f"on a page that breaks {name} after us, events find their way")
    async def play(scene):
        scene.errors_expected = True
        tab = await scene.open("<button id=go>Go</button>")
        await tab.evaluate(f"() => {{ {broken} }}")
        await unharmed(scene)


for case in BEFORE:
    before(*case)
for case in AFTER:
    after(*case)


@scenario("on a page without JSON or listeners nothing of ours is heard, not even a fault")
async def hopeless(scene):
    scene.show("/", "<button id=go>Go</button>", early=(
        "JSON.stringify = () => 'broken'; JSON.parse = () => { throw Error('no') };"
        "EventTarget.prototype.addEventListener = function () { throw Error('patched') };"))
    tab = await scene.visit("/")
    await tab.play([("move", 40, 40), ("wheel", 60), ("down",), ("up",)])
    await asyncio.sleep(0.5)
    same((await scene.witness())["faults"], [], "what the page complains of")
    scene.wire.judged = False


@scenario("a collector that fails three times rests and is reported once")
async def failing(scene):
    scene.errors_expected = True
    tab = await scene.open("<h1>x</h1>", early=(
        "Element.prototype.closest = function () { throw TypeError('no') };"))
    for at in range(6):
        await tab.play([("move", 300, 200 + at * 40), ("down",), ("up",), ("key", "Tab")])
    same((await scene.witness())["faults"], [], "what the page complains of")
    await works(scene)
    errors = [e["props"]["collector"] for e in scene.told("cu") if e["name"] == "hg_error"]
    demand(errors, "nothing was reported")
    same(len(errors), len(set(errors)), "reports of a collector")


@scenario("a strict policy without inline code, with the script's hash", essential=True)
async def strict_policy(scene):
    own = await scene.served("/hg.js")
    digest = base64.b64encode(hashlib.sha384(own).digest()).decode()
    tap = scene.script.rsplit("/", 1)[0]
    body = (f"<!doctype html><title>Strict</title><script src='/witness.js'></script>"
            f"<script async src='{scene.script}' integrity='sha384-{digest}' "
            f"crossorigin=anonymous data-key='hg_{scene.site}' data-consent=7></script>"
            "<button id=go>Go</button>")
    policy = f"default-src 'none'; script-src 'self' {tap}; connect-src {tap}"
    scene.wire.pages["/"] = lambda _: html(body, [("Content-Security-Policy", policy)])
    watch = ("window.blocked = []; document.addEventListener('securitypolicyviolation', "
             "e => blocked.push(e.violatedDirective + ' ' + e.blockedURI));")
    scene.wire.pages["/witness.js"] = lambda _: script(WITNESS + watch)
    tab = await scene.visit("/")
    await scene.until(lambda: scene.told("pv"), "a page view")
    await tab.click("#go")
    # The icon that browsers ask for is none of ours.
    blocked = [b for b in await tab.evaluate("() => blocked") if "favicon" not in b]
    same(blocked, [], "what the policy kept out")
    await works(scene)


def script(text):
    answer = html(text)
    answer.headers = [("Content-Type", "text/javascript")]
    return answer


@scenario("the script twice on a page counts once")
async def twice(scene):
    again = f"<script src='{scene.script}' data-key='hg_{scene.site}' data-consent=7></script>"
    tab = await scene.open(f"<button id=go data-cta=go onclick='this.title+=1'>Go</button>{again}")
    await asyncio.sleep(0.5)
    await tab.click("#go")
    await tab.hg("track", "once")
    await scene.leave()
    await scene.until(lambda: scene.told("cu"), "the event")
    await scene.settle()
    rows = await scene.stored()
    counts = [sum(row["type"] == kind for row in rows) for kind in ("pv", "ck", "cu")]
    same(counts, [1, 1, 1], "page views, clicks and events")


@scenario("a frame of another site is a page of its own, and one of ours is not counted twice")
async def frames(scene):
    scene.show("/inner", "<h1>inner</h1>")
    await scene.open("<iframe src='/inner' width=300 height=200></iframe>")
    await scene.settle(0.8)
    views = await scene.values("pv")
    found = sorted(view["u"].split("localhost")[1].split("/")[1] for view in views)
    demand(found in (["", "inner"], [""]), "page views:", found)


@scenario("a script without a key, or with a wrong one, does nothing and breaks nothing")
async def keyless(scene):
    scene.wire.pages["/"] = (f"<!doctype html><title>x</title><script>{WITNESS}</script>"
                             f"<script src='{scene.script}'></script>"
                             f"<script src='{scene.script}' data-key='no spaces!'></script>")
    tab = await scene.visit("/")
    await asyncio.sleep(0.6)
    same((await scene.witness(tab))["faults"], [], "what the page complains of")
    same(len(scene.wire.lines), 0, "requests")


@scenario("the host page's own globals stay as they were")
async def globals_kept(scene):
    scene.show("/", "<h1>x</h1>", early="window.before = Object.keys(window);")
    tab = await scene.visit("/")
    await scene.until(lambda: scene.told("pv"), "a page view")
    added = await tab.evaluate("() => Object.keys(window).filter(k => !before.includes(k))")
    same(sorted(set(added) - {"before"}), ["hg"], "globals that came")
