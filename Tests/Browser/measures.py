"""What the SDK costs a page in Chromium: handlers, long tasks, heap, and bytes on the wire.

    measures.py --binary .build/release/heliograph [--seconds 60] [--json FILE]

The processor is slowed four times by DevTools, and its own time is what counts. A visit of a minute
scrolls, moves, clicks and types
on a long page, once with the SDK and once without; then a thousand soft navigations follow.
"""
import argparse
import asyncio
import gzip
import json
import pathlib
import sys

import adapters
import suite
from scene import Scene
from stage.house import House
from stage.pages import page, section
from stage.stores import Stores
from tracing import CATEGORIES, Account

from engine import Engine  # noqa: E402  (Tests/Chaos, put on the path by stage.stores)

# Traces grow by some megabytes a second, so a visit is traced in pieces.
TRACE_SECONDS = 10
# Under so many calls the 99th percentile is the slowest one alone, which is shown and not judged.
CALLS_MINIMUM = 100
HANDLER_P99_MILLISECONDS_MAX = 1.0
NAVIGATIONS = 1000
HEAP_GROWTH_BYTES_MAX = 200_000
BODY = ("<button id=go data-cta=go style='position:fixed;top:20px;right:20px'>Go</button>"
        "<form data-form=lead style='position:fixed;top:60px;right:20px'><input id=field></form>"
        + "".join(section(f"part{at}", 150, 700, f"<h2>Part {at}</h2>") for at in range(30)))


def content(scene, with_sdk):
    """The page, with the SDK or without."""
    text = page(scene.script, BODY, data_key=f"hg_{scene.site}", data_consent=63,
                data_heatmap="on")
    return text if with_sdk else text.replace(f'<script async src="{scene.script}"', "<script")


async def minute(tab, seconds):
    """Scrolls, moves, clicks and types without a pause, for so long."""
    loop = asyncio.get_running_loop()
    end, turn = loop.time() + seconds, 0
    while loop.time() < end:
        turn += 1
        down = (turn // 12) % 2 == 0
        await tab.scroll(480 if down else -480, step_pixels=60, gap_milliseconds=16)
        await tab.play(tab.way_to(200 + 97 * turn % 800, 100 + 61 * turn % 600, 320))
        if turn % 5 == 0:
            await tab.click("#go", hover_milliseconds=60)
            await tab.click("#field", hover_milliseconds=60)
            await tab.keys("a", "b", "Backspace")


async def visit(scene, with_sdk, seconds, throttle):
    """An account of the main thread over a visit, with the processor slowed."""
    scene.wire.pages["/"] = content(scene, with_sdk)
    tab = scene.tab = await scene.browser.visitor()
    scene.tabs.append(tab)
    await tab.devtools("Emulation.setCPUThrottlingRate", rate=throttle)
    account, left = Account("/hg.js"), seconds
    tracing = scene.browser.chromium
    while left > 0:
        await tracing.start_tracing(page=tab.page, categories=CATEGORIES)
        if left == seconds:
            await tab.goto(scene.url("/"))
        await minute(tab, min(left, TRACE_SECONDS))
        account.take(await tracing.stop_tracing())
        left -= TRACE_SECONDS
    return account


def wire_bytes(scene):
    """Bodies as they were sent, and as JSON; headers are the browser's own."""
    sent = [request.body for request in scene.wire.lines]
    plain = [gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for body in sent]
    return {"requests": len(sent), "events": len(scene.told()),
            "raw_bytes": sum(map(len, plain)), "sent_bytes": sum(map(len, sent)),
            "bytes_if_gzipped": sum(len(gzip.compress(body, 6)) for body in plain)}


async def heap_after(tab):
    await tab.devtools("HeapProfiler.collectGarbage")
    return (await tab.devtools("Runtime.getHeapUsage"))["usedSize"]


async def heap(scene, with_sdk):
    """Heap in bytes after a hundred and after a thousand soft navigations."""
    scene.wire.pages["/"] = content(scene, with_sdk)
    tab = await scene.visit("/")
    found = {}
    for at in range(1, NAVIGATIONS + 1):
        await tab.evaluate("(at) => new Promise((done) => { scrollTo(0, at % 9 * 300);"
                           "history.pushState({}, '', '/soft/' + at); setTimeout(done, 60) })", at)
        if at in (100, 500, NAVIGATIONS):
            found[at] = await heap_after(tab)
    return found


async def measure(engine, options):
    house = House(engine.ingest_port)
    await house.open()
    stores = Stores(engine.addresses())
    browser = adapters.browser("chromium")
    await browser.start()
    scenes = [Scene(house, stores, browser, suite.site_name("chromium", at)) for at in range(4)]
    try:
        told = {"with": await visit(scenes[0], True, options.seconds, options.throttle)}
        await scenes[0].leave()
        await scenes[0].settle(1.0)
        await scenes[0].judge()
        told["bytes"] = wire_bytes(scenes[0])
        told["without"] = await visit(scenes[1], False, options.seconds, options.throttle)
        told["heap"], told["heap_without"] = await asyncio.gather(
            heap(scenes[2], True), heap(scenes[3], False))
        await scenes[2].leave()
    finally:
        for scene in scenes:
            await suite.closed(scene)
        await browser.stop()
        await house.close()
        stores.close()
    return told


def judged(told):
    """The report, and what in it is over its limit."""
    account, table = told["with"], told["with"].table()
    grown = {name: told[name][NAVIGATIONS] - told[name][100] for name in ("heap", "heap_without")}
    faults = [f"{name}: p99 {row['p99']} ms" for name, row in table.items()
              if row["calls"] >= CALLS_MINIMUM and row["p99"] > HANDLER_P99_MILLISECONDS_MAX]
    if account.made_long():
        faults.append(f"long tasks by the SDK (whole, its part in ms): {account.made_long()}")
    if grown["heap"] - grown["heap_without"] > HEAP_GROWTH_BYTES_MAX:
        faults.append(f"the heap grew by {grown} bytes over {NAVIGATIONS - 100} navigations")
    report = {"handlers": table, "long_tasks_with_sdk": len(account.long_tasks),
              "long_tasks_without_sdk": len(told["without"].long_tasks),
              "long_tasks_made_by_sdk": account.made_long(),
              "heap_bytes_with_sdk": told["heap"],
              "heap_bytes_without_sdk": told["heap_without"],
              "wire": told["bytes"], "faults": faults}
    return report, faults


def show(report):
    print("processor time of the main thread")
    print(f"{'called by':24} {'calls':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for name, row in report["handlers"].items():
        print(f"{name:24} {row['calls']:6} {row['p50']:8} {row['p99']:8} {row['max']:8}")
    for name in [name for name in report if name not in ("handlers", "faults")]:
        print(f"{name.replace('_', ' ')}: {report[name]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--throttle", type=int, default=4, help="how many times slower")
    parser.add_argument("--json", help="where the report goes")
    # The suite's other options are handed over along with these.
    options, _ = parser.parse_known_args()
    engine = Engine(options.binary, settings=suite.sites(4))
    try:
        engine.start()
        report, faults = judged(asyncio.run(measure(engine, options)))
        engine.stop()
    finally:
        engine.clean_up()
    show(report)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    for fault in faults:
        print(f"measures: over the limit: {fault}")
    print(f"measures: {int(not faults)} passed, {len(faults)} failed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
