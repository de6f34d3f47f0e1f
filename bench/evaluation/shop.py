"""The public data set as beacons: what the browser script would have sent for each of its rows."""

import base64
import csv
import gzip
import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path

# What a page of the shop is called in its address; scoring.yaml knows the words.
PAGES = {"home": "/", "catalog": "/catalog", "search": "/search",
         "filter_results": "/search/filter", "product_view": "/product/phone",
         "promo_page": "/promo", "account_page": "/account", "review_page": "/reviews",
         "support_chat": "/support", "compare": "/compare", "cart": "/cart",
         "shipping_details": "/checkout/shipping", "payment_details": "/checkout/payment"}
# What is no page is an event that the shop tracks under its standard name.
ACTIONS = {"wishlist_add": "add_to_wishlist", "add_to_cart": "add_to_cart",
           "purchase": "purchase"}
# Where something broke, the script sees a click that was followed by an error.
FAILURES = {"error_page", "payment_error", "checkout_bug"}
CLICK_ERROR = 8
QUICK_MILLISECONDS = 7000


def identifier(*parts: str) -> str:
    """Twenty-two characters of base64url that stand for the parts, the same in every run."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def epoch_milliseconds(text: str) -> int:
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1000)


def rows(path: Path) -> list[dict]:
    """The data set in the order of time; of one second, in the order of the file."""
    with gzip.open(path, "rt") as file:
        found = list(csv.DictReader(file))
    for row in found:
        row["at"] = epoch_milliseconds(row["timestamp"])
    return sorted(found, key=lambda row: row["at"])


class Tab:
    """One session of one visitor, as the browser script tells of it."""

    def __init__(self, row: dict):
        self.user, self.session = row["user_id"], row["session_id"]
        self.device = identifier("device", self.user)
        self.id = identifier("session", self.session)
        self.window = identifier("window", self.session)
        self.began = row["at"] - 400
        self.events = self.batches = self.views = self.acts = 0
        self.trail: list[tuple[str, int]] = []

    def beacon(self, row: dict) -> bytes:
        events = [self._event(kind, fields, row["at"]) for kind, fields in self._acts(row)]
        self.batches += 1
        clock = row["at"] - self.began
        batch = {"v": 1, "k": "hg_demo", "b": identifier("batch", self.session, str(self.batches)),
                 "st": row["at"], "mt": clock, "w": self.window, "q": self.batches,
                 "d": self.device, "s": self.id, "c": 7}
        if self.batches == 1:
            touch = 0 if row["platform"] == "mobile" else 1
            batch["x"] = {"l": "en-GB", "z": 0, "vw": 1280, "vh": 800, "pr": 1, "in": touch}
        return json.dumps(batch | {"e": events}, separators=(",", ":")).encode()

    def _event(self, kind: str, fields: dict, at: int) -> dict:
        self.events += 1
        return {"n": self.events, "t": kind, "o": at - self.began, "p": max(1, self.views),
                **fields}

    def _acts(self, row: dict) -> list[tuple[str, dict]]:
        name = row["event"]
        if name not in PAGES:
            self.acts += 1
        if name in ACTIONS:
            return [("cu", {"name": ACTIONS[name]})]
        if name in FAILURES:
            return [("ck", {"a": "continue", "g": "button", "f": CLICK_ERROR}),
                    ("ps", {"q": 1, "ck": [1, 1, 0, 0, 0, 1, 0, 0]})]
        move = self._move(PAGES[name], row["at"])
        self.views += 1
        page = {"u": f"https://shop.example{PAGES[name]}", "ti": name, "nt": "n"}
        return ([("nv", move)] if move else []) + [("pv", page)]

    def _move(self, path: str, at: int) -> dict | None:
        """What the script makes of arriving here: a loop, a U-turn, or nothing (sdk-js, moves)."""
        acts, self.acts = self.acts, 0
        self.trail = [*self.trail[-3:], (path, at)]
        here, left, before, first = ([None] * 4 + [page for page, _ in self.trail])[:-5:-1]
        if before is None or before != here or left == here:
            return None
        move = {"fr": left, "dw": at - self.trail[-2][1]}
        if first == left:
            return {"ty": "l", **move, "lp": 2}
        return {"ty": "u", **move} if acts == 0 and move["dw"] <= QUICK_MILLISECONDS else None
