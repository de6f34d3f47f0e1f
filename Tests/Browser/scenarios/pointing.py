"""Signals 7, 10 and 11: attention for calls to action, and how the mouse moves."""
import asyncio

from catalogue import scenario
from scene import between, demand, near, same

CTAS = ("<button data-cta=first style='position:absolute;left:100px;top:200px;width:140px;"
        "height:50px' onclick='this.title+=1'>First</button>"
        "<button data-cta=second style='position:absolute;left:700px;top:500px;width:140px;"
        "height:50px' onclick='this.title+=1'>Second</button>")


async def rows(scene):
    """Sums of the rows of `ct` by index."""
    found = {}
    for part in await scene.after_leaving():
        for row in part.get("ct", []):
            old = found.get(row[0], [0] * 5)
            found[row[0]] = [a + b for a, b in zip(old, row[1:])]
    return found


@scenario("hover: time over a call to action is told as it was", essential=True)
async def hover(scene):
    tab = await scene.open(CTAS)
    await tab.hover("[data-cta=second]", 1400)
    await tab.play(tab.way_to(400, 400))
    seen = [h for h in (await scene.witness())["hovers"] if h[0] == "second"]
    found = await rows(scene)
    same(sorted(found), [1], "the calls to action with news")
    near(found[1][0], seen[0][1], 30, "milliseconds")
    between(found[1][0], 1400, 3000, "milliseconds")
    same(found[1][1:], [1, 0, 0, 0], "entries, clicks, time in view and retreats")


@scenario("hovers under 0.2 s do not count, and one is credited with five seconds at most")
async def hover_limits(scene):
    tab = await scene.open(CTAS)
    await tab.play([("move", 150, 225), ("wait", 60), ("move", 400, 400), ("wait", 100)])
    await tab.hover("[data-cta=second]", 5600)
    await tab.play(tab.way_to(400, 400))
    seen = (await scene.witness())["hovers"]
    found = await rows(scene)
    short = [h[1] for h in seen if h[0] == "first"]
    if max(short) < 200:
        same(sorted(found), [1], "the calls to action with news")
    same(found[1], [5000, 1, 0, 0, 0], "what is told of the second")


@scenario("retreat: left without a click and entered again")
async def retreat(scene):
    tab = await scene.open(CTAS)
    await tab.hover("[data-cta=first]", 800)
    await tab.play([*tab.way_to(500, 400), ("wait", 200)])
    await tab.hover("[data-cta=first]", 700)
    await tab.play(tab.way_to(500, 400))
    seen = [h[1] for h in (await scene.witness())["hovers"] if h[0] == "first"]
    found = await rows(scene)
    same(found[0][1:], [2, 0, 0, 1], "entries, clicks, time in view and retreats")
    near(found[0][0], sum(seen), 50, "milliseconds")


@scenario("a call to action that is clicked is no retreat")
async def clicked(scene):
    tab = await scene.open(CTAS)
    await tab.click("[data-cta=first]", hover_milliseconds=700)
    await tab.play([*tab.way_to(500, 400), ("wait", 100)])
    await tab.hover("[data-cta=first]", 400)
    found = await rows(scene)
    same(found[0][1:], [2, 1, 0, 0], "entries, clicks, time in view and retreats")


async def moved_steadily(scene, page):
    """Two ways to two clicks; false when the machine made a rest where the hand made none."""
    tab = await scene.open(CTAS, path=f"/{page}")
    await tab.play([("move", 100, 500), ("wait", 500)])
    await tab.play([*tab.way_to(770, 525, 240), ("down",), ("up",), ("wait", 400)])
    await tab.play([*tab.way_to(770, 100, 160),
                    *tab.way_to(170, 100, 160, start=(770, 100)),
                    *tab.way_to(170, 225, 160, start=(170, 100)), ("down",), ("up",)])
    times = (await scene.witness())["moves"]
    rests = [later - first for first, later in zip(times, times[1:]) if later - first >= 240]
    return len(rests) == 2


@scenario("a straight way to a click is efficient, a crooked one is not")
async def efficiency(scene):
    for page in range(1, 5):
        if await moved_steadily(scene, page):
            break
    await scene.after_leaving()
    summaries = [row for row in await scene.stored("ps") if row["page"] == page]
    same(len(summaries), 1, "the number of summaries")
    mo = summaries[0]["properties"]["mo"]
    same(mo[4], 2, "aimed movements")
    straight = 1.0
    crooked = ((770 - 170) ** 2 + (525 - 225) ** 2) ** 0.5 / (425 + 600 + 125)
    near(mo[3], 50 * (straight + crooked), 6, "the mean efficiency in percent")
    near(mo[1], 670 + 425 + 600 + 125, 160, "pixels of the path")


@scenario("the pointer's finer measures come with consent bit 16 and not without")
async def finer(scene):
    tab = await scene.open(CTAS, data_consent=7)
    await tab.play([("move", 100, 300), ("wait", 300)])
    for x in (400, 100, 400, 100, 400, 100):
        await tab.play(tab.way_to(x, 300, 128))
    await tab.hg("consent", 23)
    for x in (400, 100, 400, 100, 400, 100):
        await tab.play(tab.way_to(x, 300, 128))
    parts = [part for part in await scene.after_leaving() if "mo" in part]
    lengths = [len(part["mo"]) for part in parts]
    same([lengths[0], lengths[-1], lengths], [5, 10, sorted(lengths)], "numbers told")
    flips = sum(part["mo"][5] for part in parts if len(part["mo"]) == 10)
    demand(flips >= 4, "x-flips:", flips)


@scenario("a pointer at rest says nothing: no summary of an idle page but its time")
async def idle(scene):
    await scene.open("<p>Quiet</p>")
    await asyncio.sleep(1.2)
    parts = await scene.after_leaving()
    same(sorted(set().union(*parts) - {"q", "pt", "vz", "sc"}), [], "what else is told")
    same(parts[0]["vz"][3:7], [0, 0, 0, 0], "absences")
