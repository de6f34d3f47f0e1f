"""Signals 1 to 6: how a page is scrolled, which sections are seen, and how they are read."""
import asyncio

from catalogue import scenario
from scene import between, demand, near, same
from stage.pages import section

WORDS = 60
EXPECTED_MILLISECONDS = WORDS / 238 * 60_000


def long_page():
    names = ("pricing", "testimonials", "faq", "specs", "gallery", "about")
    return "".join(section(name, WORDS) for name in names)


async def jump(tab, y):
    await tab.evaluate("(y) => window.scrollTo({ top: y, behavior: 'instant' })", y)


@scenario("reading: bursts with rests count as purposeful pauses", essential=True)
async def reading(scene):
    tab = await scene.open(long_page())
    for _ in range(4):
        await tab.scroll(320)
        await asyncio.sleep(1.1)
    seen = await scene.witness()
    sc, vz = await scene.summed("sc", "vz")
    same(sc[0], seen["scrolled"], "pixels scrolled")
    same(sc[0], 1280, "pixels scrolled")
    times = [time for time, _ in seen["scrolls"]]
    rests = sum(later - first >= 700 for first, later in zip(times, times[1:])) + 1
    demand(rests >= 4, "the page rested less often than the hand:", times)
    same(sc[3:7], [0, rests, 0, 0], "back, pauses, long pauses and reversals")
    near(sc[7], 100 * (1280 + 800) / 3600, 3, "the depth in percent")
    near(sc[0] * 1000 / vz[2], 1280 * 1000 / vz[7], 40, "pixels per active second")


@scenario("racing: a page that is raced through has speed and no pauses")
async def racing(scene):
    tab = await scene.open("".join(section(f"part{at}", 10, 900) for at in range(8)))
    await tab.scroll(5600, step_pixels=280, gap_milliseconds=50)
    seen = await scene.witness()
    sc, vz = await scene.summed("sc", "vz")
    same(sc[0], seen["scrolled"], "pixels scrolled")
    same(sc[4:6], [0, 0], "pauses and long pauses")
    demand(sc[0] * 1000 / vz[2] > 500, "pixels per active second:", sc, vz)
    demand(sc[2] >= 2800, "the peak over 100 ms:", sc)
    demand(sc[1] >= 600, "time in bursts:", sc)


@scenario("a long rest and scrolling back are told")
async def long_rest(scene):
    tab = await scene.open(long_page())
    await tab.scroll(640)
    await asyncio.sleep(3.3)
    await tab.scroll(-320)
    await asyncio.sleep(0.9)
    sc = await scene.summed("sc")
    same(sc[0], 960, "pixels scrolled")
    same(sc[3:7], [320, 2, 1, 1], "back, pauses, long pauses and reversals")


@scenario("sections: dwell, largest share and words of those that were in view a second",
          essential=True)
async def sections(scene):
    tab = await scene.open(long_page())
    await asyncio.sleep(2.2)
    await jump(tab, 1200)
    await asyncio.sleep(1.6)
    passed_milliseconds = await tab.evaluate("""async () => {
        const from = performance.now();
        scrollTo({ top: 1800, behavior: 'instant' });
        await new Promise((done) => setTimeout(done, 400));
        scrollTo({ top: 1200, behavior: 'instant' });
        return performance.now() - from;
    }""")
    demand(passed_milliseconds < 900, "the machine was too slow:", passed_milliseconds)
    rows = {row[1]: row for part in await scene.after_leaving() for row in part.get("S", [])}
    same(sorted(set(rows) & {"pricing", "faq", "specs"}), ["faq", "pricing"], "sections seen")
    same([rows[name][2] for name in ("pricing", "faq")], [1, 1], "entries")
    same([rows[name][4] for name in ("pricing", "faq")], [100, 100], "largest shares")
    same([rows[name][5] for name in ("pricing", "faq")], [WORDS, WORDS], "words")
    between(rows["pricing"][3], 1700, 4500, "milliseconds at prices")
    between(rows["faq"][3], 1400, 4000, "milliseconds at questions")


@scenario("revisit: a section that is seen again after another one is revisited")
async def revisit(scene):
    tab = await scene.open("".join(section(name, WORDS, 900) for name in ("pricing", "faq")))
    for y in (0, 900, 0, 900):
        await jump(tab, y)
        await asyncio.sleep(1.3)
    sums = {}
    for part in await scene.after_leaving():
        for row in part.get("S", []):
            sums.setdefault(row[1], [0, 0])
            sums[row[1]] = [sums[row[1]][0] + row[2], sums[row[1]][1] + row[7]]
    same(sums, {"pricing": [2, 1], "faq": [2, 1]}, "entries and revisits")


@scenario("dwell in a section ends at thirty seconds, and every summary adds to the last",
          seconds=120)
async def dwell_cap(scene):
    tab = await scene.open(section("pricing", WORDS, 700) + section("faq", WORDS, 900))
    for _ in range(34):
        await tab.play([("move", 100, 100), ("move", 140, 130)])
        await asyncio.sleep(1)
    await scene.until(lambda: len(scene.told("ps")) >= 2, "summaries at 15 and at 30 s")
    parts = await scene.after_leaving()
    same([part["q"] for part in parts], list(range(1, len(parts) + 1)), "numbers of the parts")
    dwell = sum(row[3] for part in parts for row in part.get("S", []) if row[1] == "pricing")
    same(dwell, 30_000, "milliseconds of dwell")
    active = sum(part["vz"][2] for part in parts)
    near(active, parts[-1]["pt"][0], 10, "active milliseconds of the parts")
    between(active, 33_000, 90_000, "active milliseconds")
    same(parts[-1]["pt"][4], parts[-2]["pt"][0], "the totals at the summary before")


@scenario("reading depth: credited time is dwell, expected time follows the words")
async def reading_depth(scene):
    await scene.open(section("testimonials", WORDS, 700) + section("faq", WORDS, 900))
    await asyncio.sleep(3)
    parts = await scene.after_leaving()
    rd = [sum(part.get("rd", [0] * 6)[at] for part in parts) for at in range(6)]
    dwell = sum(row[3] for part in parts for row in part.get("S", []))
    near(rd[0], dwell, 3, "credited milliseconds")
    near(rd[1], EXPECTED_MILLISECONDS, 2, "expected milliseconds")
    near(rd[5], dwell, 3, "milliseconds really spent")


@scenario("reading pattern: sections in the order of the page are linear")
async def linear(scene):
    tab = await scene.open("".join(section(f"part{at}", WORDS, 850) for at in range(4)))
    for at in range(4):
        await jump(tab, at * 850)
        await asyncio.sleep(1.25)
    parts = await scene.after_leaving()
    same(parts[-1]["rd"][4], 100, "the share of first views in order")
    same(parts[-1]["pt"][2], 4, "qualified sections")


@scenario("where nothing is marked, blocks under headings stand in for sections")
async def headings(scene):
    body = "".join(f"<article style='height:700px'><h2>{name}</h2>{'word ' * 40}</article>"
                   for name in ("Why us", "Prices"))
    await scene.open(body)
    await asyncio.sleep(1.6)
    rows = [row for part in await scene.after_leaving() for row in part.get("S", [])]
    same([row[1] for row in rows], ["#why-us"], "categories")
    near(rows[0][5], 42, 1, "words")


@scenario("a page that moves less than its window has its whole depth at once")
async def short_page(scene):
    await scene.open("<section data-section=pricing>Short</section>")
    await asyncio.sleep(1.4)
    parts = await scene.after_leaving()
    same(parts[-1]["pt"][1], 100, "the depth in percent")
