"""Reads a visitor's `state` field in Redis: the packed sums that dashboards may decay themselves.

Version 1, integers little-endian: version, band, label, zero (1 byte each); times of the last
record and the last event, landmark, time a form was left (8 each); measured signals and page views
(4 each); a mask of the sums that are not zero (8), and those as doubles. A sum's place never
changes: first the 27 signals' own, then weights and denominators, then what no test here asks for.
"""

import struct

from definitions import HALF_LIFE_SECONDS

HEAD = struct.Struct("<BBBBqqqqIIQ")
SIGNALS = list(HALF_LIFE_SECONDS)
WEIGHTS = ["scroll_velocity", "scroll_pause", "reading_pattern", "attention_focus",
           "click_cadence", "click_decisiveness", "cursor_efficiency", "cursor_microexpression",
           "form_friction", "visible_attention", "cognitive_load", "decision_fatigue",
           "negative_affect", "engagement_quality", "intent_proximity"]


def sums(state: bytes) -> dict[str, tuple[float, float, int]]:
    """The sums by signal as (S, W, moment in epoch milliseconds)."""
    version, _, _, _, _, _, landmark, _, _, _, mask = HEAD.unpack_from(state)
    if version != 1:
        raise ValueError(f"packed state of version {version}, this reads version 1")
    present = [place for place in range(64) if mask >> place & 1]
    values = dict(zip(present, struct.unpack_from(f"<{len(present)}d", state, HEAD.size)))
    if len(state) != HEAD.size + 8 * len(present):
        raise ValueError(f"packed state of {len(state)} bytes holds {len(present)} sums")
    return {signal: (values.get(place, 0.0),
                     values.get(len(SIGNALS) + WEIGHTS.index(signal), 0.0)
                     if signal in WEIGHTS else 0.0, landmark)
            for place, signal in enumerate(SIGNALS)}
