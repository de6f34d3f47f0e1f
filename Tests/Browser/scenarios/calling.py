"""What pages say themselves: events, ecommerce, who the visitor is; and its limits."""
import asyncio

from catalogue import scenario
from scene import demand, same

ORDER = {"order_id": "A-77", "value": 129.5, "currency": "EUR",
         "items": [{"item_id": "lamp", "quantity": 2, "price": 64.75}]}


@scenario("a tracked event arrives with its name, properties and moment", essential=True)
async def tracked(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.hg("track", "calculator_used", {"rooms": 3, "roof": "flat", "deep": {"a": [1, 2]}})
    before = await tab.evaluate("() => performance.now()")
    await scene.leave()
    await scene.until(lambda: scene.told("cu"), "the event")
    row = (await scene.stored("cu"))[0]
    same(row["name"], "calculator_used", "the name")
    same(row["properties"]["props"], {"rooms": 3, "roof": "flat", "deep": {"a": [1, 2]}},
         "the properties")
    demand(0 < scene.told("cu")[0]["o"] <= before + 1, "its moment:", scene.told("cu")[0]["o"])


@scenario("a purchase is sent at once and becomes a conversion with value and order",
          essential=True)
async def purchase(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.hg("purchase", ORDER)
    await scene.until(lambda: scene.told("cu"), "the purchase, while the page is open", seconds=8)
    row = (await scene.stored("cu"))[0]
    same([row["name"], row["properties"]["props"]], ["purchase", ORDER], "the purchase")

    async def conversion():
        return await scene.stores.query(
            "SELECT to_jsonb(c) FROM heliograph.conversion c WHERE site = %s", (scene.site,))
    found = (await scene.until_async(conversion, "a conversion"))[0][0]
    same(found.get("order_id"), "A-77", "the order")
    same(found.get("currency"), "EUR", "the currency")


HELPERS = ("view_item", "view_item_list", "add_to_cart", "remove_from_cart", "view_cart",
           "add_to_wishlist", "select_plan", "begin_checkout", "add_shipping_info",
           "add_payment_info", "purchase", "refund", "search", "lead", "sign_up", "subscribe",
           "start_trial", "book_demo", "video_start")


@scenario("every ecommerce helper is an event of its name")
async def helpers(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.evaluate("(names) => names.forEach((name, i) => hg(name, { i }))", list(HELPERS))
    await scene.leave()
    await scene.until(lambda: len(scene.told("cu")) == len(HELPERS), "every event")
    rows = await scene.stored("cu")
    same({row["name"]: row["properties"]["props"]["i"] for row in rows},
         {name: at for at, name in enumerate(HELPERS)}, "events")


@scenario("identify takes a hash, names the user from there on, and refuses an address",
          essential=True)
async def identify(scene):
    scene.errors_expected = True
    tab = await scene.open("<h1>x</h1>", consent=15)
    await tab.hg("identify", "somebody@example.org")
    await asyncio.sleep(0.3)
    await tab.hg("identify", "h1:0123456789abcdef", {"plan": "swap"})
    await scene.until(lambda: scene.told("id"), "the identity")
    await tab.hg("track", "later")
    await scene.leave()
    await scene.until(lambda: any(e["name"] == "later" for e in scene.told("cu")), "the event")
    same([event["uid"] for event in scene.told("id")], ["h1:0123456789abcdef"], "who")
    later = [row for row in await scene.stored("cu") if row["name"] == "later"][0]
    demand(later["user_id"], "the user of later events is", later["user_id"])
    demand(b"somebody" not in b"".join(scene.wire.bodies), "the address was told")


@scenario("properties end at 32 keys and 2 KB, names at 64 characters")
async def caps(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.evaluate("""() => {
        const many = {};
        for (let i = 0; i < 50; i++) many['k' + i] = i;
        hg('track', 'many', many);
        hg('track', 'long', { text: 'x'.repeat(5000), kept: 1 });
        hg('track', 'n'.repeat(100));
        hg('track', 'odd', { f() {}, u: undefined, n: NaN, d: new Date(0) });
    }""")
    await scene.leave()
    await scene.until(lambda: len(scene.told("cu")) == 4, "four events")
    many, long, named, odd = await scene.stored("cu")
    same(len(many["properties"]["props"]), 32, "keys")
    same(long["properties"]["props"], {"kept": 1}, "what is kept of a long one")
    same(named["name"], "n" * 64, "the name")
    demand("f" not in odd["properties"].get("props", {}), "a function was told")


@scenario("calls before the script came are replayed with their own time", essential=True)
async def queued(scene):
    await scene.open("<h1>x</h1>", calls="hg('track', 'early', {a: 1}); "
                     "hg('consent', 5); hg('purchase', {value: 3});")
    await scene.until(lambda: len(scene.told("cu")) == 2, "both events")
    early, bought = scene.told("cu")
    demand(early["o"] <= scene.told("pv")[0]["o"], "the early event is late:", early["o"])
    rows = await scene.stored("cu")
    same([(r["name"], r["properties"]["props"]) for r in rows],
         [("early", {"a": 1}), ("purchase", {"value": 3})], "events")
    same({row["consent"] for row in rows}, {5}, "consent")
    same(bought["name"], "purchase", "the conversion")


@scenario("hundred events are several batches, in order and without a gap")
async def split(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.evaluate("() => { for (let i = 0; i < 100; i++) hg('track', 'step', { i }) }")
    await scene.until(lambda: len(scene.told("cu")) == 96, "three full batches", seconds=15)
    await scene.leave()
    await scene.until(lambda: len(scene.told("cu")) == 100, "the rest")
    rows = sorted(await scene.stored("cu"), key=lambda row: row["n"])
    same([row["properties"]["props"]["i"] for row in rows], list(range(100)), "steps")
    demand(max(len(batch["e"]) for batch in scene.wire.accepted) <= 32, "a batch is too long")


@scenario("big events are split by bytes, too")
async def bytes_split(scene):
    tab = await scene.open("<h1>x</h1>")
    await tab.evaluate("() => { for (let i = 0; i < 30; i++) "
                       "hg('track', 'big', { i, text: '\\u00fc'.repeat(800) }) }")
    await scene.leave()
    await scene.until(lambda: len(scene.told("cu")) == 30, "thirty events")
    demand(max(map(len, scene.wire.bodies)) <= 26_000, "a batch is too big:",
           max(map(len, scene.wire.bodies)))
    same(len(await scene.stored("cu")), 30, "rows")


@scenario("data-private: no word of a private part is told")
async def private(scene):
    tab = await scene.open("<div data-private style='margin:40px'><a id=out "
                           "href='http://elsewhere.localhost/' onclick='event.preventDefault()'>"
                           "Zanzibar Quux</a><button id=dead class=btn>Zanzibar two</button></div>")
    await tab.click("#out")
    await tab.click("#dead")
    await asyncio.sleep(2.8)
    await scene.leave()
    await scene.until(lambda: scene.told("ck"), "the clicks")
    await scene.settle()
    demand(b"Zanzibar" not in b"".join(scene.wire.bodies), "private words were told")
