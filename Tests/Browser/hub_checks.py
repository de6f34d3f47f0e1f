"""What the Hub promises, one function each: they return what is wrong, nothing when all is well."""

import csv
import io
import json
import pathlib
import re
import time
import urllib.parse

from hub_world import FORMULAS, HOSTILE, read

# Set before any script of the page: what breaks the policy, and what a hostile string would set.
WATCH = """
    window.violations = [];
    document.addEventListener('securitypolicyviolation',
        (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABS = 8
PATIENCE_SECONDS = 60


def until(page, condition, seconds=PATIENCE_SECONDS):
    """Waits for a condition; Playwright's own way would need the policy to allow eval."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if page.evaluate(condition):
            return True
        page.wait_for_timeout(50)
    return False


def overflow(page, where):
    """Nothing is wider than the window, and no text is cut."""
    more = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    cut = page.evaluate("""[...document.querySelectorAll('.value, .title, .chip, h1, button')]
        .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.textContent.slice(0, 40))""")
    violations = page.evaluate("window.violations")
    return ([f"{where}: {more} px too wide"] if more > 0 else []) + \
        [f"{where}: cut: {text}" for text in cut] + \
        [f"{where}: policy: {text}" for text in violations]


def axe(page, script, where):
    page.evaluate(script)
    result = page.evaluate(f"axe.run({{runOnly: {json.dumps(TAGS)}}})")
    return [f"{where}: axe: {one['id']}: {node['html'][:160]}: {node['failureSummary'][:200]}"
            for one in result["violations"] for node in one["nodes"][:3]]


def way_in(hub):
    """Who opens the companion's address signs in and is then on the Hub's first page."""
    context = hub.window(is_known=False)
    page = hub.page(context)
    page.goto(f"{hub.server.origin}/")
    found = [] if "/welcome" in page.url else [f"a stranger is led to {page.url}"]
    page.locator("#token").fill(hub.token)
    page.locator("#form button").click()
    page.wait_for_url("**/hub/*")
    hub.settle(page)
    title = page.locator("main h1").inner_text()
    context.close()
    return found + ([] if title == "Overview" else [f"the first page is {title!r}"])


# ---- keyboard

FOCUS = """(() => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const walked = document.querySelectorAll('[data-walk]').length;
    if (!one.dataset.walk) one.dataset.walk = String(walked);
    return { key: one.dataset.walk, name: one.tagName, text: one.textContent.slice(0, 40),
        outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.height > 0 };
})()"""


def keyboard(hub):
    context = hub.window()
    page = hub.page(context)
    found = []
    for name, place in hub.few_places().items():
        hub.open(page, place)
        page.keyboard.press("p")
        found += walk(page, name)
    hub.open(page, "overview")
    found += shortcuts(hub, page)
    context.close()
    return found


def walk(page, name):
    """Tab reaches everything that can be used, each with an outline, and comes to an end."""
    found, reached = [], set()
    for _ in range(400):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUS)
        if one["name"] == "BODY" or one["key"] in reached:
            break
        reached.add(one["key"])
        if not one["outline"] or not one["seen"]:
            found.append(f"{name}: no visible focus: {one}")
    missed = page.evaluate("""[...document.querySelectorAll(
            'a[href], button, select, input, summary')]
        .filter((one) => one.checkVisibility() && !one.disabled && !one.dataset.walk
            && !(one.type === 'radio' && !one.checked))
        .map((one) => one.outerHTML.slice(0, 80))""")
    return found + [f"{name}: never reached by Tab: {text}" for text in missed[:5]]


def shortcuts(hub, page):
    """Pages, periods, theme and the list of commands, all without a pointer."""
    found = []

    def expect(what, condition):
        if not until(page, condition):
            found.append(f"{what}: {page.url}, focus on {page.evaluate(FOCUS)}")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect("the skip link leads into the page", "document.activeElement.id === 'view'")
    for keys, title in (("gl", "Live"), ("gv", "Visitors"), ("gq", "Data quality"),
                        ("go", "Overview")):
        for key in keys:
            page.keyboard.press(key)
        expect(f"{keys} opens {title}", f"document.activeElement.matches('h1') "
               f"&& document.activeElement.textContent === {title!r}")
    page.keyboard.press("7")
    expect("7 is the last 7 days", "location.hash.includes('range=7d')")
    page.keyboard.press("m")
    expect("m turns the theme", "document.documentElement.dataset.theme === 'dark'")
    page.keyboard.press("?")
    expect("? lists commands", "document.activeElement.matches('dialog input')")
    page.keyboard.type("deliveries")
    page.keyboard.press("Enter")
    expect("a typed command is done", "location.hash.startsWith('#/deliveries')")
    page.keyboard.press("Control+k")
    page.keyboard.type(hub.visitor)
    page.keyboard.press("Enter")
    expect("a typed id opens the visitor",
           "document.querySelector('main h1').textContent === 'Visitor'")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect("Escape closes the list", "!document.querySelector('dialog')")
    return found


