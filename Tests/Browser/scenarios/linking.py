"""Other parties: pixels on the page, other domains of the site, hashes, scores, heat maps."""
import asyncio
import base64
import hashlib
import re
import urllib.parse

from catalogue import scenario
from scene import between, demand, same

PIXELS = ("window.pixels = []; window.fbq = (...given) => pixels.push(['fbq', ...given]);"
          "window.gtag = (...given) => pixels.push(['gtag', ...given]);")
ORDER = {"value": 129.5, "currency": "EUR", "order_id": "A-77"}


async def conversions(scene, consent, **more):
    """What pixels were told of a purchase and of an event that is none, and the purchase's row."""
    tab = await scene.open("<h1>x</h1>", consent=consent, early=PIXELS, **more)
    await tab.hg("purchase", ORDER)
    await tab.hg("track", "looked_around", {"value": 1})
    await scene.leave_after(lambda: len(scene.told("cu")) == 2, keep="() => window.pixels")
    row = [row for row in await scene.stored("cu") if row["name"] == "purchase"][0]
    return scene.kept, row


@scenario("pixels on the page are told of a conversion once, with the engine's event id")
async def twins(scene):
    told, row = await conversions(scene, 63)
    event = f"{row['window_id']}-{row['n']}"
    calls = {call[0]: call[1:] for call in told}
    same(len(told), 2, "calls of pixels")
    same(calls["fbq"][:2], ["track", "Purchase"], "Meta's event")
    same(calls["fbq"][3], {"eventID": event}, "Meta's event id")
    same(calls["fbq"][2]["value"], 129.5, "Meta's value")
    same(calls["gtag"][:2], ["event", "purchase"], "Google's event")
    same([calls["gtag"][2][name] for name in ("event_id", "transaction_id", "currency")],
         [event, "A-77", "EUR"], "Google's properties")
    same(bought(scene).get("tw"), 3, "who was told")


def bought(scene):
    """The purchase as it was told."""
    return [event for event in scene.told("cu") if event["name"] == "purchase"][0]


@scenario("a conversion's row says which pixels were told")
async def twins_stored(scene):
    _, row = await conversions(scene, 63)
    same(row["properties"].get("tw"), 3, "who was told, in the row")


@scenario("without marketing consent no pixel is told")
async def twins_consent(scene):
    told, _ = await conversions(scene, 7)
    same([told, bought(scene).get("tw")], [[], None], "calls of pixels")


@scenario("without ad personalisation Meta's pixel is not told")
async def twins_partly(scene):
    told, _ = await conversions(scene, 15)
    same([call[0] for call in told], ["gtag"], "calls of pixels")
    same(bought(scene).get("tw"), 2, "who was told")


@scenario("the site can keep pixels from being told")
async def twins_off(scene):
    told, _ = await conversions(scene, 63, data_twins="off")
    same(told, [], "calls of pixels")


@scenario("a pixel that throws harms neither the page nor the event")
async def twins_throw(scene):
    tab = await scene.open("<h1>x</h1>", consent=63,
                           early="window.fbq = () => { throw Error('no') };")
    await tab.hg("purchase", ORDER)
    await scene.until(lambda: scene.told("cu"), "the purchase")
    same((await scene.witness())["faults"], [], "what the page complains of")


@scenario("ad platforms' own cookies travel with consent 32 and not without")
async def pixel_ids(scene):
    cookies = "".join(f"document.cookie = '{pair}';" for pair in (
        "_ga=GA1.1.111.222", "_ga_AB12=GS1.1.333", "_fbp=fb.1.444.555", "other=secret"))
    await scene.open("<h1>x</h1>", consent=31, early=cookies)
    demand("ids" not in scene.wire.accepted[0]["x"], "ids were told without consent")
    await scene.tab.hg("consent", 63)
    await scene.until(lambda: scene.told("cs"), "the choice")
    await scene.open("<h1>x</h1>", path="/next", consent=63, early=cookies)
    same(scene.wire.accepted[-1]["x"]["ids"],
         {"_ga": "GA1.1.111.222", "_ga_AB12": "GS1.1.333", "_fbp": "fb.1.444.555"}, "ids")
    demand(b"secret" not in b"".join(scene.wire.bodies), "another cookie was told")


# ---- from one domain of the site to another


