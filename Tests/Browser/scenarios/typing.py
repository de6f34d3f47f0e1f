"""Signal 13: what is done with keys, and never which."""
import asyncio

from catalogue import scenario
from scene import demand, near, same

# The page keeps the browser from opening its own windows; the SDK hears the keys before.
SHORTCUTS = "addEventListener('keydown', e => { if (e.ctrlKey) e.preventDefault(); });"


def gaps(times):
    return [later - first for first, later in zip(times, times[1:])]


@scenario("typing in a search box is a burst, told by its rhythm alone", essential=True)
async def burst(scene):
    tab = await scene.open("<input type=search name=q id=q style='margin:50px'>")
    await tab.click("#q")
    await tab.type("zanzibar", gap_milliseconds=70)
    await tab.keys("Backspace", "Backspace", gap_milliseconds=70)
    times = (await scene.witness())["keys"]
    kb = await scene.summed("kb")
    same(kb[:2], [1, 10], "bursts and keys")
    mean = sum(gaps(times)) / len(gaps(times))
    near(kb[2], mean, 8, "the mean gap")
    spread = (sum((gap - mean) ** 2 for gap in gaps(times)) / len(gaps(times))) ** 0.5
    near(kb[3], 100 * spread / mean, 8, "the variation in percent")
    same(kb[4:], [20, 0, 0, 0], "backspaces in percent, copy, find and print")
    demand(b"zanzibar" not in b"".join(scene.wire.bodies), "what was typed was told")


@scenario("copy, find and print are counted; other shortcuts are not")
async def shortcuts(scene):
    tab = await scene.open("<p>Some words</p>", early=SHORTCUTS)
    for name in ("c", "c", "f", "p", "b", "s"):
        await tab.chord("Control", name)
    kb = await scene.summed("kb")
    same(kb, [0, 0, 0, 0, 0, 2, 1, 1], "what keys did")


@scenario("stepping with Tab three times is purposeful")
async def stepping(scene):
    tab = await scene.open("".join(f"<button id=s{at}>S</button>" for at in range(5)))
    await tab.click("#s0")
    await tab.keys("Tab", "Tab", "Tab", gap_milliseconds=150)
    kb = await scene.summed("kb")
    same(kb[:2], [1, 0], "bursts and keys")


@scenario("no key of a password, a card or a private part is counted", essential=True)
async def private(scene):
    tab = await scene.open(
        "<div style='margin:40px'><input type=password id=p><input autocomplete=cc-number id=c>"
        "<div data-private><input id=d type=search></div></div>")
    for name in ("#p", "#c", "#d"):
        await tab.click(name)
        await tab.type("secret77")
    parts = await scene.after_leaving()
    same([part["kb"] for part in parts if "kb" in part], [], "what keys did")
    demand(b"secret77" not in b"".join(scene.wire.bodies), "what was typed was told")


@scenario("keys that repeat by themselves count once")
async def held(scene):
    tab = await scene.open("<input type=search id=q>")
    await tab.click("#q")
    await tab.evaluate("""() => {
        const field = document.querySelector('#q');
        for (let i = 0; i < 5; i++) field.dispatchEvent(
            new KeyboardEvent('keydown', { key: 'a', bubbles: true, repeat: i > 0 }));
    }""")
    await asyncio.sleep(0.1)
    kb = await scene.summed("kb")
    same(kb[1], 1, "keys")
