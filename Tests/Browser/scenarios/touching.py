"""Signal 12: touch gestures, in Chromium's emulation of a phone."""
import asyncio

from catalogue import scenario
from scene import between, demand, same
from stage.pages import section

TOUCH = {"touch"}
BODY = ("<div data-section=gallery style='height:300px;background:#ddd'>Pictures</div>"
        "<button id=go data-cta=go onclick='this.title+=1' style='margin:30px'>Go</button>"
        "<p style='margin:30px;touch-action:none'>Words</p>" + section("faq", 60, 1600))


async def touch(tab, kind, *places):
    await tab.play([("touch", kind, *places)])


async def stroke(tab, start, end, count=6, gap=0.02):
    await touch(tab, "Start", start)
    for step in range(1, count + 1):
        share = step / count
        await touch(tab, "Move", (round(start[0] + (end[0] - start[0]) * share),
                                 round(start[1] + (end[1] - start[1]) * share)))
        await asyncio.sleep(gap)
    await touch(tab, "End")


@scenario("taps, a double tap and a long press", needs=TOUCH)
async def taps(scene):
    tab = await scene.open(BODY, phone=True)
    for pause in (0.6, 0.05, 0.6):
        await touch(tab, "Start", (200, 500))
        await touch(tab, "End")
        await asyncio.sleep(pause)
    await touch(tab, "Start", (200, 560))
    await asyncio.sleep(0.7)
    await touch(tab, "End")
    tp = await scene.summed("tp")
    same([tp[0], tp[4], tp[5]], [3, 1, 1], "taps, long presses and double taps")


@scenario("a swipe over a gallery counts, one elsewhere does not; pinching counts once",
          needs=TOUCH)
async def swipes(scene):
    tab = await scene.open(BODY, phone=True)
    await stroke(tab, (300, 150), (120, 150))
    await asyncio.sleep(0.2)
    await stroke(tab, (300, 480), (120, 480))
    await asyncio.sleep(0.2)
    await touch(tab, "Start", (150, 150), (250, 150))
    await touch(tab, "Move", (120, 150), (280, 150))
    await touch(tab, "End")
    tp = await scene.summed("tp")
    same([tp[0], tp[1], tp[3]], [0, 1, 1], "taps, swipes and pinches")
    demand(tp[6] > 100, "pixels per second:", tp)


@scenario("a flick is told by its speed", needs=TOUCH)
async def flick(scene):
    tab = await scene.open(BODY, phone=True)
    await stroke(tab, (200, 700), (200, 100), count=3, gap=0.005)
    tp = await scene.summed("tp")
    demand(tp[6] > 1500 or tp[2] == 0, "a slow flick was counted:", tp)
    demand(tp[2] == 1 or tp[6] <= 1500, "a quick flick was not counted:", tp)


@scenario("on touch a click has no hover and no decisiveness by hover; its context says touch",
          needs=TOUCH)
async def tapped(scene):
    tab = await scene.open(BODY, phone=True)
    x, y = await tab.middle("#go")
    await touch(tab, "Start", (x, y))
    await touch(tab, "End")
    await asyncio.sleep(0.6)
    await scene.leave()
    await scene.until(lambda: scene.told("ck"), "the click")
    rows = await scene.stored()
    same([row["context"]["in"] for row in rows if row["type"] == "pv"], [0], "touch")
    click = [row for row in rows if row["type"] == "ck"][0]["properties"]
    same([click["a"], click["f"], "hv" in click], ["go", 1, False], "the click")
    summary = [row for row in rows if row["type"] == "ps"][0]["properties"]
    same(summary["ck"][:3], [1, 1, 0], "clicks")


@scenario("on touch a call to action in the middle of the window counts by its time there",
          needs=TOUCH)
async def in_view(scene):
    tab = await scene.open(BODY, phone=True)
    await asyncio.sleep(2.4)
    shown_milliseconds = await tab.evaluate("() => performance.now()")
    x, y = await tab.middle("#go")
    demand(844 * 0.2 < y < 844 * 0.8 and x, "the call to action is not in the middle:", y)
    rows = [row for part in await scene.after_leaving() for row in part.get("ct", [])]
    same([row[0] for row in rows], [0], "calls to action")
    between(rows[0][4], 2300, shown_milliseconds + 2000, "milliseconds in view")
    same(rows[0][1:4], [0, 0, 0], "hover, entries and clicks")