async def cross(scene, consent):
    """A link to the site's other host is followed; where it led, and the rows of both pages."""
    other = "other." + scene.host
    target = scene.url("/there?x=1#part", other)
    options = {"consent": consent, "data_link_hosts": f"{scene.host} {other}"}
    scene.show("/there", "<h1>there</h1>", early="window.arrived = location.href;", **options)
    tab = await scene.open(f"<a id=go href='{target}'>There</a>", **options)
    await tab.click("#go")
    await scene.until(lambda: len(scene.told("pv")) == 2, "the other host's page")
    arrived, shown = await tab.evaluate("() => [window.arrived, location.href]")
    same(shown, target, "the address after the page came")
    return arrived, await scene.stored("pv")


@scenario("a link to another domain of the site carries the device, once and out of sight",
          essential=True)
async def linker(scene):
    arrived, rows = await cross(scene, 15)
    demand(re.search(r"\?x=1&_hg=1\.[\w-]{22}\.[0-9a-z]+\.[^&#]+#part$", arrived),
           "the address that was asked for:", arrived)
    same(len({row["visitor_id"] for row in rows}), 1, "visitors")
    demand("_hg=" not in str([row["properties"] for row in rows]), "the parameter was stored")


@scenario("without consent to linking the other domain sees another visitor")
async def no_linker(scene):
    arrived, rows = await cross(scene, 7)
    demand("_hg=" not in arrived, "the address that was asked for:", arrived)
    same(len({row["visitor_id"] for row in rows}), 2, "visitors")


@scenario("a link parameter that is forged or old is not believed, and goes from the address")
async def forged(scene):
    scene.show("/", "<h1>x</h1>", consent=15)
    await scene.visit("/?_hg=1.AAAAAAAAAAAAAAAAAAAAAA.t0.12345678&y=2")
    await scene.until(lambda: scene.told("pv"), "a page view")
    same(await scene.tab.evaluate("() => location.search"), "?y=2", "the query")
    demand((await scene.stored("pv"))[0]["visitor_id"] != "A" * 22, "the forged id was taken")


@scenario("a link that a script builds asks for the parameter")
async def link_param(scene):
    tab = await scene.open("<h1>x</h1>", consent=15)
    param = await tab.evaluate("() => new Promise((done) => hg('linkParam', done))")
    device = scene.wire.accepted[0]["d"]
    demand(param.startswith(f"_hg=1.{device}."), "the parameter:", param)


@scenario("a tracking link is followed: the page it leads to has its campaign, and it is counted",
          essential=True)
async def tracking_link(scene):
    scene.show("/landed", "<h1>Spring</h1>")
    name = f"spring-{scene.browser.name}"
    # Settings made before the scenario name the host that the link leads to: it is this site's too.
    scene.house.recordings[name] = scene.wire
    before = await link_clicks(scene, name)
    # Where somebody else put the link: a page without the SDK.
    scene.wire.pages["/mail"] = f"<!doctype html><a id=go href='/r/{name}?gclid=Q1'>Spring</a>"
    tab = await scene.visit("/mail")
    await tab.click("#go")
    await scene.until(lambda: scene.told("pv"), "the page view where the link leads")
    address = await tab.evaluate("() => location.href")
    wanted = {"utm_source": ["newsletter"], "utm_medium": ["email"], "utm_campaign": [name],
              "gclid": ["Q1"], "_hgl": [name]}
    parts = urllib.parse.urlsplit(address)
    same([parts.path, urllib.parse.parse_qs(parts.query)], ["/landed", wanted], "the address")
    row = (await scene.stored("pv"))[0]["properties"]
    same([row.get(key) for key in ("so", "me", "ca")], ["newsletter", "email", name],
         "source, medium and campaign in the row")
    same(await link_clicks(scene, name) - before, 1, "clicks counted")


async def link_clicks(scene, name):
    """How often a link was followed, as the engine counts it."""
    text = (await scene.served("/metrics")).decode()
    counts = re.findall(rf'^heliograph_link_clicks_total\{{.*link="{name}".*\}} (\d+)', text,
                        re.MULTILINE)
    return sum(map(int, counts))


# ---- hashes, scores, heat


@scenario("fields that opt in are hashed in the page when their form is submitted")
async def hashed(scene):
    tab = await scene.open(
        "<form data-form=lead onsubmit='event.preventDefault()' style='margin:40px'>"
        "<input id=mail data-hash=email><input id=other><button id=send>Send</button></form>",
        consent=15)
    await tab.click("#mail")
    await tab.type(" Quux@Shop.example", gap_milliseconds=10)
    await tab.click("#other")
    await tab.type("hidden", gap_milliseconds=10)
    await tab.click("#send")
    await scene.until(lambda: scene.told("id"), "the hash")
    same(scene.told("id")[0]["traits"],
         {"email_sha256": hashlib.sha256(b"quux@shop.example").hexdigest()}, "what was told")
    demand(b"uux@" not in b"".join(scene.wire.bodies), "the address was told")


