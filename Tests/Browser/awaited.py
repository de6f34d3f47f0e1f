"""Scenarios that show what the product does not do yet, with the fault that is known.

They are played and reported as awaited instead of failed. A line goes when its fault goes: an
awaited scenario that passes is a failure, so that none stays here unseen.
"""

KNOWN = {
    "a way back after a deed is no U-turn":
        "what was done on a page is not in the trail of one that comes from the cache",
    "on a page that breaks timers after us, events find their way": "timers are the page's",
    "copy, find and print are counted; other shortcuts are not":
        "the build renames what counts copies",
    "on a page with fetch that throws, broken before us, events find their way":
        "no beacon stands in for a fetch that throws",
    "on the first-party path the engine sets the device cookie for 13 months":
        "the engine sets no cookie yet",
}
# Where a fault shows, if not everywhere: WebKitGTK keeps pages in one process.
SHOWN_ON = {"a way back after a deed is no U-turn": ("chromium", "firefox")}


def reason(name, browser):
    """Why a scenario may fail on a browser, or an empty text."""
    return KNOWN.get(name, "") if browser in SHOWN_ON.get(name, (browser,)) else ""