# ---- hostile strings

STRANGE = "iframe, script:not([src]), [onerror], [onload]"


def hostile(hub):
    """Event data with markup in every field: shown as text, run by nobody."""
    context = hub.window()
    page = hub.page(context)
    found, shown = [], 0
    places = ["overview", "live", "visitors", "deliveries", "quality", "quality?of=all"]
    for text in HOSTILE if hub.is_long else HOSTILE[:2]:
        quoted = urllib.parse.quote(text, safe="")
        places += [f"visitors/{quoted}", f"quality?event={quoted}", f"quality?reason={quoted}",
                   f"overview?site={quoted}&figure={quoted}", f"deliveries?destination={quoted}"]
    for place in places:
        hub.open(page, place)
        if place == "quality?of=all":
            shown += open_bytes(page)
        strange = page.evaluate(f"document.querySelectorAll({STRANGE!r}).length")
        if page.evaluate("window.hostile") or strange or page.evaluate("window.violations.length"):
            found.append(f"{place}: ran or made markup: {page.evaluate('window.violations')}")
    context.close()
    return found + ([] if shown else ["no hostile bytes were shown, so nothing was tried"])


def open_bytes(page):
    """Opens what was refused, as a person would; says how many showed markup as text."""
    shown = 0
    buttons = page.locator("hg-rejected td button")
    for index in range(min(buttons.count(), 12)):
        buttons.nth(index).click()
        page.wait_for_selector("dialog .facts")
        shown += "hostile=1" in page.locator("dialog").inner_text()
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
    return shown


def saved_tables(hub):
    """A table saved for a spreadsheet says what the table says, and works nothing out."""
    context = hub.window()
    page = hub.page(context)
    hub.open(page, "behaviour")
    with page.expect_download() as download:
        page.locator("hg-behaviour[of=named] button", has_text=re.compile("^CSV$")).click()
    text = pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    shown = page.locator("hg-behaviour[of=named] tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].slice(0, 2).map((one) => one.textContent))")
    names = [row[0] for row in rows[1:]]
    saved = [(row[0], int(row[1])) for row in rows[1:]]
    context.close()
    found = [f"could be worked out: {name!r}" for name in names
             if name.strip()[:1] in "=+-@|%" or name[:1] in "\t\r\n"]
    if rows[0][:2] != ["event.name", "events"]:
        found.append(f"the head is {rows[0]}")
    # What would be worked out has an apostrophe in front.
    expected = [({name, "'" + name}, int(re.sub(r"\D", "", times))) for name, times in shown]
    if not shown or len(saved) < len(shown) or not all(
            name in either and times == count
            for (name, times), (either, count) in zip(saved, expected)):
        found.append(f"shown {shown}, saved {saved[:len(shown)]}")
    # Behind what is shown comes what was counted less often, each once.
    if len({name for name, _ in saved}) < len(saved) or saved != sorted(saved, key=lambda one: -one[1]):
        found.append(f"not by how often, or not each once: {saved}")
    if not any(name.startswith("'=1+1") for name in names):
        found.append(f"no formula among {names}, so nothing was tried; sent {FORMULAS}")
    return found


def whole_timeline(hub):
    """Page by page a timeline is what it is at once: nothing twice, nothing left out."""
    path = f"/api/v1/visitors/{hub.visitor}/timeline?site=demo&limit="
    at_once = read(hub.addresses, path + "200")
    items, cursor = [], ""
    while cursor is not None:
        page = read(hub.addresses, f"{path}7&cursor={cursor}" if cursor else path + "7")
        items, cursor = items + page["items"], page["next_cursor"]
    kinds = {item["kind"] for item in items}
    found = [] if items[:200] == at_once["items"] else [
        f"{len(items)} by sevens, {len(at_once['items'])} at once"]
    missing = {"page_view", "click", "score"} - kinds
    return found + ([f"no {missing} among {kinds}"] if missing else [])


# ---- liveness

