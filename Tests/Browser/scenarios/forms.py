"""Signals 14 to 16: how forms are filled in, told by times and counts and never by content."""
import asyncio

from catalogue import scenario
from scene import between, demand, near, same

START, PROGRESS, SUBMIT, LEFT = 1, 2, 3, 4
FORM = ("<form data-form=checkout onsubmit='event.preventDefault()' style='margin:40px'>"
        "<input id=name name=name required><input id=email name=email type=email required>"
        "<input id=city name=city required><button id=send>Send</button></form>")


def fields(events):
    """Rows of fields over all reports of a form, added up by name."""
    found = {}
    for event in events:
        for row in event.get("ff", []):
            old = found.get(row[0], [0] * 6)
            found[row[0]] = [a + b for a, b in zip(old, row[1:])]
    return found


async def fill(scene, **values):
    for name, value in values.items():
        await scene.tab.click(f"#{name}")
        await scene.tab.type(value, gap_milliseconds=25)


@scenario("a form's start is told at once, and leaving it is an abandonment", essential=True)
async def abandoned(scene):
    await scene.open(FORM)
    await fill(scene, name="Quux")
    await scene.until(lambda: scene.told("fm"), "the start, while the page is open")
    await fill(scene, email="zanzibar@quux.example")
    events = await scene.after_leaving("fm")
    same([events[0]["ph"], events[0]["f"]], [START, "checkout"], "the start")
    last = events[-1]
    same([last["ph"], last["cp"], last["sb"]], [LEFT, 67, 0], "the end")
    rows = fields(events)
    same([rows["name"][2], rows["email"][2]], [4, 21], "keys")
    demand(b"anzibar" not in b"".join(scene.wire.bodies), "what was typed was told")


@scenario("a submitted form is told whole and is no abandonment", essential=True)
async def submitted(scene):
    tab = await scene.open(FORM)
    await fill(scene, name="Quux", email="q@quux.example", city="Lund")
    await tab.click("#send")
    await scene.until(lambda: any(e["ph"] == SUBMIT for e in scene.told("fm")), "the submission")
    events = await scene.after_leaving("fm")
    same([e["ph"] for e in events if e["ph"] in (SUBMIT, LEFT)], [SUBMIT], "phases at the end")
    done = [e for e in events if e["ph"] == SUBMIT][0]
    same([done["cp"], done["sb"]], [100, 1], "completion in percent, submitted")


@scenario("friction: corrections, returns to a field and a long wait before the first key")
async def friction(scene):
    tab = await scene.open(FORM)
    await tab.click("#name")
    await asyncio.sleep(1.2)
    await tab.type("Quxx")
    await fill(scene, city="Lund")
    await tab.click("#name")
    await tab.keys("End", "Backspace", "Backspace", "u", "x")
    await tab.click("#email")
    rows = fields(await scene.after_leaving("fm"))
    delay, time, keys, corrections, returns, errors = rows["name"]
    between(delay, 1200, 3500, "the wait before the first key")
    demand(time > delay, "time in the field:", time)
    same([keys, corrections, returns, errors], [8, 1, 1, 0], "keys, corrections, returns, errors")
    same(rows["city"][2:], [4, 0, 0, 0], "the other field")


@scenario("a field that the form refuses is an error of that field")
async def refused(scene):
    tab = await scene.open(FORM.replace("<form ", "<form novalidate "))
    await fill(scene, name="Quux", email="no-address")
    await tab.click("#send")
    await asyncio.sleep(0.3)
    rows = fields(await scene.after_leaving("fm"))
    same([rows["email"][5], rows["name"][5]], [1, 0], "errors")
    same([e["ph"] for e in await scene.values("fm") if e["ph"] == SUBMIT], [], "submissions")


@scenario("a field that the browser itself refuses is an error, too")
async def refused_by_browser(scene):
    tab = await scene.open(FORM)
    await fill(scene, name="Quux", city="Lund")
    await tab.click("#send")
    await asyncio.sleep(0.3)
    events = await scene.after_leaving("fm")
    same(fields(events)["email"][5], 1, "errors of the empty field")
    same(events[-1]["ph"], LEFT, "the last phase")


@scenario("what is finished in a form goes with the next summary as progress")
async def progress(scene):
    tab = await scene.open(FORM)
    await fill(scene, name="Quux", email="q@quux.example")
    await tab.click("#city")
    await tab.evaluate("() => void window.dispatchEvent(new Event('blur'))")
    await scene.until(lambda: any(e["ph"] == PROGRESS for e in scene.told("fm")), "progress")
    found = [e for e in await scene.values("fm") if e["ph"] == PROGRESS]
    same(found[-1]["cp"], 67, "completion in percent")
    same(sorted(fields(found)), ["email", "name"], "fields that were left")


@scenario("a form that was only looked at says nothing")
async def looked_at(scene):
    tab = await scene.open(FORM)
    await tab.click("#name")
    await tab.click("#email")
    await scene.after_leaving("ps")
    same(scene.told("fm"), [], "what is told of forms")


@scenario("what a private field holds is not told, nor how it was corrected")
async def private(scene):
    tab = await scene.open("<form data-form=login style='margin:40px'><input id=user name=user>"
                           "<input id=secret name=secret type=password></form>")
    await fill(scene, user="quux", secret="zanzibar")
    await tab.keys("Backspace", "Backspace", "Backspace", "x")
    events = await scene.after_leaving("fm")
    same(fields(events)["secret"][3], 0, "corrections in the password")
    demand(b"zanzibar" not in b"".join(scene.wire.bodies), "what was typed was told")


@scenario("a form without a name is called by its element, a field by its id")
async def nameless(scene):
    await scene.open("<form><input id=only></form>")
    await fill(scene, only="abc")
    event = (await scene.after_leaving("fm"))[0]
    same(event["f"], "form", "the form's name")
    near(event["cp"], 100, 0, "completion")
