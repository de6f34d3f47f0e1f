"""An independent fold of events into the decayed sums of the 27 behavioural signals.

Written from the signals' definitions and from Sources/Engine/Scoring/README.md, never from the
engine's code: where both agree to 1e-9, a mistake would have to have been made twice.

A sum is a pair (S, W) at a moment: an observation (s, w) at time t adds s·2^(−(T−t)/h) to S and
w·2^(−(T−t)/h) to W, T being the moment and h the signal's half-life. `ORDER_FREE` signals come out
the same for every order of the events; the others are folded in the journal's order, which each
event carries. Withdrawal of consent (`cs`) is not folded here: the tests' visitors never withdraw.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from definitions import (
    ABANDONED_MILLISECONDS, BASELINE_HALF_LIFE_SECONDS, BASELINE_SECONDS_MIN, CATEGORIES,
    CLICK_OTHER, CLICK_WORDS, CONVERSIONS, EVENT_STAGES, FORM_OTHER, FORMS,
    FRUSTRATION_HALF_LIFE_SECONDS, HALF_LIFE_SECONDS, INFERENCE, LATENCY_SAMPLES_MAX, MAXIMA,
    MAXIMA_BESIDE, NEEDS_INFERENCE, ORDER_FREE, PROFILING, SESSION_PATHS_MAX, SESSIONS_KEPT, at,
    hill, linear, moved, number, page_meaning, quality, saturate)

__all__ = ["HALF_LIFE_SECONDS", "NEEDS_INFERENCE", "ORDER_FREE", "Event", "fold", "moved"]


@dataclass
class Event:
    """One event with the moment the engine froze for it and its place in the journal."""

    visitor: str
    session: str
    window: str
    n: int
    type: str
    name: str
    occurred_milliseconds: int
    consent: int
    properties: dict
    order: tuple[int, int, int]     # partition, record, number: the journal's order
    touch: bool = False

    def numbers(self, key: str) -> list[float] | None:
        """An array of the properties as plain numbers, or None when it is absent."""
        array = self.properties.get(key)
        return [number(element) for element in array] if isinstance(array, list) else None

    def rows(self, key: str, most: int) -> list[list]:
        return (self.properties.get(key) or [])[:most]


@dataclass
class Session:
    """What is new within a visit, and how deciding slows down in it."""

    paths: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    samples: list[int] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    latencies_per_sample: int = 1
    options: int = 0
    active_minutes: float = 0.0
    loop_points: float = 0.0

    def decided(self, latency: int) -> None:
        """A sample is the mean of some latencies in a row; of more of them in a long session."""
        self.latencies.append(latency)
        if len(self.latencies) < self.latencies_per_sample:
            return
        if len(self.samples) == LATENCY_SAMPLES_MAX:
            pairs = zip(self.samples[::2], self.samples[1::2])
            self.samples = [(a + b) // 2 for a, b in pairs]
            self.latencies_per_sample *= 2
            return
        self.samples.append(sum(self.latencies) // self.latencies_per_sample)
        self.latencies.clear()


class Visitor:
    """The observations of one visitor, and the few things that depend on the journal's order."""

    def __init__(self):
        self.observations: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
        self.session_id: str | None = None
        self.sessions: list[str] = []
        self.session = Session()
        self.pending_milliseconds: int | None = None
        self.converted_milliseconds: int | None = None
        self.intent_stages: list[tuple[int, float]] = []
        self.frustration: list[tuple[int, float]] = []
        self.baseline: list[tuple[int, float, float | None, float | None]] = []

    def add(self, signal: str, event: Event, s: float, w: float = 0.0) -> None:
        self.observations[signal].append((event.occurred_milliseconds, s, w))

    def sums(self) -> dict[str, tuple[float, float, int]]:
        self.observations["intent_proximity"] = [(*stage, stage[1]) for stage in self.intent_stages]
        found = {}
        for signal, observations in self.observations.items():
            if not observations:
                continue
            end = max(moment for moment, _, _ in observations)
            decayed = [(moved(signal, s, moment, end), moved(signal, w, moment, end))
                       for moment, s, w in observations]
            total = max if signal in MAXIMA else math.fsum
            weight = max if signal in MAXIMA_BESIDE else math.fsum
            found[signal] = (total(s for s, _ in decayed), weight(w for _, w in decayed), end)
        return found

    # ---- one record, one event ------------------------------------------------------------------

    def record(self, events: list[Event]) -> None:
        first = events[0]
        if first.session != self.session_id:
            self.session_id, self.session = first.session, Session()
            if first.session not in self.sessions[-SESSIONS_KEPT:]:
                self.sessions.append(first.session)
                if first.consent & 2:
                    self.add("return_cadence", first, 1)
        for event in events:
            self.event(event)

    def event(self, event: Event) -> None:
        pending = self.pending_milliseconds
        if pending is not None and event.occurred_milliseconds >= pending + ABANDONED_MILLISECONDS:
            self.observations["form_abandonment"].append((pending + ABANDONED_MILLISECONDS, 1, 0))
            self.pending_milliseconds = None
        handler = {"ps": self.summary, "pv": self.page, "ck": self.click, "fm": self.form,
                   "nv": self.navigation, "cu": self.custom}.get(event.type)
        if handler:
            handler(event)

    def page(self, event: Event) -> None:
        path = event.properties.get("u", "").split("?")[0].split("#")[0]
        path = "/" + path.partition("://")[2].partition("/")[2] if "://" in path else path
        path = path.rstrip("/") or "/"
        stage, category, is_option = page_meaning(path)
        if path not in self.session.paths and len(self.session.paths) < SESSION_PATHS_MAX:
            self.session.paths.add(path)
            self.session.options += is_option
            self.add("session_depth", event, 1)
        self.category(event, category)
        self.stage(event, stage)

    def category(self, event: Event, category: str | None) -> None:
        if category in CATEGORIES and category not in self.session.categories:
            self.session.categories.add(category)
            self.add("session_depth", event, 0.5)

    def stage(self, event: Event, stage: float) -> None:
        converted = self.converted_milliseconds
        if stage > 0 and (converted is None or event.occurred_milliseconds > converted):
            self.intent_stages.append((event.occurred_milliseconds, stage))

    def click(self, event: Event) -> None:
        if int(number(event.properties.get("f"))) & 1:
            words = event.properties.get("a", "").lower().replace("-", " ").split()
            known = [CLICK_WORDS[word] for word in words if word in CLICK_WORDS]
            self.stage(event, known[0] if known else CLICK_OTHER)

    def custom(self, event: Event) -> None:
        if event.name.lower() in CONVERSIONS:
            self.intent_stages.clear()
            self.converted_milliseconds = max(
                event.occurred_milliseconds, self.converted_milliseconds or 0)
        self.stage(event, EVENT_STAGES.get(event.name.lower(), 0))

    def navigation(self, event: Event) -> None:
        kind = event.properties.get("ty")
        if kind == "u":
            self.add("click_decisiveness", event, -1)
        self.loop(event, {"u": 1.0, "l": 1.5}.get(kind, 0.0))

    def loop(self, event: Event, points: float) -> None:
        self.add("hesitation_loop", event, points)
        self.session.loop_points += points

    def form(self, event: Event) -> None:
        role, start, later = FORMS.get(event.properties.get("f", "").lower(), FORM_OTHER)
        phase, submitted = event.properties.get("ph"), event.properties.get("sb") == 1
        complete = event.properties.get("cp")
        share = (phase == 3) if complete is None else min(number(complete), 100) / 100
        self.add("form_progress", event, role * share)
        if phase == 4 and not submitted:
            self.pending_milliseconds = event.occurred_milliseconds
        elif phase != 4:
            self.pending_milliseconds = None
        if phase in (1, 2, 3):
            is_later = phase >= 2 and number(complete) >= 50
            self.stage(event, later if is_later else start)
        self.form_fields(event, event.rows("ff", 40))

    def form_fields(self, event: Event, rows: list[list]) -> None:
        for row in rows:
            points = at(row, 6) + 0.6 * at(row, 5) + 0.4 * at(row, 4) + 0.4 * (at(row, 1) > 3000)
            self.add("form_friction", event, points, 1)
        slow = [row for row in rows if at(row, 1) > 3000]
        if slow:
            weight = math.fsum(min(60, max(at(row, 1), at(row, 2)) / 1000) for row in slow)
            value = 0.25 * hill(60 * len(slow) / weight, 1.5, 2)
            self.add("cognitive_load", event, weight * value, weight)

    # ---- page summaries -------------------------------------------------------------------------

    def summary(self, event: Event) -> None:
        visible = event.numbers("vz")
        active = at(visible, 2) / 1000
        # The SDK leaves arrays of zeros out; these two it always measures.
        scroll = event.numbers("sc") or ([] if visible is not None else None)
        clicks = event.numbers("ck") or ([] if visible is not None else None)
        retreats = math.fsum(at(row, 5) for row in event.rows("ct", 20))
        self.sections(event)
        self.attention(event)
        if visible is not None and active > 0:
            minutes = active / 60
            self.add("scroll_velocity", event, at(scroll, 0), active)
            self.add("scroll_pause", event, at(scroll, 4), minutes)
            self.add("click_cadence", event, at(clicks, 1), minutes)
        if clicks is not None:
            self.add("click_decisiveness", event, at(clicks, 2), at(clicks, 1))
            points = 2 * at(clicks, 3) + at(clicks, 4) + 2 * at(clicks, 5)
            self.add("frustration_clicks", event, points)
            self.frustration.append((event.occurred_milliseconds, points))
        if event.numbers("ct") is not None:
            self.loop(event, 0.5 * retreats)
        self.pointer(event)
        if visible is not None and active > 0:
            self.load(event, active, scroll, retreats)
            self.fatigue(event, active / 60, int(at(clicks, 6)))
        if visible is not None:
            self.engagement(event, active, scroll, at(clicks, 1))

    def sections(self, event: Event) -> None:
        if event.numbers("S") is None:
            return
        rows = event.rows("S", 60)
        dwells = [min(at(row, 3), 30_000) / 1000 for row in rows]
        total = math.fsum(dwells)
        self.add("viewport_engagement", event, total)
        seen = [dwell for dwell in dwells if dwell > 0]
        if len(seen) >= 3:
            entropy = -math.fsum(d / total * math.log(d / total) for d in seen)
            self.add("attention_focus", event, total * (1 - entropy / math.log(len(seen))), total)
        self.add("section_revisit", event, math.fsum(min(at(row, 7), 3) for row in rows))
        for row, dwell in zip(rows, dwells):
            if dwell > 0:
                self.category(event, str(row[1]).lower())

    def attention(self, event: Event) -> None:
        if (reading := event.numbers("rd")) is not None:
            self.add("reading_pattern", event, at(reading, 0) / 1000, at(reading, 1) / 1000)
        if event.numbers("ct") is not None:
            rows = event.rows("ct", 20)
            hover = math.fsum(min(at(row, 1), 5000) / 1000 for row in rows)
            view = math.fsum(0.3 * at(row, 4) / 1000 for row in rows) if event.touch else 0
            self.add("cta_hover", event, hover + view)
        if (touches := event.numbers("tp")) is not None:
            self.add("touch_gesture", event, sum(at(touches, i) for i in (1, 3, 4, 5, 7)))
        if event.numbers("kb") is not None:
            self.add("keyboard_rhythm", event, keyboard_actions(event))
        if (visible := event.numbers("vz")) is not None:
            elapsed = at(visible, 7) or max(at(visible, 0), at(visible, 1) + at(visible, 5))
            self.add("tab_switching", event, at(visible, 6))
            self.add("visible_attention", event, min(at(visible, 2), elapsed) / 1000,
                     elapsed / 1000)

    def pointer(self, event: Event) -> None:
        moves = event.numbers("mo")
        if moves is None:
            return
        if at(moves, 4) > 0:
            self.add("cursor_efficiency", event, at(moves, 4) * min(at(moves, 3), 100) / 100,
                     at(moves, 4))
        seconds = at(moves, 2) / 1000
        if event.consent & INFERENCE and len(moves) >= 6 and seconds > 0:
            index = (0.4 * hill(at(moves, 5) * 60 / seconds, 60, 2)
                     + 0.3 * hill(at(moves, 6) * 60 / seconds, 25, 2)
                     + 0.3 * linear(at(moves, 7) / 10, 2, 5))
            self.add("cursor_microexpression", event, seconds * index, seconds)
            self.affect(event, moves, seconds)

    def affect(self, event: Event, moves: list[float], seconds: float) -> None:
        now = event.occurred_milliseconds
        frustration = math.fsum(points * 2 ** ((then - now) / 1000 / FRUSTRATION_HALF_LIFE_SECONDS)
                                for then, points in self.frustration)
        excess = 100 / max(1, min(at(moves, 3), 100)) if at(moves, 4) > 0 else None
        speed = at(moves, 8) if at(moves, 8) > 0 else None
        own_excess, own_speed = self.own(now, 2), self.own(now, 3)
        value = 0.4 * saturate(frustration, 2) + 0.1 * min(at(event.numbers("kb"), 4), 100) / 100
        if excess and own_excess:
            value += 0.3 * linear(excess / own_excess, 1.1, 1.8)
        if speed and own_speed:
            value += 0.2 * linear(own_speed / speed, 1.1, 2.0)
        self.add("negative_affect", event, seconds * value, seconds)
        self.baseline.append((now, seconds, excess, speed))

    def own(self, now: int, column: int) -> float | None:
        """The visitor's own usual value: a decayed geometric mean of earlier summaries."""
        known = [(sample[1] * 2 ** ((sample[0] - now) / 1000 / BASELINE_HALF_LIFE_SECONDS),
                  sample[column]) for sample in self.baseline if sample[column]]
        weight = math.fsum(w for w, _ in known)
        if weight < BASELINE_SECONDS_MIN:
            return None
        return math.exp(math.fsum(w * math.log(x) for w, x in known) / weight)

    def load(self, event: Event, active: float, scroll: list, retreats: float) -> None:
        reading, moves = event.numbers("rd"), event.numbers("mo")
        back = at(scroll, 3) / at(scroll, 0) if at(scroll, 0) > 0 else None
        if reading is not None and len(reading) >= 6:
            actual = at(reading, 5) / 1000
        else:
            actual = math.fsum(min(at(row, 3), 30_000) / 1000 for row in event.rows("S", 60)
                               if at(row, 5) > 0)
        expected = at(reading, 1) / 1000
        value = 0.25 * hill(retreats / (active / 60), 1.5, 2)
        value += 0.30 * linear(back, 0.15, 0.50) if back is not None else 0
        value += 0.25 * linear(actual / expected, 1.2, 2.5) if expected > 0 else 0
        pointer_seconds = at(moves, 2) / 1000
        if event.consent & INFERENCE and len(moves or []) >= 7 and pointer_seconds > 0:
            value += 0.20 * hill(at(moves, 6) * 60 / pointer_seconds, 25, 2)
        else:
            value /= 0.8
        self.add("cognitive_load", event, active * value, active)

    def fatigue(self, event: Event, minutes: float, latency: int) -> None:
        session = self.session
        session.active_minutes += minutes
        if latency > 0:
            session.decided(latency)
        third = len(session.samples) // 3
        value = 0.25 * saturate(session.options, 8) + 0.20 * hill(session.loop_points, 2, 2)
        value += 0.20 * linear(session.active_minutes, 10, 40)
        if third:
            early, late = sum(session.samples[:third]), sum(session.samples[-third:])
            value += 0.35 * linear(late / early, 1.2, 2.5)
        self.add("decision_fatigue", event, minutes * value, minutes)

    def engagement(self, event: Event, active: float, scroll: list, interactions: float) -> None:
        totals = event.numbers("pt")
        if totals is not None and len(totals) >= 8:
            now, before = ((t[0] / 1000, t[1] / 100, t[2], t[3])
                           for t in (totals[:4], totals[4:8]))
            self.add("engagement_quality", event, quality(*now) - quality(*before),
                     float(not any(totals[4:8])))
            return
        sections = sum(at(row, 3) > 0 for row in event.rows("S", 60))
        depth = at(scroll, 7) / 100 or 1.0
        actions = interactions + keyboard_actions(event)
        self.add("engagement_quality", event, quality(active, depth, sections, actions), 1)


def keyboard_actions(event: Event) -> float:
    return sum(at(event.numbers("kb"), i) for i in (0, 5, 6, 7))


def fold(events: Iterable[Event]) -> dict[str, dict[str, tuple[float, float, int]]]:
    """The sums of each visitor by signal, as (S, W, moment in epoch milliseconds)."""
    ordered = sorted((event for event in events if event.consent & 1),
                     key=lambda event: (event.visitor, event.order))
    visitors: dict[str, Visitor] = defaultdict(Visitor)
    for (visitor, _), record in groupby(ordered, lambda event: (event.visitor, event.order[:2])):
        profiled = [event for event in record if event.consent & PROFILING]
        if profiled:
            visitors[visitor].record(profiled)
    return {name: visitor.sums() for name, visitor in visitors.items()}
