"""Visitors that behave like the SDK: pages, summaries, clicks, forms, in the beacon's words."""

import base64
import json
import random
import time

from ledger import Sent

SECTIONS = ["pricing", "testimonials", "specs", "guarantee", "awards", "gallery", "demo",
            "comparison", "faq", "about", "hero"]
PATHS = ["/", "/catalogue", "/product/lamp", "/product/chair", "/pricing", "/comparison", "/demo",
         "/checkout", "/about", "/faq"]
CUSTOM = ["calculator", "select_plan", "add_to_cart", "video_start", "search", "purchase"]
# How long before now a window was opened: events may be that old when they arrive.
WINDOW_AGE_MILLISECONDS = 3 * 3600 * 1000


def uuid7(randomness: random.Random) -> str:
    """A UUIDv7 in the 22 characters of base64url without padding."""
    milliseconds = int(time.time() * 1000)
    value = (milliseconds << 80) | randomness.getrandbits(80)
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0x3 << 62)) | (2 << 62)
    return base64.urlsafe_b64encode(value.to_bytes(16, "big")).decode().rstrip("=")


def page_view(r: random.Random) -> dict:
    path = r.choice(PATHS)
    return {"u": f"https://shop.example{path}?utm_source=news", "r": "https://search.example/",
            "ti": f"Page {path}", "nt": r.choice("nrbs"), "h": r.randint(900, 9000),
            "wc": r.randint(50, 2000)}


def page_summary(r: random.Random) -> dict:
    """A delta of one page's behaviour; arrays are left out now and then, as when not measured."""
    active = r.randint(500, 20000)
    categories = r.sample(SECTIONS, r.randint(1, 5))
    words = [r.randint(0, 400) for _ in categories]
    fields = {
        "q": r.randint(1, 4),
        "vz": [active + r.randint(0, 5000), active + r.randint(0, 3000), active, r.randint(0, 2),
               r.randint(0, 2), r.randint(0, 9000), r.randint(0, 2), active + r.randint(0, 9000)],
        "sc": [r.randint(0, 20000), r.randint(0, 9000), r.randint(0, 4000), r.randint(0, 3000),
               r.randint(0, 6), r.randint(0, 2), r.randint(0, 6), r.randint(0, 100)],
        "S": [[index, category, r.randint(0, 3), r.randint(0, 30000), r.randint(0, 100),
               words[index], r.randint(0, 3), r.randint(0, 3)]
              for index, category in enumerate(categories)],
        "rd": [r.randint(0, 9000), r.randint(0, 30000), r.randint(0, 100), r.randint(0, 100),
               r.randint(0, 100), r.randint(0, 60000)],
        "mo": [r.randint(0, 400), r.randint(0, 9000), r.randint(0, active), r.randint(30, 100),
               r.randint(0, 6), r.randint(0, 9), r.randint(0, 9), r.randint(10, 50),
               r.randint(5, 200), r.randint(0, 2)],
        "tp": [r.randint(0, 5), r.randint(0, 3), r.randint(0, 3), r.randint(0, 1), r.randint(0, 1),
               r.randint(0, 1), r.randint(0, 2500), r.randint(0, 1)],
        "kb": [r.randint(0, 2), r.randint(0, 40), r.randint(60, 400), r.randint(5, 90),
               r.randint(0, 30), r.randint(0, 1), r.randint(0, 1), r.randint(0, 1)],
        "ck": _clicks(r), "pt": _totals(r),
        "ct": [[index, r.randint(0, 5000), r.randint(0, 3), r.randint(0, 1), r.randint(0, 9000),
                r.randint(0, 2)] for index in range(r.randint(0, 3))],
    }
    for optional in ("rd", "mo", "tp", "kb", "ck", "ct", "pt"):
        if r.random() < 0.25:
            del fields[optional]
    return fields


def _totals(r: random.Random) -> list[int]:
    """Page totals now, then at the summary before; zeros before the first."""
    before = [r.randint(0, 90_000), r.randint(0, 100), r.randint(0, 9), r.randint(0, 9)]
    before = before if r.random() < 0.6 else [0, 0, 0, 0]
    return [b + gain for b, gain in zip(before, (r.randint(0, 9000), 0, 1, 2))] + before


