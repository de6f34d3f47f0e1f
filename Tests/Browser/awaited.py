"""Scenarios that show what the product does not do yet, with the fault that is known.

They are played and reported as awaited instead of failed. A line goes when its fault goes: an
awaited scenario that passes is a failure, so that none stays here unseen.
"""

KNOWN = {
    "on the first-party path the engine sets the device cookie for 13 months":
        "the engine sets no cookie yet",
    "a score that the page asks for comes with the answer": "the engine gives no scores yet",
    "a conversion's row says which pixels were told": "the engine does not keep it yet",
}


def reason(name):
    """Why a scenario may fail, or an empty text."""
    return KNOWN.get(name, "")
