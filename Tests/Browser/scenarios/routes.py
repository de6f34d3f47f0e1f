"""Page views: their context, numbers over loads and tabs, and single-page applications."""
import asyncio

from catalogue import scenario
from scene import between, demand, same


def soft(path, how="pushState"):
    return f"() => void history.{how}({{}}, '', '{path}')"


async def views(scene, count, what="a page view"):
    await scene.until(lambda: len(scene.told("pv")) >= count, what)


@scenario("a page view is told at once, with its address reduced to what is allowed",
          essential=True)
async def page_view(scene):
    scene.show("/deep/page", "<p>three words here</p>", title="Lamps & more")
    await scene.visit("/deep/page?utm_source=letter&utm_campaign=may&secret=1&gclid=abc#part")
    await views(scene, 1)
    row = (await scene.stored("pv"))[0]
    view = row["properties"]
    same(view["u"].split("?")[0], scene.url("/deep/page"), "the address")
    query = sorted(view["u"].split("?")[1].split("&"))
    demand("utm_source=letter" in query and not any("secret" in part for part in query),
           "the query:", query)
    same([view["ti"], view["nt"], view["wc"], row["page"]], ["Lamps & more", "n", 3, 1], "the view")
    context = row["context"]
    size = await scene.tab.evaluate("() => [innerWidth, innerHeight, devicePixelRatio]")
    same([context["vw"], context["vh"], context["pr"]], size, "the window")
    same([context["wd"], context["in"]], [1, 1], "automated, with a mouse")


@scenario("numbers go on over page loads of one tab, for one device in one session")
async def numbers(scene):
    for path in ("/a", "/b", "/c"):
        scene.show(path, path)
        await scene.visit(path)
    await views(scene, 3)
    await scene.leave()
    await scene.settle()
    rows = await scene.stored("pv")
    same([row["page"] for row in rows], [1, 2, 3], "numbers of the pages")
    for name in ("window_id", "visitor_id", "session_id"):
        same(len({row[name] for row in rows}), 1, f"values of {name}")
    same([row["properties"].get("r") for row in rows][0], None, "the first referrer")


@scenario("two tabs are two windows of one visitor in one session", essential=True)
async def two_tabs(scene):
    tab = await scene.open("one")
    scene.show("/two", "two")
    other = await tab.new_tab()
    await other.goto(scene.url("/two"))
    await views(scene, 2)
    rows = await scene.stored("pv")
    same(len({row["window_id"] for row in rows}), 2, "windows")
    same(len({row["visitor_id"] for row in rows}), 1, "visitors")
    same(len({row["session_id"] for row in rows}), 1, "sessions")
    cookie = await tab.evaluate("() => document.cookie.match(/_hg_d=([^;]*)/)[1]")
    same(cookie, rows[0]["visitor_id"], "the device cookie")
    same((await scene.score(cookie))["band"], "cold", "the band in Redis")


@scenario("a duplicated tab does not count in the numbers of the first")
async def duplicated(scene):
    tab = await scene.open("<a id=open target=_blank rel=opener href='/two'>open</a>")
    scene.show("/two", "two")
    # A window opened by a link with an opener gets a copy of sessionStorage, as a duplicate does.
    await tab.click("#open")
    await views(scene, 2, "the opened window's view")
    await tab.hg("track", "still_here")
    await scene.leave()
    await scene.until(lambda: scene.told("cu"), "the first tab's event")
    rows = await scene.stored("pv")
    same(len({row["window_id"] for row in rows}), 2, "windows")
    same([row["page"] for row in rows], [1, 1], "numbers of the pages")


@scenario("pushState to another path is a page view, with title and summary of its own",
          essential=True)
