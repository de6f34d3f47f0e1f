"""What the SDK promises on the wire, with a real Chromium and a collector that judges strictly."""
import unittest

import wire
from browser import chromium, hover, move_like_a_person, scroll_like_a_person
from collector import Collector

SNIPPET = """<!doctype html><title>{title}</title><script>
window.hg = window.hg || function () {{ (hg.q = hg.q || []).push([Date.now(), arguments]) }};
{calls}</script>
<script async src="{{{{ingest}}}}/hg.js" data-key="hg_demo" {attributes}></script>
<body style="min-height:2000px">{body}</body>"""


def tracked(body="", calls="", attributes='data-consent="7"', title="A page"):
    return SNIPPET.format(body=body, calls=calls, attributes=attributes, title=title)


class SdkOnTheWire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = chromium()
        cls.browser = cls.stack.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def setUp(self):
        # A collector for each test: what a page of the last one still sends goes elsewhere.
        self.collector = Collector()
        self.context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def tearDown(self):
        self.context.close()
        self.collector.close()

    def open(self, path="/demo/"):
        self.page.goto(self.collector.shop + path)
        self.sees(lambda: self.collector.events("pv"), "a page view at once")

    def sees(self, condition, what, seconds=20):
        # Playwright's own loop must turn while we wait, so that the page's scripts go on.
        for _ in range(seconds * 20):
            if condition():
                return
            self.page.wait_for_timeout(50)
        self.fail(f"never came: {what}; violations: {self.collector.violations}")

    def hide(self):
        """Leaves the page, as following a link elsewhere does."""
        self.page.goto("about:blank")

    def judge(self):
        self.assertEqual(self.collector.violations, [])
        self.assertEqual(self.faults, [])
        for event in self.collector.events("cu"):
            self.assertNotEqual(event["name"], "hg_error", event)
        return wire.check_sequences(self.collector.accepted)

    def names(self):
        return [event["name"] for event in self.collector.events("cu")]

    def only(self, kind):
        events = self.collector.events(kind)
        self.assertEqual(len(events), 1, events)
        return events[0]

    # ---- page views

    def test_a_page_view_is_sent_at_once_with_its_context(self):
        self.open("/demo/?utm_source=letter&secret=1#part")
        view = self.only("pv")
        self.assertTrue(view["u"].endswith("/demo/?utm_source=letter"), view)
        self.assertEqual((view["nt"], view["p"]), ("n", 1))
        self.assertGreater(view["h"], 1000)
        self.assertGreater(view["wc"], 100)
        self.assertEqual(self.collector.accepted[0]["x"]["wd"], 1)
        self.assertEqual(self.collector.accepted[0]["x"]["in"], 1)
        self.judge()

    def test_numbers_go_on_over_page_loads_in_one_window(self):
        self.open()
        for path in ("/demo/pricing.html", "/demo/product.html"):
            self.page.goto(self.collector.shop + path)
        self.sees(lambda: len(self.collector.events("pv")) == 3, "three page views")
        self.hide()
        self.page.wait_for_timeout(300)
        self.assertEqual(len(self.judge()), 1)
        self.assertEqual([v["p"] for v in self.collector.events("pv")], [1, 2, 3])
        self.assertEqual(len({b["d"] for b in self.collector.accepted}), 1)
        self.assertEqual(len({b["s"] for b in self.collector.accepted}), 1)
        loads = [b for b in self.collector.accepted if "x" in b]
        self.assertEqual(len(loads), 3)

    def test_the_device_is_known_again_and_a_new_tab_is_a_new_window(self):
        self.open()
        second = self.context.new_page()
        second.goto(self.collector.shop + "/demo/faq.html")
        self.sees(lambda: len(self.collector.events("pv")) == 2, "the second tab's view")
        self.assertEqual(len({b["w"] for b in self.collector.accepted}), 2)
        self.assertEqual(len({b["d"] for b in self.collector.accepted}), 1)
        cookie = [c for c in self.context.cookies() if c["name"] == "_hg_d"][0]
        self.assertEqual(cookie["value"], self.collector.accepted[0]["d"])
        self.judge()

    def test_a_window_opened_by_script_does_not_count_in_its_openers_numbers(self):
        self.open()
        with self.context.expect_page() as opened:
            self.page.evaluate("window.open('/demo/about.html')")
        opened.value.wait_for_load_state()
        self.sees(lambda: len(self.collector.events("pv")) == 2, "the opened window's view")
        self.assertEqual(len({b["w"] for b in self.collector.accepted}), 2)
        self.judge()

    def test_soft_navigation_is_a_page_view_when_the_path_changes(self):
        self.open()
        self.page.evaluate("history.pushState({}, '', '/demo/soft-one')")
        self.sees(lambda: len(self.collector.events("pv")) == 2, "a soft page view")
        self.page.evaluate("history.replaceState({}, '', '/demo/soft-one?filter=2')")
        self.page.evaluate("history.pushState({}, '', '/demo/soft-one#part')")
        self.page.wait_for_timeout(500)
        self.page.evaluate("history.go(-2)")
        self.sees(lambda: len(self.collector.events("pv")) == 3, "the way back")
        self.assertEqual([v["nt"] for v in self.collector.events("pv")], ["n", "s", "s"])
        self.hide()
        self.page.wait_for_timeout(300)
        self.assertEqual([v["ty"] for v in self.collector.events("nv")], ["u"])
        self.judge()

    def test_going_back_quickly_is_a_u_turn(self):
        self.open()
        self.page.goto(self.collector.shop + "/demo/compare.html")
        self.sees(lambda: len(self.collector.events("pv")) == 2, "the second page")
        self.page.evaluate("history.back()")
        self.sees(lambda: len(self.collector.events("pv")) == 3, "the way back")
        self.page.wait_for_timeout(500)
        self.hide()
        self.sees(lambda: self.collector.events("nv"), "the move")
        self.assertEqual(self.only("nv")["ty"], "u")
        self.assertEqual(self.only("nv")["fr"], "/demo/compare.html")
        self.judge()

    # ---- summaries

    def test_a_summary_tells_of_scrolling_sections_and_calls_to_action(self):
        self.open()
        hover(self.page, self.page.locator("[data-cta=try-demo]"), 1200)
        scroll_like_a_person(self.page, 1600)
        hover(self.page, self.page.locator("[data-cta=see-pricing]"), 900)
        self.page.locator("[data-cta=see-pricing]").click()
        self.sees(lambda: self.collector.events("ps"), "a summary")
        summary = self.collector.events("ps")[0]
        self.assertGreater(summary["sc"][0], 900)
        self.assertGreaterEqual(summary["sc"][4], 2)
        self.assertGreater(summary["sc"][7], 50)
        rows = {row[1]: row for row in summary["S"]}
        self.assertIn("testimonials", rows)
        self.assertGreaterEqual(rows["testimonials"][3], 500)
        self.assertGreater(rows["testimonials"][5], 20)
        self.assertGreaterEqual(max(row[1] for row in summary["ct"]), 900)
        self.assertEqual(sum(row[3] for row in summary["ct"]), 1)
        self.assertGreater(summary["vz"][2], 4000)
        self.assertGreaterEqual(summary["vz"][7], summary["vz"][2])
        self.assertGreater(summary["rd"][1], 0)
        self.assertGreaterEqual(summary["ck"][1], 1)
        self.assertEqual(summary["pt"][4:], [0, 0, 0, 0])
        click = self.collector.events("ck")[0]
        self.assertEqual((click["a"], click["f"]), ("see-pricing", 1))
        self.judge()

    def test_summaries_come_while_the_page_is_used_and_add_up(self):
        self.open("/demo/product.html")
        for _ in range(32):
            self.page.mouse.wheel(0, 60)
            self.page.wait_for_timeout(1000)
        self.sees(lambda: len(self.collector.events("ps")) >= 2, "summaries at 15 and 30 s")
        self.hide()
        self.sees(lambda: len(self.collector.events("ps")) >= 3, "the last summary")
        parts = self.collector.events("ps")
        self.assertEqual([part["q"] for part in parts], list(range(1, len(parts) + 1)))
        self.assertAlmostEqual(sum(part["vz"][2] for part in parts), parts[-1]["pt"][0], delta=10)
        dwell = {}
        for part in parts:
            for row in part.get("S", []):
                dwell[row[0]] = dwell.get(row[0], 0) + row[3]
        self.assertTrue(dwell)
        self.assertLessEqual(max(dwell.values()), 30_000)
        self.judge()

    def test_nothing_is_summarised_without_profiling_consent(self):
        self.collector.pages["/quiet"] = tracked("<button data-cta=a>A</button>", attributes="")
        self.open("/quiet")
        scroll_like_a_person(self.page, 640)
        self.page.mouse.wheel(0, -2000)
        self.page.locator("button").click()
        self.hide()
        self.sees(lambda: self.collector.events("ck"), "the click")
        self.assertEqual({e["t"] for e in self.collector.events()}, {"pv", "ck"})
        self.assertEqual(self.context.cookies(), [])
        self.assertNotIn("d", self.collector.accepted[0])
        self.judge()

    def test_rage_dead_and_error_clicks_are_told_apart(self):
        self.collector.pages["/cross"] = tracked(
            "<div role=button style='width:90px' id=dead>Dead</div>"
            "<button id=bad onclick='setTimeout(() => { throw Error(1) })'>Bad</button>"
            "<button id=fine onclick='this.textContent += 1'>Fine</button>")
        self.open("/cross")
        self.page.locator("#fine").click()
        self.page.wait_for_timeout(2800)
        for _ in range(4):
            self.page.locator("#dead").click()
        self.page.wait_for_timeout(2900)
        self.page.locator("#bad").click()
        self.page.wait_for_timeout(300)
        self.hide()
        self.sees(lambda: self.collector.events("ps"), "the summary")
        clicks = self.collector.events("ps")[0]["ck"]
        self.assertEqual(clicks[3:6], [1, 1, 1])
        self.assertEqual(sorted(e["f"] for e in self.collector.events("ck")), [8, 16, 32])
        self.faults.clear()
        self.judge()

    def moves_with(self, bits):
        self.collector.pages["/pointer"] = tracked("x", attributes=f'data-consent="{bits}"')
        self.open("/pointer")
        move_like_a_person(self.page, 700, 500)
        self.page.mouse.click(700, 500)
        self.hide()
        self.sees(lambda: self.collector.events("ps"), "the summary")
        moves = self.collector.events("ps")[0]["mo"]
        self.assertGreater(moves[1], 500)
        self.assertGreater(moves[3], 50)
        self.assertEqual(moves[4], 1)
        self.judge()
        return moves

    def test_the_pointers_finer_measures_are_not_taken_without_their_consent(self):
        self.assertEqual(len(self.moves_with(7)), 5)

    def test_the_pointers_finer_measures_are_taken_with_their_consent(self):
        self.assertEqual(len(self.moves_with(23)), 10)

    # ---- forms

    def test_a_form_is_told_by_times_and_counts_never_by_content(self):
        self.open("/demo/checkout.html")
        self.page.locator("#name").click()
        self.page.keyboard.type("Zanzibar Quux", delay=20)
        self.sees(lambda: self.collector.events("fm"), "the start, at once")
        self.assertEqual(self.collector.events("fm")[0]["ph"], 1)
        self.page.locator("#email").click()
        self.page.keyboard.type("zanzibar@quux.example", delay=10)
        self.page.locator("#name").click()
        self.page.keyboard.press("End")
        for key in ("Backspace", "Backspace", "Backspace", "a"):
            self.page.keyboard.press(key)
        self.page.locator("#city").click()
        self.hide()
        self.sees(lambda: len(self.collector.events("fm")) >= 2, "the end")
        last = self.collector.events("fm")[-1]
        self.assertEqual((last["f"], last["ph"], last["sb"]), ("checkout", 4, 0))
        self.assertGreater(last["cp"], 20)
        rows = {row[0]: row for event in self.collector.events("fm") for row in event.get("ff", [])}
        self.assertEqual(rows["name"][4:6], [1, 1])
        self.assertEqual(rows["email"][3], 21)
        self.assertNotIn("anzibar", str(self.collector.accepted))
        self.judge()

    def test_an_order_is_submitted_and_the_purchase_is_sent_at_once(self):
        self.open("/demo/product.html")
        self.page.locator("[data-cta=add-to-cart]").click()
        self.page.goto(self.collector.shop + "/demo/checkout.html")
        self.page.locator("[data-cta=place-order]").click()
        values = {"name": "A B", "email": "a@b.example", "street": "C 1", "postcode": "1",
                  "city": "D"}
        for field, value in values.items():
            self.page.locator("#" + field).fill(value)
        self.page.locator("#country").select_option("Norway")
        self.page.locator("#terms").check()
        self.page.locator("[data-cta=place-order]").click()
        self.sees(lambda: "purchase" in self.names(), "purchase")
        submitted = [e for e in self.collector.events("fm") if e["ph"] == 3]
        self.assertEqual([e["cp"] for e in submitted], [100])
        failed = [e for e in self.collector.events("fm") if e["ph"] == 2][0]
        self.assertEqual(sum(row[6] for row in failed["ff"]), 7)
        self.assertFalse([e for e in self.collector.events("fm") if e["ph"] == 4])
        self.assertEqual(self.names(), ["add_to_cart", "purchase"])
        self.judge()

    # ---- the interface

    def test_calls_before_the_script_keep_their_own_time(self):
        self.collector.pages["/early"] = tracked(
            calls="hg('track', 'early', {a: 1}); hg('consent', 5); hg('purchase', {value: 3})")
        self.open("/early")
        self.sees(lambda: len(self.collector.events("cu")) == 2, "both events")
        early, purchase = self.collector.events("cu")
        view = self.only("pv")
        self.assertLessEqual(early["o"], view["o"])
        self.assertEqual((early["props"], purchase["name"]), ({"a": 1}, "purchase"))
        self.assertEqual({b["c"] for b in self.collector.accepted}, {5})
        self.judge()

    def test_no_consent_no_request_until_it_is_given(self):
        self.collector.pages["/asked"] = tracked(attributes='data-consent="0"')
        self.page.goto(self.collector.shop + "/asked")
        self.page.wait_for_function("window.hg && hg.ready && !hg.q")
        self.page.wait_for_timeout(600)
        self.assertEqual(self.collector.accepted, [])
        self.page.evaluate("hg('consent', 7)")
        self.sees(lambda: self.collector.events("pv"), "the page view after consent")
        self.assertEqual(self.only("cs")["bits"], 7)
        self.assertTrue(all("d" in b for b in self.collector.accepted))
        self.page.evaluate("hg('consent', 0)")
        self.sees(lambda: len(self.collector.events("cs")) == 2, "the withdrawal")
        # It names the device that it gives up, so that the engine forgets it.
        self.assertEqual(self.collector.accepted[-1]["d"], self.collector.accepted[0]["d"])
        told = len(self.collector.events())
        self.page.evaluate("hg('track', 'unheard')")
        self.hide()
        self.page.wait_for_timeout(500)
        self.assertEqual(len(self.collector.events()), told)
        self.assertEqual([c["name"] for c in self.context.cookies()], [])
        self.judge()

    def test_what_dialogues_say_goes_with_every_batch(self):
        self.collector.pages["/dialogue"] = tracked(
            attributes='data-consent="63"',
            calls="window.__tcfapi = (_, __, take) => { (window.answer = "
                  "text => take({tcString: text}))('COfirst') };"
                  "window.dataLayer = [['consent', 'default', {ad_storage: 'denied'}]];")
        self.open("/dialogue")
        self.page.evaluate("answer('COsecond')")
        self.sees(lambda: self.collector.events("cs"), "the changed answer")
        told = [batch["cp"] for batch in self.collector.accepted]
        self.assertEqual((told[0]["tc"], told[-1]["tc"]), ("COfirst", "COsecond"))
        self.assertEqual({one["gm"] for one in told}, {"uduu"})
        self.assertTrue(all(one["z"] for one in told))
        self.assertEqual(self.only("cs")["src"], "tcf")
        self.judge()

    def test_identify_takes_a_hash_and_refuses_an_address(self):
        self.open()
        self.page.evaluate("hg('identify', 'somebody@example.org')")
        self.page.evaluate("hg('identify', 'h1:0123456789abcdef', {plan: 'swap'})")
        self.sees(lambda: self.collector.events("id"), "identify")
        self.assertEqual(self.only("id")["uid"], "h1:0123456789abcdef")
        self.assertEqual(self.collector.accepted[-1]["u"], "h1:0123456789abcdef")
        self.assertNotIn("somebody", str(self.collector.accepted))
        kinds = [e["props"]["kind"] for e in self.collector.events("cu")]
        self.assertEqual(kinds, ["RawIdentifier"])
        self.assertEqual(self.collector.violations, [])

    # ---- transport

    def test_what_is_queued_leaves_with_the_page(self):
        self.open()
        self.page.evaluate("for (let i = 0; i < 5; i++) hg('track', 'step', {i})")
        self.hide()
        self.sees(lambda: len(self.collector.events("cu")) == 5, "five events after the page")
        self.judge()

    def test_a_refused_batch_comes_again_whole_and_once(self):
        self.collector.answer_next_with((503, 1), (429, None), (503, None))
        self.page.goto(self.collector.shop + "/demo/")
        self.sees(lambda: len(self.collector.refused) == 3, "three tries")
        self.page.evaluate("for (let i = 0; i < 40; i++) hg('track', 'step', {i})")
        self.sees(lambda: len(self.collector.events("cu")) == 40, "everything", seconds=40)
        self.hide()
        self.page.wait_for_timeout(500)
        tries = [b for b in self.collector.refused + self.collector.accepted if b["q"] == 1]
        self.assertEqual(len({b["b"] for b in tries}), 1)
        self.assertEqual(len({str(b["e"]) for b in tries}), 1)
        self.assertEqual(len({b["st"] for b in tries}), len(tries))
        self.assertGreaterEqual(tries[1]["st"] - tries[0]["st"], 1000)
        self.assertEqual([e["props"]["i"] for e in self.collector.events("cu")], list(range(40)))
        self.judge()

    def test_a_batch_called_wrong_is_dropped_and_counted(self):
        self.collector.answer_next_with((400, None))
        self.page.goto(self.collector.shop + "/demo/")
        self.sees(lambda: self.collector.refused, "the refusal")
        self.page.evaluate("hg('purchase', {value: 1})")
        self.sees(lambda: self.collector.accepted, "the next batch")
        self.assertEqual(self.collector.accepted[0]["lost"], 1)
        self.assertEqual(self.collector.accepted[0]["q"], 2)
        self.assertEqual(self.collector.violations, [])

    def test_a_failing_collector_of_ours_never_reaches_the_page(self):
        self.collector.pages["/hostile"] = tracked(
            calls="window.IntersectionObserver = function () { throw Error('no') };"
                  "Element.prototype.closest = function () { throw TypeError('no') };")
        self.open("/hostile")
        for _ in range(6):
            self.page.mouse.click(300, 300)
            self.page.keyboard.press("Tab")
        self.page.evaluate("hg('track', 'still_here')")
        self.hide()
        self.sees(lambda: "still_here" in self.names(), "life")
        errors = [e["props"]["collector"] for e in self.collector.events("cu")
                  if e["name"] == "hg_error"]
        self.assertTrue(errors)
        self.assertEqual(len(errors), len(set(errors)))
        self.assertEqual((self.collector.violations, self.faults), ([], []))


class SdkInTheBackForwardCache(unittest.TestCase):
    def test_a_restored_page_counts_on_and_is_a_page_view(self):
        collector = Collector()
        with chromium(cache=True) as browser:
            page = browser.new_page()
            page.goto(collector.shop + "/demo/about.html")
            page.wait_for_timeout(500)
            page.goto(collector.shop + "/demo/faq.html")
            page.wait_for_timeout(500)
            page.evaluate("history.back()")
            page.wait_for_timeout(1500)
            page.evaluate("hg('purchase', {value: 1})")
            page.wait_for_timeout(500)
            page.goto("about:blank")
            page.wait_for_timeout(500)
        collector.close()
        self.assertEqual(collector.violations, [])
        self.assertEqual([v["nt"] for v in collector.events("pv")], ["n", "n", "c"])
        # A restored page cannot know how far others have counted: it is a new window.
        self.assertEqual(len(wire.check_sequences(collector.accepted)), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
