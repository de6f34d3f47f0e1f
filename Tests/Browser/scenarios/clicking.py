"""Signals 8, 9 and 20: cadence, decisiveness, and clicks that tell of frustration."""
import asyncio

from catalogue import scenario
from scene import between, demand, near, same

CTA, OUTBOUND, DOWNLOAD, RAGE, DEAD, ERROR = 1, 2, 4, 8, 16, 32
# Something changes at each click, so that none is dead.
BUTTONS = "".join(
    f"<button id=b{at} style='margin:40px;width:120px;height:40px' "
    f"onclick='this.textContent += 1'>Go {at}</button>" for at in range(4))
DEAD_SECONDS = 2.9


def middle_of(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@scenario("cadence and decisiveness: quick first presses are decisive", essential=True)
async def decisive(scene):
    tab = await scene.open(BUTTONS)
    for name in ("#b0", "#b1", "#b2"):
        await tab.click(name, hover_milliseconds=300, gap_milliseconds=200)
    seen = await scene.witness()
    ck = await scene.summed("ck")
    presses = [click[4] for click in seen["clicks"]]
    gaps = [later[1] - first[1] for first, later in zip(seen["clicks"], seen["clicks"][1:])]
    wanted = sum(80 <= press <= 1200 for press in presses)
    same(ck[:6], [3, 3, wanted, 0, 0, 0], "clicks")
    demand(wanted == 3, "the machine was too slow for a decisive click:", presses)
    near(ck[6], middle_of(gaps), 30, "the median gap")
    near(ck[7], middle_of(presses), 30, "the median hover")


@scenario("a press after a long hover, or at a second entry, is not decisive")
async def hesitant(scene):
    tab = await scene.open(BUTTONS)
    await tab.click("#b0", hover_milliseconds=1500)
    await tab.hover("#b1", 200)
    await tab.hover("#b2", 200)
    await tab.click("#b1", hover_milliseconds=300)
    ck = await scene.summed("ck")
    same(ck[:3], [2, 2, 0], "clicks, interactive and decisive ones")


@scenario("a click on plain text is no interactive click")
async def plain(scene):
    tab = await scene.open("<p id=text style='margin:100px'>Only words</p>")
    await tab.click("#text")
    await asyncio.sleep(DEAD_SECONDS)
    ck = await scene.summed("ck")
    same(ck, [1, 0, 0, 0, 0, 0, 0, 0], "clicks")
    same(scene.told("ck"), [], "clicks told one by one")


@scenario("rage: three quick clicks on one spot are told once", essential=True)
async def rage(scene):
    tab = await scene.open(BUTTONS)
    await tab.click("#b1", times=5, gap_milliseconds=90)
    await asyncio.sleep(0.3)
    ck = await scene.summed("ck")
    same(ck[:6], [5, 5, ck[2], 1, 0, 0], "clicks")
    clicks = await scene.values("ck")
    same([click["f"] for click in clicks], [RAGE], "flags")
    same(clicks[0]["g"], "button", "what was clicked")
    x, y = scene.tab.mouse
    near(clicks[0]["x"], x, 2, "x")
    near(clicks[0]["y"], y, 2, "y")


NOT_RAGE = [
    ("in a text field", "<input id=target value='some words'>", {}),
    ("in a text area", "<textarea id=target>some words</textarea>", {}),
    ("on a stepper", "<button id=target class='qty-plus' onclick='this.title += 1'>+</button>", {}),
    ("on a control called next",
     "<button id=target aria-label='Next picture' onclick='this.title += 1'>&gt;</button>", {}),
    ("where the site says so",
     "<div data-hg-ignore><button id=target onclick='this.title += 1'>Game</button></div>", {}),
    ("with more than a second between", BUTTONS, {"gap_milliseconds": 1150}),
]


def not_rage(name, body, more):
    @scenario(f"not rage: clicks {name}")
    async def play(scene):
        tab = await scene.open(body)
        target = "#target" if "id=target" in body else "#b1"
        await tab.click(target, times=4, **{"gap_milliseconds": 80, **more})
        ck = await scene.summed("ck")
        same([ck[0], ck[3]], [4, 0], "clicks and rage clicks")


for case in NOT_RAGE:
    not_rage(*case)


@scenario("not rage: quick clicks on places far apart")
async def far_apart(scene):
    tab = await scene.open("<div style='position:fixed;inset:0' onclick='this.title += 1'></div>")
    steps = []
    for x in (100, 160, 220, 280):
        steps += [("move", x, 200), ("down",), ("up",), ("wait", 100)]
    await tab.play(steps)
    ck = await scene.summed("ck")
    same([ck[0], ck[3]], [4, 0], "clicks and rage clicks")


@scenario("not rage: a triple click that chooses words")
async def choosing(scene):
    tab = await scene.open("<p id=text style='margin:60px'>Words that somebody chooses</p>")
    await tab.click("#text", times=3, gap_milliseconds=60)
    demand(await tab.evaluate("() => String(getSelection()).length > 3"), "nothing was chosen")
    ck = await scene.summed("ck")
    same([ck[0], ck[3]], [3, 0], "clicks and rage clicks")


@scenario("dead: a button that does nothing is told after a while", essential=True)
async def dead(scene):
    tab = await scene.open("<div role=button id=dead style='margin:50px;width:90px'>Send</div>")
    await tab.click("#dead")
    await asyncio.sleep(DEAD_SECONDS)
    ck = await scene.summed("ck")
    same(ck[:6], [1, 1, ck[2], 0, 1, 0], "clicks")
    click = await scene.one("ck")
    same([click["f"], click["a"], click["g"]], [DEAD, "Send", "div"], "the dead click")


BUTTON = "<div role=button id=target style='margin:50px;width:90px' {}>Do</div>"
NOT_DEAD = [
    ("that changes the page", BUTTON.format("onclick='this.title = 1'")),
    ("that changes the page two seconds later",
     BUTTON.format("onclick='setTimeout(() => { this.title = 1 }, 2000)'")),
    ("that scrolls", BUTTON.format("onclick='window.scrollTo(0, 200)'")
     + "<div style='height:3000px'></div>"),
    ("that chooses text",
     BUTTON.format("onclick='getSelection().selectAllChildren(document.querySelector(`p`))'")
     + "<p>chosen</p>"),
    ("that moves the focus",
     BUTTON.format("onclick='setTimeout(() => document.querySelector(`#field`).focus(), 300)'")
     + "<input id=field>"),
    ("in a link", "<a href='#here' style='margin:50px;display:block'>"
     "<span id=target class=btn>In a link</span></a>"),
    ("in a label", "<label style='margin:50px'><span id=target class=btn>Label</span></label>"),
    ("in a form's control", "<select id=target style='margin:50px'><option>A</select>"),
    ("where the site says so", "<div data-hg-ignore>" + BUTTON.format("") + "</div>"),
]


def not_dead(name, body):
    @scenario(f"not dead: a click {name}")
    async def play(scene):
        tab = await scene.open(body)
        await tab.click("#target")
        await asyncio.sleep(DEAD_SECONDS)
        ck = await scene.summed("ck")
        same([ck[0], ck[4]], [1, 0], "clicks and dead clicks")


for case in NOT_DEAD:
    not_dead(*case)


@scenario("not dead: a click with a modifier key")
async def modified(scene):
    tab = await scene.open(BUTTON.format(""))
    x, y = await tab.middle("#target")
    await tab.play([("move", x, y), ("press", "Shift"), ("down",), ("up",), ("release", "Shift")])
    await asyncio.sleep(DEAD_SECONDS)
    ck = await scene.summed("ck")
    same([ck[0], ck[4]], [1, 0], "clicks and dead clicks")


@scenario("error: a fault and a rejection soon after a click belong to it", essential=True)
async def error(scene):
    scene.faults_expected = True
    tab = await scene.open(
        "<button id=bad style='margin:40px' onclick='this.title += 1; setTimeout(() => { "
        "throw Error(1) }, 50)'>Bad</button><button id=worse style='margin:40px' onclick='"
        "this.title += 1; setTimeout(() => Promise.reject(Error(2)), 50)'>Worse</button>")
    await tab.click("#bad")
    await asyncio.sleep(0.3)
    await tab.click("#worse")
    await asyncio.sleep(0.3)
    ck = await scene.summed("ck")
    same(ck[3:6], [0, 0, 2], "rage, dead and error clicks")
    clicks = await scene.values("ck")
    same([(c["f"], c["a"]) for c in clicks], [(ERROR, "Bad"), (ERROR, "Worse")], "error clicks")


@scenario("not an error click: a late fault, and a picture that does not load")
async def not_error(scene):
    scene.faults_expected = True
    tab = await scene.open(
        "<button id=late style='margin:40px' onclick='this.title += 1; setTimeout(() => { "
        "throw Error(1) }, 1300)'>Late</button><button id=gone style='margin:40px' onclick='"
        "this.title += 1; document.body.append(Object.assign(new Image(), {src: `/none.png`}))'>"
        "Gone</button>")
    await tab.click("#gone")
    await asyncio.sleep(0.4)
    await tab.click("#late")
    await asyncio.sleep(1.7)
    ck = await scene.summed("ck")
    same([ck[0], ck[5]], [2, 0], "clicks and error clicks")


@scenario("links out and downloads are told with their label and flag")
async def links(scene):
    tab = await scene.open(
        "<a id=out style='margin:50px' href='http://elsewhere.localhost/x' "
        "onclick='event.preventDefault()'>Away</a><a id=file style='margin:50px' "
        "href='/prices.pdf' onclick='event.preventDefault()'>Prices</a><a id=here "
        "style='margin:50px' href='/here' onclick='event.preventDefault()'>Here</a>")
    for name in ("#out", "#file", "#here"):
        await tab.click(name)
    await scene.leave()
    await scene.until(lambda: len(scene.told("ck")) >= 2, "two clicks")
    found = [(click["f"], click["a"]) for click in await scene.values("ck")]
    same(found, [(OUTBOUND, "elsewhere.localhost"), (DOWNLOAD, "prices.pdf")], "clicks")


@scenario("a click's place and hover time are those that the visitor had")
async def place(scene):
    tab = await scene.open(
        "<button data-cta=start-trial style='margin:60px' onclick='this.title=1'>Start</button>")
    await tab.click("[data-cta]", hover_milliseconds=700)
    seen = (await scene.witness())["clicks"][0]
    await scene.leave()
    await scene.until(lambda: scene.told("ck"), "the click")
    click = await scene.one("ck")
    same([click["a"], click["f"], click["g"]], ["start-trial", CTA, "button"], "the click")
    near(click["x"], seen[2], 1, "x")
    near(click["y"], seen[3], 1, "y")
    near(click["hv"], seen[4], 30, "the hover time")
    between(click["hv"], 600, 2500, "the hover time")