async def pushed(scene):
    tab = await scene.open("<h1>Shop</h1>", title="First")
    await tab.play([("move", 40, 40), ("wait", 600), ("move", 80, 80)])
    await tab.evaluate("() => { history.pushState({}, '', '/second?x=1'); "
                       "document.title = 'Second'; }")
    await views(scene, 2)
    await scene.after_leaving("ps")
    rows = await scene.stored()
    found = [(row["properties"]["nt"], row["properties"]["ti"]) for row in rows
             if row["type"] == "pv"]
    same(found, [("n", "First"), ("s", "Second")], "page views")
    pages = {row["page"] for row in rows if row["type"] == "ps"}
    same(pages, {1, 2}, "pages with summaries")
    second = [row for row in rows if row["type"] == "pv"][1]["properties"]
    same(second["r"], scene.url("/"), "the referrer")


@scenario("replaceState, a hash and a query alone are no page views; popstate is")
async def other_routes(scene):
    tab = await scene.open("<h1>Shop</h1>")
    await tab.evaluate(soft("/second"))
    await views(scene, 2)
    for change in (soft("/second?filter=1", "replaceState"), soft("/second#part"),
                   "() => { location.hash = 'other' }"):
        await tab.evaluate(change)
        await asyncio.sleep(0.3)
    same(len(scene.told("pv")), 2, "page views")
    await tab.evaluate("() => void history.go(-3)")
    await views(scene, 3, "the way back")
    await asyncio.sleep(0.5)
    await scene.leave()
    await scene.settle()
    found = [view["u"].split("localhost")[1].split("/")[1] for view in await scene.values("pv")]
    same(found, ["", "second", ""], "paths")


@scenario("replaceState to another path is a page view")
async def replaced(scene):
    tab = await scene.open("<h1>Shop</h1>")
    await tab.evaluate(soft("/renamed", "replaceState"))
    await views(scene, 2)
    await scene.settle()
    same([view["nt"] for view in await scene.values("pv")], ["n", "s"], "page views")


@scenario("with the policy search, a change of the query is a page view")
async def search_policy(scene):
    tab = await scene.open("<h1>Shop</h1>", data_spa="search")
    await tab.evaluate(soft("/?page=2"))
    await views(scene, 2)
    await scene.settle()
    same([view["nt"] for view in await scene.values("pv")], ["n", "s"], "page views")


@scenario("with the policy off, only the page's own word is a page view")
async def off_policy(scene):
    tab = await scene.open("<h1>Shop</h1>", data_spa="off")
    await tab.evaluate(soft("/second"))
    await asyncio.sleep(0.6)
    same(len(scene.told("pv")), 1, "page views")
    await tab.hg("page")
    await views(scene, 2)
    await scene.settle()
    found = [view["u"].split("localhost")[1].split("/")[1] for view in await scene.values("pv")]
    same(found, ["", "second"], "paths")


@scenario("many routes in one moment are one page view")
async def burst(scene):
    tab = await scene.open("<h1>Shop</h1>")
    await tab.evaluate("() => { for (const path of ['/x', '/y', '/z']) "
                       "history.pushState({}, '', path); }")
    await views(scene, 2)
    await asyncio.sleep(0.5)
    same([view["u"].split("/")[-1] for view in await scene.values("pv")], ["", "z"], "pages")


@scenario("a reload is told as one")
async def reload(scene):
    tab = await scene.open("<h1>Shop</h1>")
    await tab.evaluate("() => void setTimeout(() => location.reload())")
    await views(scene, 2)
    await scene.settle()
    same([view["nt"] for view in await scene.values("pv")], ["n", "r"], "how it was reached")


@scenario("the referrer comes without its query")
async def referrer(scene):
    scene.show("/b", "b")
    tab = await scene.open("<a id=go href='/b'>b</a>", path="/a")
    await tab.evaluate("() => history.replaceState({}, '', '/a?secret=1')")
    await tab.click("#go")
    await views(scene, 2)
    same((await scene.values("pv"))[-1]["r"], scene.url("/a"), "the referrer")


@scenario("the page's height and words are those of the page")
async def measures(scene):
    tab = await scene.open("<div style='height:2400px'>one two three</div><script>four</script>")
    height = await tab.evaluate("() => document.documentElement.scrollHeight")
    view = await scene.one("pv")
    same(view["h"], height, "the height")
    between(view["wc"], 3, 3, "words")
