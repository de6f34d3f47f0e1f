"""Funnels and goals of the Hub, worked by keyboard alone."""

import json
import urllib.parse

from hub_checks import until

STEPS = [[{"page": "*"}], [{"conversion": "purchase"}]]


def funnel(hub):
    """A link shows its funnel; steps are changed without a pointer, and the address has them then."""
    context = hub.window()
    page = hub.page(context)
    hub.open(page, "conversions?steps=" + urllib.parse.quote(json.dumps(STEPS)))
    found = []
    if bars(page) != ["Any page", "Purchase"]:
        found.append(f"the link's steps are not shown: {bars(page)}")
    page.locator("hg-funnel summary", has_text="Edit").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name of step 1").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("/nowhere*")
    page.get_by_role("button", name="Later: step 1").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add a step").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("/pricing")
    page.keyboard.press("Enter")
    if not until(page, "document.querySelectorAll('hg-funnel .funnel li').length === 3", 20):
        found.append(f"three steps are not shown: {bars(page)}")
    wanted = [[{"conversion": "purchase"}], [{"page": "/nowhere*"}], [{"page": "/pricing"}]]
    told = urllib.parse.parse_qs(page.url.split("?", 1)[1])["steps"][0]
    if json.loads(told) != wanted:
        found.append(f"the address has other steps: {told}")
    numbers = page.locator("hg-funnel .funnel b").all_inner_texts()
    if len(numbers) != 3 or numbers[0] == "0" or numbers[1:] != ["0", "0"]:
        found.append(f"visitors of the steps: {numbers}")
    context.close()
    return found


def bars(page):
    return page.locator("hg-funnel .funnel .step").all_inner_texts()


def goals(hub):
    """A goal is set and removed by keyboard; in between its figure's card tells of it."""
    context = hub.window()
    page = hub.page(context)
    found = []
    hub.open(page, "settings")
    page.locator("hg-goals select").nth(0).select_option("visitors")
    page.get_by_label("Goal", exact=True).focus()
    page.keyboard.type("none")
    page.keyboard.press("Enter")
    if "number above 0" not in page.locator("hg-goals [role=alert]").inner_text():
        found.append("a goal that is no number is not refused in words")
    page.keyboard.press("Control+a")
    page.keyboard.type("1000")
    page.keyboard.press("Enter")
    if not until(page, "document.querySelector('hg-goals table') !== null", 20):
        found.append("the goal is not listed")
    hub.open(page, "overview?range=28d")
    told = page.locator("hg-kpi[metric=visitors] .goal").all_inner_texts()
    if len(told) != 1 or "of 1,000 this month" not in told[0] or "pace" not in told[0]:
        found.append(f"the card does not tell of its goal: {told}")
    hub.open(page, "settings")
    page.get_by_role("button", name="Remove the goal of Visitors each month").focus()
    page.keyboard.press("Enter")
    if not until(page, "document.querySelector('hg-goals table') === null", 20):
        found.append("the goal is not removed")
    context.close()
    return found