def _clicks(r: random.Random) -> list[int]:
    clicks = r.randint(0, 8)
    interactive = r.randint(0, clicks)
    return [clicks, interactive, r.randint(0, interactive), int(r.random() < 0.05),
            int(r.random() < 0.1), int(r.random() < 0.05), r.randint(200, 9000),
            r.randint(80, 2000)]


def click(r: random.Random) -> dict:
    return {"a": r.choice(["start-trial", "add-to-cart", "see-plans", "download"]),
            "g": r.choice(["a", "button"]), "x": r.randint(0, 1400), "y": r.randint(0, 900),
            "hv": r.randint(0, 3000), "f": r.choice([0, 1, 2, 9])}


def form(r: random.Random) -> dict:
    fields = [[name, r.randint(0, 6000), r.randint(500, 9000), r.randint(0, 30), r.randint(0, 3),
               r.randint(0, 2), r.randint(0, 1)] for name in ("email", "name", "city")]
    return {"f": r.choice(["checkout", "lead", "account", "newsletter", "search"]),
            "ph": r.randint(1, 4), "ff": fields[: r.randint(1, 3)], "cp": r.randint(0, 100),
            "sb": r.randint(0, 1)}


def navigation(r: random.Random) -> dict:
    return {"ty": r.choice("bful"), "fr": r.choice(PATHS), "dw": r.randint(100, 20000), "lp": 0}


def custom(r: random.Random) -> dict:
    return {"name": r.choice(CUSTOM), "props": {"plan": r.choice(["solo", "team"]),
                                                "value": r.randint(1, 500)}}


# type, maker, weight: what a shop's visitors send, in round numbers.
MIX = [("pv", page_view, 20), ("ps", page_summary, 45), ("ck", click, 12), ("fm", form, 8),
       ("nv", navigation, 7), ("cu", custom, 8)]


class Visitor:
    """One browser: a device, a session, a tab that is now and then a new one."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.device = uuid7(self.random)
        # Most allow profiling, some pointer inference too, some nothing on the device.
        self.consent = self.random.choices([7, 23, 5, 3], [70, 15, 10, 5])[0]
        self.session = uuid7(self.random)
        self.open_window()

    def open_window(self) -> None:
        self.window = uuid7(self.random)
        self.origin = int(time.time() * 1000) - WINDOW_AGE_MILLISECONDS
        self.n = self.q = self.page = 0

    def next_batch(self) -> "Batch":
        if self.random.random() < 0.02:
            self.open_window()
        if self.random.random() < 0.01:
            self.session = uuid7(self.random)
        self.q += 1
        count = self.random.choices([1, 2, 3, 4], [40, 30, 20, 10])[0]
        return Batch(self, [self._event() for _ in range(count)])

    def _event(self) -> Sent:
        r = self.random
        kind, make, _ = r.choices(MIX, [weight for _, _, weight in MIX])[0]
        self.n += 1
        self.page += kind == "pv"
        now = int(time.time() * 1000)
        # One event in five waited in the SDK's queue, up to two hours: arrival is not order.
        age = r.randint(0, 2 * 3600 * 1000) if r.random() < 0.2 else r.randint(0, 9000)
        fields = make(r)
        return Sent(self.window, self.n, self.device if self.consent & 2 else None, self.session,
                    self.consent, kind, fields.get("name", ""), fields, now - age)


class Batch:
    """What is sent together; its content never changes, its send time with every attempt."""

    def __init__(self, visitor: Visitor, events: list[Sent]):
        self.events = events
        self.origin = visitor.origin
        self.head = {"v": 1, "k": "hg_demo", "b": uuid7(visitor.random), "w": visitor.window,
                     "q": visitor.q, "s": visitor.session, "c": visitor.consent}
        if visitor.consent & 2:
            self.head["d"] = visitor.device
        if visitor.q == 1:
            self.head["x"] = {"l": "en-GB", "z": 60, "vw": 1280, "vh": 800, "pr": 1, "in": 1}
        page = max(1, visitor.page)
        self.list = [{"n": event.n, "t": event.type, "o": event.client_milliseconds - self.origin,
                      "p": page, **event.fields} for event in events]

    def body(self) -> bytes:
        """The request's body, stamped with this attempt's time."""
        now = int(time.time() * 1000)
        return json.dumps({**self.head, "st": now, "mt": now - self.origin, "e": self.list},
                          separators=(",", ":")).encode()
