#!/usr/bin/python3
"""How soon the Hub shows its first figure and all of them, with a cold cache; five visits each.

    hub_speed.py var/addresses.json

Prints medians over loopback, and at 1.6 Mbit/s with 150 ms round trips and a processor slowed four
times. No figure is judged here: it depends on the machine and on what else runs on it.
"""

import json
import pathlib
import statistics
import sys

from browser import chromium
from hub import Hub
from hub_proxy import HubProxy

VISITS = 5
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 96_000}
# Set before the page: when the first figure, and the last card's answer, came into the page.
WATCH = """
    window.first = window.whole = 0;
    new MutationObserver(() => {
        const now = performance.now();
        if (!window.first && document.querySelector('.kpi .value, .kpi .blank')) window.first = now;
        const cards = document.querySelectorAll('main .card.kpi');
        if (!window.whole && cards.length
            && !document.querySelector('.card[aria-busy]')) window.whole = now;
    }).observe(document, { childList: true, subtree: true, attributes: true });
"""


def visit(hub, slow):
    context = hub.window()
    context.add_init_script(WATCH)
    page = hub.page(context)
    if slow:
        session = context.new_cdp_session(page)
        session.send("Network.emulateNetworkConditions", SLOW)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(f"{hub.server.url}#/overview")
    for _ in range(400):
        times = page.evaluate("[window.first, window.whole]")
        if all(times):
            break
        page.wait_for_timeout(50)
    context.close()
    return times


def main():
    file = pathlib.Path(sys.argv[1])
    addresses = {**json.loads(file.read_text()), "folder": file.parent}
    server = HubProxy(addresses["companion"])
    with chromium() as browser:
        hub = Hub(browser, server, addresses)
        for name, slow in (("loopback", False), ("1.6 Mbit/s, 150 ms, processor / 4", True)):
            visits = [visit(hub, slow) for _ in range(VISITS)]
            first, whole = (statistics.median(times) for times in zip(*visits))
            print(f"hub: {name}: first figure {first:.0f} ms, all {whole:.0f} ms")


if __name__ == "__main__":
    main()
