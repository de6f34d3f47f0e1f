"""The official clients behind one face: made, given events, flushed, and asked what they think."""

import logging
import uuid

import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

# The clients tell every failure twice: here through on_error, and in the log, where nobody looks.
logging.getLogger("segment").setLevel(logging.CRITICAL)
logging.getLogger("rudder").setLevel(logging.CRITICAL)


class Official:
    """One client of one maker."""

    makers = ("segment", "rudder")

    def __init__(self, maker: str, host: str, key: str = "hg_demo", *, gzip: bool = True,
                 retries: int = 10, upload_size: int = 100):
        self.errors: list[str] = []
        self.sent: list[str] = []
        module = segment if maker == "segment" else rudder
        self.client = module.Client(
            key, host=host, gzip=gzip, max_retries=retries, upload_size=upload_size,
            upload_interval=0.1, timeout=10,
            on_error=lambda error, items: self.errors.append(f"{type(error).__name__}: {error}"))
        self.client.log.setLevel(logging.CRITICAL)

    def send_mixture(self, count: int) -> None:
        """Events of every call, with and without a user, ids made by the client and by us."""
        for number in range(count):
            user = f"user-{number % 7}"
            anonymous = None if number % 3 else str(uuid.uuid4())
            self._note(self._call(number, user, anonymous))

    def _call(self, number: int, user: str, anonymous: str | None):
        client = self.client
        kind = number % 6
        if kind == 0:
            return client.identify(user, {"plan": "pro", "email": f"{user}@example.com"})
        if kind == 1:
            return client.page(user, "Shop", "Home",
                               {"url": "https://shop.example/?utm_source=mail"})
        if kind == 2:
            return client.screen(user, "App", "Main", {"zoom": 1.5})
        if kind == 3:
            return client.group(user, "group-1", {"employees": 12})
        if kind == 4:
            return client.alias(f"old-{user}", user)
        return client.track(user if anonymous is None else None, "Order Completed",
                            {"revenue": number, "text": "é \u2603 \"quoted\""},
                            anonymous_id=anonymous)

    def _note(self, outcome) -> None:
        accepted, message = outcome
        if not accepted:
            raise AssertionError("the client's own queue was full")
        self.sent.append(message["messageId"])

    def flush(self) -> None:
        """Returns when everything was taken or given up."""
        self.client.flush()
        self.client.join()