def one_stream(hub):
    """Eight tabs hold one stream; when the one that leads closes, another takes over."""
    context = hub.window()
    pages = [hub.page(context) for _ in range(TABS)]
    for page in pages:
        hub.open(page, "live")
    live = "document.querySelector('.light').textContent === 'Live'"
    found = settled_on_one(hub, pages, live, "with eight tabs")
    pages[0].close()
    found += settled_on_one(hub, pages[1:], live, "after the first tab closed")
    context.close()
    return found


def settled_on_one(hub, pages, live, when):
    """Streams of windows that were closed a moment ago may be seen off first."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        pages[0].wait_for_timeout(200)
        if len(hub.server.streams) == 1 and all([page.evaluate(live) for page in pages]):
            return []
    states = [page.evaluate("document.querySelector('.light').textContent") for page in pages]
    return [f"{when}: {len(hub.server.streams)} streams, tabs say {states}"]


def away(hub):
    """Without the companion a page says so and shows what it knew; then it goes on by itself."""
    context = hub.window()
    page = hub.page(context)
    hub.open(page, "visitors")
    rows = page.locator("hg-visitors tbody tr").count()
    found = []
    if not until(page, "navigator.serviceWorker.getRegistration().then((one) => !!one?.active)"):
        found.append("no service worker came to keep the page")
    hub.server.is_away = True
    try:
        if not until(page, "document.querySelector('.light').textContent.startsWith('Reconn')", 60):
            found.append("it never said that the stream was lost")
        page.reload()
        hub.settle(page)
        kept = page.locator("hg-visitors tbody tr").count()
        stamp = page.locator("hg-visitors .stamp").inner_text()
        if not rows or kept != rows or "offline" not in stamp:
            found.append(f"{rows} rows before, {kept} kept, stamped {stamp!r}")
    finally:
        hub.server.is_away = False
    if not until(page, "document.querySelector('.light').textContent === 'Live'", 60):
        found.append("the stream never came back")
    stamped = "document.querySelector('hg-visitors .stamp').textContent"
    if not until(page, f"!{stamped}.match('offline')", 90):
        found.append("the list was never read anew")
    context.close()
    return found


# ---- figures

DOCUMENTED = {
    "columns": [{"name": "", "type": "integer"}],
    "rows": [{"d": [], "t": f"2026-11-{day:02}T00:00:00Z", "m": [day * 10], "c": [day * 9]}
             for day in range(1, 15)],
    "totals": {"m": [1050], "c": [945], "change": [0.1111], "noise": [False]},
    "meta": {"as_of": "2026-11-14T12:00:00Z", "warnings": []}, "next_cursor": None}


def documented_answer(hub):
    """Whatever companion runs: an answer of the documented shape becomes figure, change, course."""
    context = hub.window()
    page = hub.page(context)
    asked = []

    def answer(route):
        question = route.request.post_data_json
        asked.append(question)
        name = question["metrics"][0]
        body = {**DOCUMENTED, "columns": [{"name": name, "type": "integer"}]}
        if name == "revenue":
            money = {"type": "money", "currency": "EUR", "minor_digits": 2}
            body["columns"] = [{"name": name, **money}]
        if name == "conversion_rate":
            body["totals"] = {"m": [None], "change": [None]}
        route.fulfill(json=body)

    page.route("**/api/v1/query", answer)
    hub.open(page, "overview?range=28d")
    card = page.locator("hg-kpi[metric=visitors]").inner_text()
    empty = page.locator("hg-kpi[metric=conversion_rate]").inner_text()
    money = page.locator("hg-kpi[metric=revenue]").inner_text()
    drawn = page.locator("hg-trend path.now").get_attribute("d") or ""
    numbers = page.locator("hg-trend tbody tr").count()
    found = []
    if "1,050" not in card or "11.1%" not in card or "up" not in card:
        found.append(f"the figure reads {card!r}")
    if "10.50" not in money:
        found.append(f"1050 cents read {money!r}")
    if "–" not in empty or "0 visitors" not in empty:
        found.append(f"a ratio of nothing reads {empty!r}")
    if drawn.count("C") != 13 or numbers != 14:
        found.append(f"the course has {drawn.count('C')} parts and {numbers} numbers")
    courses = [one for one in asked if "grain" in one]
    if not all(one.get("compare") == {"to": "previous", "align": "elapsed"} for one in courses):
        found.append("it did not ask for the time before")
    if hub.pictures:
        page.screenshot(path=hub.pictures / "hub-overview-documented.png", full_page=True)
    context.close()
    return found
