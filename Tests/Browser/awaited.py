"""Scenarios that show what the product does not do yet, with the fault that is known.

They are played and reported as awaited instead of failed. A line goes when its fault goes: an
awaited scenario that passes is a failure, so that none stays here unseen.
"""

TRAIL = "the trail of a tab forgets the page that was left for one from the cache"
KNOWN = {
    "a quick way back without a deed is a U-turn": TRAIL,
    "a way back after a deed is no U-turn": TRAIL,
    "a late way back is no U-turn": TRAIL,
    "properties end at 32 keys and 2 KB, names at 64 characters":
        "one long value makes every later key go",
    "not dead: a click that chooses text": "a selection is no answer to a click yet",
    "not dead: a click that moves the focus": "focus is no answer to a click yet",
    "an explicit choice stands against Global Privacy Control": "explicit choices are not told yet",
    "on a page with toJSON, broken before us, events find their way":
        "what a page teaches toJSON is told instead of the values",
    "on a page with fetch that throws, broken before us, events find their way":
        "a fetch that throws leaves its batch under way for ever",
    "on a page with observers that throw, broken before us, events find their way":
        "an observer that throws keeps everything from starting",
    "on a page that breaks JSON after us, events find their way": "JSON is taken from the page",
    "on the first-party path the engine sets the device cookie for 13 months":
        "the engine sets no cookie yet",
}
# Where the fault does not show: WebKitGTK keeps pages in one process.
SHOWN_ON = {TRAIL: ("chromium", "firefox")}


def reason(name, browser):
    """Why a scenario may fail on a browser, or an empty text."""
    known = KNOWN.get(name, "")
    return known if browser in SHOWN_ON.get(known, (browser,)) else ""