@scenario("identify with the site's pepper hashes in the page")
async def peppered(scene):
    tab = await scene.open("<h1>x</h1>", consent=15)
    await tab.hg("identify", " Quux@Shop.example ", {"plan": "a"}, {"pepper": "salt-"})
    await scene.until(lambda: scene.told("id"), "the identity")
    wanted = hashlib.sha256(b"salt-quux@shop.example").hexdigest()
    same(scene.told("id")[0]["uid"], "p1:" + wanted, "who")


@scenario("a score that the page asks for comes with the answer")
async def scored(scene):
    tab = await scene.open("<h1>x</h1>", calls=(
        "window.scores = []; hg('onScore', (score) => scores.push(score));"))
    await tab.hg("purchase", ORDER)
    await scene.until(lambda: scene.told("cu"), "the purchase")
    demand("want=score" in scene.wire.lines[-1].target, "the wish:", scene.wire.lines[-1].target)

    async def told():
        return await tab.evaluate("() => window.scores")
    scores = await scene.until_async(told, "a score", seconds=10)
    kept = await scene.score()
    between(scores[-1]["score"], 0, 100, "the score")
    same(scores[-1]["band"], kept["band"], "the band")
    demand(abs(float(kept["score"]) - scores[-1]["score"]) < 8, "scores:", scores, kept)


@scenario("the heat map tells where the pointer dwelt, where the site asks for one")
async def heat(scene):
    tab = await scene.open("<div style='height:3200px'></div>", data_heatmap="on")
    await tab.play([("move", 700, 250), ("wait", 1500), ("move", 100, 60), ("wait", 100)])
    height = await tab.evaluate("() => document.documentElement.scrollHeight")
    parts = await scene.after_leaving()
    maps = [part["hm"] for part in parts if "hm" in part]
    cells = [base64.urlsafe_b64decode(each + "=") for each in maps]
    same([len(each) for each in cells], [128], "cells of the maps")
    hottest = max(range(128), key=lambda at: cells[0][at])
    same(hottest, int(250 / (height / 32)) * 4 + int(700 / 1280 * 4), "the hottest cell")


@scenario("no heat map where nobody asked for one")
async def no_heat(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.play([("move", 700, 250), ("wait", 800), ("move", 100, 60)])
    parts = await scene.after_leaving()
    same([part["hm"] for part in parts if "hm" in part], [], "heat maps")


@scenario("a queue that could not be sent waits on the device for the next page", essential=True)
async def kept_queue(scene):
    await scene.open("<h1>x</h1>")
    scene.wire.gone = True
    await scene.tab.hg("purchase", ORDER)
    await scene.until(lambda: len(scene.wire.refused) >= 2, "tries in vain")
    await scene.leave()
    await asyncio.sleep(0.5)
    scene.wire.gone = False
    await scene.open("<h1>y</h1>", path="/next")
    await scene.until(lambda: scene.told("cu"), "the purchase of the page before")
    await scene.settle(1.5)
    same([row["name"] for row in await scene.stored("cu")], ["purchase"], "events")


@scenario("without storage consent nothing waits on the device")
async def no_kept_queue(scene):
    await scene.open("<h1>x</h1>", consent=5)
    scene.wire.gone = True
    await scene.tab.hg("purchase", ORDER)
    await scene.until(lambda: len(scene.wire.refused) >= 2, "tries in vain")
    same(await scene.tab.evaluate("() => Object.keys(localStorage).length"), 0, "keys")


@scenario("Do Not Track counts as a refusal where the site respects it")
async def do_not_track(scene):
    asks = "Object.defineProperty(navigator, 'doNotTrack', { value: '1' });"
    await scene.open("<h1>x</h1>", consent=63, early=asks, data_dnt="respect")
    same({row["consent"] for row in await scene.stored()}, {3}, "consent")
    await scene.open("<h1>x</h1>", path="/other", consent=63, early=asks)
    same((await scene.stored())[-1]["consent"], 63, "consent where it does not")


@scenario("beacons go where the tag says")
async def endpoint(scene):
    own = scene.url("/v1/e")
    await scene.open("<h1>x</h1>", data_endpoint=own)
    same({request.host for request in scene.wire.lines}, {scene.host}, "hosts")
