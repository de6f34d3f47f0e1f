"""A browser that identity_test.py and likely_links.py tell of."""

import time

from visits import Visitor

# Everything but inference from pointers and personal advertisements.
CONSENT = 15
READING = ("score", "band", "profile", "confidence", "likelihood", "updated", "joined")


class Browser(Visitor):
    """A browser that somebody logs in with."""

    def __init__(self, story, seed: int, consent: int = CONSENT):
        super().__init__(seed)
        self.story, self.consent, self.user = story, consent, None

    def send(self, events: list[dict]) -> None:
        now, self.q = int(time.time() * 1000), self.q + 1
        body = {"v": 1, "k": "hg_demo", "w": self.window, "q": self.q, "d": self.device,
                "s": self.session, "c": self.consent, "st": now, "mt": now - self.origin, "e": []}
        if self.user:
            body["u"] = self.user
        for event in events:
            self.n += 1
            body["e"].append({"n": self.n, "o": now - self.origin, "p": 1, **event})
        self.post(body)

    def post(self, body: dict) -> None:
        self.story.post("/v1/e", body)

    def browse(self, page: str = "pricing") -> None:
        self.send([{"t": "pv", "u": f"https://shop.example/{page}"},
                   {"t": "ps", "vz": [40000, 30000, 30000, 1, 1, 900, 0, 40000],
                    "sc": [4000, 9000, 900, 200, 4, 1, 2, 90],
                    "S": [[0, "proof", 2, 12000, 95, 90, 1, 1]], "rd": [9000, 15000, 0, 0, 0],
                    "ck": [4, 3, 2, 0, 0, 0, 900, 200], "ct": [[0, 2000, 2, 1, 5000]]}])

    def log_in(self, user: str) -> None:
        self.user = user
        self.send([{"t": "id", "uid": user, "traits": {"plan": "pro"}}])

    def choose(self, bits: int) -> None:
        self.send([{"t": "cs", "bits": bits, "src": "test"}])
        self.consent = bits

    @property
    def hash(self) -> dict[str, bytes]:
        return self.story.hash(self.device)

    @property
    def reading(self) -> tuple:
        found = self.hash
        return tuple(found.get(name) for name in READING)
