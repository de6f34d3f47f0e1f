"""What was sent, what was promised: the side of the story that the engine cannot change."""

import threading
from dataclasses import dataclass, field


@dataclass
class Sent:
    """One event as its sender knows it. Its key is (window, n)."""

    window: str
    n: int
    visitor: str | None     # the device id; None without consent to storage
    session: str
    consent: int
    type: str
    name: str
    fields: dict
    client_milliseconds: int
    acknowledged: bool = False
    attempts: int = 0


@dataclass
class Ledger:
    """Shared by all senders; the lock is held for a moment per batch."""

    events: dict[tuple[str, int], Sent] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    batches_acknowledged: int = 0
    repeats_acknowledged: int = 0
    retries: int = 0
    latency_seconds_max: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, events: list[Sent]) -> None:
        with self.lock:
            for event in events:
                self.events[(event.window, event.n)] = event

    def attempt(self, events: list[Sent], retry: bool) -> None:
        with self.lock:
            self.retries += retry
            for event in events:
                event.attempts += 1

    def answer(self, events: list[Sent], status: str, seconds: float, repeat: bool) -> None:
        """Status is the code as text, or the name of what went wrong on the connection."""
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status not in ("200", "204"):
                return
            self.latency_seconds_max = max(self.latency_seconds_max, seconds)
            self.repeats_acknowledged += repeat
            self.batches_acknowledged += not repeat
            for event in events:
                event.acknowledged = True

    def acknowledged(self) -> set[tuple[str, int]]:
        with self.lock:
            return {key for key, event in self.events.items() if event.acknowledged}
