"""What the signals' definitions name: half-lives, tables of words, and the functions of section 2.

The tables hold the words of config/scoring.yaml that the tests' visitors use.
"""

import math

HOUR, DAY = 3600.0, 86400.0
HALF_LIFE_SECONDS = {
    "scroll_velocity": 2 * HOUR, "scroll_pause": 2 * HOUR, "viewport_engagement": DAY,
    "reading_pattern": DAY, "attention_focus": DAY, "section_revisit": DAY,
    "cta_hover": 12 * HOUR, "click_cadence": 2 * HOUR, "click_decisiveness": DAY,
    "cursor_efficiency": 2 * HOUR, "cursor_microexpression": HOUR, "touch_gesture": 12 * HOUR,
    "keyboard_rhythm": 12 * HOUR, "form_progress": 3 * DAY, "form_friction": DAY,
    "form_abandonment": 3 * DAY, "hesitation_loop": 6 * HOUR, "tab_switching": 6 * HOUR,
    "visible_attention": DAY, "frustration_clicks": 6 * HOUR, "session_depth": DAY,
    "return_cadence": 14 * DAY, "intent_proximity": 7 * DAY, "cognitive_load": 2 * HOUR,
    "decision_fatigue": 3 * HOUR, "negative_affect": HOUR, "engagement_quality": 3 * DAY,
}
ORDER_DEPENDENT = {"form_abandonment", "session_depth", "return_cadence", "intent_proximity",
                   "decision_fatigue", "negative_affect"}
ORDER_FREE = [signal for signal in HALF_LIFE_SECONDS if signal not in ORDER_DEPENDENT]
NEEDS_INFERENCE = {"cursor_microexpression", "negative_affect"}
# Decayed maxima: in place of the sum, or beside it where others have their weight.
MAXIMA = {"form_progress"}
MAXIMA_BESIDE = {"intent_proximity"}

PROFILING, INFERENCE = 4, 16
ABANDONED_MILLISECONDS = 5 * 60 * 1000
FRUSTRATION_HALF_LIFE_SECONDS, BASELINE_HALF_LIFE_SECONDS = 600.0, 3 * DAY
BASELINE_SECONDS_MIN = 60.0
LATENCY_SAMPLES_MAX, SESSION_PATHS_MAX, SESSIONS_KEPT = 12, 24, 4

# The words of config/scoring.yaml: stage, content category, whether it is an option to choose.
PAGE_PATHS = {"/demo": (0, None, False), "/demo/index.html": (0, None, False)}
PAGE_WORDS = {
    "catalogue": (0.20, None, False), "product": (0.20, None, True),
    "pricing": (0.35, "pricing", True), "comparison": (0.35, "comparison", True),
    "demo": (0.40, "demo", False), "checkout": (0.65, None, False), "about": (0, "about", False),
    "faq": (0, "faq", False), "specs": (0, "specs", False), "cart": (0.60, None, False),
}
CATEGORIES = {"testimonials", "pricing", "specs", "guarantee", "awards", "gallery", "demo",
              "comparison", "faq", "about"}
CLICK_WORDS = {"cart": 0.60, "plan": 0.60, "demo": 0.40, "compare": 0.35, "pricing": 0.35}
CLICK_OTHER = 0.65
# role, stage at the start, stage once half of the required fields are valid
FORMS = {"checkout": (1.0, 0.75, 0.85), "lead": (1.0, 0.75, 0.75), "account": (0.9, 0, 0),
         "newsletter": (0.5, 0, 0), "search": (0, 0, 0)}
FORM_OTHER = (0.5, 0, 0)
EVENT_STAGES = {"add_to_cart": 0.60, "select_plan": 0.60, "calculator": 0.45, "video_start": 0.40}
CONVERSIONS = {"purchase"}


def number(value) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        return 0.0
    return float(min(value, 1e9))


def at(array: list | None, index: int) -> float:
    return number(array[index]) if array is not None and index < len(array) else 0.0


def saturate(x: float, k: float) -> float:
    return 1 - math.exp(-x / k)


def hill(x: float, k: float, p: float) -> float:
    return x**p / (x**p + k**p)


def linear(x: float, a: float, b: float) -> float:
    return min(1.0, max(0.0, (x - a) / (b - a)))


def moved(signal: str, value: float, start: int, end: int) -> float:
    """A sum known at one moment, at another; both in epoch milliseconds."""
    return value * 2.0 ** (-(end - start) / 1000 / HALF_LIFE_SECONDS[signal])


def quality(active: float, depth: float, sections: float, interactions: float) -> float:
    return (linear(active, 5, 60) * depth * saturate(sections, 4)
            * saturate(interactions + 0.3, 2)) ** 0.25


def page_meaning(path: str) -> tuple[float, str | None, bool]:
    if path in PAGE_PATHS:
        return PAGE_PATHS[path]
    for segment in reversed(path.lower().split("/")):
        for word in "".join(c if c.isalnum() else " " for c in segment).split():
            if word in PAGE_WORDS:
                return PAGE_WORDS[word]
    return 0, None, False
